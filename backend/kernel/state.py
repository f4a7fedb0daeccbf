"""The committed state: header, weights, their bytes and their hash (docs/spec/state.md)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from eth_hash.auto import keccak

from chainbeasts.backend.kernel.constants import LAYERS, STATE_BYTES, WEIGHT_MIN, WEIGHTS
from chainbeasts.backend.kernel.network import Weights
from chainbeasts.backend.kernel.tables import KERNEL_ID

BIAS = 0xC000
"""What is added to a weight to store it: bit 15 of the result, the guard bit, is always set."""

HEADER_BYTES = 6 * 32
ENCODED_BYTES = HEADER_BYTES + STATE_BYTES

LEAF_ROWS = (1, 1, 1, 8)
"""Rows of W1 to W4 in one leaf of the weights' tree; eight of W4 have the bytes of one of W3."""

GROUP_LEAVES = 16
"""Leaves in one group; the eight of W4 are a group of their own."""


class MalformedStateError(ValueError):
    """Bytes that are not a state: wrong length, a clear guard bit, or a field out of range."""


@dataclass(frozen=True, slots=True)
class Header:
    """Everything of a state but its weights.

    Attributes:
        beast_id: ERC-721 id, uint256.
        parent: 32 bytes; h128 of the checkpoint before, genesis hash in the first window, DNA at
            genesis.
        global_step: uint32, micro-steps since genesis mod 2^32.
        active_mask: uint8, awake slots.
        window_loss: uint32, Σ|e| since the window's start.
        arena: uint256 board word that self-play goes on from, or 0.
    """

    beast_id: int
    parent: bytes
    global_step: int
    active_mask: int
    window_loss: int
    arena: int

    def encode(self) -> bytes:
        """``abi.encode`` of the six fields, 192 bytes."""
        numbers = (self.global_step, self.active_mask, self.window_loss, self.arena)
        return self.beast_id.to_bytes(32) + self.parent + b"".join(n.to_bytes(32) for n in numbers)

    @classmethod
    def decode(cls, data: bytes) -> Header:
        """The header of 192 bytes.

        Raises:
            MalformedStateError: wrong length, or a field beyond its type.
        """
        if len(data) != HEADER_BYTES:
            raise MalformedStateError(f"a header has {HEADER_BYTES} bytes, got {len(data)}")
        words = [data[i : i + 32] for i in range(0, HEADER_BYTES, 32)]
        step, mask, loss = (int.from_bytes(word) for word in words[2:5])
        if step >= 1 << 32 or mask >= 1 << 8 or loss >= 1 << 32:
            raise MalformedStateError("a header field is beyond its type (uint32, uint8, uint32)")
        return cls(int.from_bytes(words[0]), words[1], step, mask, loss, int.from_bytes(words[5]))


@dataclass(slots=True)
class State:
    """A beast between two micro-steps: its header, and int16[16896] weights changed in place."""

    header: Header
    weights: Weights

    def copy(self) -> State:
        """An independent copy."""
        return State(self.header, self.weights.copy())

    def update(self, **changes: int | bytes) -> None:
        """Replace header fields."""
        self.header = replace(self.header, **changes)  # type: ignore[arg-type]


def serialize_weights(weights: Weights) -> bytes:
    """33,792 bytes: each weight as big-endian uint16 of ``w + 0xC000``."""
    # −16,384 … 16,383 becomes 0x8000 … 0xFFFF: one encoding for each weight. The top bit is a
    # guard: the EVM subtracts from 16 weights in one word, and sees by it which of them left their
    # 15 bits.
    return (weights.astype(np.int32) + BIAS).astype(">u2").tobytes()


def deserialize_weights(data: bytes) -> Weights:
    """The weights of 33,792 bytes.

    Raises:
        MalformedStateError: wrong length, or a weight whose guard bit is clear.
    """
    if len(data) != STATE_BYTES:
        raise MalformedStateError(f"a state has {STATE_BYTES} bytes of weights, got {len(data)}")
    weights = np.frombuffer(data, dtype=">u2").astype(np.int32) - BIAS
    if (weights < WEIGHT_MIN).any():  # exactly where bit 15 is clear; no uint16 is too large
        index = int(np.argmax(weights < WEIGHT_MIN))
        raise MalformedStateError(f"the guard bit of weight {index} of {WEIGHTS} is clear")
    return weights.astype(np.int16)


def leaf_hashes(serialized: bytes) -> list[list[bytes]]:
    """The leaves of the weights' tree, W1 to W4, from 33,792 serialised bytes."""
    leaves, start = [], 0
    for sources, targets, rows in zip(LAYERS[:-1], LAYERS[1:], LEAF_ROWS, strict=True):
        size, end = 2 * targets * rows, start + 2 * sources * targets
        leaves.append([bytes(keccak(serialized[i : i + size])) for i in range(start, end, size)])
        start = end
    return leaves


def weights_root(weights: Weights) -> bytes:
    """Root of the tree over a state's serialised weights (docs/spec/state.md §2), 32 bytes."""
    # No prefixes and no lengths: the shape is fixed, and whoever verifies takes it from here, never
    # from a proof, so no inner node can pass for a row.
    groups = [
        bytes(keccak(b"".join(leaves[i : i + GROUP_LEAVES])))
        for leaves in leaf_hashes(serialize_weights(weights))
        for i in range(0, len(leaves), GROUP_LEAVES)
    ]
    return bytes(keccak(b"".join(groups)))


def hash_header(header: Header, root: bytes) -> bytes:
    """The state hash of a header and the root over its weights."""
    # 32 + 192 + 32 bytes, always: no two different triples have the same preimage.
    return bytes(keccak(KERNEL_ID + header.encode() + root))


def state_hash(state: State) -> bytes:
    """``keccak256(abi.encode(kernelId, header fields…, weightsRoot))``, 32 bytes."""
    return hash_header(state.header, weights_root(state.weights))


def encode_state(state: State) -> bytes:
    """A state as 33,984 bytes: encoded header, then serialised weights."""
    return state.header.encode() + serialize_weights(state.weights)


def decode_state(data: bytes) -> State:
    """The state of 33,984 bytes.

    Raises:
        MalformedStateError: wrong length, header field out of range or guard bit clear.
    """
    if len(data) != ENCODED_BYTES:
        raise MalformedStateError(f"an encoded state has {ENCODED_BYTES} bytes, got {len(data)}")
    header = Header.decode(data[:HEADER_BYTES])
    return State(header, deserialize_weights(data[HEADER_BYTES:]))
