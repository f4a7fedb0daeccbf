"""How long to leave alone what failed, twice as long each time; and what is slow."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable


class Waits:
    """Times before which keys are not tried again.

    Args:
        first: seconds after the first failure; each further one doubles them.
        longest: most seconds.
        most: keys remembered; the oldest is forgotten first.
        clock: seconds that only grow.
    """

    def __init__(self, first: float, longest: float, most: int, clock: Callable[[], float]) -> None:
        self._first, self._longest, self._most, self._clock = first, longest, most, clock
        self._until: OrderedDict[bytes, tuple[float, float]] = OrderedDict()

    def due(self, key: bytes) -> bool:
        """Whether a key may be tried now."""
        found = self._until.get(key)
        return found is None or found[0] <= self._clock()

    def again(self, key: bytes) -> bool:
        """Note a failure; whether it is the first one."""
        known = self._until.pop(key, None)
        wait = self._first if known is None else min(2 * known[1], self._longest)
        self._until[key] = (self._clock() + wait, wait)
        if len(self._until) > self._most:
            self._until.popitem(last=False)
        return known is None

    def done(self, key: bytes) -> bool:
        """Note a success; whether it had failed before."""
        return self._until.pop(key, None) is not None


class Allowance:
    """Time that something may take: so much at once, and besides that a share of all time. Threads
    may share it.

    Args:
        seconds: at once.
        share: of the time that passes, after which there is some again.
        clock: seconds that only grow.
    """

    def __init__(self, seconds: float, share: float, clock: Callable[[], float]) -> None:
        self._seconds, self._share, self._clock = seconds, share, clock
        self._spent, self._at = 0.0, clock()
        self._lock = threading.Lock()

    @property
    def left(self) -> bool:
        """Whether there is any now."""
        with self._lock:
            now = self._clock()
            self._spent = max(0.0, self._spent - (now - self._at) * self._share)
            self._at = now
            return self._spent < self._seconds

    def spend(self, seconds: float) -> None:
        """Take off what was needed, be it more than there was."""
        with self._lock:
            self._spent += seconds
