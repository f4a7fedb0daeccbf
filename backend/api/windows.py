"""The lists of checkpoints, newest first, each read off an index however long its history is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, and_, exists, select, union_all
from sqlalchemy.orm import Session

from chainbeasts.backend.api.cursors import Part, Place, keyset, part_of
from chainbeasts.backend.api.models import Source
from chainbeasts.backend.api.summaries import SOURCES
from chainbeasts.backend.indexer.queries import OPEN
from chainbeasts.backend.store.facts import CheckpointRow, CheckpointStatus, DisputeRow

State = Literal["pending", "disputed", "proven", "final", "slashed", "void"]

PENDING = CheckpointStatus.PENDING


def read_checkpoints(
    session: Session,
    cursor: str | None,
    limit: int,
    *,
    beast: int | None = None,
    state: State | None = None,
    source: Source | None = None,
) -> Part[CheckpointRow]:
    """A page of the checkpoints that fit all that is given, in the order of their submission."""
    c = CheckpointRow

    def read(place: Place, most: int) -> Sequence[CheckpointRow]:
        parts = [
            keyset(part, place, c.id).limit(most).subquery()
            for part in _lists(beast, state, source)
        ]
        ids = union_all(*(select(part.c.id) for part in parts)).subquery()
        order = c.id.asc() if place.back else c.id.desc()
        found = select(c).where(c.id.in_(select(ids.c.id))).order_by(order).limit(most)
        return session.scalars(found).all()

    return part_of(read, lambda row: (row.id,), cursor, limit)


def _lists(beast: int | None, state: State | None, source: Source | None) -> list[Select[int]]:
    """The lists, each in an index's order, that together are what is asked for."""
    c = CheckpointRow
    if beast is None and state is None and source is None:
        return [select(c.id)]
    statuses, more = _standing(state)
    sources = range(len(SOURCES)) if source is None else [SOURCES.index(source)]
    mine = [] if beast is None else [c.beast_id == beast]
    return [
        select(c.id).where(*mine, c.status == status, c.source == number, *more)
        for status in statuses
        for number in sources
    ]


def _standing(
    state: State | None,
) -> tuple[Sequence[CheckpointStatus], Sequence[ColumnElement[bool]]]:
    """What the table calls a state. What is pending is as much as a challenge period has seen."""
    c, d = CheckpointRow, DisputeRow
    if state is None:
        return tuple(CheckpointStatus), ()
    same = and_(
        d.beast_id == c.beast_id,
        d.index == c.index,
        d.generation == c.generation,
        d.status.in_(OPEN),
    )
    disputed = exists().where(same)
    special: Mapping[State, Sequence[Any]] = {
        "pending": (~c.proven, ~disputed),
        "disputed": (disputed,),
        "proven": (c.proven, ~disputed),
    }
    if state in special:
        return (PENDING,), special[state]
    return (CheckpointStatus(state),), ()
