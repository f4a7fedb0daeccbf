"""What trainer, validator and page ask of the indexed chain."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, Subquery, and_, func, or_, select
from sqlalchemy.orm import Session, defer

from chainbeasts.backend.chain.timelock import Call, Operation
from chainbeasts.backend.chain.types import DisputeStatus
from chainbeasts.backend.store.facts import (
    AdvanceRow,
    BeastRow,
    CheckpointRow,
    CheckpointStatus,
    DisputeRow,
    PublishedRecordsRow,
    RevealedSecretRow,
    StakeRewardRow,
    StakeRow,
    VaultCreditRow,
)
from chainbeasts.backend.store.governance import ProposalRow, ProposalStatus, SeasonRow
from chainbeasts.backend.store.matches import (
    MatchRecordRow,
    MatchRow,
    MatchStatus,
    OpenChallengeRow,
    RecordStatus,
)

LIVE = (CheckpointStatus.PENDING, CheckpointStatus.FINAL)
OPEN = tuple(status.name.lower() for status in DisputeStatus if status.open)


def beasts(session: Session) -> Sequence[BeastRow]:
    """All hatched beasts, oldest first."""
    return session.scalars(select(BeastRow).order_by(BeastRow.beast_id)).all()


def live_checkpoints(session: Session, beast_id: int) -> Sequence[CheckpointRow]:
    """A beast's checkpoints, pending and final, from index 0 to its head."""
    return session.scalars(
        select(CheckpointRow)
        .where(CheckpointRow.beast_id == beast_id, CheckpointRow.status.in_(LIVE))
        .order_by(CheckpointRow.index)
    ).all()


def beasts_with_final_checkpoints(session: Session) -> list[int]:
    """The beasts that have a final checkpoint, oldest first."""
    wanted = select(CheckpointRow.beast_id).where(CheckpointRow.status == CheckpointStatus.FINAL)
    return sorted(session.scalars(wanted.distinct()))


def live_checkpoint(session: Session, beast_id: int, index: int) -> CheckpointRow | None:
    """The checkpoint at an index of the beast's present chain."""
    return session.scalar(
        select(CheckpointRow)
        .where(CheckpointRow.beast_id == beast_id, CheckpointRow.index == index)
        .where(CheckpointRow.status.in_(LIVE))
    )


def all_checkpoints(session: Session, beast_id: int) -> Sequence[CheckpointRow]:
    """Every checkpoint a beast ever had, slashed and void ones too, in order of submission."""
    return session.scalars(
        select(CheckpointRow).where(CheckpointRow.beast_id == beast_id).order_by(CheckpointRow.id)
    ).all()


def checkpoint_by_hash(session: Session, h128: bytes) -> CheckpointRow | None:
    """The latest checkpoint with a state hash."""
    return session.scalar(
        select(CheckpointRow).where(CheckpointRow.h128 == h128).order_by(CheckpointRow.id.desc())
    )


def open_disputes(session: Session) -> Sequence[DisputeRow]:
    """Disputes that have not ended, oldest first."""
    return session.scalars(
        select(DisputeRow).where(DisputeRow.status.in_(OPEN)).order_by(DisputeRow.dispute_id)
    ).all()


def needed_states(session: Session) -> set[bytes]:
    """The states that something may yet ask for: of pending checkpoints, and each last final one.

    A pending window's state is the next one's start, and may have to be opened in a dispute; the
    last final one's is where the next submission starts.
    """
    last = last_final()
    final = select(CheckpointRow.h128).join(
        last, (CheckpointRow.beast_id == last.c.beast_id) & (CheckpointRow.index == last.c.last)
    )
    pending = select(CheckpointRow.h128).where(CheckpointRow.status == CheckpointStatus.PENDING)
    return {*session.scalars(final), *session.scalars(pending)}


def last_final() -> Subquery:
    """The index of each beast's last final checkpoint, by ``beast_id`` as ``last``."""
    return (
        select(CheckpointRow.beast_id, func.max(CheckpointRow.index).label("last"))
        .where(CheckpointRow.status == CheckpointStatus.FINAL)
        .group_by(CheckpointRow.beast_id)
        .subquery()
    )


def all_disputes(session: Session) -> Sequence[DisputeRow]:
    """Every dispute, oldest first."""
    return session.scalars(select(DisputeRow).order_by(DisputeRow.dispute_id)).all()


def advances(session: Session, dispute_id: int) -> Sequence[AdvanceRow]:
    """The steps of a disputed window that were re-executed on chain, in order."""
    return session.scalars(
        select(AdvanceRow).where(AdvanceRow.dispute_id == dispute_id).order_by(AdvanceRow.steps)
    ).all()


def published_records(session: Session, beast_id: int, index: int) -> PublishedRecordsRow | None:
    """The latest publication of a private window's records."""
    return session.scalar(
        select(PublishedRecordsRow)
        .where(PublishedRecordsRow.beast_id == beast_id, PublishedRecordsRow.index == index)
        .order_by(PublishedRecordsRow.block_number.desc())
        .limit(1)
    )


def records_publications(
    session: Session, beast_id: int, index: int
) -> Sequence[PublishedRecordsRow]:
    """All publications of a private window's records, the latest first."""
    return session.scalars(
        select(PublishedRecordsRow)
        .where(PublishedRecordsRow.beast_id == beast_id, PublishedRecordsRow.index == index)
        .order_by(PublishedRecordsRow.block_number.desc())
    ).all()


