"""What an account has and did, as an answer."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from chainbeasts.backend.api.battles import match_answers
from chainbeasts.backend.api.models import (
    AccountDetail,
    Balances,
    RewardHeld,
    StakeHeld,
    TrainerWork,
)
from chainbeasts.backend.api.names import beast_names
from chainbeasts.backend.api.ranking import ratings
from chainbeasts.backend.api.roster import select_beasts
from chainbeasts.backend.api.services import Services, challenge_periods, tip_of
from chainbeasts.backend.api.summaries import beast_answers
from chainbeasts.backend.api.verdicts import dispute_answers
from chainbeasts.backend.indexer.queries import credit_of, select_matches
from chainbeasts.backend.store.facts import (
    BeastRow,
    CheckpointRow,
    CheckpointStatus,
    DisputeRow,
    StakeRewardRow,
    StakeRow,
)
from chainbeasts.backend.store.matches import MatchRow

NEWEST = 50
"""Items of each list; the rest comes by pages."""

MOST_STAKES = 200
"""Stakes and rewards, which no other list has: how many there are is said besides."""


def account_detail(
    services: Services, session: Session, account: str, balances: Balances | None
) -> AccountDetail:
    """An account, as the index has it."""
    tip = tip_of(session)
    b, d = BeastRow, DisputeRow
    beasts = select_beasts(account, None).order_by(b.beast_id.desc()).limit(NEWEST)
    filed = select(d).where(d.filer == account).order_by(d.dispute_id.desc()).limit(NEWEST)
    fought = select_matches(owner=account).order_by(MatchRow.match_id.desc()).limit(NEWEST)
    return AccountDetail(
        account=account,
        time=None if tip is None else tip.timestamp,
        balances=balances,
        credit=credit_of(session, account),
        beasts=beast_answers(session, session.scalars(beasts).all(), ratings(services, session)),
        stakes=_stakes(session, account),
        stake_count=_count(session, StakeRow.trainer == account),
        rewards=_rewards(session, account),
        reward_count=_count(session, _rewarded(account)),
        training=_training(session, account, 0 if tip is None else tip.timestamp),
        disputes=dispute_answers(session, session.scalars(filed).all()),
        matches=match_answers(session, session.scalars(fought).all()),
    )


def _stakes(session: Session, account: str) -> list[StakeHeld]:
    s = StakeRow
    wanted = select(s).where(s.trainer == account).order_by(s.beast_id.desc()).limit(MOST_STAKES)
    rows: Sequence[StakeRow] = session.scalars(wanted).all()
    names = beast_names(session, {row.beast_id for row in rows})
    return [
        StakeHeld(
            **names[row.beast_id].model_dump(),
            amount=row.amount,
            withdrawable_at=row.withdrawable_at or None,
        )
        for row in rows
        if row.beast_id in names
    ]


def _count(session: Session, condition: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).where(condition)) or 0


def _rewarded(account: str) -> ColumnElement[bool]:
    return or_(StakeRewardRow.filer == account, StakeRewardRow.prover == account)


def _rewards(session: Session, account: str) -> list[RewardHeld]:
    r = StakeRewardRow
    newest = (r.beast_id.desc(), r.trainer)
    wanted = select(r).where(_rewarded(account)).order_by(*newest).limit(MOST_STAKES)
    rows: Sequence[StakeRewardRow] = session.scalars(wanted).all()
    names = beast_names(session, {row.beast_id for row in rows})
    return [
        RewardHeld(
            **names[row.beast_id].model_dump(),
            offender=row.trainer,
            filing=row.filing if row.filer == account else 0,
            proof=row.proof if row.prover == account else 0,
        )
        for row in rows
    ]


def _training(session: Session, account: str, now: int) -> TrainerWork:
    c = CheckpointRow
    mine = (c.trainer == account, c.status == CheckpointStatus.PENDING)
    found = session.execute(
        select(c.season, c.energy_burn, c.bond, func.count())
        .where(*mine)
        .group_by(c.season, c.energy_burn, c.bond)
    ).all()
    periods = challenge_periods(session, {row[0] for row in found})
    due = [
        session.scalar(
            select(func.count()).where(*mine, c.season == season, c.submitted_at <= now - period)
        )
        for season, period in periods.items()
    ]
    return TrainerWork(
        pending=sum(row[3] for row in found),
        locked=sum((row[1] + row[2]) * row[3] for row in found),
        finalizable=sum(one or 0 for one in due),
    )
