"""What trainer and validator ask of the indexed chain."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.store.facts import BeastRow, CheckpointRow, CheckpointStatus, DisputeRow

LIVE = (CheckpointStatus.PENDING, CheckpointStatus.FINAL)
OPEN = ("filed", "responded")


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


def all_disputes(session: Session) -> Sequence[DisputeRow]:
    """Every dispute, oldest first."""
    return session.scalars(select(DisputeRow).order_by(DisputeRow.dispute_id)).all()
