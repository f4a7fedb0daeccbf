"""What the demonstrations share: their dataset, their metrics server, and how a run is shown."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from chainbeasts.backend.cli.output import fields, note, print_error, print_json, progress, stdout
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.logs import configure_logging
from chainbeasts.backend.resources import samples_file
from chainbeasts.trainer.cli.sinks import metrics_port
from chainbeasts.trainer.datasets.http import HttpProducer
from chainbeasts.trainer.datasets.pipeline import PipelineRun, run_dataset_pipeline
from chainbeasts.trainer.datasets.producers import FileProducer, Producer
from chainbeasts.trainer.metrics.streamer import MetricsStreamer

CACHE_NAME = "train.cache"

DataOption = Annotated[
    str | None,
    typer.Option(
        "--data", help="File or http(s) URL of battle records; examples/battle_samples.csv if not."
    ),
]
CacheOption = Annotated[str, typer.Option("--cache", help="Name of the dataset's cache.")]
EpochsOption = Annotated[int, typer.Option("--epochs", min=1, help="Passes over the dataset.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def producer(data: str | None) -> Producer:
    """The producer of a file or URL; of the samples that come along if neither is given."""
    if data is not None and data.startswith(("http://", "https://")):
        return HttpProducer(data)
    return FileProducer(samples_file() if data is None else Path(data))


def demonstrate(
    data: str | None, cache: str, epochs: int, checkpoint: Path | None, as_json: bool
) -> None:
    """Run the pipeline, show its progress and what came of it.

    Raises:
        ChainBeastsError: no samples, or a checkpoint of another run.
    """
    configure_logging(os.environ.get("CHAINBEASTS_LOG_LEVEL", "warning"))
    with ExitStack() as stack:
        streamer = stack.enter_context(MetricsStreamer(port=metrics_port()))
        bar = stack.enter_context(progress())
        task = bar.add_task("micro-steps", total=None)
        run = run_dataset_pipeline(
            producer(data),
            cache,
            epochs,
            streamer,
            checkpoint=checkpoint,
            on_block=lambda done, total: bar.update(task, completed=done, total=total),
        )
    if checkpoint is not None and run.first and not as_json:
        note(f"Resumed from {checkpoint} at micro-step {run.first}.")
    _show(run, streamer, checkpoint, as_json)


def _show(
    run: PipelineRun, streamer: MetricsStreamer, checkpoint: Path | None, as_json: bool
) -> None:
    learned = run.learned
    facts = {
        "run": run.run,
        "records": run.records,
        "first_step": run.first,
        "last_step": run.last,
        "loss": learned.mean_loss,
        "move_accuracy": learned.move_accuracy,
        "attack_mae": learned.attack_mae,
        "block_accuracy": learned.block_accuracy,
        "messages_sent": streamer.sent,
        "messages_dropped": streamer.dropped,
        "checkpoint": checkpoint,
    }
    if as_json:
        print_json(facts)
        return
    shown = {
        name: f"{value:.3f}" if isinstance(value, float) else value
        for name, value in facts.items()
        if value is not None
    }
    stdout.print(fields("Trained", shown))


def exit_code(app: Callable[[], None]) -> None:
    """Run a program: exit 0 on success, 1 on an error, 2 on wrong usage."""
    try:
        app()
    except ChainBeastsError as error:
        print_error(error)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
