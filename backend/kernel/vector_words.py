"""Board words of the published test vectors: varied, invalid, hard to search, hard to act in."""

from __future__ import annotations

from collections.abc import Iterator

from chainbeasts.backend.kernel.board import (
    ATTACK,
    BLOCK,
    EAST,
    MOVE,
    NORTH,
    OPPOSITE,
    REST,
    SOUTH,
    WEST,
    Position,
    neighbour,
    pack,
    unpack,
)
from chainbeasts.backend.kernel.rng import draw
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.samples import random_position
from chainbeasts.backend.kernel.tables import TEMPLATES


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
        creature.heading = (r >> 42) % 5
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
        ("self_", "heading", 5),
        ("enemy", "heading", 63),
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


CENTRE = 27
DIRECTIONS = (NORTH, SOUTH, EAST, WEST)
NAMES = ("north", "south", "east", "west")


def _standing(own: int = CENTRE, enemy: int = 63) -> Position:
    """Two creatures on an open field."""
    p = unpack(random_position(6, (0, 0), Rules()))
    p.self_.pos, p.enemy.pos = own, enemy
    return p


def _around(tile: int, but: tuple[int, ...] = ()) -> int:
    """A board of the tiles next to one, without those in some directions."""
    tiles = [neighbour(tile, direction) for direction in DIRECTIONS if direction not in but]
    return sum(1 << found for found in tiles if found is not None)


def _wanting(direction: int) -> list[int]:
    """Logits of which one direction is the largest, and then the others by their order."""
    return [50 if d == direction else 40 - d for d in DIRECTIONS] + [20, 0, 0, 0]


def decoding_cases() -> Iterator[tuple[str, int, list[int]]]:
    """Words and logits where the appendage has little to choose from, or gives up a wish."""
    for heading in range(5):
        for direction in DIRECTIONS:
            p = _standing()
            p.self_.heading = heading
            yield f"heading {heading}, {NAMES[direction]} wanted", pack(p), _wanting(direction)
    for heading in range(5):
        p = _standing()
        p.self_.heading, p.walls = heading, _around(CENTRE)
        yield f"heading {heading}, no legal move", pack(p), _wanting((heading + 2) % 4)
    for direction in DIRECTIONS:
        back = OPPOSITE[direction]
        p = _standing()
        p.self_.heading, p.walls = 1 + direction, _around(CENTRE, (back,))
        yield f"only the way back {NAMES[back]} is legal", pack(p), _wanting(direction)
        p.walls = _around(CENTRE, (back, (back + 2) % 4))
        yield f"the way back {NAMES[back]} or aside", pack(p), _wanting(back)
        p.walls, p.hazards = _around(CENTRE, (back, direction)), _around(CENTRE, (back,))
        p.hazards &= ~p.walls
        yield f"{NAMES[direction]} onto a hazard rather than back", pack(p), _wanting(back)
        tile = neighbour(CENTRE, direction)
        assert tile is not None
        p = _standing(enemy=tile)
        yield f"the enemy's tile {NAMES[direction]}", pack(p), _wanting(direction)
        p.self_.heading = 1 + back
        yield f"the enemy's tile {NAMES[direction]}, behind", pack(p), _wanting(direction)
        p.walls = _around(CENTRE, (direction,))
        yield f"the enemy's tile {NAMES[direction]} alone is legal", pack(p), _wanting(back)
    for corner in (0, 7, 56, 63):
        for heading in (0, 1, 2, 3, 4):
            p = _standing(corner, 27)
            p.self_.heading = heading
            yield f"corner {corner}, heading {heading}", pack(p), [7, 7, 7, 7, 8, 1, -9, 9]
    for action in (REST, MOVE, ATTACK, BLOCK):
        for stamina in (0, 1, 2):
            for block in (0, 1):
                p = _standing()
                p.self_.last_action, p.self_.stamina = action, stamina
                name = f"action {action}, stamina {stamina}, z5 {block}"
                yield name, pack(p), [-5, -4, -3, -2, 1, block, 0, 0]
    for power in (-32_768, -1, 0, 1, 2, 29, 30, 31, 32, 32_767):
        yield f"z4 {power}", pack(_standing()), [-32_768, 32_767, 32_767, 0, power, -1, 0, 0]


def heading_cases() -> Iterator[tuple[str, int, dict[str, int | bool]]]:
    """Words and actions that keep a heading, or turn it."""

    def acting(direction: int, power: int = 0, block: bool = False) -> dict[str, int | bool]:
        return {"direction": direction, "power": power, "block": block}

    for direction in DIRECTIONS:
        p = _standing()
        p.self_.heading, p.enemy.heading = 1 + OPPOSITE[direction], 1 + direction
        yield f"turns back {NAMES[direction]}", pack(p), acting(direction)
        yield f"moves {NAMES[direction]} and blocks", pack(p), acting(direction, block=True)
        p.hazards = _around(CENTRE)
        yield f"moves {NAMES[direction]} onto a hazard", pack(p), acting(direction)
        p.walls, p.hazards = p.hazards, 0
        yield f"a wall {NAMES[direction]}: cancelled, rests", pack(p), acting(direction)
        yield (
            f"a wall {NAMES[direction]}: cancelled, blocks",
            pack(p),
            acting(direction, block=True),
        )
        corner = (0, 63, 63, 0)[direction]
        p = _standing(corner, CENTRE)
        p.self_.heading = 1 + OPPOSITE[direction]
        yield f"the edge {NAMES[direction]}: cancelled", pack(p), acting(direction, 15)
        tile = neighbour(CENTRE, direction)
        assert tile is not None
        p = _standing(enemy=tile)
        p.self_.heading, p.enemy.heading = 1 + OPPOSITE[direction], 3
        yield f"attacks {NAMES[direction]}", pack(p), acting(direction, 9)
        yield f"blocks beside {NAMES[direction]}", pack(p), acting(direction, block=True)
        yield f"rests beside {NAMES[direction]}", pack(p), acting(direction)
        p = _standing()
        p.self_.heading, p.self_.stamina = 1 + OPPOSITE[direction], 0
        yield f"exhausted, {NAMES[direction]} wanted", pack(p), acting(direction, 15)
        yield f"exhausted, blocks {NAMES[direction]}", pack(p), acting(direction, 15, True)
        p.self_.stamina, p.self_.last_action = 1, BLOCK
        yield f"tired by a block, {NAMES[direction]} wanted", pack(p), acting(direction)


def refused_words(rules: Rules) -> Iterator[tuple[str, int]]:
    """Words that no kernel activates: not valid, or of a match that is over."""
    yield from broken_words(varied_word(1, rules))
    for seed in range(4):
        word = sum(draw(90_000 + seed, i) << 64 * i for i in range(4))
        yield f"invalid: any 256 bits, {seed}", word
    yield "invalid: zero", 0
    for turn in (rules.max_turns, rules.max_turns + 1, 255):
        p = _standing()
        p.turn = turn
        yield f"finished: turn {turn}", pack(p)
