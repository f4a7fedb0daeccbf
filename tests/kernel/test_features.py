"""The 32 inputs, each by its definition (K4)."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from chainbeasts.backend.kernel.board import Position, pack
from chainbeasts.backend.kernel.features import features
from tests.support.strategies import positions

SQUARE = """
 .aaa.
 aaaaa
 aaSaa
 aaaaa
 .aaa.
"""
OFFSETS = [
    (x - 2, y - 2)
    for y, row in enumerate(SQUARE.split())
    for x, tile in enumerate(row)
    if tile == "a"
]


@given(positions())
def test_terrain_around_self(p: Position) -> None:
    x = features(pack(p))
    assert len(OFFSETS) == 20
    for place, (dx, dy) in enumerate(OFFSETS):
        column, row = p.self_.pos % 8 + dx, p.self_.pos // 8 + dy
        if not (0 <= column < 8 and 0 <= row < 8) or p.walls >> (8 * row + column) & 1:
            assert x[place] == 32
        else:
            assert x[place] == 16 * (p.hazards >> (8 * row + column) & 1)


@given(positions())
def test_the_rest(p: Position) -> None:
    x = features(pack(p))
    dx, dy = p.enemy.pos % 8 - p.self_.pos % 8, p.enemy.pos // 8 - p.self_.pos // 8
    assert [x[20] - x[21], x[22] - x[23]] == [16 * dx, 16 * dy]
    assert x[20] * x[21] == 0 == x[22] * x[23]
    assert x[24] == (32 if abs(dx) + abs(dy) == 1 else 0)
    assert x[25] == (p.enemy.defense + p.enemy.temp_def) // 4
    assert x[26] == p.enemy.power // 2
    assert x[27] == p.self_.temp_def // 2
    assert x[28:].tolist() == [32, 0, 0, 0]
    assert x.dtype == np.int32
    assert 0 <= x.min() <= x.max() <= 127


@given(positions(), st.integers(1, 255), st.integers(0, 255), st.integers(0, 255))
def test_what_the_brain_does_not_see(p: Position, hp: int, stamina: int, turn: int) -> None:
    before = features(pack(p))
    p.self_.hp = p.enemy.hp = hp
    p.self_.stamina = p.enemy.stamina = stamina
    p.turn, p.flags = turn, 1 - p.flags
    p.self_.power = p.self_.defense = p.self_.last_action = p.self_.heading = 0
    p.enemy.last_action = p.enemy.heading = 0
    assert (features(pack(p)) == before).all()
