"""The board word: its layout to the bit, and what makes it valid (K2)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainbeasts.backend.kernel.board import (
    Position,
    adjacent,
    invalid_reason,
    is_valid,
    neighbour,
    pack,
    unpack,
    word_bytes,
)
from tests.support.strategies import positions, u256

LAYOUT = {
    "self_.pos": 128,
    "self_.hp": 136,
    "self_.stamina": 144,
    "self_.temp_def": 152,
    "self_.power": 160,
    "self_.defense": 168,
    "self_.last_action": 176,  # two bits
    "self_.heading": 178,
    "enemy.pos": 184,
    "enemy.hp": 192,
    "enemy.stamina": 200,
    "enemy.temp_def": 208,
    "enemy.power": 216,
    "enemy.defense": 224,
    "enemy.last_action": 232,
    "enemy.heading": 234,
    "turn": 240,
    "flags": 248,
}
WIDTHS = {"last_action": 2, "heading": 6}


def width(path: str) -> int:
    return WIDTHS.get(path.rpartition(".")[2], 8)


def field(position: Position, path: str) -> int:
    value: object = position
    for name in path.split("."):
        value = getattr(value, name)
    assert isinstance(value, int)
    return value


def with_field(word: int, path: str, value: int) -> int:
    place, most = LAYOUT[path], (1 << width(path)) - 1
    return word & ~(most << place) | value << place


@given(u256)
def test_layout(word: int) -> None:
    position = unpack(word)
    assert position.walls == word % 2**64
    assert position.hazards == word // 2**64 % 2**64
    for path, place in LAYOUT.items():
        assert field(position, path) == word >> place & (1 << width(path)) - 1
    assert pack(position) == word
    assert word_bytes(word) == bytes.fromhex(f"{word:064x}")


@given(positions())
def test_valid_positions_are_valid(position: Position) -> None:
    assert is_valid(pack(position))


BREAKS = [
    (path, value)
    for side in ("self_", "enemy")
    for path, value in (
        (f"{side}.pos", 64),
        (f"{side}.hp", 0),
        (f"{side}.temp_def", 128),
        (f"{side}.power", 128),
        (f"{side}.defense", 255),
        (f"{side}.heading", 5),
        (f"{side}.heading", 63),
    )
] + [("flags", 2)]


@pytest.mark.parametrize(("path", "value"), BREAKS)
@given(position=positions())
def test_one_field_out_of_range(position: Position, path: str, value: int) -> None:
    word = with_field(pack(position), path, value)
    assert not is_valid(word)
    name = path.replace("self_", "self").replace(".", " ")
    assert name in str(invalid_reason(word))


@given(positions(), st.booleans())
def test_wall_underfoot_or_over_a_hazard(position: Position, own: bool) -> None:
    word = pack(position)
    tile = position.self_.pos if own else position.enemy.pos
    assert "wall" in str(invalid_reason(word | 1 << tile))
    free = next((t for t in range(64) if position.hazards >> t & 1), None)
    if free is not None:
        assert invalid_reason(word | 1 << free) is not None
    same = with_field(word, "enemy.pos", position.self_.pos)
    assert "same tile" in str(invalid_reason(same))


@given(positions(), st.integers(0, 255), st.integers(0, 255))
def test_fields_without_a_limit(position: Position, turn: int, stamina: int) -> None:
    word = with_field(pack(position), "turn", turn)
    assert is_valid(with_field(word, "self_.stamina", stamina))


@given(positions(), st.integers(0, 255), st.booleans())
def test_the_last_byte_is_an_action_and_a_heading(position: Position, last: int, own: bool) -> None:
    """Four actions times five headings are valid, 0 to 19, and no other value."""
    place = 176 if own else 232
    word = pack(position) & ~(0xFF << place) | last << place
    assert is_valid(word) == (last < 20)


def test_adjacency_and_neighbours_do_not_wrap() -> None:
    for a in range(64):
        found = {neighbour(a, d) for d in range(4)} - {None}
        assert found == {b for b in range(64) if adjacent(a, b)}
    assert neighbour(7, 2) is neighbour(0, 3) is neighbour(3, 0) is neighbour(60, 1) is None
    assert (neighbour(9, 0), neighbour(9, 1), neighbour(9, 2), neighbour(9, 3)) == (1, 17, 10, 8)
