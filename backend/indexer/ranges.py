"""How many blocks to ask a node for at once: less when it refuses, more when it does not.

No error text is looked at: nodes word "too many results", "range too large" and time-outs in their
own ways, and a smaller question answers all of them.
"""

from __future__ import annotations

MAX_RANGE = 5_000
MAX_EVENTS = 2_000
"""A range with more is not followed by a larger one: it is written in one transaction."""

PROBE_AFTER = 32
"""Answers after which a size that was refused once is tried again."""


class RangeSizer:
    """The size of the next range, in blocks."""

    def __init__(self, largest: int = MAX_RANGE) -> None:
        self._largest = largest
        self._ceiling = largest
        self._answers = 0
        self.size = largest

    def refused(self, asked: int) -> bool:
        """The node would not answer for so many blocks; False if it was a single one."""
        if asked <= 1:
            return False
        self._ceiling = asked - 1
        self._answers = 0
        self.size = asked // 2
        return True

    def answered(self, asked: int, events: int) -> None:
        """The node answered for so many blocks with so many events."""
        if 2 * asked < self.size:
            return  # so little says nothing about the node
        self._answers += 1
        if self._answers >= PROBE_AFTER:
            self._answers = 0
            self._ceiling = min(2 * self._ceiling, self._largest)
        if events > MAX_EVENTS:
            self.size = max(1, self.size // 2)
        elif 2 * events <= MAX_EVENTS:
            self.size = min(2 * self.size, self._ceiling)
