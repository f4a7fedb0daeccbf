"""Ratings as answers: of the beasts of a list, and the leaderboard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from chainbeasts.backend.api.cursors import cursor_of
from chainbeasts.backend.api.models import Leaderboard, Ranked, Rating
from chainbeasts.backend.api.services import Services, tip_hash, tip_of
from chainbeasts.backend.indexer.openness import Lineages
from chainbeasts.backend.store.facts import BeastRow


def _read(services: Services, session: Session) -> tuple[Mapping[int, Rating], int]:
    tip = tip_hash(tip_of(session))
    return services.once.get("ratings", tip, lambda: services.standings.read(session))


def ratings(services: Services, session: Session) -> Mapping[int, Rating]:
    """Every rated beast's rating, the best first."""
    return _read(services, session)[0]


def leaderboard_answer(services: Services, session: Session, after: int, limit: int) -> Leaderboard:
    """The rated beasts that come after a rank, the strongest first."""
    found, matches = _read(services, session)
    shown = list(found.items())[after : after + limit]
    beasts = _beasts(session, [beast_id for beast_id, _ in shown])
    lineages = Lineages(session, beasts)
    items = [
        Ranked(
            **rating.model_dump(),
            beast=beast_id,
            owner=beasts[beast_id].owner,
            dna=beasts[beast_id].dna,
            believed_since=lineages.openness(beast_id).believed_since,
        )
        for beast_id, rating in shown
    ]
    more = after + limit < len(found)
    return Leaderboard(
        matches=matches,
        items=items,
        next=cursor_of(after + limit) if more else None,
        previous=cursor_of(max(0, after - limit)) if after else None,
    )


def _beasts(session: Session, ids: Sequence[int]) -> Mapping[int, BeastRow]:
    rows = session.scalars(select(BeastRow).where(BeastRow.beast_id.in_(ids)))
    return {row.beast_id: row for row in rows}
