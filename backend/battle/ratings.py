"""Ratings of beasts: Plackett-Luce over the final matches, one after another as they became final.

A function of chain data alone: the same rows give everybody the same list.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from openskill.models import PlackettLuce
from sqlalchemy import select
from sqlalchemy.orm import Session

from chainbeasts.backend.store.facts import BlockRow, EventRow
from chainbeasts.backend.store.matches import MatchRow, MatchStatus

FINALIZED = "MatchFinalized"
DECIMALS = 6
"""Ratings are rounded to these: another libm may differ in the last bits of an exponential."""

RANKS = {"a": (1, 2), "b": (2, 1), "draw": (1, 1)}
"""Of A and of B, by result; the better one is lower."""


@dataclass(frozen=True, slots=True)
class FinalMatch:
    """What ratings know of a match; ``result`` is a, b or draw."""

    match_id: int
    beast_a: int
    beast_b: int
    result: str


@dataclass(frozen=True, slots=True)
class Rating:
    """Where a beast stands.

    Attributes:
        mu: the estimate of its strength; a beast without matches has 25.
        sigma: how uncertain that is.
        rating: mu − 3 sigma, what it is ranked by.
        last_match: the latest one that counts.
    """

    beast_id: int
    rating: float
    mu: float
    sigma: float
    matches: int
    won: int
    lost: int
    drawn: int
    last_match: int


@cache
def _model() -> Any:
    """Plackett-Luce with the library's defaults: mu 25, sigma 25/3, beta 25/6, tau 25/300."""
    return PlackettLuce()


@dataclass(slots=True)
class _Standing:
    skill: Any = field(default_factory=lambda: _model().rating())
    matches: int = 0
    won: int = 0
    drawn: int = 0
    last_match: int = 0


class Ladder:
    """Ratings that take in one final match after another."""

    def __init__(self) -> None:
        self._standings: dict[int, _Standing] = {}

    def add(self, one: FinalMatch) -> None:
        """Take in the match that became final next."""
        ids = (one.beast_a, one.beast_b)
        sides = [self._standings.setdefault(beast_id, _Standing()) for beast_id in ids]
        ranks = RANKS[one.result]
        rated = _model().rate([[side.skill] for side in sides], ranks=list(ranks))
        for side, (skill,), rank in zip(sides, rated, ranks, strict=True):
            side.skill = skill
            side.matches += 1
            side.won += one.result != "draw" and rank == 1
            side.drawn += one.result == "draw"
            side.last_match = one.match_id

    def ratings(self) -> list[Rating]:
        """All beasts with a match, the best first; equal ones by id."""
        found = [_rating(beast_id, one) for beast_id, one in self._standings.items()]
        return sorted(found, key=lambda one: (-one.rating, one.beast_id))


def _rating(beast_id: int, one: _Standing) -> Rating:
    mu, sigma = float(one.skill.mu), float(one.skill.sigma)
    return Rating(
        beast_id,
        round(mu - 3 * sigma, DECIMALS),
        round(mu, DECIMALS),
        round(sigma, DECIMALS),
        one.matches,
        one.won,
        one.matches - one.won - one.drawn,
        one.drawn,
        one.last_match,
    )


def ratings(matches: Iterable[FinalMatch]) -> list[Rating]:
    """The ratings after some matches, given in the order in which they became final."""
    ladder = Ladder()
    for one in matches:
        ladder.add(one)
    return ladder.ratings()


def final_matches(session: Session, after: int = -1, up_to: int | None = None) -> list[FinalMatch]:
    """The final matches that the indexer knows, by block and log index of their finality.

    Args:
        after, up_to: blocks of their finality: those after the first, up to the other; all if not
            given.
    """
    wanted = (
        select(MatchRow.match_id, MatchRow.beast_a, MatchRow.beast_b, MatchRow.result)
        .join(EventRow, EventRow.match_id == MatchRow.match_id)
        .where(EventRow.name == FINALIZED, MatchRow.status == MatchStatus.FINAL)
        .where(EventRow.block_number > after)
        .order_by(EventRow.block_number, EventRow.log_index)
    )
    if up_to is not None:
        wanted = wanted.where(EventRow.block_number <= up_to)
    return [FinalMatch(match, a, b, str(result)) for match, a, b, result in session.execute(wanted)]


def last_finality(session: Session, up_to: int) -> tuple[int, bytes] | None:
    """Number and hash of the last block up to one in which a match became final."""
    found = session.execute(
        select(BlockRow.number, BlockRow.hash)
        .join(EventRow, EventRow.block_number == BlockRow.number)
        .where(EventRow.name == FINALIZED, EventRow.block_number <= up_to)
        .order_by(EventRow.block_number.desc())
        .limit(1)
    ).first()
    return None if found is None else (int(found[0]), bytes(found[1]))
