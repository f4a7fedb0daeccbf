"""What the arena's events mean for the tables: one function per event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chainbeasts.backend.chain.events import Event
from chainbeasts.backend.chain.types import MatchLie, MatchResult
from chainbeasts.backend.indexer.errors import IncompleteLogsError
from chainbeasts.backend.indexer.handlers import Handlers
from chainbeasts.backend.store.matches import (
    MatchRecordRow,
    MatchRow,
    MatchStatus,
    OpenChallengeRow,
    RecordStatus,
)
from chainbeasts.backend.store.words import keep_words, record_of_match


def match_of(event: Event) -> int | None:
    """The match that an event is about, if it is about one."""
    return (
        int(event.args["matchId"])
        if event.contract == "Arena" and "matchId" in event.args
        else None
    )


def _match(session: Session, args: Mapping[str, Any]) -> MatchRow:
    row = session.get(MatchRow, int(args["matchId"]))
    if row is None:
        raise IncompleteLogsError(f"match {args['matchId']} goes on and was never asked for")
    return row


def _record(session: Session, args: Mapping[str, Any]) -> MatchRecordRow:
    row = record_of_match(session, int(args["matchId"]))
    if row is None:
        raise IncompleteLogsError(f"match {args['matchId']} has no record to settle")
    return row


def _open(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    session.merge(
        OpenChallengeRow(
            beast_id=int(args["beastId"]),
            owner=args["owner"],
            state=bytes(args["state"]),
            block_number=event.block_number,
        )
    )


def _close(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    row = session.get(OpenChallengeRow, int(args["beastId"]))
    if row is not None:
        session.delete(row)
        session.flush()


def _challenged(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    session.merge(
        MatchRow(
            match_id=int(args["matchId"]),
            status=MatchStatus.CHALLENGED,
            beast_a=int(args["beastA"]),
            beast_b=int(args["beastB"]),
            owner_a=args["ownerA"],
            owner_b=None,
            state_a=bytes(args["stateA"]),
            state_b=None,
            season=None,
            seed_block=None,
            battle_seed=None,
            record_until=None,
            result=None,
            reward_a=0,
            reward_b=0,
            block_number=event.block_number,
            accepted_block=None,
            final_block=None,
            tx_hash=event.tx_hash,
        )
    )


def _accepted(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    row = _match(session, args)
    row.status, row.owner_b, row.state_b = (
        MatchStatus.ACCEPTED,
        args["ownerB"],
        bytes(args["stateB"]),
    )
    row.season, row.seed_block = int(args["season"]), int(args["seedBlock"])
    row.accepted_block = event.block_number


def _cancelled(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    _match(session, args).status = MatchStatus.CANCELLED


def _expired(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    _match(session, args).status = MatchStatus.EXPIRED


def _seeded(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    row = _match(session, args)
    row.status, row.battle_seed = MatchStatus.SEEDED, int(args["battleSeed"])
    row.record_until = int(args["recordUntil"])


def _recorded(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    row, result = _match(session, args), MatchResult(args["result"]).name.lower()
    row.status, row.result = MatchStatus.RECORDED, result
    earlier = select(func.count()).where(MatchRecordRow.match_id == row.match_id)
    keys = keep_words(session, [int(word) for word in args["log"]])
    session.add(
        MatchRecordRow(
            match_id=row.match_id,
            number=session.scalar(earlier) or 0,
            status=RecordStatus.STANDING,
            reporter=args["reporter"],
            result=result,
            turns=int(args["turns"]),
            log_root=bytes(args["logRoot"]),
            keys=b"".join(keys),
            bond=int(args["bond"]),
            final_at=int(args["finalAt"]),
            block_number=event.block_number,
            tx_hash=event.tx_hash,
        )
    )
    session.flush()


def _disproved(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    match, record = _match(session, args), _record(session, args)
    match.status, match.result = MatchStatus.SEEDED, None
    match.record_until = int(args["recordUntil"])
    record.status, record.challenger = RecordStatus.DISPROVED, args["challenger"]
    record.lie, record.lie_turn = MatchLie(args["lie"]).name.lower(), int(args["turn"])
    record.reward, record.burned = int(args["reward"]), int(args["burned"])
    record.settled_block, record.settled_tx = event.block_number, event.tx_hash
    session.flush()


def _finalized(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    match, record = _match(session, args), _record(session, args)
    match.status, match.final_block = MatchStatus.FINAL, event.block_number
    match.reward_a, match.reward_b = int(args["rewardA"]), int(args["rewardB"])
    record.status = RecordStatus.FINAL
    record.settled_block, record.settled_tx = event.block_number, event.tx_hash


MATCH_HANDLERS: Handlers = {
    ("Arena", "MatchChallenged"): _challenged,
    ("Arena", "MatchAccepted"): _accepted,
    ("Arena", "MatchCancelled"): _cancelled,
    ("Arena", "MatchExpired"): _expired,
    ("Arena", "MatchSeeded"): _seeded,
    ("Arena", "MatchRecorded"): _recorded,
    ("Arena", "MatchDisproved"): _disproved,
    ("Arena", "MatchFinalized"): _finalized,
}

OPENNESS_HANDLERS: Handlers = {
    ("Arena", "OpenChallengeSet"): _open,
    ("Arena", "OpenChallengeClosed"): _close,
}
"""About a beast, not about a match."""
