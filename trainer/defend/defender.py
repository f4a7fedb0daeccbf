"""Defends one account's checkpoints, and makes those final that nobody disputes.

It makes every opening that a dispute asks for, once its filing is deep enough not to be reorged
away, and before its deadline in any case; it ends disputes that proved nothing in time, pulls what
it was paid, and says when native coin runs low. It never judges. Whatever it has sent it finds
again after a kill, and the chain decides what is still to do.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import select

from chainbeasts.backend.chain.amounts import show_coin
from chainbeasts.backend.chain.errors import ChainError, Reverted, WrongChainError
from chainbeasts.backend.chain.outbox import Outbox
from chainbeasts.backend.chain.prices import opening_gas
from chainbeasts.backend.chain.transactions import FailedOnChainError
from chainbeasts.backend.chain.types import (
    Dispute,
    DisputeStatus,
    Opening,
    opening_bit,
    openings_of,
)
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.indexer.follow import AWAY, Waker, tell_failure
from chainbeasts.backend.indexer.queries import open_disputes
from chainbeasts.backend.indexer.records import checkpoint_of
from chainbeasts.backend.locks import LockHeldError
from chainbeasts.backend.monitoring.health import spent
from chainbeasts.backend.redact import redact_text
from chainbeasts.backend.store.facts import CheckpointRow, CheckpointStatus, DisputeRow
from chainbeasts.backend.store.session import DatabaseUnavailableError
from chainbeasts.trainer.defend.depth import Depth
from chainbeasts.trainer.defend.guard import Guard
from chainbeasts.trainer.defend.metrics import DefenderMetrics
from chainbeasts.trainer.defend.openings import Opener
from chainbeasts.trainer.defend.purse import Funds, Purse
from chainbeasts.trainer.submit.finality import Finalizer
from chainbeasts.trainer.train.pruning import SnapshotPruner
from chainbeasts.trainer.train.window_store import WindowStore
from chainbeasts.trainer.workspace import TrainerWorkspace

log = structlog.get_logger()

MAX_PAUSE = 30.0


@dataclass(frozen=True, slots=True)
class DefenderMove:
    """One move of the defender.

    Attributes:
        kind: segments, state, records, accept, dismiss, advance, finalize or collect.
        beast_id: 0 for collect, which is about the account.
    """

    kind: str
    beast_id: int
    index: int
    gas: int


class Defender:
    """Looks after one account's checkpoints.

    Args:
        outbox: signs for the trainer, or for the defender that the trainer appointed.
        depth: when a filing counts.
        finalize: also make checkpoints final once their challenge period is over.
        pruner: removes published states that nobody needs any more; None: they all stay.
        guard: proves other trainers' windows right that ours stand on; None: leave them alone.
        monitor: told after each pass.
    """

    def __init__(
        self,
        workspace: TrainerWorkspace,
        store: WindowStore,
        outbox: Outbox,
        *,
        depth: Depth | None = None,
        finalize: bool = True,
        guard: Guard | None = None,
        monitor: DefenderMetrics | None = None,
        pruner: SnapshotPruner | None = None,
    ) -> None:
        self._workspace = workspace
        self._outbox = outbox
        self._opener = Opener(workspace, store)
        self._purse = Purse(workspace, outbox)
        self._depth = depth or Depth()
        self._guard = guard
        self._pruner = pruner
        self._monitor = monitor or DefenderMetrics()
        self._finalizer = Finalizer(workspace, outbox) if finalize else None
        self._warned: dict[int, set[str]] = {}
        self._low = False
        self._funds_at = -1
        self._finalize_again = self._collect_again = 0.0

    def run(self, waker: Waker) -> None:
        """Keep watch until the waker is stopped; waits for a node or database that is away, and
        for room on the disk, with growing pauses. So it does after any other failure.

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
            except Exception as error:  # whatever it is: a daemon that is gone answers nothing
                tell_failure(error, self._monitor, pause)
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
        moves: list[DefenderMove] = []
        disputes = self._open_disputes()
        present_ids = {dispute.dispute_id for dispute, _ in disputes}
        self._warned = {one: told for one, told in self._warned.items() if one in present_ids}
        waiting: dict[int, int] = {}
        # Openings before finality: they have deadlines, and on an account that is short of coin the
        # last transaction it can pay must be the one that saves a bond.
        for dispute, row in disputes:
            try:
                moves += self._attend(dispute, row)
                waits = self._waits(dispute, row)
            except AWAY:
                raise
            # The others are answered all the same, or one dispute could lose them all.
            except Exception as error:
                self._warn_of(dispute, error)
                waits = self._may_wait(dispute, row)
            if waits:
                waiting[dispute.dispute_id] = dispute.response_deadline
        moves += self._finalize()
        # What it has and what is due to it changes with blocks alone.
        if report.head != self._funds_at:
            moves += self._collect(bool(waiting))
            self._funds_at = report.head
        if self._pruner is not None:
            self._pruner.now_and_then()
        self._monitor.waiting(len(waiting))
        self._monitor.passed(
            head=report.head,
            indexed=report.indexed_to,
            disputes=len(disputes),
            deadlines=waiting.values(),
            costs=spent(self._workspace.database, self._outbox.me),
            gaps=report.gaps,
            mended=report.mended,
        )
        # Last: a place that is slow, and a backlog for it, must not keep an answer back.
        self._workspace.snapshots.publish()
        return moves

    def _finalize(self) -> list[DefenderMove]:
        if self._finalizer is None or time.monotonic() < self._finalize_again:
            return []
        try:
            done = self._finalizer.run()
        except FailedOnChainError as error:  # somebody else did the same in that block, perhaps
            log.warning("not finalized", reason=error.message)
            # It cost gas. What always fails is not paid for with every block.
            self._finalize_again = time.monotonic() + MAX_PAUSE
            return []
        except (ChainError, DatabaseUnavailableError, LockHeldError):
            raise
        except ChainBeastsError as error:  # somebody else was faster, perhaps
            log.warning("not finalized", reason=error.message)
            return []
        for one in done:
            log.info("finalized", beast=one.beast_id, first=one.first, last=one.last, gas=one.gas)
        return [DefenderMove("finalize", one.beast_id, one.last, one.gas) for one in done]

    def _collect(self, busy: bool) -> list[DefenderMove]:
        """Look at the account's native coin, and pull what openings have earned."""
        funds = self._purse.look()
        gas = None
        # While a dispute waits, every transaction is one that its openings stand behind; but what
        # was earned may be just what pays for them.
        if not busy or funds.is_low:
            gas = self._pull(funds)
            if gas is not None:
                log.info("collected", coin=show_coin(funds.credit), gas=gas)
                funds = self._purse.look()
        self._monitor.funded(funds.balance, funds.energy)
        self._monitor.payable(funds.openings)
        if funds.is_low and not self._low:
            log.warning(
                "native coin runs low",
                account=self._outbox.me,
                balance=show_coin(funds.balance),
                pays_for_disputes=funds.openings,
                each_costs_up_to=show_coin(funds.opening_cost),
            )
        self._low = funds.is_low
        return [] if gas is None else [DefenderMove("collect", 0, 0, gas)]

    def _pull(self, funds: Funds) -> int | None:
        """Pull the credit, if it is worth it; the gas, or None if nothing was pulled."""
        if time.monotonic() < self._collect_again:
            return None
        try:
            return self._purse.collect(funds)
        except FailedOnChainError as error:  # as where another daemon of the account was faster
            log.warning("not collected", reason=error.message)
            # It cost gas. What always fails is not paid for with every block.
            self._collect_again = time.monotonic() + MAX_PAUSE
            return None
        except (ChainError, DatabaseUnavailableError, LockHeldError):
            raise
        except ChainBeastsError as error:
            log.warning("not collected", reason=error.message)
            return None

    # --- disputes -------------------------------------------------------------------------------

    def _open_disputes(self) -> list[tuple[DisputeRow, CheckpointRow]]:
        """Open disputes over checkpoints that this account answers for, the oldest first."""
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
                if row is not None and self._is_ours(row):
                    found.append((dispute, row))
        return found

    def _is_ours(self, row: CheckpointRow) -> bool:
        if self._answers_for(row.trainer):
            return True
        return self._guard is not None and self._guard.concerns(row)

    def _answers_for(self, trainer: str) -> bool:
        if trainer == self._outbox.me:
            return True
        return self._workspace.chain.defender_of(trainer) == self._outbox.me

    def _attend(self, dispute: DisputeRow, row: CheckpointRow) -> list[DefenderMove]:
        """Make the moves that are due in a dispute that is still open."""
        present = self._workspace.chain.dispute(dispute.dispute_id)
        return self._answer(dispute, row, present) if present.status.open else []

    def _waits(self, dispute: DisputeRow, row: CheckpointRow) -> bool:
        """Whether a dispute still waits for an answer of ours."""
        if not self._answers_for(row.trainer):
            return False
        return self._workspace.chain.dispute(dispute.dispute_id).status is DisputeStatus.FILED

    def _may_wait(self, dispute: DisputeRow, row: CheckpointRow) -> bool:
        """The same where something failed: in doubt it does."""
        try:
            return self._waits(dispute, row)
        except AWAY:
            raise
        except Exception:
            return True

    def _answer(
        self, dispute: DisputeRow, row: CheckpointRow, present: Dispute
    ) -> list[DefenderMove]:
        """Make the moves that are due in a dispute."""
        chain = self._workspace.chain
        record = checkpoint_of(row)
        # The index may lag behind a reorg, in which the number became another dispute's.
        if present.digest != chain.digest(row.beast_id, record):
            return []
        if not chain.is_live(row.beast_id, record):
            return self._void(dispute, row)
        if not self._answers_for(row.trainer):
            assert self._guard is not None
            spent = self._guard.protect(dispute, row, present)
            return [DefenderMove("advance", row.beast_id, row.index, gas) for gas in spent]
        moves: list[DefenderMove] = []
        if present.status is DisputeStatus.FILED:
            moves += self._open(dispute, row, present)
            moves += self._accept(dispute, row)
        # The court takes proofs up to the deadline, that second included.
        elif chain.now() > present.proof_deadline:
            moves += self._dismiss(dispute, row)
        return moves

    def _open(
        self, dispute: DisputeRow, row: CheckpointRow, present: Dispute
    ) -> list[DefenderMove]:
        """Make the openings that are still owed."""
        chain, due = self._workspace.chain, present.response_deadline
        block = chain.block()
        if block.timestamp > due:
            self._warn(dispute, "The time for openings is over.")
            return []
        window = chain.season(row.season).economics.response_window
        # The owner's secret goes out with the records and cannot be called back: not for a filing
        # that the chain may yet forget.
        if not self._depth.is_reached(block, present.filed_in, due, window):
            return []
        self._check_balance(row, present.missing)
        moves = []
        for one in self._opener.calls(dispute.dispute_id, row, present.missing):
            moves += self._send(one.opening.name.lower(), dispute, row, one.call, due)
        return moves

    def _check_balance(self, row: CheckpointRow, missing: int) -> None:
        """Make none of the openings if they cannot all be paid: one missing loses the dispute.

        Raises:
            ChainBeastsError: they cannot.
        """
        chain, me = self._workspace.chain, self._outbox.me
        records = chain.commitments(row.beast_id).dataset_length
        needed = opening_gas(missing, records) * self._outbox.sender.offer().most
        balance = int(chain.read(lambda: chain.w3.eth.get_balance(me)))  # type: ignore[arg-type]
        if balance < needed:
            raise ChainBeastsError(
                f"{me} cannot pay the openings: up to {show_coin(needed)} are needed, it has "
                f"{show_coin(balance)}.",
                "Send it some of the chain's native coin before the deadline.",
            )

    def _accept(self, dispute: DisputeRow, row: CheckpointRow) -> list[DefenderMove]:
        """Have the court take note of what lies in the archives, which pays for it."""
        chain = self._workspace.chain
        missing = chain.dispute(dispute.dispute_id).missing & ~opening_bit(Opening.SEGMENTS)
        if not any(self._opener.is_published(row, opening) for opening in openings_of(missing)):
            return []
        place = (dispute.dispute_id, row.beast_id, checkpoint_of(row).to_abi())
        call = chain.court.functions.acceptOpenings(*place)
        # A publication after the deadline is none; the court says so.
        return self._send(
            "accept", dispute, row, call, suffix=f":{missing}", quiet="NothingToAccept"
        )

    def _dismiss(self, dispute: DisputeRow, row: CheckpointRow) -> list[DefenderMove]:
        record = checkpoint_of(row).to_abi()
        functions = self._workspace.chain.court.functions
        call = functions.dismiss(dispute.dispute_id, row.beast_id, record)
        return self._send("dismiss", dispute, row, call)

    def _void(self, dispute: DisputeRow, row: CheckpointRow) -> list[DefenderMove]:
        """End a dispute over a window that fell with its ancestor, where our openings wait for it.

        Nothing is owed to a trainer who was the slashed one.
        """
        chain = self._workspace.chain
        bond = chain.opening_bond_of(dispute.dispute_id)
        if row.trainer != self._outbox.me or not bond.waiting or self._was_slashed(dispute, row):
            return []
        return self._dismiss(dispute, row)

    def _was_slashed(self, dispute: DisputeRow, row: CheckpointRow) -> bool:
        with self._workspace.database.session() as session:
            found = session.scalar(
                select(CheckpointRow.id)
                .where(
                    CheckpointRow.beast_id == row.beast_id,
                    CheckpointRow.trainer == row.trainer,
                    CheckpointRow.status == CheckpointStatus.SLASHED,
                    CheckpointRow.settled_block >= dispute.block_number,
                )
                .limit(1)
            )
        return found is not None

    def _send(
        self,
        kind: str,
        dispute: DisputeRow,
        row: CheckpointRow,
        call: Any,
        due: int | None = None,
        *,
        suffix: str = "",
        quiet: str = "",
    ) -> list[DefenderMove]:
        try:
            # After a reorg the number alone may be another dispute's.
            key = f"{dispute.dispute_id}:{row.h128.hex()}{suffix}"
            receipt = self._outbox.send(kind, key, call, label=kind, due=due)
        except Reverted as error:
            if error.name != quiet:
                self._warn(dispute, error.message)
            return []
        move = DefenderMove(kind, row.beast_id, row.index, receipt["gasUsed"])
        log.info("answered", kind=kind, dispute=dispute.dispute_id, gas=move.gas)
        return [move]

    def _warn_of(self, dispute: DisputeRow, error: Exception) -> None:
        """Say once why a dispute could not be answered."""
        if isinstance(error, ChainBeastsError):
            self._warn(dispute, f"{error.message} {error.hint or ''}".strip())
        else:
            self._warn(dispute, f"{type(error).__name__}: {redact_text(str(error))}", error)

    def _warn(self, dispute: DisputeRow, reason: str, why: Exception | None = None) -> None:
        """Say once what keeps a dispute from being answered, whatever figures come with it."""
        told = self._warned.setdefault(dispute.dispute_id, set())
        kind = re.sub(r"0x\w+|[\d.,]+", "", reason)  # the lacking coin is another with each block
        if kind not in told:
            told.add(kind)
            log.warning("no answer", dispute=dispute.dispute_id, reason=reason, exc_info=why)
