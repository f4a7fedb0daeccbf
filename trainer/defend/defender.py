"""Answers disputes over one account's checkpoints, and makes those final that nobody disputes.

It answers with the segment hashes that the window was trained with, before the response window
closes; it opens demanded records, and ends disputes that proved nothing in time; it never judges.
Whatever it has sent it finds again after a kill, and the chain decides what is still to do.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from sqlalchemy import select

from backend.chain.errors import (
    ChainError,
    NodeUnavailableError,
    Reverted,
    WrongChainError,
)
from backend.chain.outbox import Outbox
from backend.chain.types import ZERO_ADDRESS
from backend.errors import ChainBeastsError
from backend.indexer.follow import PASSING, Waker, what_is_away
from backend.indexer.queries import open_disputes
from backend.indexer.records import checkpoint_of
from backend.kernel.constants import SEGMENT_STEPS, WINDOW_STEPS
from backend.kernel.window import witnesses
from backend.monitoring.health import spent
from backend.redact import redact_text
from backend.store.facts import CheckpointRow, DisputeRow
from backend.store.session import DatabaseUnavailableError
from trainer.defend.metrics import DefenderMetrics
from trainer.submit.finality import Finalizer
from trainer.train.states import recompute_segments, window_inputs
from trainer.train.window_store import WindowStore
from trainer.workspace import TrainerWorkspace

log = structlog.get_logger()

MAX_PAUSE = 30.0


@dataclass(frozen=True, slots=True)
class DefenderMove:
    """One move of the defender. ``kind`` is respond, supply, dismiss or finalize."""

    kind: str
    beast_id: int
    index: int
    gas: int


class Defender:
    """Looks after one account's checkpoints.

    Args:
        outbox: signs for the trainer, or for the defender that the trainer appointed.
        finalize: also make checkpoints final once their challenge period is over.
        monitor: told after each pass.
    """

    def __init__(
        self,
        workspace: TrainerWorkspace,
        store: WindowStore,
        outbox: Outbox,
        *,
        finalize: bool = True,
        monitor: DefenderMetrics | None = None,
    ) -> None:
        self._workspace = workspace
        self._store = store
        self._outbox = outbox
        self._monitor = monitor or DefenderMetrics()
        self._finalizer = Finalizer(workspace, outbox) if finalize else None
        self._warned: set[int] = set()
        self._unanswerable: set[bytes] = set()

    def run(self, waker: Waker) -> None:
        """Keep watch until the waker is stopped; waits for a node or database that is away, and
        for room on the disk, with growing pauses.

        Raises:
            WrongChainError: the node serves another chain now.
        """
        recovered, pause = False, 0.5
        while True:
            try:
                # First: a response that was signed before must not wait behind what is signed now.
                if not recovered:
                    self._outbox.recover()
                    recovered = True
                self.once()
                pause = 0.5
            except WrongChainError:
                raise
            except PASSING as error:
                self._monitor.failed(redact_text(str(error)))
                log.warning(
                    f"waiting for the {what_is_away(error)}", reason=str(error), seconds=pause
                )
                waker.pause(pause)
                pause = min(2 * pause, MAX_PAUSE)
            if not waker.wait():
                return

    def once(self) -> list[DefenderMove]:
        """Make every move that is due now.

        Raises:
            ChainError: the chain cannot be reached or read.
        """
        report = self._workspace.sync()
        moves = []
        disputes = self._open_disputes()
        waiting = {d.dispute_id: d.deadline for d, _ in disputes if d.status == "filed"}
        # Answers before finality: they have deadlines, and on an account that is short of gas the
        # last transaction it can pay must be the one that saves a bond.
        for dispute, row in disputes:
            try:
                move = self._answer(dispute, row)
            except (NodeUnavailableError, WrongChainError, DatabaseUnavailableError):
                raise
            except ChainBeastsError as error:
                # The others are answered all the same, or one dispute could lose them all.
                self._warn(dispute, f"{error.message} {error.hint or ''}".strip())
                continue
            if move is not None:
                log.info("answered", kind=move.kind, dispute=dispute.dispute_id, gas=move.gas)
                waiting.pop(dispute.dispute_id, None)
                moves.append(move)
        moves += self._finalize()
        self._monitor.waiting(len(waiting))
        self._monitor.passed(
            head=report.head,
            indexed=report.indexed_to,
            disputes=len(disputes),
            deadlines=waiting.values(),
            costs=spent(self._workspace.database, self._outbox.me),
        )
        return moves

    def _finalize(self) -> list[DefenderMove]:
        if self._finalizer is None:
            return []
        try:
            done = self._finalizer.run()
        except (ChainError, DatabaseUnavailableError):
            raise
        except ChainBeastsError as error:  # somebody else was faster, perhaps
            log.warning("not finalized", reason=error.message)
            return []
        for one in done:
            log.info("finalized", beast=one.beast_id, first=one.first, last=one.last, gas=one.gas)
        return [DefenderMove("finalize", one.beast_id, one.last, one.gas) for one in done]

    # --- disputes -------------------------------------------------------------------------------

    def _open_disputes(self) -> list[tuple[DisputeRow, CheckpointRow]]:
        """Open disputes over checkpoints that this account answers for."""
        with self._workspace.database.session() as session:
            found = []
            for dispute in open_disputes(session):
                # By generation, too: what replaced a slashed checkpoint has the same index.
                row = session.scalar(
                    select(CheckpointRow).where(
                        CheckpointRow.beast_id == dispute.beast_id,
                        CheckpointRow.index == dispute.index,
                        CheckpointRow.generation == dispute.generation,
                    )
                )
                if row is not None and self._answers_for(row.trainer):
                    found.append((dispute, row))
        return found

    def _answers_for(self, trainer: str) -> bool:
        if trainer == self._outbox.me:
            return True
        chain = self._workspace.chain
        appointed = chain.call(chain.court.functions.defenderOf(trainer))
        return bool(appointed != ZERO_ADDRESS and appointed == self._outbox.me)

    def _answer(self, dispute: DisputeRow, row: CheckpointRow) -> DefenderMove | None:
        chain = self._workspace.chain
        # The index may lag: deadlines and demands are the court's own.
        present = chain.dispute(dispute.dispute_id)
        if not present.status.open:
            return None
        if dispute.status == "filed":
            return self._respond(dispute, row, present.deadline)
        if present.demand:
            return self._supply(dispute, row, present.demand - 1, present.demand_deadline)
        # The court takes proofs up to the deadline, that second included.
        if chain.now() > present.deadline:
            record = checkpoint_of(row).to_abi()
            call = chain.court.functions.dismiss(dispute.dispute_id, row.beast_id, record)
            return self._send("dismiss", dispute, row, call)
        return None

    def _respond(
        self, dispute: DisputeRow, row: CheckpointRow, deadline: int
    ) -> DefenderMove | None:
        chain = self._workspace.chain
        if chain.now() > deadline:
            self._warn(dispute, "The response window has closed.")
            return None
        segments = self._segments(row)
        if segments is None:
            self._warn(dispute, "The window is not on record, and trained again it ends elsewhere.")
            return None
        call = chain.court.functions.respond(
            dispute.dispute_id, row.beast_id, checkpoint_of(row).to_abi(), segments
        )
        return self._send("respond", dispute, row, call, deadline)

    def _segments(self, row: CheckpointRow) -> list[bytes] | None:
        """The window's segment hashes: from the store, else trained again."""
        stored = self._store.segments(row.h128)
        if stored is not None or row.h128 in self._unanswerable:
            return stored
        segments = recompute_segments(self._workspace, row)
        # It would come out the same each time; what is only missing raises, and is sought again.
        if segments is None:
            self._unanswerable.add(row.h128)
        return segments

    def _supply(
        self, dispute: DisputeRow, row: CheckpointRow, segment: int, due: int
    ) -> DefenderMove | None:
        """Open the eight records of a demanded segment against the committed root."""
        proof = segment_witnesses(self._workspace, row, segment)
        call = self._workspace.chain.court.functions.supplyRecords(
            dispute.dispute_id, row.beast_id, checkpoint_of(row).to_abi(), proof
        )
        return self._send(f"supply-{segment}", dispute, row, call, due)

    def _send(
        self,
        kind: str,
        dispute: DisputeRow,
        row: CheckpointRow,
        call: object,
        due: int | None = None,
    ) -> DefenderMove | None:
        try:
            # After a reorg the number alone may be another dispute's.
            key = f"{dispute.dispute_id}:{row.h128.hex()}"
            receipt = self._outbox.send(kind, key, call, label=kind, due=due)
        except Reverted as error:
            self._warn(dispute, error.message)
            return None
        return DefenderMove(kind.split("-")[0], row.beast_id, row.index, receipt["gasUsed"])

    def _warn(self, dispute: DisputeRow, reason: str) -> None:
        if dispute.dispute_id not in self._warned:
            self._warned.add(dispute.dispute_id)
            log.warning("no answer", dispute=dispute.dispute_id, reason=reason)


def segment_witnesses(workspace: TrainerWorkspace, row: CheckpointRow, segment: int) -> bytes:
    """Words and Merkle siblings of a private window's segment, step after step.

    Raises:
        ChainBeastsError: its dataset is not here, or is not the committed one.
    """
    ctx, words = window_inputs(workspace, row)
    assert words is not None, "records are demanded of PRIVATE windows only"
    # The row's step is the one after the window; steps are uint32 and wrap.
    first = (row.global_step - WINDOW_STEPS + segment * SEGMENT_STEPS) % (1 << 32)
    return witnesses(ctx, first, SEGMENT_STEPS, words)
