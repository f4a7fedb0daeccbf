"""How long a call to a node may take, and when all calls have to end because the process does."""

from __future__ import annotations

import threading
import time

CALL_SECONDS = 60.0
"""Deadline of one call, from the look-up of the name to the last byte of the answer."""

SLICE_SECONDS = 0.25
"""Nobody blocks for longer without a look at the clock: a signal's handler cannot interrupt a wait
for a socket, it can only leave a note that is read between two of them."""

GRACE_SECONDS = 2.0
"""What calls have left after the wish to end: enough for a node that answers."""


class HungUpError(ConnectionError):
    """The process is to end; the node is not waited for any more."""


class _Process:
    """When this process's calls have to end, by the monotonic clock; None: it goes on."""

    ends: float | None = None


def hang_up(grace: float = GRACE_SECONDS) -> None:
    """Let every call of the process end within ``grace`` seconds, and none begin after that.

    A signal's handler may call it: it takes no lock.
    """
    _Process.ends = time.monotonic() + grace


def carry_on() -> None:
    """Take the wish to end back, where it was for a part of the process alone."""
    _Process.ends = None


def check() -> None:
    """Raise if the process is to end and its calls are over.

    Raises:
        HungUpError: they are.
    """
    if _Process.ends is not None and time.monotonic() >= _Process.ends:
        raise HungUpError("the process ends")


class CallClock:
    """The deadline of each thread's present call.

    Args:
        seconds: deadline of one call.
    """

    def __init__(self, seconds: float = CALL_SECONDS) -> None:
        self.seconds = seconds
        self._calls = threading.local()

    def begin(self) -> None:
        """Begin a call of this thread."""
        self._calls.deadline = time.monotonic() + self.seconds
        self.left()

    def left(self) -> float:
        """Seconds that the present call may still take.

        Raises:
            TimeoutError: none.
            HungUpError: the process is to end.
        """
        check()
        left = float(self._calls.deadline) - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"no answer in {self.seconds:g} s")
        return left

    def slice(self) -> float:
        """Seconds to block for before the next look at the clock.

        Raises:
            TimeoutError, HungUpError: as ``left``.
        """
        return min(self.left(), SLICE_SECONDS)
