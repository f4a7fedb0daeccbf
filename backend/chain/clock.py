"""How long a call to a node may take."""

from __future__ import annotations

import threading
import time

from chainbeasts.backend.signals import SLICE_SECONDS, check

CALL_SECONDS = 60.0
"""Deadline of one call, from the look-up of the name to the last byte of the answer."""


class CallClock:
    """The deadline of each thread's present call.

    Args:
        seconds: deadline of one call; ``CALL_SECONDS`` if None.
    """

    def __init__(self, seconds: float | None = None) -> None:
        self.seconds = CALL_SECONDS if seconds is None else seconds
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
