"""What the events of season registry and timelock mean for the tables: one function per event."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.chain.events import Event
from backend.chain.seasons import added_season, season_table
from backend.chain.types import ZERO32, Season
from backend.indexer.errors import IncompleteLogsError
from backend.indexer.handlers import Handlers
from backend.store.facts import BlockRow
from backend.store.governance import ProposalRow, ProposalStatus, SeasonRow


def _constants(season: Season) -> str:
    return json.dumps(season_table(season))


def _added(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    session.merge(
        SeasonRow(
            season=int(args["season"]),
            constants=_constants(Season.from_abi(args["values"])),
            block_number=event.block_number,
            tx_hash=event.tx_hash,
        )
    )


def _scheduled(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    """A call is scheduled; again, perhaps, after the same one was cancelled."""
    data = bytes(args["data"])
    season = added_season(data)
    session.merge(
        ProposalRow(
            operation=bytes(args["id"]),
            index=int(args["index"]),
            status=ProposalStatus.SCHEDULED,
            target=args["target"],
            value=int(args["value"]),
            data=data,
            constants=None if season is None else _constants(season),
            predecessor=bytes(args["predecessor"]),
            salt=ZERO32,
            unlock_at=session.get_one(BlockRow, event.block_number).timestamp + int(args["delay"]),
            block_number=event.block_number,
            settled_block=None,
            tx_hash=event.tx_hash,
        )
    )


def _calls(session: Session, args: Mapping[str, Any]) -> list[ProposalRow]:
    operation = bytes(args["id"])
    rows = session.scalars(select(ProposalRow).where(ProposalRow.operation == operation)).all()
    if not rows:
        raise IncompleteLogsError(f"operation 0x{operation.hex()} goes on and was never scheduled")
    return list(rows)


def _salted(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    for row in _calls(session, args):
        row.salt = bytes(args["salt"])


def _executed(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    for row in _calls(session, args):
        if row.index == int(args["index"]):
            row.status, row.settled_block = ProposalStatus.EXECUTED, event.block_number


def _cancelled(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    for row in _calls(session, args):
        row.status, row.settled_block = ProposalStatus.CANCELLED, event.block_number


SEASON_HANDLERS: Handlers = {("SeasonRegistry", "SeasonAdded"): _added}

PROPOSAL_HANDLERS: Handlers = {
    ("TimelockController", "CallScheduled"): _scheduled,
    ("TimelockController", "CallSalt"): _salted,
    ("TimelockController", "CallExecuted"): _executed,
    ("TimelockController", "Cancelled"): _cancelled,
}
