"""Waits before a move is made again that was mined and did nothing: its gas was paid."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from chainbeasts.backend.chain.amounts import show_time
from chainbeasts.backend.chain.errors import Reverted
from chainbeasts.backend.chain.transactions import FailedOnChainError
from chainbeasts.backend.errors import ChainBeastsError

FIRST_SECONDS, LONGEST_SECONDS = 30.0, 86_400.0
"""Twice as long after each failure as after the one before: what stands in the way may be over in a
block, and no deadline is missed by more than has been tried for already."""

MOST_KEPT = 4_096


@dataclass(frozen=True, slots=True)
class _Pause:
    """Attributes:
    until: when the move may be made again, by the monotonic clock.
    shown: the same in words.
    """

    failures: int
    until: float
    shown: str


class PausedError(ChainBeastsError):
    """A move failed on the chain a short while ago."""


class Pauses:
    """The moves of one process that failed on the chain."""

    def __init__(self) -> None:
        self._pauses: dict[str, _Pause] = {}

    @contextmanager
    def before(self, move: str) -> Iterator[None]:
        """Make a move in here, and whatever is paid for on its behalf.

        Raises:
            PausedError: it failed on the chain, and its wait is not over.
        """
        pause = self._pauses.get(move)
        if pause is not None and time.monotonic() < pause.until:
            raise PausedError(
                f"It was mined and failed, {pause.failures} times so far; it is made again after "
                f"{pause.shown}."
            )
        try:
            yield
        except (Reverted, FailedOnChainError) as error:
            # A refusal in the simulation costs nothing.
            if error.gas_used:
                self._add(move, 1 if pause is None else pause.failures + 1)
            raise
        self._pauses.pop(move, None)

    def _add(self, move: str, failures: int) -> None:
        seconds = min(FIRST_SECONDS * 2 ** min(failures - 1, 16), LONGEST_SECONDS)
        if len(self._pauses) >= MOST_KEPT:
            self._pauses.pop(next(iter(self._pauses)))
        shown = show_time(int(time.time() + seconds))
        self._pauses[move] = _Pause(failures, time.monotonic() + seconds, shown)
