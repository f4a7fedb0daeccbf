"""The figures of training: their message, and who takes it."""

from __future__ import annotations

from chainbeasts.backend.monitoring.training import TrainingMetrics
from chainbeasts.trainer.metrics.log import MetricsLog, read_log
from chainbeasts.trainer.metrics.server import MetricsServer
from chainbeasts.trainer.metrics.sinks import Sink, fan_out
from chainbeasts.trainer.metrics.streamer import MetricsStreamer

__all__ = [
    "MetricsLog",
    "MetricsServer",
    "MetricsStreamer",
    "Sink",
    "TrainingMetrics",
    "fan_out",
    "read_log",
]
