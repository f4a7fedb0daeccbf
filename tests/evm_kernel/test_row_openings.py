"""Openings of rows: what an attacker could send instead of the rows that a turn is judged by.

The judge must find the one true next word, or nothing at all.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from eth_hash.auto import keccak

from chainbeasts.backend.chain.errors import Reverted
from chainbeasts.backend.chain.types import header_to_abi
from chainbeasts.backend.kernel.constants import WEIGHTS
from chainbeasts.backend.kernel.row_opening import RowOpening, open_pass, open_rows, read_leaves
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.samples import random_position
from chainbeasts.backend.kernel.state import (
    State,
    deserialize_weights,
    hash_header,
    serialize_weights,
    state_hash,
)
from chainbeasts.backend.kernel.window import genesis_state
from tests.evm_kernel.conftest import Judge
from tests.evm_kernel.test_matches import LEAVES

SEED, SEASON = 3, Rules()
WORD = random_position(7, None, SEASON)
BIAS_ROW = 28
"""The leaf of the input that is never zero."""

Opening = tuple[int, int, bytes, list[bytes]]


@pytest.fixture(scope="module")
def state() -> State:
    """One with active units in every layer; every second leaf is too wide to be packed."""
    state = genesis_state(1, bytes([0, 0, 0, 0, 3, 3]) + bytes(26))
    for leaf in range(1, LEAVES, 2):
        start, size = place(leaf)
        state.weights[start // 2 : (start + size) // 2] *= 3
    packed = open_rows(state.weights, range(LEAVES)).packed
    assert packed == sum(1 << leaf for leaf in range(0, LEAVES, 2))
    layers = {min(leaf // 32, 1) + (leaf >= 160) + (leaf >= 224) for leaf in leaves_of(state)}
    assert layers == {0, 1, 2, 3}
    return state


def leaves_of(state: State) -> set[int]:
    return read_leaves(state, WORD)


def refused(judge: Judge, state: State, opening: Opening, **changes: Any) -> Reverted:
    with pytest.raises(Reverted) as caught:
        judge.next_word(state, WORD, SEED, SEASON, opening=opening, **changes)
    return caught.value


def place(leaf: int) -> tuple[int, int]:
    """Where a leaf begins in a serialised state, and its size."""
    return (256 * leaf, 256) if leaf < 32 else (8_192 + 128 * (leaf - 32), 128)


def where(opening: RowOpening, leaf: int) -> int:
    """Where a leaf's row begins in an opening's rows."""
    before = [i for i in range(leaf) if opening.leaves >> i & 1]
    return sum(place(i)[1] * (3 if opening.packed >> i & 1 else 4) // 4 for i in before)


def wide(opening: RowOpening, state: State) -> Opening:
    """The same opening, with nothing packed."""
    raw = serialize_weights(state.weights)
    places = [place(leaf) for leaf in range(LEAVES) if opening.leaves >> leaf & 1]
    rows = b"".join(raw[start : start + size] for start, size in places)
    return opening.leaves, 0, rows, list(opening.siblings)


def test_packed_or_not_the_word_is_the_same(judge: Judge, state: State) -> None:
    opening = open_pass(state, WORD)
    assert 0 < opening.packed < opening.leaves
    found = judge.next_word(state, WORD, SEED, SEASON, opening=opening.to_abi())
    plain = wide(opening, state)
    assert judge.next_word(state, WORD, SEED, SEASON, opening=plain) == found
    ends = np.full(WEIGHTS, 2_047, np.int16)
    ends[::3], ends[1::3] = -2_048, -1
    extreme = State(state.header, ends)
    everything = open_rows(ends, range(LEAVES))
    assert everything.packed == everything.leaves
    found = judge.next_word(extreme, WORD, SEED, SEASON, opening=everything.to_abi())
    plain = wide(everything, extreme)
    assert judge.next_word(extreme, WORD, SEED, SEASON, opening=plain) == found


def test_packed_otherwise_than_it_says(judge: Judge, state: State) -> None:
    """More leaves packed, fewer, or some that are not opened."""
    opening = open_pass(state, WORD)
    leaves, packed, rows, siblings = opening.to_abi()
    for leaf in (min(leaves_of(state)), max(leaves_of(state))):
        error = refused(judge, state, (leaves, packed ^ 1 << leaf, rows, siblings))
        assert error.name == "RowsLength"
    closed = next(leaf for leaf in range(LEAVES) if not leaves >> leaf & 1)
    error = refused(judge, state, (leaves, packed | 1 << closed, rows, siblings))
    assert (error.name, error.args_by_name["leaves"]) == ("UnknownLeaves", packed | 1 << closed)
    # One leaf packed instead of another: the same length, other weights.
    narrow = [leaf for leaf in leaves_of(state) if leaf >= 32 and packed >> leaf & 1]
    broad = [leaf for leaf in leaves_of(state) if leaf >= 32 and not packed >> leaf & 1]
    exchanged = packed ^ 1 << narrow[0] ^ 1 << broad[0]
    error = refused(judge, state, (leaves, exchanged, rows, siblings))
    assert error.name in ("StateMismatch", "MalformedGuard")
    # Hashed as they come, packed rows lead to another root.
    other = bytearray(rows)
    other[where(opening, narrow[0])] ^= 1
    assert refused(judge, state, (leaves, packed, bytes(other), siblings)).name == "StateMismatch"


def test_each_row_that_is_read_must_be_opened(judge: Judge, state: State) -> None:
    """One row missing in any layer: its leaf is named, whatever the others make of it."""
    needed = sorted(leaves_of(state))
    assert BIAS_ROW in needed
    of_layers = [[leaf for leaf in needed if low <= leaf < high] for low, high in BOUNDS]
    for leaf in {leaf for group in of_layers for leaf in (group[0], group[-1])}:
        opening = open_rows(state.weights, set(needed) - {leaf}).to_abi()
        error = refused(judge, state, opening)
        assert (error.name, error.args_by_name["leaf"]) == ("MissingRow", leaf)


BOUNDS = ((0, 32), (32, 160), (160, 224), (224, 232))


def test_nothing_opened_opens_nothing(judge: Judge, state: State) -> None:
    """The 15 groups alone lead to the root, and to no turn."""
    error = refused(judge, state, open_rows(state.weights, ()).to_abi())
    assert error.name == "MissingRow"
    for leaves in ((), range(32), range(160)):
        opening = open_rows(state.weights, leaves).to_abi()
        assert refused(judge, state, opening).name == "MissingRow"


def test_a_clear_guard_bit_in_an_opened_row(judge: Judge, state: State) -> None:
    """Even where the state that was committed to is malformed itself."""
    opening = open_pass(state, WORD)
    broad = [leaf for leaf in leaves_of(state) if not opening.packed >> leaf & 1]
    for leaf in (min(broad), max(broad)):
        for offset in (0, 126):
            rows = bytearray(opening.rows)
            rows[where(opening, leaf) + offset] &= 0x7F
            changed = (opening.leaves, opening.packed, bytes(rows), list(opening.siblings))
            error = refused(judge, state, changed)
            index = (place(leaf)[0] + offset) // 32
            assert (error.name, error.args_by_name["wordIndex"]) == ("MalformedGuard", index)
    raw = bytearray(serialize_weights(state.weights))
    raw[256 * BIAS_ROW] &= 0x7F
    leaves = [keccak(raw[256 * i : 256 * i + 256]) for i in range(32)]
    leaves += [keccak(raw[i : i + 128]) for i in range(8_192, len(raw), 128)]
    groups = [keccak(b"".join(leaves[i : i + 16])) for i in range(0, LEAVES, 16)]
    expected = hash_header(state.header, keccak(b"".join(groups)))
    everything = ((1 << LEAVES) - 1, 0, bytes(raw), [])
    assert refused(judge, state, everything, expected=expected).name == "MalformedGuard"


def test_other_rows_and_hashes(judge: Judge, state: State) -> None:
    """A weight of another value, a row of another unit, rows out of order, another hash."""
    opening = open_pass(state, WORD)
    leaves, packed, rows, siblings = opening.to_abi()
    second = sorted(leaf for leaf in leaves_of(state) if 32 <= leaf < 160)
    broad = [leaf for leaf in second if not packed >> leaf & 1]
    a, b = where(opening, broad[0]), where(opening, broad[-1])
    swapped = bytearray(rows)
    swapped[a : a + 128], swapped[b : b + 128] = rows[b : b + 128], rows[a : a + 128]
    assert bytes(swapped) != rows
    copied = bytearray(rows)
    copied[a : a + 128] = rows[b : b + 128]
    one_off = bytearray(rows)
    one_off[-1] ^= 1
    for changed in (swapped, copied, one_off):
        opened = (leaves, packed, bytes(changed), siblings)
        assert refused(judge, state, opened).name == "StateMismatch"
    for other in (siblings[::-1], [bytes(32), *siblings[1:]], [*siblings[:-1], bytes(32)]):
        assert refused(judge, state, (leaves, packed, rows, other)).name == "StateMismatch"
    # The leaf beside the one that is opened: the same lengths, another tree.
    shifted = next(i for i in second if i % 16 < 15 and i + 1 not in second)
    moved, (_, _, plain, _) = leaves ^ 3 << shifted, wide(opening, state)
    assert refused(judge, state, (moved, 0, plain, siblings)).name == "StateMismatch"


def test_a_row_twice_padding_and_what_is_left_out(judge: Judge, state: State) -> None:
    """Only as many bytes and hashes as the opened leaves need."""
    leaves, packed, rows, siblings = open_pass(state, WORD).to_abi()
    for other in (rows[:128] + rows, rows + bytes(32), rows + rows[-128:], rows[:-128], b""):
        error = refused(judge, state, (leaves, packed, other, siblings))
        expected = (len(rows), len(other))
        assert (error.name, *error.args_by_name.values()) == ("RowsLength", *expected)
    for few_or_many in ([*siblings, bytes(32)], siblings[:-1], []):
        error = refused(judge, state, (leaves, packed, rows, few_or_many))
        expected = (len(siblings), len(few_or_many))
        assert (error.name, *error.args_by_name.values()) == ("SiblingCount", *expected)
    for bit in (LEAVES, 255):
        error = refused(judge, state, (leaves | 1 << bit, packed, rows, siblings))
        assert (error.name, error.args_by_name["leaves"]) == ("UnknownLeaves", leaves | 1 << bit)


def test_another_depth(judge: Judge, state: State) -> None:
    """Leaves where a group is asked for, groups where leaves are, the root where groups are."""
    nothing = open_rows(state.weights, ())
    all_but_one = open_rows(state.weights, set(range(LEAVES)) - set(range(32, 48)))
    deeper = open_rows(state.weights, set(range(LEAVES)) - set(range(33, 48)))
    # 15 hashes of leaves and the row's own stand for a group that nothing is opened of.
    own = keccak(serialize_weights(state.weights)[8_192 : 8_192 + 128])
    given = (all_but_one.leaves, all_but_one.packed, all_but_one.rows, [own, *deeper.siblings])
    assert refused(judge, state, given).name == "SiblingCount"
    # A group's hash stands for each of its leaves.
    given = (deeper.leaves, deeper.packed, deeper.rows, list(all_but_one.siblings) * 15)
    assert refused(judge, state, given).name == "StateMismatch"
    root = keccak(b"".join(nothing.siblings))
    for siblings in ([root], [root] * 15):
        name = refused(judge, state, (0, 0, b"", siblings)).name
        assert name == ("SiblingCount" if len(siblings) == 1 else "StateMismatch")


def test_the_hash_of_kernel_1_opens_nothing(judge: Judge, state: State) -> None:
    """Weights hashed in one go, as kernel 1 had them."""
    flat = hash_header(state.header, keccak(serialize_weights(state.weights)))
    opening = open_rows(state.weights, range(LEAVES)).to_abi()
    assert refused(judge, state, opening, expected=flat).name == "StateMismatch"


def test_another_state_of_the_beast(judge: Judge, state: State) -> None:
    """Its rows lead to another root, its header to another hash."""
    raw = bytearray(serialize_weights(state.weights))
    raw[-1] ^= 1
    other = State(state.header, deserialize_weights(bytes(raw)))
    opening, expected = open_pass(other, WORD).to_abi(), state_hash(state)
    assert refused(judge, other, opening, expected=expected).name == "StateMismatch"
    other = state.copy()
    other.update(active_mask=0x7F)
    opening = open_pass(other, WORD).to_abi()
    header = header_to_abi(other.header)
    error = refused(judge, other, opening, header=header, expected=expected)
    assert error.name == "StateMismatch"
