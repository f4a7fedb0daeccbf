"""How far somebody has read in the database, so that only what is new is read again.

Blocks alone do not say it: an event that a node had left out of an old block comes in later, and no
hash changes by that.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from chainbeasts.backend.store.facts import BlockRow, SourceRow


@dataclass(frozen=True, slots=True)
class Position:
    """Where a database ended when it was read.

    Attributes:
        rewinds: times that blocks had been taken back or read again.
    """

    number: int
    hash: bytes
    rewinds: int


def position(session: Session) -> Position | None:
    """Where the database ends; None if it is empty."""
    block = session.execute(
        select(BlockRow.number, BlockRow.hash).order_by(BlockRow.number.desc()).limit(1)
    ).first()
    return None if block is None else Position(block.number, block.hash, _rewinds(session))


def stands(session: Session, earlier: Position) -> bool:
    """Whether all that had been read then is as it was: what is new is in later blocks alone."""
    block = session.execute(select(BlockRow.hash).where(BlockRow.number == earlier.number)).first()
    unmoved = block is not None and block.hash == earlier.hash
    return unmoved and _rewinds(session) == earlier.rewinds


def rewound(session: Session) -> None:
    """Note that blocks are taken back."""
    session.execute(update(SourceRow).values(rewinds=SourceRow.rewinds + 1))


def _rewinds(session: Session) -> int:
    return session.scalar(select(SourceRow.rewinds)) or 0
