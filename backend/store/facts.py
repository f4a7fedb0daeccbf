"""Tables of chain facts, written by the indexer alone.

``blocks`` and ``events`` are what was read; the others are what the events add up to, and can be
computed from them again after a reorg. ``sources`` says which deployment they are about.
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from chainbeasts.backend.kernel.state import State, decode_state
from chainbeasts.backend.store.columns import Address, Base, Big, Hash, Wei, Wide

HASH_BYTES = 32


class SourceRow(Base):
    """The one deployment that a database's facts are about."""

    __tablename__ = "sources"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    chain_id: Mapped[Big]
    genesis: Mapped[Hash]
    ledger: Mapped[Address]
    rewinds: Mapped[int] = mapped_column(
        default=0, server_default="0", doc="times that blocks were taken back or read again"
    )


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
    __table_args__ = (
        UniqueConstraint("block_number", "log_index"),
        # Each list of events, newest first, is read off one of these.
        Index("ix_events_named", "name", "block_number", "log_index"),
        Index("ix_events_beast", "beast_id", "name", "block_number", "log_index"),
        Index("ix_events_rival", "rival_id", "name", "block_number", "log_index"),
        Index("ix_events_match", "match_id", "block_number", "log_index"),
        Index("ix_events_account", "account", "name", "block_number", "log_index"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    block_number: Mapped[Big] = mapped_column(ForeignKey("blocks.number", ondelete="CASCADE"))
    log_index: Mapped[int]
    tx_hash: Mapped[Hash]
    address: Mapped[Address]
    topics: Mapped[bytes] = mapped_column(doc="up to four hashes of 32 bytes")
    data: Mapped[bytes]
    name: Mapped[str] = mapped_column(String(48))
    beast_id: Mapped[Big | None] = mapped_column(doc="that it is about; of a match the first")
    rival_id: Mapped[Big | None] = mapped_column(doc="of a match the second")
    match_id: Mapped[Big | None]
    account: Mapped[str | None] = mapped_column(String(42), doc="whose doing it is")


class BeastRow(Base):
    """A hatched beast."""

    __tablename__ = "beasts"
    __table_args__ = (
        Index("ix_beasts_owner", "owner_key", "beast_id"),
        Index("ix_beasts_name", "name_key", "beast_id"),
        Index("ix_beasts_windows", "windows", "beast_id"),
        Index("ix_beasts_spent", "spent_micro", "beast_id"),
        Index("ix_beasts_newest", "block_number", "beast_id"),
    )

    beast_id: Mapped[Big] = mapped_column(primary_key=True, autoincrement=False)
    owner: Mapped[Address]
    owner_key: Mapped[Address] = mapped_column(doc="the owner in small letters, for prefixes")
    dna: Mapped[Hash] = mapped_column(index=True)
    name_key: Mapped[str] = mapped_column(String(16), doc="the nickname in small letters")
    windows: Mapped[Big] = mapped_column(default=0, doc="live checkpoints")
    spent_micro: Mapped[Big] = mapped_column(
        default=0, doc="ENERGY of all windows ever submitted, each in whole millionths: to sort by"
    )
    epoch_seed: Mapped[Hash]
    season: Mapped[int]
    block_number: Mapped[Big]


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
        # Each list of checkpoints, newest first, is read off one of these.
        Index("ix_checkpoints_list", "status", "source", "id"),
        Index("ix_checkpoints_of", "beast_id", "status", "source", "id"),
        Index("ix_checkpoints_trainer", "trainer", "status", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[Hash] = mapped_column(
        index=True, doc="the ledger's name for the record, on its chain and for ever"
    )
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
    """A dispute, as its events tell it; amounts of the opening bond are in wei of native coin."""

    __tablename__ = "disputes"
    __table_args__ = (
        Index("ix_disputes_of", "beast_id", "index"),
        Index("ix_disputes_filer", "filer", "dispute_id"),
    )

    dispute_id: Mapped[Big] = mapped_column(primary_key=True, autoincrement=False)
    beast_id: Mapped[Big]
    index: Mapped[Big]
    generation: Mapped[Big]
    digest: Mapped[Hash] = mapped_column(index=True)
    filer: Mapped[Address]
    bond: Mapped[Wei] = mapped_column(doc="wei of ENERGY")
    bond_outcome: Mapped[str | None] = mapped_column(String(16), doc="of the ENERGY bond")
    status: Mapped[str] = mapped_column(String(12), index=True)
    missing: Mapped[int] = mapped_column(doc="bit 1 << Opening: still to be opened")
    response_deadline: Mapped[Big] = mapped_column(doc="last second for openings")
    opening_bond: Mapped[Wei] = mapped_column(default=0, doc="its base")
    opening_surplus: Mapped[Wei] = mapped_column(default=0, doc="asked for besides")
    opening_paid: Mapped[Wei] = mapped_column(default=0, doc="to the trainer, at once")
    opening_waiting: Mapped[Wei] = mapped_column(default=0, doc="for the dispute's end")
    opening_end: Mapped[str | None] = mapped_column(String(8), doc="return, keep or void")
    opening_returned: Mapped[Wei | None] = mapped_column(doc="to the filer")
    opening_burned: Mapped[Wei | None]
    segments: Mapped[bytes | None] = mapped_column(doc="once open: 16 hashes of 32 bytes")
    proof_start: Mapped[Big | None] = mapped_column(doc="time of the last opening")
    head_start_end: Mapped[Big | None] = mapped_column(
        doc="until then the filer is paid for proofs"
    )
    proof_deadline: Mapped[Big | None] = mapped_column(doc="last second for proofs")
    steps_done: Mapped[int] = mapped_column(default=0)
    state_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32), doc="after those steps")
    step_energy: Mapped[Wei] = mapped_column(default=0, doc="what committed steps share, of ENERGY")
    step_coin: Mapped[Wei] = mapped_column(default=0, doc="the same, of native coin")
    conviction: Mapped[str | None] = mapped_column(String(12))
    segment: Mapped[int | None]
    prover: Mapped[str | None] = mapped_column(
        String(42), doc="gets the proof share; none: it burns, or is shared by steps"
    )
    block_number: Mapped[Big] = mapped_column(index=True)
    tx_hash: Mapped[Hash]

    @property
    def segment_hashes(self) -> list[bytes]:
        """The opened hashes, empty before."""
        return _split(self.segments or b"", HASH_BYTES)


class AdvanceRow(Base):
    """Steps of a disputed window that somebody re-executed on chain."""

    __tablename__ = "advances"

    dispute_id: Mapped[Big] = mapped_column(primary_key=True, autoincrement=False)
    steps: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, doc="of the window, these included"
    )
    count: Mapped[int]
    state_hash: Mapped[Hash]
    account: Mapped[Address] = mapped_column(index=True)
    counted: Mapped[bool] = mapped_column(doc="committed to before, so they are paid")
    block_number: Mapped[Big] = mapped_column(index=True)
    tx_hash: Mapped[Hash]


