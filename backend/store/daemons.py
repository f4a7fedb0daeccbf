"""Tables of what daemons decided and are about to do; a chain reorg does not touch them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import LargeBinary, String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from chainbeasts.backend.store.columns import Address, Base, Big, Hash, UtcTime, Wei


class Verdict(StrEnum):
    """What a replay found; only ``INVALID``, re-checked, leads to a dispute."""

    VALID = "valid"
    INVALID = "invalid"
    UNAVAILABLE = "unavailable"


class Mode(StrEnum):
    """How a verdict was reached: everything recomputed, or lineage and loss only."""

    FULL = "full"
    LIGHT = "light"


class JobRow(Base):
    """One window to verify, and its verdict. The digest names one record of one chain for ever."""

    __tablename__ = "jobs"

    digest: Mapped[Hash] = mapped_column(primary_key=True)
    beast_id: Mapped[Big]
    index: Mapped[Big]
    h128: Mapped[Hash]
    verdict: Mapped[Verdict | None] = mapped_column(String(12), index=True)
    mode: Mapped[Mode | None] = mapped_column(String(8))
    reason: Mapped[str] = mapped_column(default="")
    header_lie: Mapped[bool] = mapped_column(default=False, doc="h128 opens into another header")
    attempts: Mapped[int] = mapped_column(default=0)
    judged_at: Mapped[datetime | None] = mapped_column(UtcTime)


class MatchJobRow(Base):
    """One record of a match to verify, and its verdict.

    The digest names, of one arena for ever, the match, what decides it, and what was recorded.
    """

    __tablename__ = "match_jobs"

    digest: Mapped[Hash] = mapped_column(primary_key=True)
    match_id: Mapped[Big] = mapped_column(index=True)
    log_root: Mapped[Hash]
    verdict: Mapped[Verdict | None] = mapped_column(String(12))
    reason: Mapped[str] = mapped_column(default="")
    attempts: Mapped[int] = mapped_column(default=0)
    judged_at: Mapped[datetime | None] = mapped_column(UtcTime)


class WatchRow(Base):
    """From when on a validator has watched with this database; one row."""

    __tablename__ = "watches"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    since: Mapped[Big] = mapped_column(doc="the block that its first pass ended with")


class IntentState(StrEnum):
    """How far a transaction came."""

    PLANNED = "planned"
    SIGNED = "signed"
    MINED = "mined"
    FAILED = "failed"


class IntentRow(Base):
    """A transaction that a daemon is about to send, written before anything is signed.

    ``kind`` and ``key`` name the move (say ``file`` and a checkpoint's digest): one intent each, so
    that a daemon that was killed finds what it had begun instead of beginning again.
    """

    __tablename__ = "intents"
    __table_args__ = (UniqueConstraint("account", "kind", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(24))
    key: Mapped[str] = mapped_column(String(160))
    account: Mapped[Address]
    state: Mapped[IntentState] = mapped_column(String(8))
    nonce: Mapped[Big | None]
    tx_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    raw: Mapped[bytes | None]
    hashes: Mapped[bytes | None] = mapped_column(
        doc="of all transactions signed at this nonce, 32 bytes each: any of them may be mined"
    )
    due: Mapped[Big | None] = mapped_column(doc="chain time after which the move is of no use")
    bond: Mapped[Wei] = mapped_column(default=0)
    gas_used: Mapped[Big | None]
    block_number: Mapped[Big | None] = mapped_column(doc="where it was mined, if it was")
    block_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    settled: Mapped[bool] = mapped_column(
        default=False, server_default=false(), doc="so deep that it is not asked for any more"
    )
    error: Mapped[str] = mapped_column(default="")
    updated_at: Mapped[datetime] = mapped_column(UtcTime)


class WindowRow(Base):
    """A window that this trainer computed: what its defender answers disputes with."""

    __tablename__ = "windows"

    h128: Mapped[Hash] = mapped_column(primary_key=True)
    beast_id: Mapped[Big] = mapped_column(index=True)
    index: Mapped[Big]
    parent: Mapped[Hash]
    segments: Mapped[bytes] = mapped_column(doc="16 state hashes of 32 bytes")
    payload: Mapped[str] = mapped_column(doc="JSON of the checkpoint's payload")
    epoch_seed: Mapped[Hash]
    created_at: Mapped[datetime] = mapped_column(UtcTime)

    @property
    def segment_hashes(self) -> list[bytes]:
        """The 16 state hashes, one after each segment of 8 steps."""
        return [self.segments[i : i + 32] for i in range(0, len(self.segments), 32)]
