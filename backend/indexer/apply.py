"""What each event means for the tables: one function per event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.chain.events import Event
from backend.chain.types import Checkpoint, Conviction
from backend.indexer.errors import IncompleteLogsError
from backend.indexer.governance import PROPOSAL_HANDLERS, SEASON_HANDLERS
from backend.indexer.handlers import Handlers
from backend.indexer.matches import MATCH_HANDLERS, OPENNESS_HANDLERS
from backend.store.facts import BeastRow, CheckpointRow, CheckpointStatus, DisputeRow, EpochRow


def apply(session: Session, event: Event) -> None:
    """Bring the tables up to date with one event; events of no interest change nothing.

    Raises:
        IncompleteLogsError: an event that must come before it has not been read.
    """
    handler = _HANDLERS.get((event.contract, event.name))
    if handler is not None:
        handler(session, event, event.args)


def beast_of(session: Session, event: Event) -> int | None:
    """The beast that an event is about, if it is about one."""
    args = event.args
    if "beastId" in args:
        return int(args["beastId"])
    if event.contract == "Beasts" and "tokenId" in args:
        return int(args["tokenId"])
    if event.contract == "DisputeCourt" and "disputeId" in args:
        row = session.get(DisputeRow, int(args["disputeId"]))
        return None if row is None else row.beast_id
    return None


def live_checkpoint(session: Session, beast_id: int, index: int) -> CheckpointRow | None:
    """The checkpoint at an index of the beast's present chain."""
    return session.scalar(
        select(CheckpointRow)
        .where(CheckpointRow.beast_id == beast_id, CheckpointRow.index == index)
        .where(CheckpointRow.status.in_((CheckpointStatus.PENDING, CheckpointStatus.FINAL)))
    )


def _dispute(session: Session, args: Mapping[str, Any]) -> DisputeRow:
    row = session.get(DisputeRow, int(args["disputeId"]))
    if row is None:
        raise IncompleteLogsError(f"dispute {args['disputeId']} goes on and was never filed")
    return row