class PublishedStateRow(Base):
    """A publication of a state; a later one renews its time."""

    __tablename__ = "published_states"

    hash: Mapped[Hash] = mapped_column(primary_key=True)
    block_number: Mapped[Big] = mapped_column(primary_key=True, autoincrement=False, index=True)
    beast_id: Mapped[Wide] = mapped_column(doc="that the header names, which nobody has checked")
    header: Mapped[bytes] = mapped_column(doc="encoded")
    weights: Mapped[bytes] = mapped_column(doc="serialised")
    time: Mapped[Big]
    tx_hash: Mapped[Hash]

    @property
    def state(self) -> State:
        """The state itself, whose hash nobody has checked since the archive.

        Raises:
            MalformedStateError: the row holds none.
        """
        return decode_state(self.header + self.weights)


class PublishedRecordsRow(Base):
    """A publication of the records that a private window samples; a later one renews its time."""

    __tablename__ = "published_records"

    beast_id: Mapped[Big] = mapped_column(primary_key=True, autoincrement=False)
    index: Mapped[Big] = mapped_column(primary_key=True, autoincrement=False)
    block_number: Mapped[Big] = mapped_column(primary_key=True, autoincrement=False, index=True)
    secret: Mapped[Hash]
    order: Mapped[bytes] = mapped_column(doc="per step the place of its record in words")
    words: Mapped[bytes] = mapped_column(doc="the distinct records, 32 bytes each")
    siblings: Mapped[bytes] = mapped_column(doc="of their multiproof, 32 bytes each")
    time: Mapped[Big]
    tx_hash: Mapped[Hash]

    @property
    def word_list(self) -> list[int]:
        """The distinct records, by ascending index in the dataset."""
        return [int.from_bytes(word) for word in _split(self.words, HASH_BYTES)]

    @property
    def sibling_hashes(self) -> list[bytes]:
        """The multiproof's siblings, level by level from the leaves up."""
        return _split(self.siblings, HASH_BYTES)


