"""Judges whole histories, final checkpoints too. Sends nothing; killed, it goes on where it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor

from sqlalchemy import func, select

from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.indexer.queries import LIVE
from chainbeasts.backend.store.facts import CheckpointRow
from chainbeasts.validator.judge.jobs import JobStore
from chainbeasts.validator.judge.windows import WindowJudge
from chainbeasts.validator.judge.worklist import BeastHistory, HistoryWindows
from chainbeasts.validator.setup import ValidatorWorkspace


class Backfill:
    """Judges every standing checkpoint of some beasts that has no full verdict yet.

    Args:
        beasts: all hatched ones if there are none.

    Raises:
        ChainBeastsError: there is no such beast.
    """

    def __init__(
        self,
        workspace: ValidatorWorkspace,
        make_executor: Callable[[], Executor],
        beasts: Sequence[int] = (),
    ) -> None:
        hatched = workspace.reader.hatched()
        for beast_id in beasts:
            if beast_id not in hatched:
                raise ChainBeastsError(
                    f"There is no beast {beast_id}.", "List them: chainbeasts beast list"
                )
        jobs = JobStore(workspace.database)
        self._work = HistoryWindows(workspace.reader, sorted(set(beasts)) or hatched)
        self._judge = WindowJudge(workspace.states, jobs, make_executor, self._work)
        standing = (
            select(CheckpointRow.beast_id, func.count())
            .where(CheckpointRow.status.in_(LIVE))
            .group_by(CheckpointRow.beast_id)
        )
        with workspace.database.session() as session:
            found = session.execute(standing)
            self._standing = {int(beast_id): int(count) for beast_id, count in found}

    @property
    def standing(self) -> int:
        """Checkpoints that there are to know of."""
        return sum(self._standing.get(beast_id, 0) for beast_id in self._work.histories)

    def run(self, progress: Callable[[int], None]) -> list[BeastHistory]:
        """Judge until nothing is left.

        Args:
            progress: called now and then with how many checkpoints have a verdict.
        """
        try:
            while left := self._work.beasts():
                self._judge.run()
                known = set(self._work.histories).difference(left)
                progress(
                    sum(self._standing.get(beast_id, 0) for beast_id in known)
                    + sum(self._work.histories[beast_id].counted for beast_id in left)
                )
        finally:
            self._judge.close()
        return list(self._work.histories.values())
