"""A run's log: its messages, one JSON object per line."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog

from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.monitoring.training import MessageError, TrainingMetrics

log = structlog.get_logger()

_TAIL = 1 << 16


class MetricsLog:
    """Appends messages to a file; each is on disk's way when ``send`` returns. One writer per file.

    A last line that a crash tore off is cut away on opening. What cannot be written (a full disk)
    is counted in ``dropped`` and does not raise.

    Raises:
        ChainBeastsError: the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.dropped = 0
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise ChainBeastsError(
                f"The log {path} cannot be opened: {error.strerror}.", "Name another file."
            ) from None
        with suppress(OSError):  # a pipe or a device has no last line
            os.ftruncate(self._file, _whole_lines(self._file))

    def send(self, metrics: TrainingMetrics) -> None:
        """Append a message."""
        line = metrics.to_json().encode() + b"\n"
        with self._lock:
            try:
                written = os.write(self._file, line)
                if written < len(line):
                    size = os.fstat(self._file).st_size
                    os.ftruncate(self._file, size - written)
                    raise OSError("only a part could be written")
            except OSError as error:
                if self.dropped == 0:
                    log.warning("metrics log fails", path=str(self.path), error=str(error))
                self.dropped += 1

    def close(self) -> None:
        """Close the file; what is sent afterwards is dropped."""
        with self._lock:
            if self._file >= 0:
                os.close(self._file)
                self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _whole_lines(file: int) -> int:
    """How many bytes of a file are lines with an end."""
    size = os.lseek(file, 0, os.SEEK_END)
    while size > 0:
        start = max(0, size - _TAIL)
        found = os.pread(file, size - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        size = start
    return 0


def read_log(path: Path) -> list[TrainingMetrics]:
    """The messages of a run's log, in order. A last line without an end is left out.

    Raises:
        ChainBeastsError: the file cannot be read, or a line is no message.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ChainBeastsError(
            f"The log {path} cannot be read: {error.strerror}.",
            "Name the log that a run wrote.",
        ) from None
    found = []
    for number, line in enumerate(data.split(b"\n")[:-1], 1):
        if not line.strip():
            continue
        try:
            found.append(TrainingMetrics.from_json(line))
        except MessageError as error:
            raise ChainBeastsError(
                f"Line {number} of {path} is no metrics message: {error}.",
                "Is that a run's log? Every line is one JSON object.",
            ) from None
    return found
