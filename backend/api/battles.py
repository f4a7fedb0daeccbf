"""Matches as answers; the log is looked up word by word in the cache that the index fills."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from chainbeasts.backend.api.models import (
    Disproof,
    Match,
    MatchDetail,
    Moment,
    OpenChallenge,
    Rating,
)
from chainbeasts.backend.api.names import beast_names
from chainbeasts.backend.api.summaries import dnas_of
from chainbeasts.backend.indexer.queries import records_of
from chainbeasts.backend.store.facts import BlockRow, EventRow
from chainbeasts.backend.store.governance import SeasonRow
from chainbeasts.backend.store.matches import (
    MatchRecordRow,
    MatchRow,
    MatchStatus,
    OpenChallengeRow,
    RecordStatus,
)
from chainbeasts.backend.store.words import words_by_keys

SEED_BYTES = 8

Times = Mapping[int, int]


def match_answers(session: Session, rows: Sequence[MatchRow]) -> list[Match]:
    """The answers for matches, in the order given."""
    ids = [row.match_id for row in rows]
    r = MatchRecordRow
    stands = session.scalars(
        select(r).where(r.match_id.in_(ids), r.status != RecordStatus.DISPROVED)
    )
    records = {record.match_id: record for record in stands}
    lies: Counter[int] = Counter()
    for match_id, count in session.execute(
        select(r.match_id, func.count())
        .where(r.match_id.in_(ids), r.status == RecordStatus.DISPROVED)
        .group_by(r.match_id)
    ):
        lies[match_id] = count
    blocks = {row.block_number for row in rows} | {one.block_number for one in records.values()}
    times = times_of(session, blocks)
    dnas = dnas_of(session, {one for row in rows for one in (row.beast_a, row.beast_b)})
    return [
        Match(**_fields(row, records.get(row.match_id), times, dnas), disproved=lies[row.match_id])
        for row in rows
    ]


def open_challenge_answers(
    session: Session, rows: Sequence[OpenChallengeRow], ratings: Mapping[int, Rating]
) -> list[OpenChallenge]:
    """The answers for open challenges, in the order given."""
    names = beast_names(session, {row.beast_id for row in rows})
    opened = opened_by(session, rows)
    return [
        OpenChallenge(
            **names[row.beast_id].model_dump(),
            state=row.state,
            since=opened[row.beast_id],
            rating=ratings.get(row.beast_id),
        )
        for row in rows
    ]


def opened_by(session: Session, rows: Sequence[OpenChallengeRow]) -> Mapping[int, Moment]:
    """The transactions that opened some challenges."""
    e = EventRow
    places = {(row.beast_id, row.block_number) for row in rows}
    found = session.execute(
        select(e.beast_id, e.block_number, e.tx_hash, BlockRow.timestamp)
        .join(BlockRow, BlockRow.number == e.block_number)
        .where(e.name == "OpenChallengeSet", tuple_(e.beast_id, e.block_number).in_(places))
        .order_by(e.log_index)
    )
    return {row[0]: Moment(block=row[1], tx=row[2], time=row[3]) for row in found if row[0]}


def match_detail(session: Session, row: MatchRow) -> MatchDetail:
    """One match with its log, and with all that plays it again."""
    records = records_of(session, row.match_id)
    lies = [one for one in records if one.status == RecordStatus.DISPROVED]
    record = next((one for one in records if one.status != RecordStatus.DISPROVED), None)
    blocks = {row.block_number} | {one.block_number for one in records}
    times = times_of(session, blocks | {one.settled_block or 0 for one in lies})
    dnas = dnas_of(session, (row.beast_a, row.beast_b))
    season = None if row.season is None else session.get(SeasonRow, row.season)
    seed = row.battle_seed
    seed_block = None if row.seed_block is None else session.get(BlockRow, row.seed_block)
    return MatchDetail(
        **_fields(row, record, times, dnas),
        disproved=len(lies),
        state_a=row.state_a,
        state_b=row.state_b,
        seed_block=row.seed_block,
        seed_hash=None if seed_block is None else seed_block.hash,
        battle_seed=None if seed is None else seed.to_bytes(SEED_BYTES),
        bond=None if record is None else record.bond,
        log_root=None if record is None else record.log_root,
        log=_log(session, record),
        rules=None if season is None else json.loads(season.constants)["rules"],
        disproofs=[_disproof(one, times) for one in lies],
    )


def times_of(session: Session, blocks: set[int]) -> Times:
    """The times of some blocks with events."""
    found = select(BlockRow.number, BlockRow.timestamp).where(BlockRow.number.in_(blocks))
    return {row.number: row.timestamp for row in session.execute(found)}


def _fields(
    row: MatchRow, record: MatchRecordRow | None, times: Times, dnas: Mapping[int, bytes]
) -> dict[str, Any]:
    return {
        "id": row.match_id,
        "status": row.status,
        "beast_a": row.beast_a,
        "beast_b": row.beast_b,
        "dna_a": dnas[row.beast_a],
        "dna_b": dnas[row.beast_b],
        "owner_a": row.owner_a,
        "owner_b": row.owner_b,
        "result": row.result,
        "turns": None if record is None else record.turns,
        "season": row.season,
        "reporter": None if record is None else record.reporter,
        "reward_a": row.reward_a,
        "reward_b": row.reward_b,
        "record_until": row.record_until if row.status == MatchStatus.SEEDED else None,
        "final_at": None if record is None else record.final_at,
        "challenged": _moment(row.block_number, row.tx_hash, times),
        "recorded": None if record is None else _moment(record.block_number, record.tx_hash, times),
    }


def _moment(block: int, tx: bytes, times: Times) -> Moment:
    return Moment(block=block, time=times[block], tx=tx)


def _log(session: Session, record: MatchRecordRow | None) -> list[bytes]:
    if record is None:
        return []
    keys = record.word_keys
    known = words_by_keys(session, keys)
    return [known[key].to_bytes(32) for key in keys]


def _disproof(record: MatchRecordRow, times: Times) -> Disproof:
    return Disproof(
        **_moment(record.settled_block or 0, record.settled_tx or b"", times).model_dump(),
        reporter=record.reporter,
        challenger=record.challenger or "",
        lie=record.lie,  # type: ignore[arg-type]
        turn=record.lie_turn or 0,
        reward=record.reward or 0,
        burned=record.burned or 0,
    )
