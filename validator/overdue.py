"""Tells of windows without a verdict as their challenge period runs out, and when it has.

Nothing is ever done about such a window: a validator does not act on doubt. Its operator can.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import Session

from backend.store.daemons import JobRow, Verdict
from backend.store.facts import CheckpointRow, CheckpointStatus
from validator.cases import CaseReader
from validator.policy import Scope

log = structlog.get_logger()

SOON, SOONER = 0.5, 0.9
"""Shares of the challenge period after which a window without a verdict is told of."""

UNVERIFIED = "final without a verdict: "
MOST_TOLD = 4_096


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


class Alarm:
    """Looks for windows whose verdict is overdue."""

    def __init__(self, reader: CaseReader, scope: Scope) -> None:
        self._reader = reader
        self._scope = scope
        self._told: dict[tuple[bytes, float], None] = {}

    def run(self) -> list[Overdue]:
        """Tell of each window once at either share, and of each that became final.

        Returns:
            The pending ones, the most urgent first.

        Raises:
            NodeUnavailableError: the chain's time cannot be read.
        """
        with self._reader.database.session() as session:
            seasons = set(session.scalars(_undecided(CheckpointRow.season).distinct()))
            now = self._reader.chain.now() if seasons else 0
            found = [one for number in seasons for one in self._overdue(session, number, now)]
            self._mark_unverified(session)
        found.sort(key=lambda one: one.deadline)
        for one in found:
            self._tell(one, now)
        return found

    def _overdue(self, session: Session, season: int, now: int) -> list[Overdue]:
        period = self._reader.season(season).economics.challenge_period
        rows = session.execute(
            _undecided(CheckpointRow, JobRow.reason).where(
                CheckpointRow.season == season,
                CheckpointRow.submitted_at <= now - period * SOON,
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

    def _tell(self, one: Overdue, now: int) -> None:
        level = SOONER if one.share >= SOONER else SOON
        if (one.h128, level) in self._told:
            return
        self._told[one.h128, level] = None
        while len(self._told) > MOST_TOLD:
            del self._told[next(iter(self._told))]
        write = log.error if level == SOONER else log.warning
        write(
            "no verdict yet",
            beast=one.beast_id,
            checkpoint=one.index,
            reason=one.reason,
            seconds_left=max(one.deadline - now, 0),
        )

    def _mark_unverified(self, session: Session) -> None:
        """Tell once of windows that became final before anybody here could judge them."""
        rows = session.scalars(
            select(JobRow)
            .join(CheckpointRow, _SAME)
            .where(
                CheckpointRow.status == CheckpointStatus.FINAL,
                or_(JobRow.verdict.is_(None), JobRow.verdict == Verdict.UNAVAILABLE),
                JobRow.reason.not_like(f"{UNVERIFIED}%"),
            )
        )
        for job in rows:
            log.error("unverified", beast=job.beast_id, checkpoint=job.index, reason=job.reason)
            job.verdict = Verdict.UNAVAILABLE
            job.reason = UNVERIFIED + (job.reason or "not judged in time")


_SAME = and_(
    JobRow.beast_id == CheckpointRow.beast_id,
    JobRow.index == CheckpointRow.index,
    JobRow.h128 == CheckpointRow.h128,
)


def _undecided(*columns: Any) -> Select[Any]:
    """Pending checkpoints without a verdict."""
    return (
        select(*columns)
        .select_from(CheckpointRow)
        .outerjoin(JobRow, _SAME)
        .where(
            CheckpointRow.status == CheckpointStatus.PENDING,
            CheckpointRow.proven.is_(False),
            or_(JobRow.verdict.is_(None), JobRow.verdict == Verdict.UNAVAILABLE),
        )
    )


def unverified(session: Session) -> Sequence[JobRow]:
    """Jobs over windows that became final without a verdict."""
    return session.scalars(
        select(JobRow).where(JobRow.reason.like(f"{UNVERIFIED}%")).order_by(JobRow.beast_id)
    ).all()
