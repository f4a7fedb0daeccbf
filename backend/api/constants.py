"""Seasons and proposals as answers; a season's constants are read once and never change."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from chainbeasts.backend.api.models import (
    CallArgument,
    Change,
    CurrentSeason,
    Moment,
    Proposal,
    ScheduledCall,
    Season,
)
from chainbeasts.backend.api.services import Services, tip_of
from chainbeasts.backend.chain.calls import decode_call
from chainbeasts.backend.chain.seasons import season_table
from chainbeasts.backend.chain.timelock import Call, Operation, season_of
from chainbeasts.backend.chain.types import ZERO32
from chainbeasts.backend.indexer.queries import pending_operations, seasons
from chainbeasts.backend.store.facts import BlockRow
from chainbeasts.backend.store.governance import SeasonRow

Tables = Mapping[str, Mapping[str, int]]


def season_answers(session: Session) -> list[Season]:
    """All seasons, oldest first."""
    return [Season(**_season(session, row)) for row in seasons(session)]


def current_season(services: Services, session: Session) -> CurrentSeason | None:
    """The newest season and what is proposed; None before the first is known."""
    row = session.scalar(select(SeasonRow).order_by(SeasonRow.season.desc()).limit(1))
    if row is None:
        return None
    tip = tip_of(session)
    now = 0 if tip is None else tip.timestamp
    return CurrentSeason(
        **_season(session, row),
        pending=[
            _proposal(services, session, one, row, now) for one in pending_operations(session)
        ],
    )


def _moment(session: Session, row: SeasonRow | Operation) -> Moment:
    time = session.get_one(BlockRow, row.block_number).timestamp
    return Moment(block=row.block_number, time=time, tx=row.tx_hash)


def _season(session: Session, row: SeasonRow) -> dict[str, Any]:
    return {
        "season": row.season,
        "added": _moment(session, row),
        **json.loads(row.constants),
    }


def _proposal(
    services: Services, session: Session, one: Operation, newest: SeasonRow, now: int
) -> Proposal:
    addresses = services.chain.deployment.addresses
    return Proposal(
        operation=one.id,
        calls=[_call(addresses, call, newest) for call in one.calls],
        predecessor=None if one.predecessor == ZERO32 else one.predecessor,
        ready_at=one.ready_at,
        seconds_left=max(0, one.ready_at - now),
        scheduled=_moment(session, one),
        scheduled_by=services.follower.schedulers.get(one.tx_hash),
    )


def _call(addresses: Mapping[str, str], call: Call, newest: SeasonRow) -> ScheduledCall:
    known = decode_call(addresses, call.target, call.data)
    adds = season_of(addresses, call)
    return ScheduledCall(
        target=call.target,
        contract=known.contract,
        function=known.function,
        arguments=[CallArgument(name=a.name, type=a.type, shown=a.shown) for a in known.arguments],
        value=call.value,
        data="0x" + call.data.hex(),
        changes=None if adds is None else _changes(newest.constants, season_table(adds)),
    )


def _changes(newest: str, then: Tables) -> list[Change]:
    now: Tables = json.loads(newest)
    return [
        Change(part=part, name=name, now=str(now[part][name]), then=str(value))  # type: ignore[arg-type]
        for part, values in then.items()
        for name, value in values.items()
        if now[part][name] != value
    ]
