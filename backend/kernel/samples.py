"""Which position a micro-step trains on (docs/spec/samples.md)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from chainbeasts.backend.kernel.board import (
    OPPOSITE,
    REST,
    Creature,
    Position,
    adjacent,
    neighbour,
    pack,
    unpack,
)
from chainbeasts.backend.kernel.combat import Action, activate, decode_action, is_over
from chainbeasts.backend.kernel.rng import draw, fold64, split_mix64
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.tables import TEMPLATES

FRESH_HP = 100
FRESH_STAMINA = 16
ENEMY_DRAW = 16


class Source(IntEnum):
    """Where a window's samples come from."""

    CURRICULUM = 0
    SELF_PLAY = 1
    BATTLE = 2
    PRIVATE = 3


Terrain = tuple[int, int]
"""(walls, hazards)"""


def random_terrain(s: int) -> Terrain:
    """A quarter to a fifth of walls, some hazards, from 64-bit state ``s``."""
    r = [draw(s, i) for i in range(7)]
    walls = r[0] & r[1] & (r[2] | r[3])
    return walls, r[4] & r[5] & r[6] & ~walls


def random_position(s: int, terrain: Terrain | None, rules: Rules) -> int:
    """A valid word drawn from 64-bit state ``s``, on a given terrain or a random one."""
    walls, hazards = random_terrain(s) if terrain is None else terrain
    q, t = draw(s, 7), draw(s, 8)
    own = q & 63
    other = (q >> 6) & 63
    if (q >> 12) & 3 == 0:
        other = _beside(own, (q >> 14) & 3)
    if other == own:
        other ^= 1  # stays on the board, whatever the tile
    cleared = ~(1 << own | 1 << other)

    def guard(quarter: int) -> int:
        return min(quarter * rules.block_gain, rules.block_cap)

    self_ = Creature(
        own,
        FRESH_HP,
        FRESH_STAMINA,
        guard((t >> 16) & 3),
        (t >> 18) & 127,
        (t >> 25) & 127,
        REST,
    )
    enemy = Creature(
        other, FRESH_HP, FRESH_STAMINA, guard((t >> 7) & 3), (t >> 9) & 127, t & 127, REST
    )
    return pack(Position(walls & cleared, hazards & cleared, self_, enemy, turn=0, flags=0))


def _beside(tile: int, direction: int) -> int:
    """The neighbour in a direction, mirrored to the opposite one when that is off the board."""
    found = neighbour(tile, direction)
    if found is None:
        found = neighbour(tile, OPPOSITE[direction])
    assert found is not None  # on an 8 × 8 board one of two opposite neighbours exists
    return found


def template_index(epoch_seed: bytes, global_step: int) -> int:
    """Which of the 64 templates a curriculum step uses."""
    return (int.from_bytes(epoch_seed) + global_step) % 64


def curriculum_word(dna: bytes, epoch_seed: bytes, global_step: int, rules: Rules) -> int:
    """The word of a CURRICULUM step."""
    terrain = TEMPLATES[template_index(epoch_seed, global_step)]
    return random_position(split_mix64(fold64(dna) ^ global_step), terrain, rules)


def window_seed(dna: bytes, parent: bytes) -> int:
    """The seed of a SELF_PLAY window, from the hash of the parent checkpoint's state."""
    return fold64(dna) ^ fold64(parent)


def self_play_word(seed: int, global_step: int, arena: int, rules: Rules) -> int:
    """The word of a SELF_PLAY step: the arena's if there is one, else a fresh position."""
    # 0 can stand for "none": the word 0 is not valid (hp 0), so no match ever leads to it.
    return arena or random_position(split_mix64(seed ^ global_step), None, rules)


def play_on(word: int, logits: Sequence[int], seed: int, global_step: int, rules: Rules) -> int:
    """The arena after a SELF_PLAY step: self acts by its logits, the enemy at random.

    Returns:
        The next word in which self acts, or 0 where the next step starts afresh.
    """
    start = unpack(word)
    if is_over(start, rules):  # a fresh word never is; an arena that somebody made up may be
        return 0
    after_self = activate(word, decode_action(logits, word), rules, seed)
    if is_over(unpack(after_self), rules):
        return 0
    u = draw(seed ^ global_step, ENEMY_DRAW)
    # As drawn: the enemy may bump into walls, turn back and block itself to exhaustion.
    enemy_action = Action(u & 3, (u >> 2) & 15, (u >> 6) & 3 == 0)
    following = activate(after_self, enemy_action, rules, seed)
    end = unpack(following)
    stand_off = adjacent(start.self_.pos, start.enemy.pos) and adjacent(
        end.self_.pos, end.enemy.pos
    )
    # Neighbouring words of one match are too alike to learn much from: after a few a fresh
    # position follows. A fresh one has turn 0, and self acts every second turn.
    played_out = end.turn >= 2 * rules.self_play_words
    return 0 if stand_off or played_out or is_over(end, rules) else following


def record_index(
    source: Source, dna: bytes, global_step: int, length: int, owner_secret_fold: int = 0
) -> int:
    """Which record a BATTLE or PRIVATE step trains on; ``length`` is turns or DATASET_LEN."""
    key = fold64(dna) ^ global_step
    if source is Source.PRIVATE:
        key ^= owner_secret_fold
    # The owner's secret is committed before the DNA exists, so nobody can pick one that visits the
    # records that suit them. The bias of the remainder is below 2^-48: lengths are at most 2^16.
    return split_mix64(key) % length
