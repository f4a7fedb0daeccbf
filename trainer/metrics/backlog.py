"""The last messages in order: what late joiners get, and every slow client's queue in one place."""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """A message and the number of the client that sent it."""

    sender: int
    text: str


class Backlog:
    """A ring of numbered messages.

    Readers keep the number of the message that they need next, so a history and the queue behind it
    are one thing: nothing is missing between them and nothing comes twice.
    """

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

    def oldest(self, count: int) -> int:
        """Where to start to read at most the last ``count`` messages."""
        return self.end - min(count, len(self._ring))

    def __getitem__(self, number: int) -> Entry:
        if not self.end - len(self._ring) <= number < self.end:
            raise IndexError(number)
        return self._ring[number % self._capacity]
