"""Where a run's figures go: the metrics server, and a file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trainer.telemetry import Sink


@contextmanager
def sinks(metrics: bool, log: Path | None) -> Iterator[list[Sink]]:
    """The sinks that the options ask for, closed at the end."""
    yield []
