"""Openings of a state's rows: what they hold, and that they lead to the root."""

from __future__ import annotations

import random

import numpy as np
import pytest
from eth_hash.auto import keccak

from chainbeasts.backend.kernel.constants import WEIGHTS
from chainbeasts.backend.kernel.features import features
from chainbeasts.backend.kernel.network import forward, layers
from chainbeasts.backend.kernel.row_opening import RowOpening, open_pass, open_rows, read_leaves
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.samples import random_position
from chainbeasts.backend.kernel.state import (
    State,
    deserialize_weights,
    serialize_weights,
    weights_root,
)
from tests.support.states import case

LEAVES = 232
WORD = random_position(7, None, Rules())


def root_of(opening: RowOpening) -> bytes:
    """The root that an opening leads to, by the sizes that the spec lists."""
    rows, siblings = opening.rows, list(opening.siblings)
    assert opening.packed & ~opening.leaves == 0
    groups, leaf = [], 0
    for count in [16] * 14 + [8]:
        numbers = range(leaf, leaf + count)
        leaf += count
        if not any(opening.leaves >> i & 1 for i in numbers):
            groups.append(siblings.pop(0))
            continue
        hashes = []
        for i in numbers:
            if opening.leaves >> i & 1:
                size = 256 if i < 32 else 128
                sent = size * 3 // 4 if opening.packed >> i & 1 else size
                row = rows[:sent] if sent == size else unpacked(rows[:sent])
                hashes.append(keccak(row))
                rows = rows[sent:]
            else:
                hashes.append(siblings.pop(0))
        groups.append(keccak(b"".join(hashes)))
    assert (rows, siblings) == (b"", [])
    return bytes(keccak(b"".join(groups)))


def unpacked(row: bytes) -> bytes:
    """The serialised row of a packed one, bit by bit."""
    bits = "".join(f"{byte:08b}" for byte in row)
    weights = [int(bits[i : i + 12], 2) - 2_048 for i in range(0, len(bits), 12)]
    return b"".join((weight + 0xC000).to_bytes(2) for weight in weights)


@pytest.fixture(scope="module")
def state() -> State:
    return case(random.Random(5)).state


@pytest.mark.parametrize("chance", [0, 0.02, 0.3, 0.9, 1])
def test_any_leaves_lead_to_the_root(state: State, chance: float) -> None:
    rng = random.Random(int(100 * chance))
    leaves = {leaf for leaf in range(LEAVES) if rng.random() < chance}
    opening = open_rows(state.weights, leaves)
    assert opening.leaves == sum(1 << leaf for leaf in leaves)
    assert root_of(opening) == weights_root(state.weights)


def test_nothing_and_everything(state: State) -> None:
    wide = np.full(WEIGHTS, 2_048, np.int16)
    everything = open_rows(wide, range(LEAVES))
    assert (everything.packed, everything.rows) == (0, serialize_weights(wide))
    assert everything.siblings == ()
    nothing = open_rows(state.weights, ())
    assert (nothing.leaves, nothing.rows, len(nothing.siblings)) == (0, b"", 15)


@pytest.mark.parametrize("seed", range(8))
def test_a_pass_reads_no_other_row(seed: int) -> None:
    """What is not opened may be anything; change one row that is, and a sum changes."""
    rng = random.Random(seed)
    state = case(rng).state
    opened = read_leaves(state, WORD)
    raw = bytearray(serialize_weights(state.weights))
    for leaf in set(range(LEAVES)) - opened:
        start, size = (256 * leaf, 256) if leaf < 32 else (128 * (leaf + 32), 128)
        raw[start : start + size] = bytes(rng.randrange(128) | 128 for _ in range(size))
    other = deserialize_weights(bytes(raw))
    mask, inputs = state.header.active_mask, features(WORD)
    passes = zip(forward(state.weights, mask, inputs), forward(other, mask, inputs), strict=True)
    assert all((ours == theirs).all() for ours, theirs in passes)
    opening = open_pass(state, WORD)
    assert opening.leaves == sum(1 << leaf for leaf in opened)
    assert root_of(opening) == weights_root(state.weights)


def test_a_leaf_is_packed_if_each_of_its_weights_fits(state: State) -> None:
    """-2,048 to 2,047; one beyond, and the leaf comes as it is."""
    weights = np.zeros(WEIGHTS, np.int16)
    weights[0], weights[127] = -2_048, 2_047
    weights[128], weights[16_895] = -2_049, 2_048
    opening = open_rows(weights, (0, 1, 32, 231))
    assert opening.packed == 1 | 1 << 32
    assert len(opening.rows) == 192 + 256 + 96 + 128
    assert root_of(opening) == weights_root(weights)


def test_a_leaf_of_the_last_layer_serves_eight_units(state: State) -> None:
    weights = np.zeros_like(state.weights)
    w1, w2, w3, _ = layers(weights)
    w1[28, 0] = w2[0, 0] = 4_096  # the bias alone, through
    w3[0, 9] = 4_096
    lone = State(state.header, weights)
    lone.update(active_mask=0x11)
    bias, first, second, unit_9 = 28, 32, 160, 224 + 1
    inputs = {int(i) for i in np.flatnonzero(features(WORD))}
    assert bias in inputs
    assert read_leaves(lone, WORD) == inputs | {first, second, unit_9}
