"""The lists of checkpoints, newest first, each read off an index however long its history is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    and_,
    bindparam,
    exists,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from chainbeasts.backend.api.cursors import Part, Place, part_of
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

    def read(place: Place, most: int) -> Sequence[CheckpointRow]:
        begun = place.key is not None
        found = _statement(beast is not None, state, source, back=place.back, begun=begun)
        given = {"beast": beast, "most": most, "key": place.key[0] if place.key else None}
        named = {name: value for name, value in given.items() if value is not None}
        return session.scalars(found, named).all()

    return part_of(read, lambda row: (row.id,), cursor, limit)


@cache
def _statement(
    mine: bool, state: State | None, source: Source | None, *, back: bool, begun: bool
) -> Select[Any]:
    """One page of a list; its parameters are ``most``, with ``mine`` ``beast``, and where it has
    ``begun`` the ``key`` of the row that it follows."""
    # Made once for each of the few kinds there are: a list of all states and sources has two dozen
    # parts, and to put them together takes longer than to read a page.
    c, key, most = (
        CheckpointRow,
        bindparam("key", type_=BigInteger),
        bindparam("most", type_=BigInteger),
    )
    order = c.id.asc() if back else c.id.desc()
    after = [] if not begun else [c.id > key if back else c.id < key]
    parts = [
        part.where(*after).order_by(order).limit(most).subquery()
        for part in _lists(mine, state, source)
    ]
    ids = union_all(*(select(part.c.id) for part in parts)).subquery()
    return select(c).where(c.id.in_(select(ids.c.id))).order_by(order).limit(most)


def _lists(mine: bool, state: State | None, source: Source | None) -> list[Select[int]]:
    """The lists, each in an index's order, that together are what is asked for."""
    c = CheckpointRow
    if not mine and state is None and source is None:
        return [select(c.id)]
    statuses, more = _standing(state)
    sources = range(len(SOURCES)) if source is None else [SOURCES.index(source)]
    of = [c.beast_id == bindparam("beast", type_=BigInteger)] if mine else []
    return [
        select(c.id).where(*of, c.status == status, c.source == number, *more)
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
