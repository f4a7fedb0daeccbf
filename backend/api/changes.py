"""At which of a beast's windows something happened: all that a chart of its life has to mark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from chainbeasts.backend.api.models import Changes
from chainbeasts.backend.api.summaries import SOURCES
from chainbeasts.backend.indexer.queries import LIVE
from chainbeasts.backend.store.facts import CheckpointRow, DisputeRow

Window = Any
"""A row; its type says that ``index`` is the method of a tuple, which a row does not have."""


def read_changes(session: Session, beast_id: int) -> Changes:
    """The changes of one beast's life; the windows between are left out by the database."""
    shown = _eventful(session, beast_id)
    disputes = _disputes(session, beast_id)
    c = CheckpointRow
    live = select(func.count()).where(c.beast_id == beast_id, c.status.in_(LIVE))
    return Changes(
        beast=beast_id,
        windows=session.scalar(live) or 0,
        index=[one.index for one in shown],
        generation=[one.generation for one in shown],
        step=[one.global_step for one in shown],
        state=[one.status for one in shown],
        dispute=[disputes.get((one.index, one.generation)) for one in shown],
        epoch=[one.epoch for one in shown],
        source=[SOURCES[one.source] for one in shown],
        active_mask=[one.active_mask for one in shown],
    )


def _disputes(session: Session, beast_id: int) -> dict[tuple[int, int], int]:
    d = DisputeRow
    found = session.execute(
        select(d.index, d.generation, func.max(d.dispute_id))
        .where(d.beast_id == beast_id)
        .group_by(d.index, d.generation)
    )
    return {(row[0], row[1]): row[2] for row in found}


def _eventful(session: Session, beast_id: int) -> Sequence[Window]:
    """The windows that differ from the live one before them, and those that an end came to."""
    c, d = CheckpointRow, DisputeRow
    live = c.status.in_(LIVE)
    before: dict[str, ColumnElement[Any]] = {
        # Windows that fell stand between live ones and are nobody's predecessor.
        name: func.lag(column).over(partition_by=live, order_by=(c.index, c.generation))
        for name, column in (("epoch", c.epoch), ("source", c.source), ("mask", c.active_mask))
    }
    windows = (
        select(
            c.index, c.generation, c.status, c.global_step, c.epoch, c.source, c.active_mask,
            *(column.label(f"{name}_before") for name, column in before.items()),
        )
        .where(c.beast_id == beast_id)
        .subquery()
    )  # fmt: skip
    w = windows.c
    last = select(func.max(c.index)).where(c.beast_id == beast_id, live).scalar_subquery()
    disputed = exists().where(
        d.beast_id == beast_id, d.index == w.index, d.generation == w.generation
    )
    changed = or_(
        w.epoch_before.is_(None),  # the first
        w.epoch != w.epoch_before,
        w.source != w.source_before,
        w.active_mask != w.mask_before,
        w.index == last,
    )
    wanted = (
        select(windows)
        .where(or_(w.status.not_in(LIVE), and_(w.status.in_(LIVE), changed), disputed))
        .order_by(w.index, w.generation)
    )
    return session.execute(wanted).all()
