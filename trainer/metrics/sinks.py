"""Where a trainer puts its figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from chainbeasts.backend.monitoring.training import TrainingMetrics


class Sink(Protocol):
    """Takes figures. Never blocks and never raises: figures must not cost a trainer its run."""

    def send(self, metrics: TrainingMetrics) -> None: ...


@dataclass(frozen=True)
class _FanOut:
    sinks: tuple[Sink, ...]

    def send(self, metrics: TrainingMetrics) -> None:
        for sink in self.sinks:
            sink.send(metrics)


def fan_out(*sinks: Sink) -> Sink:
    """A sink that gives each message to all of these; without any it discards."""
    return _FanOut(sinks)
