"""Tables of chain facts about how ENERGY came into being and what hatching burned.

Written by the indexer alone.
"""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from chainbeasts.backend.store.columns import Address, Base, Big, Hash, Wei


class EnergySaleRow(Base):
    """A purchase of ENERGY with native coin."""

    __tablename__ = "energy_sales"

    block_number: Mapped[Big] = mapped_column(primary_key=True, autoincrement=False)
    log_index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    buyer: Mapped[Address]
    receiver: Mapped[Address]
    paid: Mapped[Wei] = mapped_column(doc="wei of native coin")
    bought: Mapped[Wei] = mapped_column(doc="wei of ENERGY")
    season: Mapped[int]
    tx_hash: Mapped[Hash]


class HatchRequestRow(Base):
    """A request to hatch, whether or not a beast came of it."""

    __tablename__ = "hatch_requests"

    beast_id: Mapped[Big] = mapped_column(primary_key=True, autoincrement=False)
    requester: Mapped[Address]
    season: Mapped[int]
    cost: Mapped[Wei] = mapped_column(doc="wei of ENERGY that it burned")
    block_number: Mapped[Big] = mapped_column(index=True)
    tx_hash: Mapped[Hash]
