"""Tells the metrics server and a log file what each submitted window learned."""

from __future__ import annotations

from collections.abc import Sequence

from chainbeasts.backend.kernel.constants import WINDOW_STEPS
from chainbeasts.backend.monitoring.training import TrainingMetrics
from chainbeasts.trainer.metrics.accuracy import Tally
from chainbeasts.trainer.metrics.sinks import Sink
from chainbeasts.trainer.plan.sources import source_text, training_source_of
from chainbeasts.trainer.train.job import Submitted


class Telemetry:
    """The messages of one run.

    Args:
        run: names it.
    """

    def __init__(self, run: str, sinks: Sequence[Sink]) -> None:
        self._run = run
        self._sinks = sinks
        self._locked = 0

    @property
    def wanted(self) -> bool:
        """Whether anybody takes the messages."""
        return bool(self._sinks)

    def tell(self, one: Submitted) -> None:
        """Send a submitted window's figures; of one that was taken up again, the loss alone."""
        self._locked += one.lock
        learned = one.learned or Tally(steps=WINDOW_STEPS, loss=one.payload.window_loss)
        message = TrainingMetrics(
            schema="chainbeasts.training/1",
            run=self._run,
            beast=one.beast_id,
            step=one.payload.global_step,
            steps=learned.steps,
            source=source_text(training_source_of(one.payload.source, one.payload.source_id)),
            loss=learned.mean_loss,
            move_accuracy=learned.move_accuracy,
            attack_mae=learned.attack_mae,
            block_accuracy=learned.block_accuracy,
            window=one.index,
            energy=self._locked,
        )
        for sink in self._sinks:
            sink.send(message)
