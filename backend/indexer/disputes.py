"""What the events of a dispute mean for the tables: one function per event.

Of court, vault and ledger: the filing, the openings, the verdict, and both bonds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from chainbeasts.backend.chain.events import Event
from chainbeasts.backend.chain.types import (
    ZERO_ADDRESS,
    BondEnd,
    BondOutcome,
    Conviction,
    DisputeStatus,
)
from chainbeasts.backend.indexer.errors import IncompleteLogsError
from chainbeasts.backend.indexer.handlers import Handlers
from chainbeasts.backend.indexer.queries import live_checkpoint
from chainbeasts.backend.store.facts import AdvanceRow, CheckpointRow, DisputeRow
from chainbeasts.backend.store.governance import SeasonRow


def _status(status: DisputeStatus) -> str:
    return status.name.lower()


def account_or_none(address: str) -> str | None:
    """An account that an event names; None for the zero address."""
    return None if address == ZERO_ADDRESS else address


def _dispute(session: Session, args: Mapping[str, Any]) -> DisputeRow:
    row = session.get(DisputeRow, int(args["disputeId"]))
    if row is None:
        raise IncompleteLogsError(f"dispute {args['disputeId']} goes on and was never filed")
    return row


def _checkpoint(session: Session, row: DisputeRow) -> CheckpointRow:
    found = session.scalar(
        select(CheckpointRow)
        .where(CheckpointRow.beast_id == row.beast_id, CheckpointRow.index == row.index)
        .where(CheckpointRow.generation == row.generation)
    )
    if found is None:
        raise IncompleteLogsError(f"dispute {row.dispute_id} is about an unknown checkpoint")
    return found


def _filed(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    """A new dispute, or one that is replayed after a reorg: then it keeps its generation."""
    dispute_id = int(args["disputeId"])
    generation = session.scalar(
        select(DisputeRow.generation).where(DisputeRow.dispute_id == dispute_id)
    )
    if generation is None:
        checkpoint = live_checkpoint(session, int(args["beastId"]), args["index"])
        if checkpoint is None:
            raise IncompleteLogsError(f"dispute {dispute_id} is about an unknown checkpoint")
        generation = checkpoint.generation
    # Every column, so that a replay begins with the dispute as it was filed.
    session.merge(
        DisputeRow(
            dispute_id=dispute_id,
            beast_id=int(args["beastId"]),
            index=args["index"],
            generation=generation,
            digest=bytes(args["digest"]),
            filer=args["filer"],
            bond=int(args["bond"]),
            bond_outcome=None,
            status=_status(DisputeStatus.FILED),
            missing=int(args["missing"]),
            response_deadline=int(args["responseDeadline"]),
            opening_bond=0,
            opening_surplus=0,
            opening_paid=0,
            opening_waiting=0,
            opening_end=None,
            opening_returned=None,
            opening_burned=None,
            segments=None,
            proof_start=None,
            head_start_end=None,
            proof_deadline=None,
            steps_done=0,
            state_hash=None,
            step_energy=0,
            step_coin=0,
            conviction=None,
            segment=None,
            prover=None,
            block_number=event.block_number,
            tx_hash=event.tx_hash,
        )
    )


# --- openings -------------------------------------------------------------------------------------


def _segments_opened(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    segments = b"".join(bytes(segment) for segment in args["segments"])
    _dispute(session, args).segments = segments


def _accepted(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    _dispute(session, args).missing = int(args["missing"])


def _proof_window_opened(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    row = _dispute(session, args)
    row.status = _status(DisputeStatus.OPENED)
    row.head_start_end = int(args["headStartEnd"])
    row.proof_deadline = int(args["proofDeadline"])
    season = session.get_one(SeasonRow, _checkpoint(session, row).season)
    row.proof_start = row.proof_deadline - _proof_window(season)


def _proof_window(season: SeasonRow) -> int:
    return int(json.loads(season.constants)["economics"]["proof_window"])


# --- verdicts -------------------------------------------------------------------------------------


def _advanced(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    row = _dispute(session, args)
    row.steps_done, row.state_hash = int(args["steps"]), bytes(args["stateHash"])
    session.merge(
        AdvanceRow(
            dispute_id=row.dispute_id,
            steps=row.steps_done,
            count=int(args["count"]),
            state_hash=row.state_hash,
            account=args["account"],
            counted=bool(args["counted"]),
            block_number=event.block_number,
            tx_hash=event.tx_hash,
        )
    )


def _upheld(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    row = session.get(DisputeRow, int(args["disputeId"]))
    if row is None:  # a header challenge without a dispute has id 0
        return
    row.status = _status(DisputeStatus.UPHELD)
    row.conviction = Conviction(args["how"]).name.lower()
    row.segment = int(args["segment"])
    row.prover = account_or_none(args["prover"])


def _dismissed(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    _dispute(session, args).status = _status(DisputeStatus.DISMISSED)


def _proven(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    row = _dispute(session, args)
    row.status = _status(DisputeStatus.PROVEN)
    checkpoint = _checkpoint(session, row)
    checkpoint.proven, checkpoint.proven_block = True, event.block_number


def _voided(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    _dispute(session, args).status = _status(DisputeStatus.VOIDED)


# --- bonds and pay --------------------------------------------------------------------------------


def _bond_released(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    row = _dispute(session, args)
    row.bond_outcome = BondOutcome(args["outcome"]).name.lower()


def _opening_bond_locked(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    row = _dispute(session, args)
    row.opening_bond, row.opening_surplus = int(args["base"]), int(args["surplus"])


def _opening_paid(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    row = _dispute(session, args)
    row.opening_paid += int(args["paid"])
    row.opening_waiting += int(args["waiting"])


def _opening_bond_released(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    row = _dispute(session, args)
    row.opening_end = BondEnd(args["end"]).name.lower()
    row.opening_returned, row.opening_burned = int(args["returned"]), int(args["burned"])


def _step_pool_filled(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    row = _dispute(session, args)
    row.step_energy += int(args["energy"])
    row.step_coin += int(args["coin"])


DISPUTE_HANDLERS: Handlers = {
    ("DisputeCourt", "DisputeFiled"): _filed,
    ("DisputeCourt", "SegmentsOpened"): _segments_opened,
    ("DisputeCourt", "OpeningAccepted"): _accepted,
    ("DisputeCourt", "ProofWindowOpened"): _proof_window_opened,
    ("DisputeCourt", "DisputeAdvanced"): _advanced,
    ("DisputeCourt", "DisputeUpheld"): _upheld,
    ("DisputeCourt", "DisputeDismissed"): _dismissed,
    ("DisputeCourt", "DisputeProven"): _proven,
    ("DisputeCourt", "DisputeVoided"): _voided,
    ("CheckpointLedger", "DisputeBondReleased"): _bond_released,
    ("DisputeVault", "OpeningBondLocked"): _opening_bond_locked,
    ("DisputeVault", "OpeningPaid"): _opening_paid,
    ("DisputeVault", "OpeningBondReleased"): _opening_bond_released,
    ("DisputeVault", "StepPoolFilled"): _step_pool_filled,
}
