"""States and contexts no honest training would reach, for the kernel's differential tests."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from chainbeasts.backend.kernel.board import Creature, Position, pack
from chainbeasts.backend.kernel.constants import HEAD_SETS, WEIGHT_MAX, WEIGHT_MIN, WEIGHTS
from chainbeasts.backend.kernel.genesis import genesis_weights
from chainbeasts.backend.kernel.merkle import Tree
from chainbeasts.backend.kernel.network import Weights, layers
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.samples import Source, random_position
from chainbeasts.backend.kernel.state import Header, State
from chainbeasts.backend.kernel.window import WindowContext


@dataclass(frozen=True)
class Case:
    """A window's context, a state inside it, and the records it reads."""

    ctx: WindowContext
    state: State
    records: list[int]


def rules(rng: random.Random) -> Rules:
    """The defaults, or any constants within their ranges."""
    if rng.random() < 0.3:
        return Rules()
    return Rules(
        damage_k=rng.choice([1, 2184, rng.randint(1, 2184)]),
        damage_curve=rng.randint(0, 1),
        block_gain=rng.randint(0, 255),
        block_cap=rng.randint(0, 127),
        crit_odds=rng.choice([1, 2, 65_535]),
        hazard_stamina=rng.choice([0, 15, rng.randint(0, 15)]),
        rest_gain=rng.randint(1, 255),
        max_turns=rng.choice([1, 254, rng.randint(1, 254)]),
        block_threshold_num=rng.randint(1, 255),
        block_threshold_den=rng.randint(1, 255),
        self_play_words=rng.choice([1, 127, rng.randint(1, 127)]),
    )


def _uniform(rng: random.Random) -> Weights:
    generator = np.random.default_rng(rng.getrandbits(64))
    return generator.integers(WEIGHT_MIN, WEIGHT_MAX + 1, WEIGHTS).astype(np.int16)


def _extremes(rng: random.Random) -> Weights:
    generator = np.random.default_rng(rng.getrandbits(64))
    return generator.choice([WEIGHT_MIN, WEIGHT_MAX], WEIGHTS).astype(np.int16)


def _near_top(rng: random.Random) -> Weights:
    return (WEIGHT_MAX - np.abs(_uniform(rng)) % 600).astype(np.int16)


def _near_bottom(rng: random.Random) -> Weights:
    return (WEIGHT_MIN + np.abs(_uniform(rng)) % 600).astype(np.int16)


def _positive(rng: random.Random) -> Weights:
    return (np.abs(_uniform(rng)) % rng.choice([64, 512, 4096])).astype(np.int16)


def _small(rng: random.Random) -> Weights:
    return (_uniform(rng) // rng.choice([4, 16, 64])).astype(np.int16)


def _sparse(rng: random.Random) -> Weights:
    generator = np.random.default_rng(rng.getrandbits(64))
    return (_uniform(rng) * (generator.random(WEIGHTS) < 0.05)).astype(np.int16)


def _newborn(rng: random.Random) -> Weights:
    return genesis_weights(rng.randbytes(32))


def _all_top(rng: random.Random) -> Weights:
    return np.full(WEIGHTS, WEIGHT_MAX, dtype=np.int16)


WEIGHT_KINDS: tuple[Callable[[random.Random], Weights], ...] = (
    _newborn,
    _small,
    _sparse,
    _positive,
    _uniform,
    _extremes,
    _near_top,
    _near_bottom,
    _all_top,
)


def word(rng: random.Random, season: Rules) -> int:
    """A position: mostly valid and typical, sometimes valid with odd fields, sometimes hostile."""
    kind = rng.random()
    if kind < 0.1:
        return rng.getrandbits(256)
    valid = random_position(rng.getrandbits(64), None, season)
    if kind < 0.5:
        return valid
    # The last byte is valid up to 19, action and heading. At times one beyond.
    last = rng.choice([19, 19, 19, 23, 255])
    for offset in (128, 184):
        for byte, top in ((8, 255), (16, 255), (24, 127), (32, 127), (40, 127), (48, last)):
            low = 1 if byte == 8 else 0
            value = rng.choice([low, top, rng.randint(low, top)])
            valid = valid & ~(0xFF << (offset + byte)) | value << (offset + byte)
    return valid | rng.randint(0, 255) << 240 | rng.randint(0, 1) << 248


def case(rng: random.Random) -> Case:
    """Any context and state that the referee accepts, hostile ones included."""
    season = rules(rng)
    source = rng.choice(list(Source))
    records = [word(rng, season) for _ in range(rng.choice([1, 2, 3, rng.randint(1, 40)]))]
    reads = source in (Source.BATTLE, Source.PRIVATE)
    ctx = WindowContext(
        dna=rng.randbytes(32),
        epoch_seed=rng.randbytes(32),
        heads=rng.choice(HEAD_SETS),
        lr_shift=rng.randint(3, 15),
        source=source,
        rules=season,
        owner_secret_fold=rng.getrandbits(64) if source is Source.PRIVATE else 0,
        records_root=Tree(records).root if reads else bytes(32),
        records_length=len(records) if reads else 0,
    )
    arena = rng.choice([0, word(rng, season)])
    header = Header(
        beast_id=rng.getrandbits(rng.choice([8, 256])),
        parent=rng.randbytes(32),
        global_step=rng.choice([0, rng.getrandbits(32), 2**32 - 2]),
        active_mask=rng.choice([0, 0xFF, rng.getrandbits(8)]),
        window_loss=rng.choice([0, rng.getrandbits(19), 2**32 - 100]),
        arena=arena,
    )
    return Case(ctx, State(header, rng.choice(WEIGHT_KINDS)(rng)), records)


HALF = np.arange(64) % 2 * 2 - 1
"""Signs that cancel in a sum of activations and add up in a sum of errors."""


def dense_weights() -> Weights:
    """Weights under which every unit is active, none is clipped, and all errors are near their cap.

    The costliest state that could be built: every row of every layer is summed, carried and
    updated, and products of activation and error leave 16 bits, so every update is done twice.
    """
    weights = np.zeros(WEIGHTS, dtype=np.int16)
    w1, w2, w3, w4 = layers(weights)
    w1[:] = 400
    w2[:] = 32 * (1 + np.outer(np.tile(HALF, 2), HALF))
    w3[:] = 64 * (1 + np.outer(HALF, HALF))
    w4[:, 4] = 4_000 * HALF + 400
    w4[:, 5] = -4_000 * HALF
    w4[:, :4] = 300 * np.outer(HALF, [1, -1, 1, -1])
    return weights


def winding_board() -> int:
    """A valid word whose only way to the enemy winds through the whole board, over hazards."""
    walls = sum(0x7F << 8 * row for row in (1, 5)) | sum(0xFE << 8 * row for row in (3, 7))
    hazards = ~walls & 0xAA_AA_AA_AA_AA_AA_AA_AA
    own, enemy = 0, 55
    standing = 1 << own | 1 << enemy
    fighter = Creature(own, 255, 255, 127, 127, 127, 2)
    foe = Creature(enemy, 255, 255, 127, 127, 127, 3)
    return pack(Position(walls & ~standing, hazards & ~standing, fighter, foe, turn=0, flags=0))
