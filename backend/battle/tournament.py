"""Many matches between the same two fighters, off chain."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from chainbeasts.backend.chain.types import MatchResult
from chainbeasts.backend.kernel.board import Creature, unpack
from chainbeasts.backend.kernel.combat import DRAW, Match, a_acts_first
from chainbeasts.backend.kernel.fighters import Fighter
from chainbeasts.backend.kernel.rng import draw
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernels import play


def result_of(match: Match) -> MatchResult:
    """A match's winner as the arena names it."""
    return MatchResult.DRAW if match.winner == DRAW else MatchResult(match.winner)


def bodies(word: int, a_is_self: bool) -> tuple[Creature, Creature]:
    """A and B as they stand in a word."""
    p = unpack(word)
    return (p.self_, p.enemy) if a_is_self else (p.enemy, p.self_)


def seeds_from(first: int, count: int) -> Iterator[int]:
    """Battle seeds of a tournament: what is drawn from one 64-bit number."""
    return (draw(first, number) for number in range(count))


@dataclass(frozen=True, slots=True)
class Bout:
    """One match of a tournament; ``hp_a`` and ``hp_b`` are what was left."""

    battle_seed: int
    result: MatchResult
    turns: int
    a_first: bool
    hp_a: int
    hp_b: int


@dataclass(frozen=True, slots=True)
class Tally:
    """Matches that ended alike, in means over them."""

    result: MatchResult
    matches: int
    a_first: int
    turns: float
    hp_a: float
    hp_b: float


def tournament(
    a: Fighter,
    b: Fighter,
    rules: Rules,
    seeds: Iterable[int],
    on_match: Callable[[], None] = lambda: None,
) -> list[Bout]:
    """Play a match on each seed.

    Args:
        on_match: called after each.

    Raises:
        ChainBeastsError: ``CHAINBEASTS_KERNEL=native``, and there is none.
    """
    bouts = []
    for seed in seeds:
        played = play(a, b, seed, rules)
        a_is_self = a_acts_first(seed) == (played.turns % 2 == 0)
        left_a, left_b = bodies(played.last, a_is_self)
        bouts.append(
            Bout(seed, result_of(played), played.turns, a_acts_first(seed), left_a.hp, left_b.hp)
        )
        on_match()
    return bouts


def tallies(bouts: Iterable[Bout]) -> list[Tally]:
    """A tournament's bouts by result: A won, B won, nobody did."""
    given = list(bouts)
    return [
        _tally(result, [one for one in given if one.result is result]) for result in MatchResult
    ]


def _tally(result: MatchResult, bouts: list[Bout]) -> Tally:
    count = max(1, len(bouts))
    return Tally(
        result,
        len(bouts),
        sum(one.a_first for one in bouts),
        sum(one.turns for one in bouts) / count,
        sum(one.hp_a for one in bouts) / count,
        sum(one.hp_b for one in bouts) / count,
    )
