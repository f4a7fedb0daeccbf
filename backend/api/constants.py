"""Seasons and proposals as answers; a season's constants are read once and never change."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.api.models import Change, CurrentSeason, Moment, Proposal, Season
from backend.api.services import Services, tip_of
from backend.chain.seasons import ENERGY_FIELDS
from backend.indexer.queries import proposals, seasons
from backend.store.facts import BlockRow
from backend.store.governance import ProposalRow, ProposalStatus, SeasonRow

Tables = Mapping[str, Mapping[str, int]]


def season_answers(session: Session) -> list[Season]:
    """All seasons, oldest first."""
    return [Season(**_season(session, row)) for row in seasons(session)]


def current_season(services: Services, session: Session) -> CurrentSeason | None:
    """The newest season and what is proposed; None before the first is known."""
    row = session.scalar(select(SeasonRow).order_by(SeasonRow.season.desc()).limit(1))
    if row is None:
        return None
    names = {address: name for name, address in services.chain.deployment.addresses.items()}
    tip = tip_of(session)
    now = 0 if tip is None else tip.timestamp
    waiting = [one for one in proposals(session) if one.status == ProposalStatus.SCHEDULED]
    return CurrentSeason(
        **_season(session, row),
        pending=[_proposal(session, one, row, now, names) for one in waiting],
    )


def _moment(session: Session, row: SeasonRow | ProposalRow) -> Moment:
    time = session.get_one(BlockRow, row.block_number).timestamp
    return Moment(block=row.block_number, time=time, tx=row.tx_hash)


def _season(session: Session, row: SeasonRow) -> dict[str, Any]:
    tables: Tables = json.loads(row.constants)
    shown = {
        part: {
            name: str(value) if name in ENERGY_FIELDS else value for name, value in values.items()
        }
        for part, values in tables.items()
    }
    return {"season": row.season, "added": _moment(session, row), **shown}


def _proposal(
    session: Session, row: ProposalRow, newest: SeasonRow, now: int, names: Mapping[str, str]
) -> Proposal:
    return Proposal(
        operation=row.operation,
        target=row.target,
        contract=names.get(row.target),
        ready_at=row.unlock_at,
        seconds_left=max(0, row.unlock_at - now),
        changes=None if row.constants is None else _changes(newest.constants, row.constants),
        scheduled=_moment(session, row),
    )


def _changes(newest: str, proposed: str) -> list[Change]:
    now: Tables = json.loads(newest)
    then: Tables = json.loads(proposed)
    return [
        Change(part=part, name=name, now=str(now[part][name]), then=str(value))  # type: ignore[arg-type]
        for part, values in then.items()
        for name, value in values.items()
        if now[part][name] != value
    ]
