"""One job per submitted checkpoint, in the database: what has been judged, and how.

A verdict outlives the daemon; a record's digest names it on its chain for ever.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from chainbeasts.backend.indexer.positions import position
from chainbeasts.backend.store.columns import insert_new
from chainbeasts.backend.store.daemons import JobRow, Mode, Verdict, WatchRow
from chainbeasts.backend.store.facts import CheckpointRow
from chainbeasts.backend.store.session import Database
from chainbeasts.validator.judge.cases import Case
from chainbeasts.validator.judge.replay import Judgement

AT_ONCE = 500
"""Hashes in one query: databases bound the number of its parameters."""


UNVERIFIED = "final without a verdict: "
BEFORE_US = "final before this validator came: "
"""How the reason of a job begins that nothing will be done about any more."""

SAME_WINDOW = JobRow.digest == CheckpointRow.digest
"""A checkpoint and its job."""


def watching_since(session: Session) -> int:
    """The block from which on this database's validator has watched.

    What was final by then it could not have judged in time. The first call is the beginning.
    """
    since = session.scalar(select(WatchRow.since))
    if since is None:
        newest = position(session)
        insert_new(session, WatchRow, [{"id": 1, "since": newest.number if newest else 0}])
        since = session.scalar(select(WatchRow.since)) or 0
    return since


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
            rows = self._jobs(session, wanted)
            new = [case for digest, case in wanted.items() if digest not in rows]
            if new:
                # A backfill may be judging beside the daemon: whose row is first, is both's.
                insert_new(session, JobRow, [_new_job(case) for case in new])
                rows |= self._jobs(session, [case.digest for case in new])
            return rows

    @staticmethod
    def _jobs(session: Session, digests: Iterable[bytes]) -> dict[bytes, JobRow]:
        found = session.scalars(select(JobRow).where(JobRow.digest.in_(list(digests))))
        return {row.digest: row for row in found}

    def make(self, cases: Iterable[Case]) -> None:
        """Make the jobs of cases that have none yet."""
        # The job is there before the window is judged: a daemon that is killed over a window, again
        # and again, shows it as waiting instead of not at all. A backfill may be judging beside the
        # daemon: whose row is first, is both's.
        new = [_new_job(case) for case in cases]
        if new:
            with self._database.session() as session:
                insert_new(session, JobRow, new)

    def judged(self, case: Case, judgement: Judgement) -> None:
        """Record a verdict; a later one replaces it."""
        self.judged_all([(case, judgement)])

    def judged_all(self, found: Iterable[tuple[Case, Judgement]]) -> None:
        """Record verdicts in one transaction."""
        now = datetime.now(UTC)
        # By digest: two processes that lock rows in the same order do not wait for each other.
        rows = [
            {
                "of": case.digest,
                "verdict": judgement.verdict,
                "mode": judgement.mode,
                "reason": judgement.reason,
                "header_lie": judgement.header_lie,
                "judged_at": now,
            }
            for case, judgement in sorted(found, key=lambda one: one[0].digest)
        ]
        if not rows:
            return
        # One commit for a wave, and always before anything acts on it: enforcing reads verdicts
        # from here only, so what it does after a restart follows from the same record.
        with self._database.session() as session:
            session.connection().execute(_JUDGED, rows)

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
        """Jobs by verdict; ``waiting`` for none yet. What was final before us does not count as
        unavailable."""
        before_us = select(func.count()).where(
            JobRow.verdict == Verdict.UNAVAILABLE, JobRow.reason.like(f"{BEFORE_US}%")
        )
        with self._database.session() as session:
            rows = session.execute(select(JobRow.verdict, func.count()).group_by(JobRow.verdict))
            found = Counter({str(verdict or "waiting"): int(number) for verdict, number in rows})
            if unseen := session.scalar(before_us):
                found[Verdict.UNAVAILABLE] -= unseen
            return found


_JUDGED = (
    update(JobRow.__table__)  # type: ignore[arg-type]
    .where(JobRow.digest == bindparam("of"))
    .values(attempts=JobRow.attempts + 1)
    .values({
        name: bindparam(name) for name in ("verdict", "mode", "reason", "header_lie", "judged_at")
    })
)  # fmt: skip


def _new_job(case: Case) -> dict[str, Any]:
    return {
        "digest": case.digest,
        "beast_id": case.beast_id,
        "index": case.index,
        "h128": case.checkpoint.payload.h128,
        "reason": "",
        "header_lie": False,
        "attempts": 0,
    }


def is_due(verdict: Verdict | None, mode: Mode | None, records_known: bool) -> bool:
    """Whether a window should be looked at (again): never judged to the end, or by half.

    Args:
        records_known: the window can be replayed in full now.
    """
    if verdict is None or verdict is Verdict.UNAVAILABLE:
        return True
    return mode is Mode.LIGHT and verdict is Verdict.VALID and records_known
