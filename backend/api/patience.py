"""Threads for somebody who may hang: whoever waits for one of theirs holds up nobody else."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar, TypeVarTuple, Unpack

from anyio import CapacityLimiter, sleep, to_thread

T = TypeVar("T")
Args = TypeVarTuple("Args")

SECONDS = 2.5
"""That one place, or the node, may take for one answer."""

AT_ONCE = 4
"""Threads for each. The ordinary pool, which all other routes share, never waits for one."""

LOOK_SECONDS = 0.05


class _Call:
    """One call that is under way.

    Attributes:
        since: by the monotonic clock.
        begun: whether its thread has it; a thread that was given up goes on until it ends.
    """

    def __init__(self) -> None:
        self.since = time.monotonic()
        self.begun = False


class Threads:
    """Those for one of them.

    Args:
        seconds: that it may take for an answer.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._waiting = CapacityLimiter(AT_ONCE)
        self._calls: set[_Call] = set()

    @property
    def patience(self) -> float:
        """Seconds to wait for an answer: none once all threads hang.

        Who has been at work for no longer than is allowed is busy, and worth waiting for.
        """
        calls = list(self._calls)
        newest = max((call.since for call in calls), default=0.0)
        hang = len(calls) >= AT_ONCE and time.monotonic() - newest > self._seconds
        return 0.0 if hang else self._seconds

    async def run(self, call: Callable[[Unpack[Args]], T], *args: *Args) -> T:
        """The call's result; whoever is cancelled leaves the thread behind."""
        async with self._waiting:
            while len(self._calls) >= AT_ONCE:  # left behind by others; whoever waits has patience
                await sleep(LOOK_SECONDS)
            mark = _Call()
            self._calls.add(mark)
            try:
                return await to_thread.run_sync(
                    self._noted,
                    mark,
                    call,
                    args,
                    limiter=CapacityLimiter(1),
                    abandon_on_cancel=True,
                )
            finally:
                if not mark.begun:  # and never will
                    self._calls.discard(mark)

    def _noted(self, mark: _Call, call: Callable[[Unpack[Args]], T], args: tuple[*Args]) -> T:
        mark.begun = True
        self._calls.add(mark)
        try:
            return call(*args)
        finally:
            self._calls.discard(mark)
