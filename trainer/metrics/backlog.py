"""Messages in order: what late joiners get, and every slow client's queue in one place."""

from __future__ import annotations

import heapq
from collections import OrderedDict, deque
from typing import NamedTuple


class Entry(NamedTuple):
    """A message and the number of the client that sent it."""

    sender: int
    text: str


class Backlog:
    """A ring of numbered messages: readers keep the number of the one that they need next."""

    def __init__(self, capacity: int) -> None:
        self._capacity = max(1, capacity)
        self._ring: list[Entry] = []
        self.end = 0
        """The number that the next message gets."""

    def append(self, entry: Entry) -> None:
        """Add a message, in place of the oldest if the ring is full."""
        if len(self._ring) < self._capacity:
            self._ring.append(entry)
        else:
            self._ring[self.end % self._capacity] = entry
        self.end += 1

    def __getitem__(self, number: int) -> Entry:
        if not self.end - len(self._ring) <= number < self.end:
            raise IndexError(number)
        return self._ring[number % self._capacity]


class History:
    """The last messages of each beast, so that no run crowds out what others told.

    Args:
        each: messages of one beast.
        beasts: how many; the one that was silent the longest makes room.
    """

    def __init__(self, each: int, beasts: int) -> None:
        self._each, self._beasts = each, beasts
        self._kept: OrderedDict[int, deque[tuple[int, Entry]]] = OrderedDict()

    def add(self, beast: int, number: int, entry: Entry) -> None:
        """Keep a message under its number, which is higher than all before."""
        self._kept.setdefault(beast, deque(maxlen=self._each)).append((number, entry))
        self._kept.move_to_end(beast)
        if len(self._kept) > self._beasts:
            self._kept.popitem(last=False)

    def all(self) -> deque[Entry]:
        """What is kept, in the order in which it came."""
        return deque(entry for _, entry in heapq.merge(*self._kept.values()))
