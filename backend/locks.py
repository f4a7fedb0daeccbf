"""Locks between processes, as files; whoever waits for another process says so, and not for ever.

Whoever holds a lock has its note in the lock's file: which process it is, and when it took it. The
note is for people, the lock is the system's. A process that was stopped (Ctrl-Z, a paused
container) keeps its locks, and no lock is ever broken: who waits for it names it and gives up.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog
from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout

from chainbeasts.backend.errors import ChainBeastsError

log = structlog.get_logger()

QUIET_SECONDS = 1.0
"""A wait that takes longer is told."""

TELL_SECONDS = 60.0
"""It is told again so often."""

WAIT_SECONDS = 600.0
"""Longest wait for one holder, where nothing else is said."""

MAX_NOTE_BYTES = 512


class LockHeldError(ChainBeastsError):
    """Another process has held a lock for longer than anybody waits; nothing was done."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A living process that holds a lock.

    Attributes:
        stopped: it does not run until it is told to go on, as far as that can be seen.
    """

    pid: int
    stopped: bool


class ProcessLock:
    """A lock that one process, and one thread in it, holds at a time.

    Args:
        purpose: what whoever holds it does, for people.
        mode: of the lock's file; the umask's if -1.
        seconds: longest wait for one holder; it begins anew when the lock went to another one.

    Raises:
        OSError: where it is taken, if its file cannot be made.
        LockHeldError: where it is taken, if it was waited for in vain.
    """

    def __init__(
        self, path: Path, purpose: str, mode: int = -1, *, seconds: float = WAIT_SECONDS
    ) -> None:
        self.path = path
        self.purpose = purpose
        self.seconds = seconds
        self._lock: BaseFileLock = FileLock(path, mode=mode)

    def __enter__(self) -> ProcessLock:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def acquire(self, look: Callable[[], object] = lambda: None) -> None:
        """Take it; after a second's wait, and then every minute, say what for and for whom.

        Args:
            look: called again and again while it is waited for; what it raises ends the wait.

        Raises:
            LockHeldError: one holder had it for ``seconds``.
        """
        # Counted in tries: who was stopped itself, or had no turn, has not waited.
        waited = told = since = 0.0
        before: bytes | None = None
        while True:
            try:
                self._lock.acquire(timeout=QUIET_SECONDS)
            except Timeout:
                look()
            else:
                break
            waited += QUIET_SECONDS
            note = self._read()
            if note != before:  # somebody had it meanwhile, so it goes on
                before, since = note, waited - QUIET_SECONDS
            if waited - since >= self.seconds:
                raise self._held(_holder(note))
            if not told or waited - told >= TELL_SECONDS:
                self._tell(_holder(note))
                told = waited
        try:
            self._write(f"{os.getpid()} {_place()} {time.time_ns()}\n".encode())
        except BaseException:  # as of a signal's handler: nobody would release it
            self._lock.release()
            raise

    def release(self) -> None:
        """Give it back."""
        if self._lock.lock_counter == 1:
            self._write(b"")
        self._lock.release()

    def _tell(self, holder: Holder | None) -> None:
        log.warning(
            "waiting for another process or task",
            until=self.purpose,
            lock=str(self.path),
            holder="unknown" if holder is None else holder.pid,
            stopped=holder is not None and holder.stopped,
            hint=self._hint(holder),
        )

    def _held(self, holder: Holder | None) -> LockHeldError:
        who = "another process" if holder is None else f"process {holder.pid}"
        stopped = ", which is stopped," if holder is not None and holder.stopped else ""
        return LockHeldError(
            f"It was waited in vain until {self.purpose}: {who}{stopped} holds {self.path}.",
            self._hint(holder),
        )

    def _hint(self, holder: Holder | None) -> str:
        if holder is None:
            return (
                f"See which process has it open (`fuser {self.path}`); if that is stopped, let it "
                "go on (`kill -CONT PID`), or end it."
            )
        if holder.pid == os.getpid():
            return "It is another task of this process; start that again if it hangs."
        if holder.stopped:
            return f"Let it go on: `kill -CONT {holder.pid}`; or end it: `kill -KILL {holder.pid}`."
        return (
            f"Wait if it is at work. If it is frozen, let it go on (`kill -CONT {holder.pid}`, or "
            "unpause its container), or end it."
        )

    def _write(self, note: bytes) -> None:
        """Put the holder's note into the file; without it the lock is as good."""
        if isinstance(self._lock, SoftFileLock):  # the file is its own record there
            return
        with suppress(OSError):
            handle = os.open(self.path, os.O_WRONLY | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0))
            try:
                os.write(handle, note)
            finally:
                os.close(handle)

    def _read(self) -> bytes:
        try:
            with self.path.open("rb") as file:
                return file.read(MAX_NOTE_BYTES)
        except OSError:
            return b""


def _place() -> str:
    """Where a process's number means something: one machine, and one container of it."""
    space = ""
    with suppress(OSError):  # no Linux
        space = os.readlink("/proc/self/ns/pid")
    return f"{socket.gethostname()}/{space}"


def _holder(note: bytes) -> Holder | None:
    """Whom a note is of; None unless that is a living process of this place."""
    words = note.decode(errors="replace").split()
    if len(words) != 3 or words[1] != _place() or not words[0].isdecimal():
        return None
    pid = int(words[0])
    if not pid:
        return None
    try:
        os.kill(pid, 0)
    except PermissionError:  # it lives, and is another user's
        pass
    except (OSError, OverflowError):  # it was killed, and who holds the lock now left no note
        return None
    return Holder(pid, _is_stopped(pid))


def _is_stopped(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:  # no Linux, or it ended
        return False
    # The state comes after the program's name, which may have any bytes, parentheses too.
    return stat.rpartition(b")")[2].split()[:1] in ([b"T"], [b"t"])
