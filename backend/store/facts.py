"""Tables of chain facts, written by the indexer alone.

``blocks`` and ``events`` are what was read; the others are what the events add up to, and can be
computed from them again after a reorg. ``sources`` says which deployment they are about.
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from backend.store.columns import Address, Base, Big, Hash, Wei


class SourceRow(Base):
    """The one deployment that a database's facts are about."""

    __tablename__ = "sources"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    chain_id: Mapped[Big]
    genesis: Mapped[Hash]
    ledger: Mapped[Address]


class BlockRow(Base):
    """A block that has been read: all of the newest 64, before them those with events and every
    1,024th."""

    __tablename__ = "blocks"

    number: Mapped[Big] = mapped_column(primary_key=True, autoincrement=False)
    hash: Mapped[Hash]
    parent_hash: Mapped[Hash]
    timestamp: Mapped[Big]


class EventRow(Base):
    """A log that has been applied, raw; its key makes applying idempotent."""

    __tablename__ = "events"
    __table_args__ = (UniqueConstraint("block_number", "log_index"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    block_number: Mapped[Big] = mapped_column(ForeignKey("blocks.number", ondelete="CASCADE"))
    log_index: Mapped[int]
    tx_hash: Mapped[Hash]
    address: Mapped[Address]
    topics: Mapped[bytes] = mapped_column(doc="up to four hashes of 32 bytes")
    data: Mapped[bytes]
    name: Mapped[str] = mapped_column(String(48), index=True)
    beast_id: Mapped[Big | None] = mapped_column(index=True)
    match_id: Mapped[Big | None] = mapped_column(index=True)


class BeastRow(Base):
    """A hatched beast."""

    __tablename__ = "beasts"

    beast_id: Mapped[Big] = mapped_column(primary_key=True, autoincrement=False)
    owner: Mapped[Address]
    dna: Mapped[Hash]
    epoch_seed: Mapped[Hash]
    season: Mapped[int]
    block_number: Mapped[Big] = mapped_column(index=True)


class EpochRow(Base):
    """An epoch of a beast, as its latest start recorded it."""

    __tablename__ = "epochs"

    beast_id: Mapped[Big] = mapped_column(primary_key=True, autoincrement=False)
    epoch: Mapped[Big] = mapped_column(primary_key=True, autoincrement=False)
    epoch_seed: Mapped[Hash]
    season: Mapped[int]
    start_index: Mapped[Big]


class CheckpointStatus(StrEnum):
    """What became of a submitted checkpoint."""

    PENDING = "pending"
    FINAL = "final"
    SLASHED = "slashed"
    VOID = "void"


class CheckpointRow(Base):
    """A submitted checkpoint, with every field of its record."""

    __tablename__ = "checkpoints"
    __table_args__ = (
        UniqueConstraint("beast_id", "index", "generation"),
        Index("ix_checkpoints_pending", "status", "beast_id", "index"),
        Index("ix_checkpoints_tally", "beast_id", "status", "source", "energy_burn", "bond"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    beast_id: Mapped[Big]
    index: Mapped[Big]
    generation: Mapped[Big]
    parent: Mapped[Hash]
    epoch: Mapped[Big]
    h128: Mapped[Hash] = mapped_column(index=True)
    energy_burn: Mapped[Wei]
    lr_shift: Mapped[int]
    active_mask: Mapped[int]
    global_step: Mapped[Big]
    window_loss: Mapped[Big]
    source: Mapped[int]
    source_id: Mapped[Big]
    season: Mapped[int]
    trainer: Mapped[Address]
    submitted_at: Mapped[Big]
    bond: Mapped[Wei]
    locked_sum: Mapped[Wei]
    epoch_seed: Mapped[Hash]
    loss_drop: Mapped[bool]
    proven: Mapped[bool] = mapped_column(default=False)
    proven_block: Mapped[Big | None] = mapped_column(doc="where a dispute proved it")
    status: Mapped[CheckpointStatus] = mapped_column(String(8))
    settled_block: Mapped[Big | None] = mapped_column(
        index=True, doc="where it became final, slashed or void"
    )
    block_number: Mapped[Big] = mapped_column(index=True)
    tx_hash: Mapped[Hash]


class DisputeRow(Base):
    """A dispute, as its events tell it."""

    __tablename__ = "disputes"
    __table_args__ = (Index("ix_disputes_of", "beast_id", "index"),)

    dispute_id: Mapped[Big] = mapped_column(primary_key=True, autoincrement=False)
    beast_id: Mapped[Big]
    index: Mapped[Big]
    generation: Mapped[Big]
    digest: Mapped[Hash]
    challenger: Mapped[Address]
    bond: Mapped[Wei]
    status: Mapped[str] = mapped_column(String(12), index=True)
    deadline: Mapped[Big]
    segments: Mapped[bytes | None] = mapped_column(doc="the response: 16 hashes of 32 bytes")
    steps_done: Mapped[int] = mapped_column(default=0)
    conviction: Mapped[str | None] = mapped_column(String(12))
    segment: Mapped[int | None]
    prover: Mapped[str | None] = mapped_column(String(42))
    block_number: Mapped[Big] = mapped_column(index=True)
    tx_hash: Mapped[Hash]

    @property
    def segment_hashes(self) -> list[bytes]:
        """The response's hashes, empty before it."""
        data = self.segments or b""
        return [data[i : i + 32] for i in range(0, len(data), 32)]
