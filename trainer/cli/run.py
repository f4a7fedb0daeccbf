"""``chainbeasts trainer run``: train by a plan, submit, and go on whatever happens."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from chainbeasts.backend.chain.growth import slots_mask
from chainbeasts.backend.cli.confirm import YesOption
from chainbeasts.backend.cli.ending import started
from chainbeasts.backend.cli.output import note, progress
from chainbeasts.backend.cli.session import Session
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.signals import SignalSafeEvent, carry_on, hang_up
from chainbeasts.trainer.cli.growth import agree_to_run
from chainbeasts.trainer.cli.options import (
    CURRICULUM,
    AcceptForeignOption,
    BatchOption,
    BeastId,
    GrowOption,
    PlanOption,
    SnapshotsOption,
    SourceOption,
    StakeOption,
    WakeOption,
    trainer_of,
)
from chainbeasts.trainer.cli.sinks import open_sinks
from chainbeasts.trainer.cli.submitted import show_submitted
from chainbeasts.trainer.plan.text import parse_training_source
from chainbeasts.trainer.plan.toml import make_plan
from chainbeasts.trainer.submit.funds import Pause
from chainbeasts.trainer.train.job import Submitted, TrainingJob
from chainbeasts.trainer.train.loop import Run
from chainbeasts.trainer.train.telemetry import Telemetry

ENDING = b"Ending within seconds; what is not mined by then, the next run looks for.\n"
EXAMPLE = "chainbeasts trainer run 1 --windows 40 --plan curriculum:0-19,self-play --grow s3@20"


def run(
    session: Session,
    beast: BeastId,
    windows: Annotated[
        int, typer.Option(min=0, help="How many windows of 128 steps; 0: without end.")
    ] = 1,
    forever: Annotated[bool, typer.Option("--forever", help="The same as --windows 0.")] = False,
    until: Annotated[
        int | None,
        typer.Option(
            min=1, help="Train until the beast has that many; takes the place of --windows."
        ),
    ] = None,
    source: SourceOption = CURRICULUM,
    plan: PlanOption = None,
    grow: GrowOption = None,
    wake: WakeOption = None,
    yes: YesOption = False,
    batch: BatchOption = 1,
    in_flight: Annotated[
        int | None,
        typer.Option(min=1, help="Most windows trained and not mined; twice --batch by default."),
    ] = None,
    metrics: Annotated[
        bool | None,
        typer.Option(
            "--metrics/--no-metrics",
            help="Send figures to the metrics server on METRICS_PORT; by default if one listens.",
            show_default=False,
        ),
    ] = None,
    log: Annotated[
        Path | None, typer.Option(help="Append the figures of each window to this file.")
    ] = None,
    stake: StakeOption = None,
    accept_foreign_parent: AcceptForeignOption = False,
    snapshots: SnapshotsOption = None,
) -> None:
    """Train windows, publish their states and submit their checkpoints.

    It may be killed at any instant; the same command goes on. Ctrl-C and SIGTERM end it within
    seconds: a transaction that is not mined by then is left to the next run. A node that is away
    at the start is waited for.
    """
    mask, chosen = slots_mask(wake or []), make_plan(plan, grow, parse_training_source(source))
    if started(lambda: session.chain) is None:
        note("Stopped before the node was there.")
        show_submitted(session, [])
        return
    _, _, _, trainer = trainer_of(
        session,
        beast,
        chosen.sources,
        snapshots,
        stake=stake,
        accept_foreign_parent=accept_foreign_parent,
    )
    trainer.submitter.recover()
    head = session.chain.head(beast)
    number = None if forever or windows == 0 else windows
    if until is not None:
        number = max(until - head.head_count, 0)
    chosen.check(head.head_count, head.active_mask, number)
    agree_to_run(session, trainer, beast, head, chosen, mask, number, yes=yes)
    with ExitStack() as stack:
        pause = stack.enter_context(stoppable())
        telemetry = Telemetry(f"beast-{beast}", stack.enter_context(open_sinks(metrics, log)))
        bar = stack.enter_context(progress())
        task = bar.add_task(f"beast {beast}", total=number)

        def submitted(one: Submitted) -> None:
            bar.advance(task)
            telemetry.tell(one)

        job = TrainingJob(
            chosen,
            number,
            wake=mask,
            batch=batch,
            in_flight=in_flight,
            max_fee=session.max_fee,
            counted=telemetry.wanted,
            pause=pause,
            on_submitted=submitted,
            on_taken_back=lambda lost: bar.advance(task, -lost),
        )
        running = Run(trainer, job)
        try:
            running.go()
        except ChainBeastsError:
            bar.stop()
            if running.done:  # what stands is shown before the sentence of what went wrong
                show_submitted(session, running.done)
            raise
    if running.left:
        note(f"Stopped with {running.left} of {number} windows not submitted.")
    show_submitted(session, running.done)


@contextmanager
def stoppable() -> Iterator[Pause]:
    """Turn the first SIGINT or SIGTERM into the wish to stop; a second SIGINT ends at once."""
    wish = SignalSafeEvent()

    def stop(number: int, _: FrameType | None) -> None:
        wish.set()
        hang_up()
        signal.signal(number, before[signal.Signals(number)])
        with suppress(OSError):  # not by way of the progress bar, whose locks may be held here
            os.write(2, ENDING)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield wish.wait
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        carry_on()
