"""At which of a beast's windows something happened: all that a chart of its life has to mark."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chainbeasts.backend.api.models import Changes
from chainbeasts.backend.api.summaries import SOURCES
from chainbeasts.backend.indexer.queries import LIVE
from chainbeasts.backend.store.facts import CheckpointRow, DisputeRow

Window = Any
"""A row; its type says that ``index`` is the method of a tuple, which a row does not have."""


def read_changes(session: Session, beast_id: int) -> Changes:
    """The changes of one beast's life, read off all of its windows."""
    c = CheckpointRow
    wanted = (
        select(
            c.index, c.generation, c.status, c.global_step, c.epoch, c.source, c.active_mask
        )
        .where(c.beast_id == beast_id)
        .order_by(c.index, c.generation)
    )  # fmt: skip
    windows: Sequence[Window] = session.execute(wanted).all()
    disputes = _disputes(session, beast_id)
    shown = list(_eventful(windows, disputes))
    return Changes(
        beast=beast_id,
        windows=sum(one.status in LIVE for one in windows),
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


def _eventful(windows: Sequence[Window], disputes: dict[tuple[int, int], int]) -> Iterator[Window]:
    """The windows that differ from the live one before them, and those that an end came to."""
    last = max((n for n, one in enumerate(windows) if one.status in LIVE), default=None)
    before = None
    for n, one in enumerate(windows):
        live = one.status in LIVE
        nature = (one.epoch, one.source, one.active_mask)
        disputed = (one.index, one.generation) in disputes
        if not live or disputed or n == last or nature != before:
            yield one
        if live:
            before = nature
