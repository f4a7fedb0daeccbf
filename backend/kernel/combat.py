"""Combat: one activation, and whole matches (docs/spec/rules.md §4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chainbeasts.backend.kernel import merkle
from chainbeasts.backend.kernel.board import (
    ATTACK,
    BLOCK,
    MOVE,
    NO_HEADING,
    OPPOSITE,
    REST,
    Creature,
    Position,
    adjacent,
    bit,
    invalid_reason,
    neighbour,
    pack,
    unpack,
)
from chainbeasts.backend.kernel.rng import draw
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.tables import TEMPLATES

DRAW = -1
"""Winner of a match that nobody won; otherwise 0 is creature A, 1 is creature B."""


class RefusedWordError(ValueError):
    """A word that no creature acts in: it is not valid, or its match is over."""


@dataclass(frozen=True, slots=True)
class Action:
    """What a creature committed to: direction 0…3 (N, S, E, W), power 0…15, and whether it blocks.

    Raises:
        ValueError: a value is outside its range.
    """

    direction: int
    power: int
    block: bool

    def __post_init__(self) -> None:
        if not 0 <= self.direction <= 3:
            raise ValueError(f"direction {self.direction} is not 0 to 3")
        if not 0 <= self.power <= 15:
            raise ValueError(f"power {self.power} is not 0 to 15")


def decode_action(logits: Sequence[int], word: int) -> Action:
    """The action that eight logits mean for the ``self`` of a valid word.

    Raises:
        RefusedWordError: the word is not valid.
    """
    _refuse_invalid(word)
    p = unpack(word)
    z = [int(value) for value in logits]
    # Ties must not depend on how a language sorts: of equal logits the lowest direction is taken.
    direction = max(_open_directions(p), key=lambda d: (z[d], -d))
    rested = _stamina_at_start(p.self_) > 0
    return Action(direction, min(max(z[4] >> 1, 0), 15), z[5] > 0 and rested)


def _open_directions(p: Position) -> Sequence[int]:
    """What an appendage chooses from: legal directions, a way back only where there is no other."""
    # Neither adjacency nor exhaustion counts, although both keep a creature where it is: then the
    # direction has no effect, and every kernel has one case less to get wrong.
    targets = {d: neighbour(p.self_.pos, d) for d in range(4)}
    legal = [d for d, tile in targets.items() if tile is not None and not bit(p.walls, tile)]
    onward = [d for d in legal if not _reverses(d, p.self_.heading)]
    return onward or legal or range(4)


def _reverses(direction: int, heading: int) -> bool:
    return heading != NO_HEADING and direction == OPPOSITE[heading - 1]


def _stamina_at_start(creature: Creature) -> int:
    """Stamina once a turn has begun, for which a blow or a block of the turn before is paid."""
    return max(creature.stamina - (creature.last_action in (ATTACK, BLOCK)), 0)


def _refuse_invalid(word: int) -> None:
    reason = invalid_reason(word)
    if reason is not None:
        raise RefusedWordError(f"the word is not valid: {reason}")


def damage(power: int, effective_defense: int, rules: Rules) -> int:
    """Damage without a critical hit against ``defense + temp_def``."""
    if rules.damage_curve == 0:
        return power * rules.damage_k // (rules.damage_k + effective_defense)
    return power * max(rules.damage_k - effective_defense, 0) // rules.damage_k


def is_critical(battle_seed: int, turn: int, rules: Rules) -> bool:
    """Whether an attack made in ``turn`` is critical."""
    return draw(battle_seed, turn) % rules.crit_odds == 0


def is_over(position: Position, rules: Rules) -> bool:
    """Whether the match has ended: a creature without hp, or no turns left."""
    dead = position.self_.hp == 0 or position.enemy.hp == 0
    return dead or position.turn >= rules.max_turns


def activate(word: int, action: Action, rules: Rules, battle_seed: int) -> int:
    """The word after ``self`` has acted: sides swapped, turn counted, next critical flag drawn.

    Args:
        word: a valid word with turns left.
        battle_seed: 64-bit seed of the critical flags.

    Raises:
        RefusedWordError: the word is not valid, or its match is over.
    """
    p = unpack(word)
    if is_over(p, rules):
        raise RefusedWordError("a finished match cannot be activated")
    _refuse_invalid(word)
    me, enemy = p.self_, p.enemy

    # The order is consensus (rules.md §4). Exhaustion is settled before the move: what a hazard
    # takes now counts from the next activation on.
    me.stamina = _stamina_at_start(me)
    exhausted = me.stamina == 0

    moved = not exhausted and not adjacent(me.pos, enemy.pos) and _move(p, action.direction, rules)
    if action.block:
        me.temp_def = min(me.temp_def + rules.block_gain, rules.block_cap)
    # Adjacent now, after the move: one may walk up and strike in the same activation.
    attacked = not exhausted and adjacent(me.pos, enemy.pos) and action.power > 0
    if attacked:
        _attack(enemy, action.power, p.crit, rules)

    if attacked:
        me.last_action = ATTACK
    elif action.block:
        me.last_action = BLOCK
    elif moved:
        me.last_action = MOVE
    else:
        me.last_action = REST
        me.stamina = min(me.stamina + rules.rest_gain, 255)

    p.self_, p.enemy = enemy, me
    # At most 254, for ``max_turns`` is, so the byte never wraps. The flag is drawn for the
    # activation to come: what an activation does follows from its word and the action alone.
    p.turn += 1
    p.flags = int(is_critical(battle_seed, p.turn, rules))
    return pack(p)


def _move(p: Position, direction: int, rules: Rules) -> bool:
    target = neighbour(p.self_.pos, direction)
    if target is None or bit(p.walls, target):
        return False
    # Nothing but a step taken turns a creature, so its heading outlives rests, blows and blocks.
    p.self_.pos, p.self_.heading = target, 1 + direction
    if bit(p.hazards, target):
        p.self_.stamina = max(p.self_.stamina - rules.hazard_stamina, 0)
    return True


def _attack(enemy: Creature, power: int, critical: bool, rules: Rules) -> None:
    # At most 2 · 15: no curve gives more than the power itself.
    hit = damage(power, enemy.defense + enemy.temp_def, rules)
    enemy.hp = max(enemy.hp - (2 * hit if critical else hit), 0)
    enemy.temp_def = 0


@dataclass(frozen=True, slots=True)
class Stats:
    """What a beast brings into a match, from its DNA."""

    power: int
    defense: int
    stamina: int
    hp: int


def stats_from_dna(dna: bytes) -> Stats:
    """Stats of a 32-byte DNA; ``dna[0]`` is its most significant byte."""
    defense, stamina = dna[1] % 128, 12 + dna[2] % 20
    # Toughness is hp times 256 + defense, the more the less stamina there is: bodies differ, and
    # none is much better. 116 to 219, so hp fits its byte.
    hp = (44_800 + 94 * max(0, 23 - stamina) ** 2) // (256 + defense)
    return Stats(48 + dna[0] % 64, defense, stamina, hp)


@dataclass(frozen=True, slots=True)
class Match:
    """A finished match: the word before each activation, and the word at its end."""

    words: tuple[int, ...]
    last: int
    winner: int
    log_root: bytes

    @property
    def turns(self) -> int:
        return len(self.words)


def a_acts_first(battle_seed: int) -> bool:
    """Whether creature A makes the first activation."""
    return (battle_seed >> 6) & 1 == 0


def start_match(dna_a: bytes, dna_b: bytes, battle_seed: int, rules: Rules) -> int:
    """The first word of a match: A on tile 0, B on tile 63, terrain by the seed's low bits."""
    walls, hazards = TEMPLATES[battle_seed % 64]
    cleared = ~((1 << 0) | (1 << 63))
    a, b = (
        Creature(pos, stats.hp, stats.stamina, 0, stats.power, stats.defense, REST)
        for pos, stats in ((0, stats_from_dna(dna_a)), (63, stats_from_dna(dna_b)))
    )
    first, second = (a, b) if a_acts_first(battle_seed) else (b, a)
    flags = int(is_critical(battle_seed, 0, rules))
    return pack(Position(walls & cleared, hazards & cleared, first, second, 0, flags))