def revealed_secret(session: Session, beast_id: int) -> bytes | None:
    """The owner's secret of a private beast, once it is public."""
    row = session.get(RevealedSecretRow, beast_id)
    return None if row is None else row.secret


def stake(session: Session, beast_id: int, trainer: str) -> StakeRow | None:
    """A trainer's stake on a beast."""
    return session.get(StakeRow, (beast_id, trainer))


def stakes(session: Session, beast_id: int) -> Sequence[StakeRow]:
    """All stakes on a beast."""
    return session.scalars(
        select(StakeRow).where(StakeRow.beast_id == beast_id).order_by(StakeRow.trainer)
    ).all()


def stake_rewards(session: Session) -> Sequence[StakeRewardRow]:
    """Rewards out of slashed stakes that are held, by beast."""
    return session.scalars(
        select(StakeRewardRow).order_by(StakeRewardRow.beast_id, StakeRewardRow.trainer)
    ).all()


def credit_of(session: Session, account: str) -> int:
    """What an account can pull from the vault, wei of native coin."""
    moves = session.scalars(
        select(VaultCreditRow)
        .where(VaultCreditRow.account == account)
        .order_by(VaultCreditRow.block_number.desc(), VaultCreditRow.log_index.desc())
    )
    total = 0
    for move in moves:
        if move.withdrawn:  # of all that there was
            break
        total += move.amount
    return total


def match_row(session: Session, match_id: int) -> MatchRow | None:
    """A match."""
    return session.get(MatchRow, match_id)


def matches(
    session: Session,
    *,
    beast_id: int | None = None,
    status: MatchStatus | None = None,
    limit: int | None = None,
) -> Sequence[MatchRow]:
    """Matches, the newest first.

    Args:
        beast_id: those that this beast is in.
        limit: no more than these many.
    """
    wanted = select_matches(beast_id=beast_id, status=status)
    return session.scalars(wanted.order_by(MatchRow.match_id.desc()).limit(limit)).all()


def select_matches(
    *,
    beast_id: int | None = None,
    status: MatchStatus | None = None,
    owner: str | None = None,
) -> Select[MatchRow]:
    """The same matches as a query, for whoever reads them a page at a time.

    Args:
        owner: those in which a beast fights for this account.
    """
    wanted = select(MatchRow)
    if owner is not None:
        wanted = wanted.where(or_(MatchRow.owner_a == owner, MatchRow.owner_b == owner))
    if beast_id is not None:
        wanted = wanted.where(or_(MatchRow.beast_a == beast_id, MatchRow.beast_b == beast_id))
    if status is not None:
        wanted = wanted.where(MatchRow.status == status)
    return wanted


def records_of(session: Session, match_id: int) -> Sequence[MatchRecordRow]:
    """What was recorded of a match, the disproved records too, in order."""
    return session.scalars(
        select(MatchRecordRow)
        .where(MatchRecordRow.match_id == match_id)
        .order_by(MatchRecordRow.number)
    ).all()


def standing_records(session: Session) -> Sequence[tuple[MatchRow, MatchRecordRow]]:
    """Records that may still be disproved, each with its match, oldest first; not their keys."""
    return _records(session, MatchRecordRow.status == RecordStatus.STANDING)


def final_records(
    session: Session, match_ids: Sequence[int]
) -> Sequence[tuple[MatchRow, MatchRecordRow]]:
    """The same for final records of some matches."""
    mine = MatchRecordRow.match_id.in_(match_ids)
    return _records(session, and_(MatchRecordRow.status == RecordStatus.FINAL, mine))


def _records(
    session: Session, which: ColumnElement[bool]
) -> Sequence[tuple[MatchRow, MatchRecordRow]]:
    found = session.execute(
        select(MatchRow, MatchRecordRow)
        .join(MatchRecordRow, MatchRecordRow.match_id == MatchRow.match_id)
        .where(which)
        .order_by(MatchRow.match_id)
        .options(defer(MatchRecordRow.keys))
    )
    return [(match, record) for match, record in found]


def open_challenges(session: Session) -> Sequence[OpenChallengeRow]:
    """Beasts that take on every challenge, by id; not those that changed hands since."""
    return session.scalars(select(OpenChallengeRow).order_by(OpenChallengeRow.beast_id)).all()


def seasons(session: Session) -> Sequence[SeasonRow]:
    """All seasons, oldest first."""
    return session.scalars(select(SeasonRow).order_by(SeasonRow.season)).all()


def proposals(session: Session) -> Sequence[ProposalRow]:
    """All calls ever scheduled, oldest first."""
    return session.scalars(
        select(ProposalRow).order_by(
            ProposalRow.block_number, ProposalRow.operation, ProposalRow.index
        )
    ).all()


def pending_operations(session: Session) -> list[Operation]:
    """What waits in the timelock, oldest first, each with all its calls."""
    found: dict[bytes, list[ProposalRow]] = {}
    for row in proposals(session):
        if row.status == ProposalStatus.SCHEDULED:
            found.setdefault(row.operation, []).append(row)
    return [
        Operation(
            operation,
            tuple(Call(row.target, row.value, row.data) for row in rows),
            rows[0].predecessor,
            rows[0].salt,
            rows[0].unlock_at,
            rows[0].block_number,
            rows[0].tx_hash,
        )
        for operation, rows in found.items()
    ]