class RevealedSecretRow(Base):
    """An owner's secret that is public."""

    __tablename__ = "revealed_secrets"

    beast_id: Mapped[Big] = mapped_column(primary_key=True, autoincrement=False)
    secret: Mapped[Hash]
    block_number: Mapped[Big] = mapped_column(index=True)
    tx_hash: Mapped[Hash]


class RevealedDatasetRow(Base):
    """A whole private dataset that is public: in the transaction's calldata, or in chunks."""

    __tablename__ = "revealed_datasets"

    block_number: Mapped[Big] = mapped_column(primary_key=True, autoincrement=False)
    log_index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    beast_id: Mapped[Big] = mapped_column(index=True)
    c_dataset: Mapped[Hash]
    chunks: Mapped[str] = mapped_column(
        doc="contracts that hold it, their addresses by blanks; none: see the calldata"
    )
    tx_hash: Mapped[Hash]

    @property
    def chunk_addresses(self) -> list[str]:
        """Contracts whose code is a zero byte and a part of the dataset, in order."""
        return self.chunks.split()


class StakeRow(Base):
    """A trainer's stake on a beast, as it is now."""

    __tablename__ = "stakes"

    beast_id: Mapped[Big] = mapped_column(primary_key=True, autoincrement=False)
    trainer: Mapped[Address] = mapped_column(primary_key=True, index=True)
    amount: Mapped[Wei] = mapped_column(doc="wei of native coin")
    barred_at: Mapped[Big] = mapped_column(default=0, doc="head count at the announcement")
    withdrawable_at: Mapped[Big] = mapped_column(default=0, doc="0: no withdrawal is announced")


class StakeRewardRow(Base):
    """The reward out of a slashed stake, held until it is due; wei of native coin."""

    __tablename__ = "stake_rewards"

    beast_id: Mapped[Big] = mapped_column(primary_key=True, autoincrement=False)
    trainer: Mapped[Address] = mapped_column(primary_key=True, doc="who was slashed")
    index: Mapped[Big] = mapped_column(doc="of the convicted checkpoint")
    dispute_id: Mapped[Big] = mapped_column(doc="0: convicted outside a dispute")
    filing: Mapped[Wei]
    proof: Mapped[Wei]
    filer: Mapped[Address] = mapped_column(index=True)
    prover: Mapped[str | None] = mapped_column(
        String(42), index=True, doc="none: committed steps share it"
    )
    gas_cap: Mapped[Big]
    block_number: Mapped[Big]


class VaultCreditRow(Base):
    """A movement of an account's credit in the vault, wei of native coin."""

    __tablename__ = "vault_credits"

    block_number: Mapped[Big] = mapped_column(primary_key=True, autoincrement=False)
    log_index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    account: Mapped[Address] = mapped_column(index=True)
    amount: Mapped[Wei]
    withdrawn: Mapped[bool] = mapped_column(doc="the whole credit left; else it grew")
    tx_hash: Mapped[Hash]


def _split(data: bytes, size: int) -> list[bytes]:
    return [data[i : i + size] for i in range(0, len(data), size)]
