"""Hypothesis strategies for the kernel's inputs: seeds, season constants, positions, states."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from chainbeasts.backend.kernel.board import Creature, Position, pack
from chainbeasts.backend.kernel.constants import WEIGHT_MAX, WEIGHT_MIN, WEIGHTS
from chainbeasts.backend.kernel.network import Weights
from chainbeasts.backend.kernel.rules import Rules

u32 = st.integers(0, 2**32 - 1)
u64 = st.integers(0, 2**64 - 1)
u256 = st.integers(0, 2**256 - 1)
bytes32 = st.binary(min_size=32, max_size=32)
masks = st.integers(0, 255)
head_sets = st.sampled_from((1, 3, 7))
lr_shifts = st.integers(3, 15)

seasons = st.just(Rules()) | st.builds(
    Rules,
    damage_k=st.integers(1, 2184),
    damage_curve=st.integers(0, 1),
    block_gain=st.integers(0, 255),
    block_cap=st.integers(0, 127),
    crit_odds=st.integers(1, 65_535),
    hazard_stamina=st.integers(0, 15),
    rest_gain=st.integers(1, 255),
    max_turns=st.integers(1, 254),
    block_threshold_num=st.integers(1, 255),
    block_threshold_den=st.integers(1, 255),
    self_play_words=st.integers(1, 127),
)

bytes1 = st.integers(0, 255)
small = st.integers(0, 127)


@st.composite
def boards(draw: st.DrawFn) -> tuple[int, int]:
    """(walls, hazards): empty, sparse or dense, never both on one tile."""
    density = draw(st.integers(0, 3))
    walls, hazards = draw(u64), draw(u64)
    for _ in range(density):
        walls &= draw(u64)
    if density == 3 and draw(st.booleans()):
        walls = 0
    return walls, hazards & ~walls


@st.composite
def positions(draw: st.DrawFn, close: bool | None = None) -> Position:
    """A valid position; ``close`` asks for adjacent creatures, or for ones that are not."""
    walls, hazards = draw(boards())
    own = draw(st.integers(0, 63))
    beside = [t for t in range(64) if abs((t & 7) - (own & 7)) + abs((t >> 3) - (own >> 3)) == 1]
    others = [t for t in range(64) if t != own]
    if close is None:
        close = draw(st.booleans())
        tiles = beside if close else others
    else:
        tiles = beside if close else [t for t in others if t not in beside]
    foe = draw(st.sampled_from(tiles))
    cleared = ~(1 << own | 1 << foe)
    sides = [
        Creature(
            pos=tile,
            hp=draw(st.integers(1, 255)),
            stamina=draw(st.sampled_from((0, 1, 2, 255)) | bytes1),
            temp_def=draw(small),
            power=draw(small),
            defense=draw(small),
            last_action=draw(st.integers(0, 3)),
            heading=draw(st.integers(0, 4)),
        )
        for tile in (own, foe)
    ]
    return Position(
        walls & cleared,
        hazards & (cleared | (0 if draw(st.booleans()) else ~0)),
        sides[0],
        sides[1],
        turn=draw(bytes1),
        flags=draw(st.integers(0, 1)),
    )


valid_words = positions().map(pack)


@st.composite
def weights(draw: st.DrawFn) -> Weights:
    """Weights in range: of several sizes, biases and densities, saturated ones included."""
    generator = np.random.default_rng(draw(u32))
    kind = draw(st.integers(0, 3))
    if kind == 0:
        return generator.choice([WEIGHT_MIN, WEIGHT_MAX], WEIGHTS).astype(np.int16)
    span = draw(st.sampled_from((64, 600, 4_000, 16_383)))
    drawn = generator.integers(-span, span + 1, WEIGHTS)
    if kind == 1:
        drawn[generator.random(WEIGHTS) < 0.8] = 0
    if kind == 2:
        drawn += span // 8
    return np.clip(drawn, WEIGHT_MIN, WEIGHT_MAX).astype(np.int16)
