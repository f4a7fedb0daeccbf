"""The loss over a beast's life, thinned out where the database stands: a request's answer and what
is read for it have as many rows as points, however long the life."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, literal, select
from sqlalchemy.orm import Session

from chainbeasts.backend.api.models import Curve
from chainbeasts.backend.api.summaries import SOURCES
from chainbeasts.backend.indexer.queries import LIVE
from chainbeasts.backend.kernel.constants import WINDOW_STEPS
from chainbeasts.backend.store.facts import CheckpointRow

Point = Any
"""A row; its type says that ``index`` is the method of a tuple, which a row does not have."""


def read_curve(session: Session, beast_id: int, points: int) -> Curve:
    """The curve of one beast's live windows, each point standing for as many windows.

    As many are a power of two, the least that does with so many points; the last point may stand
    for fewer. So all others stay as they are when windows come, and when there are too many, every
    second one does.
    """
    c = CheckpointRow
    mine = (c.beast_id == beast_id, c.status.in_(LIVE))
    count = session.scalar(select(func.count()).where(*mine)) or 0
    if count == 0:
        return _answer(beast_id, 0, [])
    if count <= points:
        every = select(
            c.index, c.global_step, c.source, c.epoch, c.lr_shift, c.h128,
            c.window_loss.label("total"), c.window_loss.label("low"), c.window_loss.label("high"),
            literal(1).label("windows"),
        ).where(*mine).order_by(c.index)  # fmt: skip
        return _answer(beast_id, count, list(session.execute(every)))
    stride = 1 << ((count - 1) // points).bit_length()
    place = func.row_number().over(order_by=c.index)
    numbered = (
        select(c.index, c.window_loss, ((place - 1) // stride).label("point"))
        .where(*mine)
        .subquery()
    )
    part = (
        select(
            func.max(numbered.c.index).label("last"),
            func.sum(numbered.c.window_loss).label("total"),
            func.min(numbered.c.window_loss).label("low"),
            func.max(numbered.c.window_loss).label("high"),
            func.count().label("windows"),
        )
        .group_by(numbered.c.point)
        .subquery()
    )
    wanted = (
        select(
            c.index, c.global_step, c.source, c.epoch, c.lr_shift, c.h128,
            part.c.total, part.c.low, part.c.high, part.c.windows,
        )
        .join(part, part.c.last == c.index)
        .where(*mine)
        .order_by(c.index)
    )  # fmt: skip
    return _answer(beast_id, count, list(session.execute(wanted)))


def _answer(beast_id: int, count: int, points: list[Point]) -> Curve:
    return Curve(
        beast=beast_id,
        windows=count,
        index=[one.index for one in points],
        step=[one.global_step for one in points],
        loss=[int(one.total) / one.windows / WINDOW_STEPS for one in points],
        low=[one.low / WINDOW_STEPS for one in points],
        high=[one.high / WINDOW_STEPS for one in points],
        source=[SOURCES[one.source] for one in points],
        epoch=[one.epoch for one in points],
        lr_shift=[one.lr_shift for one in points],
        hash=[one.h128 for one in points],
    )
