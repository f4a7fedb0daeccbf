"""Disputes as answers; their moves are read from the events that the index keeps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, func, select, tuple_
from sqlalchemy.orm import Session

from chainbeasts.backend.api.battles import times_of
from chainbeasts.backend.api.models import (
    Dispute,
    DisputeDetail,
    Moment,
    Move,
    OpeningName,
    OpeningOutcome,
    OpeningOwed,
    Slashing,
)
from chainbeasts.backend.api.services import Services, challenge_periods
from chainbeasts.backend.api.slashings import slashing_answer
from chainbeasts.backend.api.summaries import Key, checkpoint_answers, dnas_of, key_of
from chainbeasts.backend.chain.events import Event
from chainbeasts.backend.chain.types import Opening, opening_bit
from chainbeasts.backend.indexer.disputes import account_or_none
from chainbeasts.backend.indexer.queries import OPEN, published_records
from chainbeasts.backend.indexer.rollback import TOPIC_BYTES, stored_log
from chainbeasts.backend.store.facts import (
    BlockRow,
    CheckpointRow,
    DisputeRow,
    EventRow,
    PublishedStateRow,
)

SEGMENT_STEPS = 8
AGAIN = "FilingIgnored"
MOST_AGAIN = 5
"""Filings over an open dispute that are told one by one: they cost gas and nothing else."""

Kind = Literal[
    "filed", "filed_again", "revealed", "opened", "proofs", "advanced",
    "upheld", "dismissed", "proven", "voided",
]  # fmt: skip
KINDS: Mapping[str, Kind] = {
    "DisputeFiled": "filed",
    AGAIN: "filed_again",
    "DatasetRevealed": "revealed",
    "StagedDatasetRevealed": "revealed",
    "OpeningAccepted": "opened",
    "ProofWindowOpened": "proofs",
    "DisputeAdvanced": "advanced",
    "DisputeUpheld": "upheld",
    "DisputeDismissed": "dismissed",
    "DisputeProven": "proven",
    "DisputeVoided": "voided",
}
PAYMENTS = ("OpeningPaid",)
REVEALS = ("DatasetRevealed", "StagedDatasetRevealed")
DEADLINES = ("responseDeadline", "proofDeadline")
BY: Mapping[Kind, str] = {
    "filed": "filer",
    "filed_again": "caller",
    "advanced": "account",
    "upheld": "prover",
}
OPENINGS: Mapping[Opening, OpeningName] = {
    Opening.SEGMENTS: "segments",
    Opening.STATE: "state",
    Opening.RECORDS: "records",
}
BOND: Mapping[str | None, Literal["locked", "returned", "burned"]] = {
    None: "locked",
    "refund": "returned",
    "burn": "burned",
    "burn_and_prove": "burned",
}


def names_of(openings: int) -> list[OpeningName]:
    """The openings of a mask."""
    return [name for opening, name in OPENINGS.items() if openings & opening_bit(opening)]


def dispute_answers(session: Session, rows: Sequence[DisputeRow]) -> list[Dispute]:
    """The answers for disputes, in the order given."""
    checkpoints = _checkpoints(session, rows)
    times = times_of(session, {row.block_number for row in rows})
    dnas = dnas_of(session, {row.beast_id for row in rows})
    return [
        Dispute(
            **_fields(row, checkpoints.get(key_of(row)), times[row.block_number]),
            dna=dnas[row.beast_id],
        )
        for row in rows
    ]


def dispute_detail(services: Services, session: Session, row: DisputeRow) -> DisputeDetail:
    """One dispute with its openings, its moves, its checkpoint and its end."""
    checkpoint = _checkpoints(session, [row]).get(key_of(row))
    events = _events(services, session, row)
    times = times_of(session, {row.block_number})
    shown = None
    if checkpoint is not None:
        periods = challenge_periods(session, {checkpoint.season})
        (shown,) = checkpoint_answers(session, [checkpoint], periods)
    return DisputeDetail(
        **_fields(row, checkpoint, times[row.block_number]),
        dna=dnas_of(session, [row.beast_id])[row.beast_id],
        checkpoint=shown,
        openings=_openings(session, row, checkpoint, [event for event, _ in events]),
        segments=row.segment_hashes,
        timeline=[_move(event, time) for event, time in events if event.name in KINDS],
        filed_again=session.scalar(select(func.count()).where(*_again(row))) or 0,
        slashing=_slashing(services, session, row, checkpoint, events),
        bond_outcome=BOND[row.bond_outcome],
        step_pay=row.step_energy,
        opening_outcome=_opening_outcome(row),
        bundle=services.bundle_path(row.dispute_id).is_file(),
    )


def _fields(row: DisputeRow, checkpoint: CheckpointRow | None, time: int) -> dict[str, Any]:
    segment = row.segment if row.conviction == "segment" else None
    first = None if segment is None else segment * SEGMENT_STEPS
    return {
        "id": row.dispute_id,
        "beast": row.beast_id,
        "index": row.index,
        "generation": row.generation,
        "status": row.status,
        "open": row.status in OPEN,
        "filer": row.filer,
        "trainer": None if checkpoint is None else checkpoint.trainer,
        "bond": row.bond,
        "opening_bond": row.opening_bond,
        "opening_surplus": row.opening_surplus,
        "missing": names_of(row.missing),
        "response_deadline": row.response_deadline,
        "head_start_end": row.head_start_end,
        "proof_deadline": row.proof_deadline,
        "deadline": row.proof_deadline or row.response_deadline,
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


def _again(row: DisputeRow) -> tuple[ColumnElement[bool], ...]:
    """What finds the filings over a dispute while it was open, of which there may be very many."""
    e = EventRow
    about = func.substr(e.topics, TOPIC_BYTES + 1, TOPIC_BYTES) == row.dispute_id.to_bytes(32)
    return *_since(row), e.name == AGAIN, about


def _since(row: DisputeRow) -> tuple[ColumnElement[bool], ...]:
    e = EventRow
    return e.beast_id == row.beast_id, e.block_number >= row.block_number


def _events(services: Services, session: Session, row: DisputeRow) -> list[tuple[Event, int]]:
    """The events of one dispute and the times of their blocks, in the chain's order.

    Of the filings while it was open only the newest.
    """
    e = EventRow
    names = [name for name in (*KINDS, *PAYMENTS) if name != AGAIN]
    stored = select(e, BlockRow.timestamp).join(BlockRow, BlockRow.number == e.block_number)
    newest = (e.block_number.desc(), e.log_index.desc())
    events = [
        *_decoded(services, session, stored.where(*_since(row), e.name.in_(names))),
        *_decoded(
            services, session, stored.where(*_again(row)).order_by(*newest).limit(MOST_AGAIN)
        ),
    ]
    # A reveal names no dispute: it belongs to the one that was filed in the same transaction.
    revealed = [event.tx_hash for event, _ in events if event.name in REVEALS]
    filings = set(
        session.scalars(select(e.tx_hash).where(*_again(row), e.tx_hash.in_(revealed)))
    ) | {
        event.tx_hash
        for event, _ in events
        if event.name == "DisputeFiled" and event.args["disputeId"] == row.dispute_id
    }
    mine = [
        (event, time)
        for event, time in events
        if event.args.get("disputeId") == row.dispute_id
        or (event.name in REVEALS and event.tx_hash in filings)
    ]
    return sorted(mine, key=lambda one: (one[0].block_number, one[0].log_index))


def _decoded(
    services: Services, session: Session, stored: Select[EventRow, int]
) -> Iterator[tuple[Event, int]]:
    for row, time in session.execute(stored):
        event = services.chain.decode(stored_log(row))
        if event is not None:
            yield event, time


def _move(event: Event, time: int) -> Move:
    args, kind = event.args, KINDS[event.name]
    deadlines = [int(args[name]) for name in DEADLINES if name in args]
    by = BY.get(kind)
    return Move(
        kind=kind,
        block=event.block_number,
        time=time,
        tx=event.tx_hash,
        by=None if by is None else account_or_none(args[by]),
        deadline=deadlines[0] if deadlines else None,
        opening=OPENINGS[Opening(args["opening"])] if kind == "opened" else None,
        steps_done=int(args["steps"]) if kind == "advanced" else None,
        counted=bool(args["counted"]) if kind == "advanced" else None,
    )


def _openings(
    session: Session, row: DisputeRow, checkpoint: CheckpointRow | None, events: Sequence[Event]
) -> list[OpeningOwed]:
    """What the filing asked for, and what its trainer was paid for each."""
    filed = next((event for event in events if event.name == "DisputeFiled"), None)
    owed = 0 if filed is None else int(filed.args["missing"])
    paid: dict[int, Event] = {}
    opening = None
    for event in events:  # an opening's payment follows its acceptance in the same transaction
        if event.name == "OpeningAccepted":
            opening = int(event.args["opening"])
        elif event.name == "OpeningPaid" and opening is not None:
            paid[opening] = event
    published = {
        Opening.STATE: None if checkpoint is None else _state_time(session, checkpoint.parent),
        Opening.RECORDS: _records_time(session, row),
    }
    return [
        OpeningOwed(
            opening=name,
            made=not row.missing & opening_bit(which),
            published_at=published.get(which),
            paid=_amount(paid.get(which), "paid"),
            waiting=_amount(paid.get(which), "waiting"),
        )
        for which, name in OPENINGS.items()
        if owed & opening_bit(which)
    ]


def _amount(event: Event | None, name: str) -> int:
    return 0 if event is None else int(event.args[name])


def _state_time(session: Session, h: bytes) -> int | None:
    s = PublishedStateRow
    return session.scalar(
        select(s.time).where(s.hash == h).order_by(s.block_number.desc()).limit(1)
    )


def _records_time(session: Session, row: DisputeRow) -> int | None:
    found = published_records(session, row.beast_id, row.index)
    return None if found is None else found.time


def _opening_outcome(row: DisputeRow) -> OpeningOutcome | None:
    if row.opening_returned is None or row.opening_burned is None:
        return None
    paid, waiting = row.opening_paid, row.opening_waiting
    # A conviction gives the bond back whole, out of the stake; nothing that waited is paid.
    kept = 0 if row.opening_end == "return" else paid + waiting
    return OpeningOutcome(returned=row.opening_returned, kept=kept, burned=row.opening_burned)


def _slashing(
    services: Services,
    session: Session,
    row: DisputeRow,
    checkpoint: CheckpointRow | None,
    events: Sequence[tuple[Event, int]],
) -> Slashing | None:
    """What was taken in the transaction that upheld the dispute; None if none did."""
    ends = [(event, time) for event, time in events if event.name == "DisputeUpheld"]
    if not ends:
        return None
    trainer = None if checkpoint is None else checkpoint.trainer
    return slashing_answer(services, session, row, trainer, *ends[-1])
