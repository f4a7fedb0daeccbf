"""What the network sees of a position: 32 non-negative inputs (docs/spec/network.md §2)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from chainbeasts.backend.kernel.board import adjacent, bit, unpack

ONE = 32
"""The input value that stands for 1.0."""

HALF = 16

NEIGHBOURHOOD = tuple(
    (dx, dy)
    for dy in range(-2, 3)
    for dx in range(-2, 3)
    if (dx, dy) != (0, 0) and abs(dx) + abs(dy) < 4
)
"""The 5×5 square around self, row by row, without its centre and corners."""

Inputs = npt.NDArray[np.int32]

INPUT_MAX = (*(ONE,) * 20, *(7 * HALF,) * 4, ONE, 63, 63, 63, ONE, 0, 0, 0)
"""The most that each input can be, over all valid words."""


def features(word: int) -> Inputs:
    """The inputs of a valid word: int32[32], each 0…127."""
    # No input exceeds 127, the most an activation can be: offsets give 16 · 7 = 112, two defences
    # of 127 a quarter of 254. So the first layer has the bounds of the others, and nothing is
    # clipped.
    p = unpack(word)
    me, enemy = p.self_, p.enemy
    x, y = me.pos & 7, me.pos >> 3
    values = [_terrain(p.walls, p.hazards, x + dx, y + dy) for dx, dy in NEIGHBOURHOOD]
    east, south = (enemy.pos & 7) - x, (enemy.pos >> 3) - y
    values += [HALF * max(offset, 0) for offset in (east, -east, south, -south)]
    values.append(ONE if adjacent(me.pos, enemy.pos) else 0)
    values += [(enemy.defense + enemy.temp_def) >> 2, enemy.power >> 1, me.temp_def >> 1, ONE]
    values += [0, 0, 0]
    return np.array(values, dtype=np.int32)


def _terrain(walls: int, hazards: int, x: int, y: int) -> int:
    if not (0 <= x < 8 and 0 <= y < 8) or bit(walls, 8 * y + x):
        return ONE
    return HALF if bit(hazards, 8 * y + x) else 0
