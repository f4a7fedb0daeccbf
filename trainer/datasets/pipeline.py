"""The training pipeline on a dataset: cached samples, compiled kernel, live figures, resumption."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from eth_hash.auto import keccak
from filelock import FileLock, Timeout

from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.constants import WINDOW_STEPS
from chainbeasts.backend.kernel.rules import Rules, Schedule
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.state import State
from chainbeasts.backend.kernel.window import WindowContext, genesis_state
from chainbeasts.backend.kernels import kernel_for
from chainbeasts.backend.monitoring.training import SCHEMA, TrainingMetrics
from chainbeasts.trainer.datasets import checkpoint_file
from chainbeasts.trainer.datasets.checkpoint_file import TrainingCheckpoint
from chainbeasts.trainer.datasets.disk_cache import DiskCacheProducer
from chainbeasts.trainer.datasets.formats import to_binary
from chainbeasts.trainer.datasets.producers import Producer
from chainbeasts.trainer.metrics.accuracy import Tally, tally
from chainbeasts.trainer.metrics.sinks import Sink

DEMO_DNA = bytes(keccak(b"chainbeasts/pipeline/1"))
"""The brain of a run that names none."""

ALL_HEADS = 7


@dataclass(frozen=True, slots=True)
class PipelineRun:
    """What a run did.

    Attributes:
        first, last: micro-steps made before it and after it.
        records: of the dataset.
        learned: figures over the run's own steps.
    """

    run: str
    first: int
    last: int
    records: int
    learned: Tally
    state: State


def run_dataset_pipeline(
    base: Producer,
    cache_name: str,
    epochs: int,
    streamer: Sink,
    *,
    checkpoint: Path | None = None,
    dna: bytes = DEMO_DNA,
    rules: Rules | None = None,
    on_block: Callable[[int, int], None] = lambda done, total: None,
) -> PipelineRun:
    """Train a brain on a dataset, the given number of times over it.

    The first run takes the samples from ``base`` and keeps them; later ones touch only the cache.

    Args:
        cache_name: of the dataset's file in the cache folder.
        epochs: passes over the dataset that this call makes.
        streamer: told the figures of each 128 micro-steps.
        checkpoint: a file that is resumed from if it exists, and brought up to date after each 128
            micro-steps; killed in between, a run loses no more than those.
        on_block: told micro-steps done and in all.

    Raises:
        ChainBeastsError: no samples, or a checkpoint of another run, or of one that runs now.
    """
    if epochs < 1:
        raise ChainBeastsError(f"{epochs} epochs are no run.", "Train at least one.")
    with _alone(checkpoint):
        return _run(base, cache_name, epochs, streamer, checkpoint, dna, rules, on_block)


@contextmanager
def _alone(checkpoint: Path | None) -> Iterator[None]:
    """Keep a second run off a checkpoint: the two would undo each other's steps.

    Raises:
        ChainBeastsError: there is one, or nothing can be written beside the checkpoint.
    """
    if checkpoint is None:
        yield
        return
    lock = FileLock(checkpoint.with_name(f"{checkpoint.name}.lock"), timeout=0)
    try:
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise ChainBeastsError(
            f"Another run trains on the checkpoint {checkpoint}.",
            "Wait for its end, or name another file for this run.",
        ) from None
    except OSError as error:
        raise ChainBeastsError(
            f"The checkpoint {checkpoint} cannot be written: {error.strerror}.",
            "Make room or name another file.",
        ) from None
    try:
        yield
    finally:
        lock.release()


def _run(
    base: Producer,
    cache_name: str,
    epochs: int,
    streamer: Sink,
    checkpoint: Path | None,
    dna: bytes,
    rules: Rules | None,
    on_block: Callable[[int, int], None],
) -> PipelineRun:
    words = tuple(DiskCacheProducer(base, cache_name).words())
    digest = hashlib.sha256(to_binary(words)).hexdigest()
    kept = None if checkpoint is None else checkpoint_file.load(checkpoint, dna, digest)
    position = 0 if kept is None else kept.position
    state = genesis_state(0, dna) if kept is None else kept.state
    ctx = _context(dna, rules or Rules())
    run, first, learned = secrets.token_hex(4), position, Tally()
    last = first + epochs * len(words)
    while position < last:
        block = _block(words, position, min(WINDOW_STEPS, last - position))
        state.update(window_loss=0)
        traces = kernel_for(state.header.active_mask).learn(ctx, state, block, traced=True)
        assert traces is not None
        figures = tally(traces)
        learned, position = learned + figures, position + len(block)
        if checkpoint is not None:
            kept = TrainingCheckpoint(dna, digest, position, state)
            checkpoint_file.save(checkpoint, kept)
        streamer.send(_message(run, position, figures))
        on_block(position - first, last - first)
    return PipelineRun(run, first, position, len(words), learned, state)


def _block(words: Sequence[int], position: int, steps: int) -> list[int]:
    return [words[(position + i) % len(words)] for i in range(steps)]


def _context(dna: bytes, rules: Rules) -> WindowContext:
    return WindowContext(
        dna=dna,
        epoch_seed=bytes(32),
        heads=ALL_HEADS,
        lr_shift=Schedule().lr_base,
        source=Source.CURRICULUM,  # never drawn from: every word is given
        rules=rules,
    )


def _message(run: str, position: int, figures: Tally) -> TrainingMetrics:
    return TrainingMetrics(
        schema=SCHEMA,
        run=run,
        beast=0,
        step=position % (1 << 32),
        steps=figures.steps,
        source="dataset",
        loss=figures.mean_loss,
        move_accuracy=figures.move_accuracy,
        attack_mae=figures.attack_mae,
        block_accuracy=figures.block_accuracy,
    )
