"""What the events of season registry and timelock mean for the tables: one function per event."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from chainbeasts.backend.chain.amounts import LAST_SECOND
from chainbeasts.backend.chain.events import Event
from chainbeasts.backend.chain.seasons import added_season, season_table
from chainbeasts.backend.chain.types import ZERO32, Season
from chainbeasts.backend.indexer.errors import IncompleteLogsError
from chainbeasts.backend.indexer.handlers import Handlers
from chainbeasts.backend.store.facts import BlockRow
from chainbeasts.backend.store.governance import ProposalRow, ProposalStatus, SeasonRow


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
    at = session.get_one(BlockRow, event.block_number).timestamp
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
            # The timelock takes a delay of any length, a column no time beyond all calendars.
            unlock_at=min(at + int(args["delay"]), LAST_SECOND),
            block_number=event.block_number,
            settled_block=None,
            tx_hash=event.tx_hash,
        )
    )


def _calls(session: Session, args: Mapping[str, Any]) -> list[ProposalRow]:
    """The calls of an operation; a batch may have none, and tells of its salt and end all the same.

    Nothing can be executed that no event told of, so an empty batch is left alone.
    """
    wanted = select(ProposalRow).where(ProposalRow.operation == bytes(args["id"]))
    return list(session.scalars(wanted))


def _salted(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    for row in _calls(session, args):
        row.salt = bytes(args["salt"])


def _executed(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    calls = _calls(session, args)
    if not calls:
        operation = bytes(args["id"]).hex()
        raise IncompleteLogsError(f"operation 0x{operation} goes on and was never scheduled")
    for row in calls:
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
