"""Places where others publish states: asked politely, and believed in nothing."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from chainbeasts.backend.kernel.state import MalformedStateError, State
from chainbeasts.backend.store.places import Place, PlaceError, TooLargeError
from chainbeasts.backend.store.state_files import MAX_FILE_BYTES, file_name, unpack
from chainbeasts.backend.store.waits import Allowance, Waits

log = structlog.get_logger()

FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 1.0, 300.0
QUICK_SECONDS = 1.0
SLOW_SECONDS, SLOW_SHARE = 30.0, 0.2
"""What answers take beyond ``QUICK_SECONDS`` each: so long at once, then so much of the time. A
place that makes us wait for every answer, though never for so long that it counts as away, must
not keep disputes waiting."""

MOST_MISSING = 16_384
"""Hashes remembered as not there, per place."""


class PublishedStates:
    """States at one place that others fill. What it serves is checked, what is wrong is ignored.

    A place that fails is left alone for a while, longer each time, and complained about once; so is
    each file that is not there yet or is not what its name says. A slow place is asked for a part
    of the time.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, place: Place, clock: Callable[[], float] = time.monotonic) -> None:
        self.place = place
        self._away = Waits(FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS, 1, clock)
        self._missing = Waits(FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS, MOST_MISSING, clock)
        self._wrong = Waits(LONGEST_WAIT_SECONDS, LONGEST_WAIT_SECONDS, MOST_MISSING, clock)
        self._slow = Allowance(SLOW_SECONDS, SLOW_SHARE, clock)
        self._told_slow = False
        self._clock = clock

    @property
    def rests(self) -> bool:
        """Whether the place was slow, and is not asked for now."""
        return not self._slow.left

    @property
    def away(self) -> bool:
        """Whether the place failed the last time, and is not asked for now."""
        return not self._away.due(b"")

    def get(self, h: bytes) -> State | None:
        """The state of a hash; None if the place does not serve it now."""
        if self.away or self.rests or not (self._missing.due(h) and self._wrong.due(h)):
            return None
        try:
            packed = self._read(h)
            state = None if packed is None else unpack(packed, h)
        except (TooLargeError, MalformedStateError) as error:
            self._back()
            if self._wrong.again(h):
                log.warning("snapshot ignored", place=self.place.url, h=h, reason=str(error))
            return None
        except PlaceError as error:
            self._failed(error)
            return None
        self._back()
        if state is not None:
            self._missing.done(h)
            self._wrong.done(h)
        elif self.place.folder is None:  # a folder is looked into at once, as it costs nothing
            self._missing.again(h)
        return state

    def _read(self, h: bytes) -> bytes | None:
        begun = self._clock()
        try:
            found = self.place.read(file_name(h), MAX_FILE_BYTES)
        finally:
            took = self._clock() - begun
            self._slow.spend(max(0.0, took - QUICK_SECONDS))
        if self.rests and not self._told_slow:
            self._told_slow = True
            log.warning(
                "a place of snapshots is slow", place=self.place.url, seconds=round(took, 1)
            )
        return found

    def put(self, h: bytes, packed: bytes) -> bool:
        """Publish a file; whether it is there now."""
        if self.away:
            return False
        try:
            self.place.write(file_name(h), packed)
        except PlaceError as error:
            self._failed(error)
            return False
        self._back()
        return True

    def _failed(self, error: PlaceError) -> None:
        if self._away.again(b""):
            log.warning("a place of snapshots is away", place=self.place.url, reason=str(error))

    def _back(self) -> None:
        if self._away.done(b""):
            log.info("the place of snapshots is back", place=self.place.url)