def winner(last: int, battle_seed: int, dna_a: bytes, dna_b: bytes) -> int:
    """Who won, from the word at a match's end: 0 for A, 1 for B, ``DRAW`` for neither.

    Whoever has the larger share left of the hp that its DNA gives it, whatever hp a log says that
    it started with.
    """
    end = unpack(last)
    # The sides are swapped after every activation, the last one too.
    a_is_self = a_acts_first(battle_seed) == (end.turn % 2 == 0)
    a, b = (end.self_, end.enemy) if a_is_self else (end.enemy, end.self_)
    # Shares as products, which are exact. They decide a kill as well: 0 hp is the least share.
    left_a = a.hp * stats_from_dna(dna_b).hp
    left_b = b.hp * stats_from_dna(dna_a).hp
    return DRAW if left_a == left_b else int(left_b > left_a)


Brain = Callable[[int], Action]
"""Chooses an action for the ``self`` of a word."""


def play_match(
    dna_a: bytes, dna_b: bytes, battle_seed: int, rules: Rules, brain_a: Brain, brain_b: Brain
) -> Match:
    """Play a match to its end; A acts by ``brain_a``."""
    a_active = a_acts_first(battle_seed)
    word = start_match(dna_a, dna_b, battle_seed, rules)
    words: list[int] = []
    while not is_over(unpack(word), rules):
        words.append(word)
        brain = brain_a if a_active else brain_b
        word = activate(word, brain(word), rules, battle_seed)
        a_active = not a_active
    won = winner(word, battle_seed, dna_a, dna_b)
    return Match(tuple(words), word, won, merkle.root(words))
