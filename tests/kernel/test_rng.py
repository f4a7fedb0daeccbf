"""SplitMix64 against its published sequence, and how numbers are drawn and folded (K1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainbeasts.backend.kernel.rng import GOLDEN, MASK64, draw, fold64, split_mix64
from tests.support.strategies import bytes32, u64


def test_published_sequence() -> None:
    wanted = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert [draw(1234567, n) for n in range(3)] == wanted


@given(u64, st.integers(0, 2**20))
def test_draw_walks_the_state(s: int, n: int) -> None:
    assert draw(s, n + 1) == draw((s + GOLDEN) & MASK64, n)
    assert draw(s, 0) == split_mix64(s) <= MASK64


@given(st.lists(u64, min_size=256, max_size=256, unique=True))
def test_no_collisions(states: list[int]) -> None:
    """SplitMix64 is a bijection."""
    assert len({split_mix64(s) for s in states}) == len(states)


@given(bytes32, st.integers(0, 255))
def test_fold_is_the_xor_of_four_words(value: bytes, position: int) -> None:
    number = int.from_bytes(value, "big")
    parts = [number >> shift & MASK64 for shift in (0, 64, 128, 192)]
    assert fold64(value) == parts[0] ^ parts[1] ^ parts[2] ^ parts[3]
    flipped = (number ^ 1 << position).to_bytes(32, "big")
    assert fold64(flipped) == fold64(value) ^ 1 << position % 64


@pytest.mark.parametrize("size", [0, 31, 33])
def test_fold_takes_32_bytes(size: int) -> None:
    with pytest.raises(ValueError, match=f"got {size}"):
        fold64(bytes(size))
