"""Tables of chain facts about seasons and what the timelock is to do.

Written by the indexer alone.
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from chainbeasts.backend.store.columns import Address, Base, Big, Hash, Wei


class ProposalStatus(StrEnum):
    """Where a proposal stands; scheduled, it may be executed from its unlock time on."""

    SCHEDULED = "scheduled"
    EXECUTED = "executed"
    CANCELLED = "cancelled"


class SeasonRow(Base):
    """A season, with all its constants."""

    __tablename__ = "seasons"

    season: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    constants: Mapped[str] = mapped_column(doc="JSON of the tables of its TOML form")
    block_number: Mapped[Big] = mapped_column(index=True)
    tx_hash: Mapped[Hash]


class ProposalRow(Base):
    """A call that the timelock was scheduled to make."""

    __tablename__ = "proposals"

    operation: Mapped[Hash] = mapped_column(primary_key=True)
    index: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, doc="of the call in its operation"
    )
    status: Mapped[ProposalStatus] = mapped_column(String(12))
    target: Mapped[Address]
    value: Mapped[Wei]
    data: Mapped[bytes]
    constants: Mapped[str | None] = mapped_column(doc="JSON of the season that it adds, if it does")
    predecessor: Mapped[Hash]
    salt: Mapped[Hash]
    unlock_at: Mapped[Big] = mapped_column(
        doc="unix time from which it can be executed, no later than the year 9999"
    )
    block_number: Mapped[Big]
    settled_block: Mapped[Big | None] = mapped_column(doc="where it was executed or cancelled")
    tx_hash: Mapped[Hash]
