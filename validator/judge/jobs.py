"""One job per submitted checkpoint, in the database: what has been judged, and how.

A verdict outlives the daemon; a record's digest names it on its chain for ever.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import UTC, datetime

from sqlalchemy import func, select

from backend.store.daemons import JobRow, Mode, Verdict
from backend.store.session import Database
from validator.judge.cases import Case
from validator.judge.replay import Judgement

AT_ONCE = 500
"""Hashes in one query: databases bound the number of its parameters."""


class JobStore:
    """The jobs of one validator."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self, cases: Iterable[Case]) -> dict[bytes, JobRow]:
        """The job of each case by its digest, made where there is none yet."""
        # The job is there before the window is judged: a daemon that is killed over a window, again
        # and again, shows it as waiting instead of not at all.
        wanted = {case.digest: case for case in cases}
        with self._database.session() as session:
            rows = {
                row.digest: row
                for row in session.scalars(select(JobRow).where(JobRow.digest.in_(wanted)))
            }
            for digest, case in wanted.items():
                if digest not in rows:
                    rows[digest] = JobRow(
                        digest=digest,
                        beast_id=case.beast_id,
                        index=case.index,
                        h128=case.checkpoint.payload.h128,
                        attempts=0,
                        reason="",
                        header_lie=False,
                    )
                    session.add(rows[digest])
            return rows

    def judged(self, case: Case, judgement: Judgement) -> None:
        """Record a verdict; a later one replaces it."""
        self.judged_all([(case, judgement)])

    def judged_all(self, found: Iterable[tuple[Case, Judgement]]) -> None:
        """Record verdicts in one transaction."""
        # One commit for a wave, and always before anything acts on it: enforcing reads verdicts
        # from here only, so what it does after a restart follows from the same record.
        with self._database.session() as session:
            for case, judgement in found:
                row = session.get_one(JobRow, case.digest)
                row.verdict, row.mode = judgement.verdict, judgement.mode
                row.reason, row.header_lie = judgement.reason, judgement.header_lie
                row.attempts += 1
                row.judged_at = datetime.now(UTC)

    def reopen(self, h128s: Collection[bytes]) -> set[int]:
        """Take the verdicts on windows with these state hashes back; whose beasts they are."""
        wanted, beasts = sorted(h128s), set[int]()
        with self._database.session() as session:
            for start in range(0, len(wanted), AT_ONCE):
                some = select(JobRow).where(JobRow.h128.in_(wanted[start : start + AT_ONCE]))
                for row in session.scalars(some):
                    row.verdict = row.mode = None
                    beasts.add(row.beast_id)
        return beasts

    def invalid(self) -> list[JobRow]:
        """All jobs judged invalid, oldest first."""
        with self._database.session() as session:
            found = select(JobRow).where(JobRow.verdict == Verdict.INVALID)
            return list(session.scalars(found.order_by(JobRow.judged_at)))

    def all(self) -> list[JobRow]:
        """Every job, by beast and index."""
        with self._database.session() as session:
            return list(session.scalars(select(JobRow).order_by(JobRow.beast_id, JobRow.index)))

    def counts(self) -> Counter[str]:
        """Jobs by verdict; ``waiting`` for none yet."""
        with self._database.session() as session:
            rows = session.execute(select(JobRow.verdict, func.count()).group_by(JobRow.verdict))
            return Counter({str(verdict or "waiting"): int(number) for verdict, number in rows})


def is_due(job: JobRow, records_known: bool) -> bool:
    """Whether a window should be looked at (again): never judged to the end, or by half.

    Args:
        records_known: the window can be replayed in full now.
    """
    if job.verdict is None or job.verdict == Verdict.UNAVAILABLE:
        return True
    return job.mode == Mode.LIGHT and job.verdict == Verdict.VALID and records_known
