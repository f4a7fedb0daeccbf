"""Makes checkpoints final: in order, each once its challenge period is over or it was proven."""

from __future__ import annotations

from dataclasses import dataclass

from backend.chain.outbox import Outbox
from backend.chain.types import CheckpointStatus
from backend.indexer.records import checkpoint_of
from backend.store import facts
from backend.store.facts import BeastRow, CheckpointRow
from trainer.desk import Desk

MAX_BATCH = 32
"""Checkpoints per transaction, so that none comes near the gas cap."""


@dataclass(frozen=True, slots=True)
class Finalized:
    """Consecutive checkpoints that one transaction made final."""

    beast_id: int
    first: int
    last: int
    gas: int


class Finalizer:
    """Finalizes what is due. Anyone may; the bonds go to their trainers."""

    def __init__(self, desk: Desk, outbox: Outbox) -> None:
        self._desk = desk
        self._outbox = outbox

    def run(self) -> list[Finalized]:
        """Finalize every beast's due checkpoints that this account submitted."""
        made = []
        with self._desk.database.session() as session:
            beast_ids = [row.beast_id for row in session.query(BeastRow)]
        for beast_id in beast_ids:
            live = self._desk.live(beast_id)
            pending = [row for row in live if row.status == facts.CheckpointStatus.PENDING]
            if pending and any(row.trainer == self._outbox.me for row in pending):
                made += self.beast(beast_id)
        return made

    def beast(self, beast_id: int) -> list[Finalized]:
        """Finalize a beast's due checkpoints.

        Raises:
            ChainBeastsError: no node, or the ledger refuses.
        """
        due = self.due(beast_id)
        made = []
        for start in range(0, len(due), MAX_BATCH):
            batch = due[start : start + MAX_BATCH]
            records = [checkpoint_of(row).to_abi() for row in batch]
            call = self._desk.chain.ledger.functions.finalize(beast_id, records)
            first, last = batch[0], batch[-1]
            key = f"{beast_id}/{first.index}-{last.index}/{last.h128.hex()}"
            receipt = self._outbox.send("finalize", key, call, label="finalize")
            made.append(Finalized(beast_id, first.index, last.index, receipt["gasUsed"]))
        return made

    def due(self, beast_id: int) -> list[CheckpointRow]:
        """The beast's first pending checkpoints, up to the first that may not be final yet."""
        chain = self._desk.chain
        now = chain.now()
        final = chain.head(beast_id).final_count
        due: list[CheckpointRow] = []
        for row in self._desk.live(beast_id):
            if row.index < final:
                continue
            record = checkpoint_of(row)
            status = chain.status(beast_id, record)
            if status is CheckpointStatus.PENDING:
                period = chain.season(row.season).economics.challenge_period
                if now < row.submitted_at + period:
                    break
            elif status is not CheckpointStatus.PROVEN:
                break
            due.append(row)
        return due
