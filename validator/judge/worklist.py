"""What is to be judged: pending checkpoints, final ones that nobody judged, or a whole history."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Select, select

from backend.indexer.positions import Position, position, stands
from backend.store.daemons import JobRow, Mode, Verdict
from backend.store.facts import CheckpointRow, CheckpointStatus
from validator.judge.cases import Case, CaseReader
from validator.judge.jobs import SAME_WINDOW, JobStore
from validator.judge.watch import BeastWatch
from validator.scope import EVERYBODY, Scope

SLICE = 64
"""Checkpoints of one beast's history that are read at once."""


class Worklist(Protocol):
    """Whose windows are judged, and which of them."""

    def beasts(self) -> list[int]:
        """The beasts to look at now."""
        ...

    def cases(self, beast_id: int) -> list[Case]:
        """A beast's checkpoints to look at now, in order."""
        ...

    def judged(self, case: Case) -> None:
        """A case was looked at, and has the verdict that it can have now."""
        ...

    def settled(self, beast_id: int) -> None:
        """Nothing about a beast's present checkpoints can change any more."""
        ...

    def reopen(self, beasts: Iterable[int]) -> None:
        """Look at these again."""
        ...


class PendingWindows:
    """What may still be disputed. What cannot be judged yet is looked at again and again."""

    def __init__(self, reader: CaseReader, scope: Scope = EVERYBODY) -> None:
        self._reader = reader
        self._scope = scope
        self._watch = BeastWatch(reader.database)

    def beasts(self) -> list[int]:
        return self._watch.beasts()

    def cases(self, beast_id: int) -> list[Case]:
        # By its trainer, not by who owns the beast now: liability stays with whoever submitted.
        found = self._reader.pending(beast_id)
        return [c for c in found if self._scope.covers(beast_id, c.checkpoint.trainer)]

    def judged(self, case: Case) -> None:
        pass

    def settled(self, beast_id: int) -> None:
        self._watch.settled(beast_id)

    def reopen(self, beasts: Iterable[int]) -> None:
        self._watch.reopen(beasts)


@dataclass
class BeastHistory:
    """What is known of one beast's standing checkpoints, from index 0 on.

    Attributes:
        valid: recomputed, and right.
        light: of private windows, lineage and loss only.
        unavailable: not to be judged here.
        first_invalid: index of the first invalid one; what follows falls with it, unjudged.
    """

    beast_id: int
    valid: int = 0
    light: int = 0
    unavailable: int = 0
    first_invalid: int | None = None

    @property
    def counted(self) -> int:
        """How many checkpoints have been counted."""
        return self.valid + self.light + self.unavailable

    def add(self, job: JobRow, looked_at: bool) -> bool:
        """Count the next checkpoint, if it has the verdict that it can have now.

        Args:
            looked_at: what is not valid to the last bit would be no other if judged again.
        """
        if job.verdict == Verdict.INVALID:
            self.first_invalid = job.index
        elif (job.verdict, job.mode) == (Verdict.VALID, Mode.FULL):
            self.valid += 1
            return True
        elif looked_at and job.verdict is not None:
            self.light += job.verdict == Verdict.VALID
            self.unavailable += job.verdict == Verdict.UNAVAILABLE
            return True
        return False


class HistoryWindows:
    """Every standing checkpoint without a full verdict, final ones too; each is looked at once.

    A beast is left at its first invalid window, on which all later ones are built.
    """

    def __init__(self, reader: CaseReader, jobs: JobStore, beasts: Sequence[int]) -> None:
        self._reader = reader
        self._jobs = jobs
        self.histories = {beast_id: BeastHistory(beast_id) for beast_id in beasts}
        self._remaining = dict.fromkeys(beasts)
        self._looked_at: set[bytes] = set()

    def beasts(self) -> list[int]:
        return list(self._remaining)

    def cases(self, beast_id: int) -> list[Case]:
        history = self.histories[beast_id]
        while cases := self._reader.live(beast_id, history.counted, SLICE):
            jobs = self._jobs.open(cases)
            for place, case in enumerate(cases):
                # In order, and no further than the first without a verdict: all before it is
                # counted for good, so a long history is read once, a slice at a time.
                if not history.add(jobs[case.digest], case.digest in self._looked_at):
                    return [] if history.first_invalid is not None else cases[place:]
                self._looked_at.discard(case.digest)
        return []

    def judged(self, case: Case) -> None:
        self._looked_at.add(case.digest)

    def settled(self, beast_id: int) -> None:
        self._remaining.pop(beast_id, None)

    def reopen(self, beasts: Iterable[int]) -> None:
        for beast_id in beasts:
            # Counted anew from index 0: the verdicts that were taken back are among those counted.
            self.histories[beast_id] = BeastHistory(beast_id)
            self._remaining[beast_id] = None


class FinalWindows:
    """What became final without a verdict: before this validator came, or while it was away.

    Nothing can be done about such a window, but what it was is told. A beast is left at its first
    wrong one, on which all later ones are built.
    """

    def __init__(self, reader: CaseReader, scope: Scope = EVERYBODY) -> None:
        self._reader = reader
        self._scope = scope
        self._open: set[int] = set()
        self._seen: Position | None = None

    def beasts(self) -> list[int]:
        wanted = _unjudged(CheckpointRow.beast_id).distinct()
        with self._reader.database.reading() as session:
            if self._seen is not None and stands(session, self._seen):
                wanted = wanted.where(CheckpointRow.settled_block > self._seen.number)
            self._open.update(session.scalars(wanted))
            self._seen = position(session)
            self._open.difference_update(session.scalars(_WRONG))
        return sorted(self._open)

    def cases(self, beast_id: int) -> list[Case]:
        wanted = _unjudged(CheckpointRow.index).where(CheckpointRow.beast_id == beast_id)
        with self._reader.database.session() as session:
            indices = set(session.scalars(wanted.order_by(CheckpointRow.index).limit(SLICE)))
        if not indices:
            return []
        first, last = min(indices), max(indices)
        found = self._reader.live(beast_id, first, last - first + 1)
        return [
            case
            for case in found
            if case.index in indices and self._scope.covers(beast_id, case.checkpoint.trainer)
        ]

    def judged(self, case: Case) -> None:
        pass

    def settled(self, beast_id: int) -> None:
        self._open.discard(beast_id)

    def reopen(self, beasts: Iterable[int]) -> None:
        self._open.update(beasts)


def _unjudged(column: Any) -> Select[Any]:
    """A column of the final checkpoints without a verdict. One that was proven has the court's."""
    return (
        select(column)
        .select_from(CheckpointRow)
        .outerjoin(JobRow, SAME_WINDOW)
        .where(
            CheckpointRow.status == CheckpointStatus.FINAL,
            CheckpointRow.proven.is_(False),
            JobRow.verdict.is_(None),
        )
    )


_WRONG = (
    select(CheckpointRow.beast_id)
    .join(JobRow, SAME_WINDOW)
    .where(JobRow.verdict == Verdict.INVALID, CheckpointRow.status == CheckpointStatus.FINAL)
)
