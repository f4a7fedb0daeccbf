"""How long a call to a node may take, and when all calls have to end because the process does."""

from __future__ import annotations

import threading
import time

CALL_SECONDS = 60.0
"""Deadline of one call, from the look-up of the name to the last byte of the answer."""

SLICE_SECONDS = 0.25
"""Nobody blocks for longer without a look at the clock: a signal's handler cannot interrupt a wait
for a socket, it can only leave a note that is read between two of them."""

GRACE_SECONDS = 3.0
"""What calls have left after the wish to end: enough for a node that answers."""


class HungUpError(ConnectionError):
    """The process is to end; the node is not waited for any more."""


class CallClock:
    """The deadline of each thread's present call, and one for all calls when the process ends.

    Args:
        seconds: deadline of one call.
    """

    def __init__(self, seconds: float = CALL_SECONDS) -> None:
        self.seconds = seconds
        self._calls = threading.local()
        self._ends: float | None = None

    def begin(self) -> None:
        """Begin a call of this thread."""
        self._calls.deadline = time.monotonic() + self.seconds
        self.left()

    def hang_up(self, grace: float = GRACE_SECONDS) -> None:
        """Let every call end within ``grace`` seconds, and none begin after that.

        It may be called by a signal's handler: it takes no lock.
        """
        self._ends = time.monotonic() + grace

    def check(self) -> None:
        """Raise if the process is to end.

        Raises:
            HungUpError: it is.
        """
        if self._ends is not None and time.monotonic() >= self._ends:
            raise HungUpError("the process ends")

    def left(self) -> float:
        """Seconds that the present call may still take.

        Raises:
            TimeoutError: none.
            HungUpError: the process is to end.
        """
        self.check()
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
