"""Which beasts may have something to judge: those with new checkpoints, and those not settled yet.

Without it, every pass would read every pending checkpoint of every beast.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from backend.indexer.positions import Position, position, stands
from backend.store.facts import CheckpointRow, CheckpointStatus
from backend.store.session import Database


class BeastWatch:
    """Beasts to look at. A reorg, which may change anything, brings all of them back."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._open: set[int] = set()
        self._seen: Position | None = None

    def beasts(self) -> list[int]:
        """The beasts to look at now, oldest first."""
        of = select(CheckpointRow.beast_id)
        new = of.where(CheckpointRow.status == CheckpointStatus.PENDING).distinct()
        with self._database.reading() as session:
            if self._seen is not None and stands(session, self._seen):
                # by block alone: else SQLite takes another index and reads all that is pending
                new = of.where(CheckpointRow.block_number > self._seen.number)
            self._open.update(session.scalars(new))
            self._seen = position(session)
        return sorted(self._open)

    def settled(self, beast_id: int) -> None:
        """Nothing about a beast's present checkpoints can change any more."""
        # Only what is settled is let go. Who submits windows that cannot be judged stays here, but
        # pays for it: each of them locks its burn and a bond for the whole challenge period.
        self._open.discard(beast_id)

    def reopen(self, beasts: Iterable[int]) -> None:
        """Look at these again."""
        self._open.update(beasts)
