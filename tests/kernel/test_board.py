"""Random numbers and the board word: docs/spec/rules.md §1 and §2."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.kernel.board import (
    Position,
    adjacent,
    invalid_reason,
    is_valid,
    neighbour,
    pack,
    unpack,
    word_bytes,
)
from backend.kernel.rng import GOLDEN, draw, fold64, split_mix64
from tests.support.kernel import BYTES32, SEEDS, positions, words


def test_published_sequence_of_the_generator() -> None:
    """K1: Vigna's numbers from state 1234567."""
    assert [draw(1234567, n) for n in range(3)] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
    ]


@given(SEEDS, st.integers(0, 1 << 20))
def test_draw_is_the_generator_moved_on(seed: int, n: int) -> None:
    """K1"""
    assert draw(seed, n) == split_mix64((seed + n * GOLDEN) % 2**64)
    assert 0 <= draw(seed, n) < 2**64


@given(BYTES32)
def test_fold_is_the_xor_of_four_words(value: bytes) -> None:
    """K1: by bits, counting each of the four words' bits."""
    whole = int.from_bytes(value)
    for bit in (0, 1, 31, 62, 63):
        ones = sum((whole >> (64 * word + bit)) & 1 for word in range(4))
        assert (fold64(value) >> bit) & 1 == ones % 2
    assert fold64(value) < 2**64


@pytest.mark.parametrize("size", [0, 31, 33])
def test_fold_of_another_length_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match=f"got {size}"):
        fold64(bytes(size))


FIELDS = (
    ("self_", 128),
    ("enemy", 184),
)
NAMES = ("pos", "hp", "stamina", "temp_def", "power", "defense", "last_action")


@given(positions())
def test_every_field_stands_at_its_bits(p: Position) -> None:
    """K2: straight from the table of the spec."""
    word = pack(p)
    assert word & (2**64 - 1) == p.walls
    assert word >> 64 & (2**64 - 1) == p.hazards
    for side, low in FIELDS:
        for i, name in enumerate(NAMES):
            assert word >> (low + 8 * i) & 255 == getattr(getattr(p, side), name), (side, name)
    assert word >> 240 & 255 == p.turn
    assert word >> 248 == p.flags
    assert word_bytes(word) == bytes((word >> 8 * i) & 255 for i in reversed(range(32)))


@given(st.integers(0, 2**256 - 1))
def test_any_word_unpacks_and_packs_to_itself(word: int) -> None:
    """K2"""
    assert pack(unpack(word)) == word


@given(words())
def test_generated_words_are_valid(word: int) -> None:
    """K3"""
    assert is_valid(word)
    assert invalid_reason(word) is None


def slowly_valid(word: int) -> bool:
    """The list of the spec, read off the word's bytes from the low end."""
    data = word.to_bytes(32, "little")
    walls, hazards = int.from_bytes(data[:8], "little"), int.from_bytes(data[8:16], "little")
    own, other, flags = data[16:23], data[23:30], data[31]
    tiles_ok = own[0] < 64 and other[0] < 64 and own[0] != other[0]
    if not tiles_ok or walls & hazards or walls >> own[0] & 1 or walls >> other[0] & 1:
        return False
    for creature in (own, other):
        if creature[1] == 0 or max(creature[3:6]) > 127 or creature[6] > 3:
            return False
    return flags <= 1


@given(words(), st.integers(0, 31), st.integers(0, 255))
def test_validity_after_any_byte_is_replaced(word: int, at: int, value: int) -> None:
    """K3: a word is invalid for exactly the listed reasons, and then says one."""
    changed = word & ~(255 << 8 * at) | value << 8 * at
    assert is_valid(changed) == slowly_valid(changed)
    assert (invalid_reason(changed) is None) == is_valid(changed)


@given(st.integers(0, 2**256 - 1))
def test_validity_of_any_word(word: int) -> None:
    assert is_valid(word) == slowly_valid(word)


def test_neighbours_and_adjacency_do_not_wrap() -> None:
    """K2: all 64 × 64 pairs; direction N is up."""
    for a in range(64):
        around = [neighbour(a, direction) for direction in range(4)]
        for b in range(64):
            near = abs(a % 8 - b % 8) + abs(a // 8 - b // 8) == 1
            assert adjacent(a, b) == near == (b in around)
    assert [neighbour(9, d) for d in range(4)] == [1, 17, 10, 8]
    assert [neighbour(0, d) for d in range(4)] == [None, 8, 1, None]
    assert [neighbour(63, d) for d in range(4)] == [55, None, None, 62]
