"""How much of a beast's training anybody can compute again, by what is public.

Nothing here says that somebody has replayed a window; that is a validator's to say of itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.indexer.queries import live_checkpoints
from backend.kernel.samples import Source
from backend.store.facts import (
    CheckpointRow,
    PublishedRecordsRow,
    PublishedStateRow,
    RevealedDatasetRow,
)


@dataclass(frozen=True, slots=True)
class Openness:
    """A beast's standing windows, each counted once.

    Attributes:
        replayable: whose samples and start anybody has from the rules, the matches, the archives
            or a revealed dataset.
        opened: private ones whose records a dispute opened, and whose start anybody has.
        unopened: private ones that nobody but the owner can compute, and those that start from a
            state which follows from one of them and is in no archive.
    """

    replayable: int = 0
    opened: int = 0
    unopened: int = 0

    @property
    def windows(self) -> int:
        return self.replayable + self.opened + self.unopened


def openness(session: Session, beast_id: int) -> Openness:
    """Count a beast's standing windows by what is public about them."""
    records = set(
        session.scalars(
            select(PublishedRecordsRow.index).where(PublishedRecordsRow.beast_id == beast_id)
        )
    )
    states = set(
        session.scalars(
            select(PublishedStateRow.hash)
            .join(CheckpointRow, CheckpointRow.parent == PublishedStateRow.hash)
            .where(CheckpointRow.beast_id == beast_id)
        )
    )
    revealed = _is_revealed(session, beast_id)
    counted, known = Openness(), True  # a newborn's state follows from its DNA
    for row in live_checkpoints(session, beast_id):
        known = known or row.parent in states
        private = Source(row.source) is Source.PRIVATE and not revealed
        if not known or (private and row.index not in records):
            counted, known = replace(counted, unopened=counted.unopened + 1), False
        elif private:
            counted = replace(counted, opened=counted.opened + 1)
        else:
            counted = replace(counted, replayable=counted.replayable + 1)
    return counted


def _is_revealed(session: Session, beast_id: int) -> bool:
    """Whether the whole private dataset of a beast was put on chain."""
    wanted = select(RevealedDatasetRow.beast_id).where(RevealedDatasetRow.beast_id == beast_id)
    return session.scalar(wanted.limit(1)) is not None
