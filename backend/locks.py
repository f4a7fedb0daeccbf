"""Locks between processes, as files; whoever waits for another process says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import structlog
from filelock import FileLock, Timeout

log = structlog.get_logger()

QUIET_SECONDS = 1.0
"""A wait that takes longer is told."""


class ProcessLock:
    """A lock that one process, and one thread in it, holds at a time.

    Args:
        purpose: what whoever holds it does, for people.
        mode: of the lock's file; the umask's if -1.

    Raises:
        OSError: where it is taken, if its file cannot be made.
    """

    def __init__(self, path: Path, purpose: str, mode: int = -1) -> None:
        self.path = path
        self.purpose = purpose
        self._lock = FileLock(path, mode=mode)

    def __enter__(self) -> ProcessLock:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def acquire(self, look: Callable[[], object] = lambda: None) -> None:
        """Take it; after a second's wait, say what for.

        Args:
            look: called again and again while it is waited for; what it raises ends the wait.
        """
        told = False
        while True:
            try:
                self._lock.acquire(timeout=QUIET_SECONDS)
            except Timeout:
                look()
            else:
                return
            if not told:
                log.info(
                    "waiting for another process or task", until=self.purpose, lock=str(self.path)
                )
                told = True

    def release(self) -> None:
        """Give it back."""
        self._lock.release()
