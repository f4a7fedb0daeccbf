"""Ratings from all final matches; a new one is added to those that were rated before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy.orm import Session

from chainbeasts.backend.api.models import Rating
from chainbeasts.backend.battle.ratings import Ladder, final_matches, last_finality
from chainbeasts.backend.battle.ratings import Rating as Place
from chainbeasts.backend.indexer.positions import Position, position, stands


class Standings:
    """The ladder as far as it was climbed. One thread at a time."""

    def __init__(self) -> None:
        self._ladder = Ladder()
        self._matches = 0
        self._seen: Position | None = None

    def read(self, session: Session) -> tuple[Mapping[int, Rating], int]:
        """Every rated beast's rating, the best first, and how many matches they are from."""
        # What is there now, before the matches: whatever comes in between is for the next time.
        now, earlier = position(session), self._seen
        if earlier is None or not stands(session, earlier):  # a reorg may have taken some back
            self._ladder, self._matches, self._seen = Ladder(), 0, None
        if now is not None:
            after = -1 if self._seen is None else self._seen.number
            for match in final_matches(session, after, now.number):
                self._ladder.add(match)
                self._matches += 1
            # The block of the last one, which is kept for ever; others are not.
            last = last_finality(session, now.number)
            self._seen = None if last is None else replace(now, number=last[0], hash=last[1])
        found = enumerate(self._ladder.ratings(), start=1)
        return {one.beast_id: _answer(one, rank) for rank, one in found}, self._matches


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
