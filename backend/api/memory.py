"""The last messages of the live stream, for listeners who come back and ask what they missed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from chainbeasts.backend.api.models import Live
from chainbeasts.backend.api.topics import Topics, topics_of, wants

MOST_HELD = 1_000
MOST_REORGS = 64

Place = tuple[int, int]
"""Block and number of a log in it."""

BEFORE_ALL: Place = (-1, 0)


def place_of(event: str) -> Place:
    """The place that an event's id names."""
    block, number = event.split("-")
    return int(block), int(number)


@dataclass(frozen=True, slots=True)
class Held:
    """A message that is held."""

    place: Place
    text: str
    topics: Topics | None


class Memory:
    """What was told, the newest first forgotten last. One thread writes.

    Ids name block and log alone, and a reorg may give an id to another event: whoever asks from a
    block that was once taken back is told of a gap, rather than left with what is no longer so.
    """

    def __init__(self, most: int = MOST_HELD) -> None:
        self._most = most
        self._held: deque[Held] = deque()
        self._undone: deque[tuple[int, int]] = deque(maxlen=MOST_REORGS)
        self._floor: Place | None = None
        self._tip = -1

    @property
    def newest(self) -> str | None:
        """The id of the last event that was told."""
        last = self._held[-1].place if self._held else self._floor
        return None if last is None or last == BEFORE_ALL else "-".join(map(str, last))

    def remember(self, past: Iterable[Live], floor: Place) -> None:
        """Take in what was on the chain before the first message was told.

        Args:
            floor: the place after which nothing is missing from it.
        """
        for message in past:
            self.add(message, message.model_dump_json(exclude_none=True))
        if self._floor is None:
            self._floor = floor

    def add(self, message: Live, text: str) -> None:
        """Take in a message as it is told."""
        if message.type == "reorg" and message.block is not None:
            self._undone.append((message.block, self._tip))
            self._tip = message.block - 1
            while self._held and self._held[-1].place[0] >= message.block:
                self._held.pop()
        elif message.block is not None:
            self._tip = max(self._tip, message.block)
        if message.type == "gap":  # what is held is not all that came after an earlier event
            self._held.clear()
            self._floor = None if message.id is None else place_of(message.id)
            return
        if message.id is None:
            return
        self._held.append(Held(place_of(message.id), text, topics_of(message)))
        if len(self._held) > self._most:
            self._floor = self._held.popleft().place

    def was_undone(self, since: Place) -> bool:
        """Whether an event of that id was taken back, as far as this server saw."""
        return any(first <= since[0] <= last for first, last in tuple(self._undone))

    def since(self, since: str, wanted: Topics | None) -> list[str] | None:
        """What was told after an event; None if that cannot be said any more."""
        place = place_of(since)
        if self._floor is None or place < self._floor or place[0] > self._tip:
            return None
        if self.was_undone(place):
            return None
        return [one.text for one in self._held if one.place > place and wants(wanted, one.topics)]
