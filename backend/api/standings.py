"""Ratings from all final matches; a new one is added to those that were rated before."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from chainbeasts.backend.api.models import Rating
from chainbeasts.backend.battle.ratings import FinalMatch, Ladder, final_matches
from chainbeasts.backend.battle.ratings import Rating as Place


class Standings:
    """The ladder as far as it was climbed. One thread at a time."""

    def __init__(self) -> None:
        self._ladder = Ladder()
        self._taken: list[FinalMatch] = []

    def read(self, session: Session) -> tuple[Mapping[int, Rating], int]:
        """Every rated beast's rating, the best first, and how many matches they are from."""
        matches = final_matches(session)
        taken = len(self._taken)
        if matches[:taken] != self._taken:  # a reorg took some back
            self._ladder, taken = Ladder(), 0
        for match in matches[taken:]:
            self._ladder.add(match)
        self._taken = matches
        found = enumerate(self._ladder.ratings(), start=1)
        return {one.beast_id: _answer(one, rank) for rank, one in found}, len(matches)


def _answer(one: Place, rank: int) -> Rating:
    return Rating(
        rank=rank,
        rating=one.rating,
        mu=one.mu,
        sigma=one.sigma,
        matches=one.matches,
        won=one.won,
        lost=one.lost,
        drawn=one.drawn,
        last_match=one.last_match,
    )
