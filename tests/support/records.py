"""The opening of a private window's records, written apart from the contract and from the trainer.

The tree is walked node by node: a sibling is missing where no opened record stands below it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_utils.crypto import keccak

from chainbeasts.backend.kernel.board import word_bytes
from chainbeasts.backend.kernel.merkle import PADDING, depth, leaf, node

STEPS, SEGMENT_STEPS = 128, 8


@dataclass(frozen=True)
class RecordsOpening:
    """What `RecordArchive.publish` takes, besides beast and window."""

    secret: bytes
    order: bytes
    words: list[bytes]
    siblings: list[bytes]

    @property
    def arguments(self) -> tuple[Any, ...]:
        return self.secret, self.order, self.words, self.siblings

    @property
    def in_order(self) -> list[bytes]:
        """The words of the 128 steps."""
        return [self.words[place] for place in self.order]

    @property
    def digests(self) -> list[bytes]:
        """The hash of each segment's eight words."""
        words = self.in_order
        return [
            keccak(b"".join(words[first : first + SEGMENT_STEPS]))
            for first in range(0, STEPS, SEGMENT_STEPS)
        ]

    @property
    def words_hash(self) -> bytes:
        return keccak(b"".join(self.digests))

    def witnesses(self, done: int, steps: int) -> bytes:
        """Form 1: the digests, then all eight words of every segment that the steps touch."""
        first = done // SEGMENT_STEPS * SEGMENT_STEPS
        end = -(-(done + steps) // SEGMENT_STEPS) * SEGMENT_STEPS
        return b"\x01" + b"".join([*self.digests, *self.in_order[first:end]])


def open_records(words: Sequence[int], secret: bytes, sampled: Sequence[int]) -> RecordsOpening:
    """The opening of the records at the indices that the 128 steps of a window sample."""
    distinct = sorted(set(sampled))
    order = bytes(distinct.index(index) for index in sampled)
    opened = [word_bytes(words[index]) for index in distinct]
    return RecordsOpening(secret, order, opened, siblings(words, distinct))


def siblings(words: Sequence[int], indices: Sequence[int]) -> list[bytes]:
    """The nodes that a multiproof of these indices lacks, from the leaves up, left to right."""
    level = [leaf(word) for word in words]
    level += [PADDING] * ((1 << depth(len(words))) - len(words))
    known, lacking = set(indices), []
    while len(level) > 1:
        lacking += [level[i ^ 1] for i in sorted(known) if i ^ 1 not in known]
        level = [node(level[i], level[i + 1]) for i in range(0, len(level), 2)]
        known = {i >> 1 for i in known}
    return lacking
