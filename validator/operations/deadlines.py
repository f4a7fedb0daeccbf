"""Tells of windows without a verdict as their challenge period runs out, and when it has; and of
wrong ones that nobody can dispute any more.

Nothing is ever done about such a window: a validator does not act on doubt. Its operator can.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Select, exists, func, or_, select
from sqlalchemy.orm import Session

from chainbeasts.backend.indexer.queries import OPEN
from chainbeasts.backend.store.daemons import JobRow, Verdict
from chainbeasts.backend.store.facts import (
    BeastRow,
    BlockRow,
    CheckpointRow,
    CheckpointStatus,
    DisputeRow,
    EpochRow,
)
from chainbeasts.validator.judge.cases import CaseReader
from chainbeasts.validator.judge.jobs import BEFORE_US, SAME_WINDOW, UNVERIFIED, watching_since
from chainbeasts.validator.scope import Scope

log = structlog.get_logger()

WARN_SHARE, ERROR_SHARE = 0.5, 0.9
"""Shares of the challenge period after which a window without a verdict is logged."""

BEYOND_DISPUTE = 1.0
"""The share after which a wrong window is told of, whatever was told of it before."""

SCANS_PER_PERIOD = 1_000
"""Times in a challenge period that all pending windows are looked through, which takes a while
where there are many."""

MOST_LOGGED = 4_096


@dataclass(frozen=True, slots=True)
class Overdue:
    """A pending window without a verdict, more than half way to being final.

    Attributes:
        deadline: when its challenge period ends, unix seconds of chain time.
        share: of the challenge period that has passed.
    """

    beast_id: int
    index: int
    h128: bytes
    reason: str
    deadline: int
    share: float


class DeadlineAlarm:
    """Looks for windows whose verdict is overdue.

    Attributes:
        unverified: windows that became final, since this validator came, without a verdict.
        wrong: windows that are wrong and final, or too old to be disputed; of any time.
    """

    def __init__(self, reader: CaseReader, scope: Scope) -> None:
        self._reader = reader
        self._scope = scope
        self._logged: dict[tuple[bytes, float], None] = {}
        self._overdue_now: list[Overdue] = []
        self._scanned_at: int | None = None
        self.unverified = 0
        self.wrong = 0

    def judged_late(self) -> None:
        """Windows that were final have verdicts now: look anew with the next run."""
        self._scanned_at = None

    def run(self) -> list[Overdue]:
        """Tell of each window once at either share, and of each that became final.

        Looks anew when a thousandth of the challenge period has passed on the chain.

        Returns:
            The pending ones, the most urgent first.

        Raises:
            ChainError: a season cannot be read.
        """
        with self._reader.database.session() as session:
            since = watching_since(session)
            newest = session.execute(_NEWEST).first()
            now = session.scalar(_NOW)
            if newest is None or now is None:
                return []
            pause = self._period(newest.season) / SCANS_PER_PERIOD
            if self._scanned_at is not None and abs(now - self._scanned_at) < pause:
                return self._overdue_now
            seasons = session.scalars(_SEASONS).all()
            found = [one for number in seasons for one in self._overdue(session, number, now)]
            self._mark_unverified(session, since)
            self.unverified = session.scalar(_UNVERIFIED) or 0
            wrong = self._wrong(session, seasons, now)
        found.sort(key=lambda one: one.deadline)
        for one in found:
            self._log(one, now)
        for job in wrong:
            self._log_wrong(job)
        self.wrong = len(wrong)
        self._overdue_now, self._scanned_at = found, now
        return found

    def _period(self, season: int) -> int:
        """A season's challenge period, seconds."""
        return self._reader.season(season).economics.challenge_period

    def _overdue(self, session: Session, season: int, now: int) -> list[Overdue]:
        period = self._period(season)
        rows = session.execute(
            _undecided(CheckpointRow, JobRow.reason).where(
                CheckpointRow.season == season,
                CheckpointRow.submitted_at <= now - period * WARN_SHARE,
            )
        )
        return [
            Overdue(
                row.beast_id,
                row.index,
                row.h128,
                reason or "not judged yet",
                row.submitted_at + period,
                (now - row.submitted_at) / period,
            )
            for row, reason in rows
            if self._scope.covers(row.beast_id, row.trainer)
        ]

    def _log(self, one: Overdue, now: int) -> None:
        level = ERROR_SHARE if one.share >= ERROR_SHARE else WARN_SHARE
        if not self._is_new(one.h128, level):
            return
        write = log.error if level == ERROR_SHARE else log.warning
        write(
            "no verdict yet",
            beast=one.beast_id,
            checkpoint=one.index,
            reason=one.reason,
            seconds_left=max(one.deadline - now, 0),
        )

    def _is_new(self, h128: bytes, level: float) -> bool:
        """Whether a window was not told of yet at a level."""
        if (h128, level) in self._logged:
            return False
        self._logged[h128, level] = None
        while len(self._logged) > MOST_LOGGED:
            del self._logged[next(iter(self._logged))]
        return True

    def _wrong(self, session: Session, seasons: Sequence[int], now: int) -> list[JobRow]:
        """Wrong windows that stand and that nobody can dispute any more."""
        invalid = select(JobRow).join(CheckpointRow, SAME_WINDOW)
        invalid = invalid.where(JobRow.verdict == Verdict.INVALID)
        final = CheckpointRow.status == CheckpointStatus.FINAL
        found = list(session.scalars(invalid.where(final)))
        # Nobody has made these final yet. While a dispute is open they may still fall.
        pending = invalid.where(
            CheckpointRow.status == CheckpointStatus.PENDING,
            ~exists().where(DisputeRow.digest == JobRow.digest, DisputeRow.status.in_(OPEN)),
        )
        for season in seasons:
            old = CheckpointRow.submitted_at < now - self._period(season)
            found += session.scalars(pending.where(CheckpointRow.season == season, old))
        return found

    def _log_wrong(self, job: JobRow) -> None:
        if self._is_new(job.h128, BEYOND_DISPUTE):
            log.error(
                "wrong and beyond dispute",
                beast=job.beast_id,
                checkpoint=job.index,
                reason=job.reason,
            )

    def _mark_unverified(self, session: Session, since: int) -> None:
        """Tell once of windows that became final and could not be judged."""
        # What was final before this validator came, another one may have judged in time.
        told = (JobRow.reason.not_like(f"{UNVERIFIED}%"), JobRow.reason.not_like(f"{BEFORE_US}%"))
        rows = session.execute(
            select(JobRow, CheckpointRow.settled_block)
            .join(CheckpointRow, SAME_WINDOW)
            .where(
                JobRow.verdict == Verdict.UNAVAILABLE,
                *told,
                CheckpointRow.status == CheckpointStatus.FINAL,
                CheckpointRow.proven.is_(False),
            )
        )
        for job, settled_block in rows.all():
            ours = (settled_block or 0) > since
            if ours:
                log.error("unverified", beast=job.beast_id, checkpoint=job.index, reason=job.reason)
            job.reason = (UNVERIFIED if ours else BEFORE_US) + job.reason


_UNJUDGED = or_(JobRow.verdict.is_(None), JobRow.verdict == Verdict.UNAVAILABLE)
_NEWEST = select(CheckpointRow.season).order_by(CheckpointRow.id.desc()).limit(1)
_NOW = select(BlockRow.timestamp).order_by(BlockRow.number.desc()).limit(1)
_SEASONS = select(EpochRow.season).union(select(BeastRow.season))
_UNVERIFIED = (
    select(func.count())
    .select_from(JobRow)
    .where(JobRow.verdict == Verdict.UNAVAILABLE, JobRow.reason.like(f"{UNVERIFIED}%"))
)


def _undecided(*columns: Any) -> Select[Any]:
    """Pending checkpoints without a verdict."""
    return (
        select(*columns)
        .select_from(CheckpointRow)
        .outerjoin(JobRow, SAME_WINDOW)
        .where(
            CheckpointRow.status == CheckpointStatus.PENDING,
            CheckpointRow.proven.is_(False),
            _UNJUDGED,
        )
    )
