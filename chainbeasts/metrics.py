"""The figures of training: their message, and who takes it."""

from __future__ import annotations

from backend.monitoring.training import TrainingMetrics
from trainer.metrics.log import MetricsLog, read_log
from trainer.metrics.server import MetricsServer
from trainer.metrics.sinks import Sink, fan_out
from trainer.metrics.streamer import MetricsStreamer

__all__ = [
    "MetricsLog",
    "MetricsServer",
    "MetricsStreamer",
    "Sink",
    "TrainingMetrics",
    "fan_out",
    "read_log",
]