def _hatched(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    beast_id = int(args["beastId"])
    session.merge(
        BeastRow(
            beast_id=beast_id,
            owner=args["owner"],
            dna=bytes(args["dna"]),
            epoch_seed=bytes(args["epochSeed"]),
            season=args["season"],
            block_number=event.block_number,
        )
    )
    session.merge(
        EpochRow(
            beast_id=beast_id,
            epoch=0,
            epoch_seed=bytes(args["epochSeed"]),
            season=args["season"],
            start_index=0,
        )
    )


def _transfer(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    beast = session.get(BeastRow, int(args["tokenId"]))
    if beast is not None:  # the mint's Transfer comes before Hatched
        beast.owner = args["to"]


def _epoch_started(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    session.merge(
        EpochRow(
            beast_id=int(args["beastId"]),
            epoch=args["epoch"],
            epoch_seed=bytes(args["epochSeed"]),
            season=args["season"],
            start_index=args["startIndex"],
        )
    )


def _submitted(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    record = Checkpoint.from_abi(args["checkpoint"])
    beast_id, payload = int(args["beastId"]), record.payload
    epoch = session.get(EpochRow, (beast_id, payload.epoch))
    if epoch is None:
        raise IncompleteLogsError(f"beast {beast_id}'s epoch {payload.epoch} never started")
    # The ledger accepts nothing else, so a gap means that the node left an event out. Better to
    # stop than to have a head on nothing, by which a validator would judge and a trainer submit.
    if record.index:
        parent = live_checkpoint(session, beast_id, record.index - 1)
        if parent is None or parent.h128 != record.parent:
            raise IncompleteLogsError(
                f"checkpoint {record.index} of beast {beast_id} stands on another than the last"
            )
    session.add(
        CheckpointRow(
            beast_id=beast_id,
            index=record.index,
            generation=record.generation,
            parent=record.parent,
            epoch=payload.epoch,
            h128=payload.h128,
            energy_burn=payload.energy_burn,
            lr_shift=payload.lr_shift,
            active_mask=payload.active_mask,
            global_step=payload.global_step,
            window_loss=payload.window_loss,
            source=int(payload.source),
            source_id=payload.source_id,
            season=record.season,
            trainer=record.trainer,
            submitted_at=record.submitted_at,
            bond=record.bond,
            locked_sum=record.locked_sum,
            epoch_seed=epoch.epoch_seed,
            loss_drop=args["lossDrop"],
            proven=False,
            status=CheckpointStatus.PENDING,
            block_number=event.block_number,
            tx_hash=event.tx_hash,
        )
    )


def _finalized(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    # The block is kept with it: a reorg below it makes the checkpoint pending again.
    row = live_checkpoint(session, int(args["beastId"]), args["index"])
    if row is not None:
        row.status, row.settled_block = CheckpointStatus.FINAL, event.block_number


def _slashed(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    """The offender is slashed; every later live checkpoint is void."""
    rows = session.scalars(
        select(CheckpointRow)
        .where(CheckpointRow.beast_id == int(args["beastId"]))
        .where(CheckpointRow.index >= args["index"])
        .where(CheckpointRow.status == CheckpointStatus.PENDING)  # final ones cannot be slashed
    )
    for row in rows:
        offender = row.index == args["index"]
        row.status = CheckpointStatus.SLASHED if offender else CheckpointStatus.VOID
        row.settled_block = event.block_number


def _bond_locked(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    row = session.get(DisputeRow, int(args["disputeId"]))
    if row is not None:
        row.bond = int(args["bond"])


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
    session.merge(
        DisputeRow(
            dispute_id=dispute_id,
            beast_id=int(args["beastId"]),
            index=args["index"],
            generation=generation,
            digest=bytes(args["digest"]),
            challenger=args["challenger"],
            bond=int(args["bond"]),
            status="filed",
            deadline=int(args["responseDeadline"]),
            segments=None,
            steps_done=0,
            conviction=None,
            segment=None,
            prover=None,
            block_number=event.block_number,
            tx_hash=event.tx_hash,
        )
    )


def _responded(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    row = _dispute(session, args)
    row.status = "responded"
    row.segments = b"".join(bytes(segment) for segment in args["segments"])
    row.deadline = int(args["proofDeadline"])


def _advanced(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    _dispute(session, args).steps_done = int(args["steps"])


def _supplied(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    row = _dispute(session, args)
    row.deadline = int(args["proofDeadline"])


def _upheld(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    row = session.get(DisputeRow, int(args["disputeId"]))
    if row is None:  # a header challenge without a dispute has id 0
        return
    row.status = "upheld"
    row.conviction = Conviction(args["how"]).name.lower()
    row.segment = int(args["segment"])
    row.prover = args["prover"]


def _dismissed(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    row = _dispute(session, args)
    row.status = "dismissed"
    if not args["proven"]:
        return
    checkpoint = session.scalar(
        select(CheckpointRow)
        .where(CheckpointRow.beast_id == row.beast_id, CheckpointRow.index == row.index)
        .where(CheckpointRow.generation == row.generation)
    )
    if checkpoint is not None:
        checkpoint.proven, checkpoint.proven_block = True, event.block_number


def _voided(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    _dispute(session, args).status = "voided"


_BEAST_HANDLERS: Handlers = {
    ("Beasts", "Hatched"): _hatched,
    ("Beasts", "Transfer"): _transfer,
    ("CheckpointLedger", "EpochStarted"): _epoch_started,
    ("CheckpointLedger", "CheckpointSubmitted"): _submitted,
    ("CheckpointLedger", "CheckpointFinalized"): _finalized,
    ("CheckpointLedger", "CheckpointSlashed"): _slashed,
    ("CheckpointLedger", "DisputeBondLocked"): _bond_locked,
    ("DisputeCourt", "DisputeFiled"): _filed,
    ("DisputeCourt", "DisputeResponded"): _responded,
    ("DisputeCourt", "DisputeAdvanced"): _advanced,
    ("DisputeCourt", "RecordsSupplied"): _supplied,
    ("DisputeCourt", "DisputeUpheld"): _upheld,
    ("DisputeCourt", "DisputeDismissed"): _dismissed,
    ("DisputeCourt", "DisputeVoided"): _voided,
    **OPENNESS_HANDLERS,
}

_HANDLERS: Handlers = {
    **_BEAST_HANDLERS,
    **MATCH_HANDLERS,
    **SEASON_HANDLERS,
    **PROPOSAL_HANDLERS,
}

REPLAYED = tuple(name for _, name in _BEAST_HANDLERS if not name.startswith("Checkpoint"))
"""Events about a beast that are few and are applied again after a reorg. Checkpoints, which are
many, keep the block in which each thing became of them instead."""

PROPOSAL_EVENTS = tuple(name for _, name in PROPOSAL_HANDLERS)
