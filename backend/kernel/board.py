"""The board word: one position in one 256-bit integer (docs/spec/rules.md §2)."""

from __future__ import annotations

from dataclasses import dataclass

from chainbeasts.backend.kernel.rng import MASK64

REST, MOVE, ATTACK, BLOCK = range(4)
"""Values of ``last_action``."""

NORTH, SOUTH, EAST, WEST = range(4)
STEP_X = (0, 0, 1, -1)
STEP_Y = (-1, 1, 0, 0)
OPPOSITE = (SOUTH, NORTH, WEST, EAST)

NO_HEADING = 0
"""``heading`` of a creature that has not moved yet; else it is 1 + the direction it went last."""

LAST_HEADING = 1 + WEST

_CREATURE_BYTES = 7
_SELF_BIT = 128
_ENEMY_BIT = 184


@dataclass(slots=True)
class Creature:
    """One side of a position.

    Every field up to ``defense`` is a byte of the word. ``last_action`` and ``heading`` share the
    seventh, two bits and six: whatever 256 bits a word has, it unpacks and packs again.
    """

    pos: int
    hp: int
    stamina: int
    temp_def: int
    power: int
    defense: int
    last_action: int
    heading: int = NO_HEADING


@dataclass(slots=True)
class Position:
    """An unpacked board word; ``self_`` is the creature that acts next.

    ``walls`` and ``hazards`` are 64-bit boards, bit ``8*y + x``, origin top-left.
    """

    walls: int
    hazards: int
    self_: Creature
    enemy: Creature
    turn: int
    flags: int

    @property
    def crit(self) -> bool:
        """Whether an attack in this activation is critical."""
        return bool(self.flags & 1)


def _creature(word: int, bit: int) -> Creature:
    *values, last = ((word >> (bit + 8 * i)) & 0xFF for i in range(_CREATURE_BYTES))
    values += [last & 3, last >> 2]
    return Creature(*values)


def unpack(word: int) -> Position:
    """The fields of any 256-bit word, valid or not."""
    return Position(
        walls=word & MASK64,
        hazards=(word >> 64) & MASK64,
        self_=_creature(word, _SELF_BIT),
        enemy=_creature(word, _ENEMY_BIT),
        turn=(word >> 240) & 0xFF,
        flags=(word >> 248) & 0xFF,
    )


def _creature_bits(creature: Creature) -> int:
    fields = (
        creature.pos,
        creature.hp,
        creature.stamina,
        creature.temp_def,
        creature.power,
        creature.defense,
        creature.last_action | creature.heading << 2,
    )
    return sum(value << (8 * i) for i, value in enumerate(fields))


def pack(position: Position) -> int:
    """The board word of a position whose fields are in range."""
    # Each field has its own bits, so ``|`` is a sum; one out of range would spill into the next.
    return (
        position.walls
        | position.hazards << 64
        | _creature_bits(position.self_) << _SELF_BIT
        | _creature_bits(position.enemy) << _ENEMY_BIT
        | position.turn << 240
        | position.flags << 248
    )


def word_bytes(word: int) -> bytes:
    """The 32-byte big-endian form of a word, which is what is hashed and stored."""
    return word.to_bytes(32)


def bit(board: int, tile: int) -> bool:
    """Whether tile 0…63 is set on a 64-bit board."""
    return bool((board >> tile) & 1)


def adjacent(a: int, b: int) -> bool:
    """Whether two tiles are at Manhattan distance 1; the board does not wrap."""
    return abs((a & 7) - (b & 7)) + abs((a >> 3) - (b >> 3)) == 1


def neighbour(tile: int, direction: int) -> int | None:
    """The tile next to ``tile`` in a direction, or None off the board."""
    x, y = (tile & 7) + STEP_X[direction], (tile >> 3) + STEP_Y[direction]
    return 8 * y + x if 0 <= x < 8 and 0 <= y < 8 else None


NEIGHBOURS = tuple(
    tuple(tile for tile in (neighbour(centre, d) for d in range(4)) if tile is not None)
    for centre in range(64)
)
"""The tiles next to each tile."""


def invalid_reason(word: int) -> str | None:
    """Why a word is not a valid sample, in words for a user; None when it is valid."""
    # All that follows relies on these bounds: shifts by ``pos``, inputs up to 127, labels, the
    # reverse of a heading. A private record, or the arena of a forged state, may be any 256 bits.
    p = unpack(word)
    if p.walls & p.hazards:
        tile = (p.walls & p.hazards & -(p.walls & p.hazards)).bit_length() - 1
        return f"tile {tile} is both a wall and a hazard"
    sides = (("self", p.self_), ("enemy", p.enemy))
    for name, creature in sides:
        if creature.pos > 63:
            return f"{name} pos {creature.pos} is not a tile (0 to 63)"
        if bit(p.walls, creature.pos):
            return f"{name} stands on a wall (tile {creature.pos})"
    if p.self_.pos == p.enemy.pos:
        return f"self and enemy stand on the same tile ({p.self_.pos})"
    for name, creature in sides:
        if creature.hp < 1:
            return f"{name} hp is 0"
        for field in ("temp_def", "power", "defense"):
            if getattr(creature, field) > 127:
                return f"{name} {field} {getattr(creature, field)} is over 127"
        if creature.heading > LAST_HEADING:
            return f"{name} heading {creature.heading} is over {LAST_HEADING}"
    if p.flags > 1:
        return f"flags {p.flags} is over 1"
    return None


def is_valid(word: int) -> bool:
    """Whether a word may be trained on and activated; as a sample, any other makes a null step."""
    return invalid_reason(word) is None
