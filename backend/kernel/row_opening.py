"""Some rows of a state instead of all of it, for proofs about one forward pass.

A pass reads the rows of active units only: 9 to 14 of the 33.8 kB of a trained state. The weights'
tree (docs/spec/state.md §2) lets a proof bring those, and hashes for all others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from eth_hash.auto import keccak

from chainbeasts.backend.kernel.constants import LAYERS
from chainbeasts.backend.kernel.features import features
from chainbeasts.backend.kernel.network import Weights, forward
from chainbeasts.backend.kernel.state import (
    GROUP_LEAVES,
    LEAF_ROWS,
    State,
    leaf_hashes,
    serialize_weights,
)

WEIGHT_BYTES = 2
PACKED_BITS = 12
PACKED_HALF = 1 << (PACKED_BITS - 1)
"""A packed weight is at least minus this, and below it."""


@dataclass(frozen=True, slots=True)
class RowOpening:
    """The ``RowOpening`` struct of the contracts, field for field.

    Attributes:
        leaves: bit i is set if leaf i is opened.
        packed: bit i is set if leaf i is opened and comes packed.
        rows: the opened leaves in ascending order, as they are serialised; a packed one as 12 bits
            of w + 2048 for each weight.
        siblings: in ascending order, the hash of each group without an opened leaf, and of the
            leaves that are not opened in every other.
    """

    leaves: int
    packed: int
    rows: bytes
    siblings: tuple[bytes, ...]

    def to_abi(self) -> tuple[int, int, bytes, list[bytes]]:
        """The tuple that web3 takes for the struct."""
        return self.leaves, self.packed, self.rows, list(self.siblings)


def read_leaves(state: State, word: int) -> set[int]:
    """The leaves that the forward pass on a valid word reads."""
    activations = forward(state.weights, state.header.active_mask, features(word))
    found: set[int] = set()
    first = 0
    for source, rows in zip(activations[:-1], LEAF_ROWS, strict=True):
        found |= {first + int(unit) // rows for unit in np.flatnonzero(source)}
        first += source.size // rows
    return found


def open_rows(weights: Weights, leaves: Iterable[int]) -> RowOpening:
    """An opening of some of the 232 leaves, packed where their weights allow it."""
    serialized, opened = serialize_weights(weights), set(leaves)
    rows, packed = [], 0
    for leaf, (start, end) in enumerate(pairwise(_boundaries())):
        if leaf in opened:
            row = weights[start // WEIGHT_BYTES : end // WEIGHT_BYTES]
            fits = bool(((row >= -PACKED_HALF) & (row < PACKED_HALF)).all())
            packed |= fits << leaf
            rows.append(_pack(row) if fits else serialized[start:end])
    siblings: list[bytes] = []
    first = 0
    for hashes in leaf_hashes(serialized):
        for i in range(0, len(hashes), GROUP_LEAVES):
            group = hashes[i : i + GROUP_LEAVES]
            numbers = range(first + i, first + i + len(group))
            if opened.isdisjoint(numbers):
                siblings.append(bytes(keccak(b"".join(group))))
            else:
                siblings += [
                    h for leaf, h in zip(numbers, group, strict=True) if leaf not in opened
                ]
        first += len(hashes)
    return RowOpening(sum(1 << leaf for leaf in opened), packed, b"".join(rows), tuple(siblings))


def _pack(row: Weights) -> bytes:
    """12 bits a weight, big-endian: the first weight's are the highest of the first three bytes."""
    lanes = (row.astype(np.int32) + PACKED_HALF).reshape(-1, 2)
    threes = lanes[:, 0] << PACKED_BITS | lanes[:, 1]
    return threes.astype(">u4").view(np.uint8).reshape(-1, 4)[:, 1:].tobytes()


def _boundaries() -> Iterator[int]:
    """Where each leaf begins in a serialised state, and where the last one ends."""
    end = 0
    yield end
    for (sources, targets), rows in zip(pairwise(LAYERS), LEAF_ROWS, strict=True):
        for _ in range(sources // rows):
            end += 2 * targets * rows
            yield end


def open_pass(state: State, word: int) -> RowOpening:
    """The least opening with which anybody can repeat the forward pass on a valid word."""
    return open_rows(state.weights, read_leaves(state, word))
