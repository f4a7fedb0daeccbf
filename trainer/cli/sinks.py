"""Where a run's figures go: the metrics server, and a file."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.trainer.metrics.limits import DEFAULT_HOST, DEFAULT_PORT
from chainbeasts.trainer.metrics.log import MetricsLog
from chainbeasts.trainer.metrics.sinks import Sink
from chainbeasts.trainer.metrics.streamer import MetricsStreamer

PORT_VARIABLE = "METRICS_PORT"
LOOK_SECONDS = 0.5


def metrics_port() -> int:
    """The metrics server's port, from ``METRICS_PORT`` if that is set.

    Raises:
        ChainBeastsError: it is no port.
    """
    given = os.environ.get(PORT_VARIABLE, str(DEFAULT_PORT))
    if not given.isascii() or not given.isdigit() or not 0 < int(given) < 1 << 16:
        raise ChainBeastsError(f"{PORT_VARIABLE} is {given!r}.", "It is a port, 1 to 65535.")
    return int(given)


def _listens(port: int) -> bool:
    try:
        with socket.create_connection((DEFAULT_HOST, port), LOOK_SECONDS):
            return True
    except OSError:
        return False


@contextmanager
def open_sinks(metrics: bool | None, log: Path | None) -> Iterator[list[Sink]]:
    """The sinks that the options ask for, closed at the end.

    Args:
        metrics: send to the metrics server; None: if one listens now.

    Raises:
        ChainBeastsError: the log cannot be opened.
    """
    with ExitStack() as stack:
        found: list[Sink] = []
        if log is not None:
            found.append(stack.enter_context(MetricsLog(log)))
        if metrics is not False:
            port = metrics_port()
            if metrics or _listens(port):
                found.append(stack.enter_context(MetricsStreamer(DEFAULT_HOST, port)))
        yield found
