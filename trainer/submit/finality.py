"""Makes checkpoints final: in order, each once its challenge period is over or it was proven."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from chainbeasts.backend.chain.outbox import Outbox
from chainbeasts.backend.chain.types import CheckpointStatus
from chainbeasts.backend.indexer.records import checkpoint_of
from chainbeasts.backend.store import facts
from chainbeasts.backend.store.facts import CheckpointRow
from chainbeasts.trainer.workspace import TrainerWorkspace

MAX_BATCH = 32
"""Checkpoints per transaction, so that none comes near the gas cap."""

MOST_READ = 8 * MAX_BATCH
"""Pending checkpoints looked at in one pass; a beast may have ten thousand."""


@dataclass(frozen=True, slots=True)
class Finalized:
    """Consecutive checkpoints that one transaction made final."""

    beast_id: int
    first: int
    last: int
    gas: int


class Finalizer:
    """Finalizes what is due. Anyone may; the bonds go to their trainers."""

    def __init__(self, workspace: TrainerWorkspace, outbox: Outbox) -> None:
        self._workspace = workspace
        self._outbox = outbox

    def run(self) -> list[Finalized]:
        """Finalize every beast's due checkpoints that this account submitted."""
        ours = (
            select(CheckpointRow.beast_id)
            .where(
                CheckpointRow.status == facts.CheckpointStatus.PENDING,
                CheckpointRow.trainer == self._outbox.me,
            )
            .distinct()
        )
        with self._workspace.database.session() as session:
            beast_ids = sorted(session.scalars(ours))
        return [one for beast_id in beast_ids for one in self.beast(beast_id)]

    def beast(self, beast_id: int) -> list[Finalized]:
        """Finalize a beast's due checkpoints.

        Raises:
            ChainBeastsError: no node, or the ledger refuses.
        """
        due = self.due(beast_id)
        finalized = []
        for start in range(0, len(due), MAX_BATCH):
            batch = due[start : start + MAX_BATCH]
            records = [checkpoint_of(row).to_abi() for row in batch]
            call = self._workspace.chain.ledger.functions.finalize(beast_id, records)
            first, last = batch[0], batch[-1]
            # With the last hash: a call that was signed and never mined must not be resumed for the
            # checkpoints that came into the same places after a slashing.
            key = f"{beast_id}/{first.index}-{last.index}/{last.h128.hex()}"
            receipt = self._outbox.send("finalize", key, call, label="finalize")
            finalized.append(Finalized(beast_id, first.index, last.index, receipt["gasUsed"]))
        return finalized

    def due(self, beast_id: int) -> list[CheckpointRow]:
        """The beast's first pending checkpoints, up to the first that may not be final yet."""
        chain = self._workspace.chain
        now = chain.now()
        final = chain.head(beast_id).final_count
        due: list[CheckpointRow] = []
        for row in self._first_pending(beast_id, final):
            record = checkpoint_of(row)
            # Not from the index: one checkpoint disputed since then makes the whole batch revert.
            status = chain.status(beast_id, record)
            if status is CheckpointStatus.PENDING:
                # The ledger's own comparison; a second earlier finalize() reverts.
                period = chain.season(row.season).economics.challenge_period
                if now < row.submitted_at + period:
                    break
            elif status is not CheckpointStatus.PROVEN:
                break  # finality goes in order of the index, so nothing behind it can be due
            due.append(row)
        return due

    def due_at(self, beast_id: int) -> int:
        """From when on all of a beast's pending checkpoints may be final; 0 if it has none.

        Disputes may put that off.
        """
        chain = self._workspace.chain
        pending = self._first_pending(beast_id, chain.head(beast_id).final_count)
        return max(
            (
                row.submitted_at + chain.season(row.season).economics.challenge_period
                for row in pending
            ),
            default=0,
        )

    def _first_pending(self, beast_id: int, final: int) -> Sequence[CheckpointRow]:
        """A beast's first pending checkpoints from index ``final`` on."""
        found = (
            select(CheckpointRow)
            .where(
                CheckpointRow.beast_id == beast_id,
                CheckpointRow.status == facts.CheckpointStatus.PENDING,
                CheckpointRow.index >= final,
            )
            .order_by(CheckpointRow.index)
            .limit(MOST_READ)
        )
        with self._workspace.database.session() as session:
            return session.scalars(found).all()
