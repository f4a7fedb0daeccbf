"""Disputes as answers; their moves are read from the events that the index keeps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from backend.api.battles import times_of
from backend.api.models import Dispute, DisputeDetail, Moment, Move, Slashing
from backend.api.services import Services, challenge_periods
from backend.api.summaries import Key, checkpoint_answers, key_of
from backend.chain.events import Event
from backend.indexer.queries import OPEN
from backend.indexer.rollback import stored_log
from backend.store.facts import BlockRow, CheckpointRow, CheckpointStatus, DisputeRow, EventRow

SEGMENT_STEPS = 8

Kind = Literal[
    "filed", "revealed", "responded", "advanced", "demanded", "supplied",
    "upheld", "dismissed", "voided",
]  # fmt: skip
KINDS: Mapping[str, Kind] = {
    "DisputeFiled": "filed",
    "PrivateDatasetRevealed": "revealed",
    "StagedDatasetRevealed": "revealed",
    "DisputeResponded": "responded",
    "DisputeAdvanced": "advanced",
    "RecordsDemanded": "demanded",
    "RecordsSupplied": "supplied",
    "DisputeUpheld": "upheld",
    "DisputeDismissed": "dismissed",
    "DisputeVoided": "voided",
}
DEADLINES = ("responseDeadline", "proofDeadline", "deadline")
BOND: Mapping[str, Literal["locked", "returned", "burned"]] = {
    "upheld": "returned",
    "voided": "returned",
    "dismissed": "burned",
}
SEGMENT_CONVICTIONS = ("segment", "records")
"""Convictions that name a segment; the others are about the window as a whole."""


def dispute_answers(session: Session, rows: Sequence[DisputeRow]) -> list[Dispute]:
    """The answers for disputes, in the order given."""
    checkpoints = _checkpoints(session, rows)
    times = times_of(session, {row.block_number for row in rows})
    return [
        Dispute(**_fields(row, checkpoints.get(key_of(row)), times[row.block_number]))
        for row in rows
    ]


def dispute_detail(services: Services, session: Session, row: DisputeRow) -> DisputeDetail:
    """One dispute with its moves, its checkpoint and its end."""
    checkpoint = _checkpoints(session, [row]).get(key_of(row))
    events = list(_events(services, session, row))
    times = times_of(session, {row.block_number})
    shown = None
    if checkpoint is not None:
        periods = challenge_periods(session, {checkpoint.season})
        (shown,) = checkpoint_answers(session, [checkpoint], periods)
    return DisputeDetail(
        **_fields(row, checkpoint, times[row.block_number]),
        checkpoint=shown,
        segments=row.segment_hashes,
        timeline=[_move(event, time) for event, time in events],
        slashing=_slashing(services, session, row, checkpoint, events),
        bond_outcome=BOND.get(row.status, "locked"),
        bundle=services.bundle_path(row.dispute_id).is_file(),
    )


def _fields(row: DisputeRow, checkpoint: CheckpointRow | None, time: int) -> dict[str, Any]:
    segment = row.segment if row.conviction in SEGMENT_CONVICTIONS else None
    first = None if segment is None else segment * SEGMENT_STEPS
    return {
        "id": row.dispute_id,
        "beast": row.beast_id,
        "index": row.index,
        "generation": row.generation,
        "status": row.status,
        "open": row.status in OPEN,
        "challenger": row.challenger,
        "trainer": None if checkpoint is None else checkpoint.trainer,
        "bond": row.bond,
        "deadline": row.deadline,
        "steps_done": row.steps_done,
        "conviction": row.conviction,
        "segment": segment,
        "steps": None if first is None else (first, first + SEGMENT_STEPS - 1),
        "prover": row.prover,
        "filed": Moment(block=row.block_number, time=time, tx=row.tx_hash),
    }


def _checkpoints(session: Session, rows: Sequence[DisputeRow]) -> Mapping[Key, CheckpointRow]:
    c = CheckpointRow
    keys = {key_of(row) for row in rows}
    if not keys:
        return {}
    found = session.scalars(select(c).where(tuple_(c.beast_id, c.index, c.generation).in_(keys)))
    return {key_of(row): row for row in found}


def _events(services: Services, session: Session, row: DisputeRow) -> Iterator[tuple[Event, int]]:
    """The court's events of one dispute and the times of their blocks, in the chain's order."""
    e = EventRow
    found = session.execute(
        select(e, BlockRow.timestamp)
        .join(BlockRow, BlockRow.number == e.block_number)
        .where(e.beast_id == row.beast_id, e.name.in_(KINDS))
        .where(e.block_number >= row.block_number)
        .order_by(e.block_number, e.log_index)
    )
    for stored, time in found:
        event = services.chain.decode(stored_log(stored))
        if event is not None and event.args.get("disputeId") == row.dispute_id:
            yield event, time


def _move(event: Event, time: int) -> Move:
    args, kind = event.args, KINDS[event.name]
    deadlines = [int(args[name]) for name in DEADLINES if name in args]
    by = {"filed": "challenger", "upheld": "prover"}.get(kind)
    return Move(
        kind=kind,
        block=event.block_number,
        time=time,
        tx=event.tx_hash,
        by=None if by is None else args[by],
        deadline=deadlines[0] if deadlines else None,
        segment=int(args["segment"]) if kind in ("demanded", "supplied") else None,
        steps_done=int(args["steps"]) if kind == "advanced" else None,
    )


def _slashing(
    services: Services,
    session: Session,
    row: DisputeRow,
    checkpoint: CheckpointRow | None,
    events: Sequence[tuple[Event, int]],
) -> Slashing | None:
    """What the ledger took in the transaction that upheld the dispute."""
    ends = [(event, time) for event, time in events if event.name == "DisputeUpheld"]
    if not ends:
        return None
    end, time = ends[-1]
    e, c = EventRow, CheckpointRow
    stored = session.scalars(
        select(e)
        .where(e.block_number == end.block_number, e.tx_hash == end.tx_hash)
        .where(e.beast_id == row.beast_id, e.name == "CheckpointSlashed")
    )
    decoded = (services.chain.decode(stored_log(one)) for one in stored)
    args = next(one.args for one in decoded if one and one.args["index"] == row.index)
    voided = session.scalar(
        select(func.count())
        .where(c.beast_id == row.beast_id, c.status == CheckpointStatus.VOID)
        .where(c.settled_block == end.block_number, c.generation == row.generation)
    )
    rewards = int(args["challengerReward"]) + int(args["proverReward"])
    return Slashing(
        block=end.block_number,
        time=time,
        tx=end.tx_hash,
        offender=None if checkpoint is None else checkpoint.trainer,
        taken=int(args["burned"]) + rewards,
        burned=int(args["burned"]),
        challenger=args["challenger"],
        challenger_reward=int(args["challengerReward"]),
        prover=args["prover"],
        prover_reward=int(args["proverReward"]),
        voided=voided or 0,
    )
