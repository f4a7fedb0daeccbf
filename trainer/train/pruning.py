"""Removes states that a trainer published and nobody needs any more from its own folder."""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlalchemy import func, select

from chainbeasts.backend.indexer.queries import last_final, needed_states
from chainbeasts.backend.store.daemons import WindowRow
from chainbeasts.backend.store.facts import CheckpointRow, CheckpointStatus
from chainbeasts.trainer.workspace import TrainerWorkspace

KEEP_SECONDS = 3_600.0
"""A state this young stays, whatever is known of it: a reorg may take back what made it idle."""

PRUNE_SECONDS = 600.0
"""Between two looks of a daemon."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was removed.

    Attributes:
        kept: states that are still there.
    """

    removed: int
    kept: int


class SnapshotPruner:
    """Prunes the first snapshot place, if it is a folder, else the folder under home.

    Only states that this trainer's database knows are touched, since others may publish there, too.
    """

    def __init__(self, workspace: TrainerWorkspace) -> None:
        self._workspace = workspace
        self._looked: float | None = None

    def now_and_then(self) -> int:
        """Prune if the last time is long enough ago; how many states went."""
        now = time.monotonic()
        if self._looked is not None and now - self._looked < PRUNE_SECONDS:
            return 0
        self._looked = now
        return self.prune().removed

    def prune(self, older_than: float = KEEP_SECONDS) -> Pruned:
        """Remove what is idle.

        Args:
            older_than: seconds; younger files stay.
        """
        store = self._workspace.snapshots
        present = set(store.hashes())
        idle = (present & self._known()) - self._needed()
        removed = store.discard(idle, older_than=time.time() - older_than)
        return Pruned(removed, len(present) - removed)

    def _known(self) -> set[bytes]:
        done = select(CheckpointRow.h128).where(CheckpointRow.status != CheckpointStatus.PENDING)
        with self._workspace.database.session() as session:
            return {*session.scalars(done), *session.scalars(select(WindowRow.h128))}

    def _needed(self) -> set[bytes]:
        """What the chain may ask for, and windows that were trained ahead and may be submitted."""
        final = last_final()
        ahead = (
            select(WindowRow.h128)
            .outerjoin(final, WindowRow.beast_id == final.c.beast_id)
            .where(WindowRow.index > func.coalesce(final.c.last, -1))
        )
        with self._workspace.database.session() as session:
            return needed_states(session) | set(session.scalars(ahead))
