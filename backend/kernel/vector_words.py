"""Board words of the published test vectors: varied, invalid, and hard to search."""

from __future__ import annotations

from collections.abc import Iterator

from backend.kernel.board import pack, unpack
from backend.kernel.rng import draw
from backend.kernel.rules import Rules
from backend.kernel.samples import random_position
from backend.kernel.tables import TEMPLATES


def varied_word(seed: int, rules: Rules) -> int:
    """A valid word whose every field takes values that a fresh position does not have."""
    terrain = None if draw(seed, 20) % 3 else TEMPLATES[draw(seed, 21) % 64]
    p = unpack(random_position(seed, terrain, rules))
    for side, creature in enumerate((p.self_, p.enemy)):
        r = draw(seed, 30 + side)
        creature.hp = 1 + (r & 255) % 255
        creature.stamina = (0, 1, 2, 255, (r >> 8) & 31)[(r >> 16) % 5]
        creature.temp_def = (0, 127, (r >> 24) & 127)[(r >> 32) % 3]
        creature.last_action = (r >> 40) & 3
    p.turn = draw(seed, 32) % rules.max_turns
    p.flags = draw(seed, 33) & 1
    return pack(p)


def broken_words(word: int) -> Iterator[tuple[str, int]]:
    """One word for each way not to be valid."""
    own, other = unpack(word).self_.pos, unpack(word).enemy.pos
    for side, field, value in (
        ("board", "walls", (1 << 64) - 1),
        ("board", "walls", 1 << own),
        ("board", "walls", 1 << other),
        ("board", "flags", 2),
        ("self_", "pos", 64),
        ("enemy", "pos", 255),
        ("enemy", "pos", own),
        ("self_", "hp", 0),
        ("enemy", "hp", 0),
        ("self_", "temp_def", 128),
        ("enemy", "power", 128),
        ("enemy", "defense", 255),
        ("self_", "last_action", 4),
    ):
        p = unpack(word)
        setattr(p if side == "board" else getattr(p, side), field, value)
        p.hazards &= ~p.walls
        yield f"invalid: {side} {field} {value:#x}", pack(p)
    p = unpack(word)
    free = next(tile for tile in range(64) if tile not in (own, other))
    p.walls, p.hazards = 1 << free, 1 << free
    yield "invalid: wall and hazard", pack(p)


def maze_words() -> Iterator[tuple[str, int]]:
    """Boards that are hard to search: a serpent, a sealed cell, a detour around hazards."""
    fresh = unpack(random_position(5, (0, 0), Rules()))
    serpent = sum(0x7F << 8 * y for y in (1, 5)) | sum(0xFE << 8 * y for y in (3,))
    cell = sum(1 << t for t in (1, 8, 9))
    toll = 0xFF << 24 & ~(1 << 31)
    for name, walls, hazards, own, other in (
        ("serpent", serpent, 0, 0, 63),
        ("sealed in", cell, 0, 0, 63),
        ("hazard belt with a gap", 0, toll, 0, 56),
        ("all hazards", 0, (1 << 64) - 1, 0, 63),
        ("two equal ways", 0, 0, 9, 54),
        ("only enemy between", 0xFF << 8 & ~(1 << 12), 0, 20, 12),
    ):
        p = unpack(pack(fresh))
        p.walls, p.hazards = walls, hazards
        p.self_.pos, p.enemy.pos = own, other
        yield name, pack(p)
