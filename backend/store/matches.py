"""Tables of chain facts about the arena, written by the indexer alone: matches, records of them and
beasts that are open to challenges.
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from chainbeasts.backend.store.columns import Address, Base, Big, Hash, Wei, Wide

KEY_BYTES = 32


class MatchStatus(StrEnum):
    """Where a match stands."""

    CHALLENGED = "challenged"
    ACCEPTED = "accepted"
    SEEDED = "seeded"
    RECORDED = "recorded"
    FINAL = "final"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class RecordStatus(StrEnum):
    """What became of a record of a match."""

    STANDING = "standing"
    DISPROVED = "disproved"
    FINAL = "final"


class MatchRow(Base):
    """A match, as its events tell it; what was recorded of it is in its records."""

    __tablename__ = "matches"
    __table_args__ = (
        Index("ix_matches_status", "status", "match_id"),
        Index("ix_matches_owner_a", "owner_a", "match_id"),
        Index("ix_matches_owner_b", "owner_b", "match_id"),
    )

    match_id: Mapped[Big] = mapped_column(primary_key=True, autoincrement=False)
    status: Mapped[MatchStatus] = mapped_column(String(12))
    beast_a: Mapped[Big] = mapped_column(index=True)
    beast_b: Mapped[Big] = mapped_column(index=True)
    owner_a: Mapped[Address]
    owner_b: Mapped[str | None] = mapped_column(String(42))
    state_a: Mapped[Hash]
    state_b: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    season: Mapped[int | None]
    seed_block: Mapped[Big | None]
    battle_seed: Mapped[Wide | None] = mapped_column(doc="64 bits")
    record_until: Mapped[Big | None] = mapped_column(
        doc="once seeded, and anew by a disproof: first second at which it can be recorded no more"
    )
    result: Mapped[str | None] = mapped_column(String(4), doc="a, b or draw, of the record")
    reward_a: Mapped[Wei] = mapped_column(default=0)
    reward_b: Mapped[Wei] = mapped_column(default=0)
    block_number: Mapped[Big] = mapped_column(index=True, doc="of the challenge")
    accepted_block: Mapped[Big | None]
    final_block: Mapped[Big | None]
    tx_hash: Mapped[Hash]


class MatchRecordRow(Base):
    """What a reporter recorded of a match, the log as the keys of its words.

    A match has one record that stands or is final, and before it any number of disproved ones.
    """

    __tablename__ = "match_records"
    __table_args__ = (UniqueConstraint("match_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    match_id: Mapped[Big]
    number: Mapped[int] = mapped_column(doc="of the match's records, from 0")
    status: Mapped[RecordStatus] = mapped_column(String(12), index=True)
    reporter: Mapped[Address]
    result: Mapped[str] = mapped_column(String(4), doc="a, b or draw")
    turns: Mapped[int]
    log_root: Mapped[Hash]
    keys: Mapped[bytes] = mapped_column(doc="keccak-256 of each word of the log, 32 bytes each")
    bond: Mapped[Wei]
    final_at: Mapped[Big]
    challenger: Mapped[str | None] = mapped_column(String(42), doc="who disproved it")
    lie: Mapped[str | None] = mapped_column(String(12))
    lie_turn: Mapped[int | None]
    reward: Mapped[Wei | None]
    burned: Mapped[Wei | None]
    block_number: Mapped[Big]
    tx_hash: Mapped[Hash]
    settled_block: Mapped[Big | None]
    settled_tx: Mapped[bytes | None] = mapped_column(LargeBinary(32))

    @property
    def word_keys(self) -> list[bytes]:
        """The keys of the log's words, in order."""
        return [self.keys[i : i + KEY_BYTES] for i in range(0, len(self.keys), KEY_BYTES)]


class OpenChallengeRow(Base):
    """A beast that takes on every challenge, while ``owner`` owns it."""

    __tablename__ = "open_challenges"

    beast_id: Mapped[Big] = mapped_column(primary_key=True, autoincrement=False)
    owner: Mapped[Address]
    state: Mapped[Hash]
    block_number: Mapped[Big]


class WordRow(Base):
    """A board word of somebody's match log, by its keccak-256. It means the same on any chain, so
    a reorg leaves it."""

    __tablename__ = "board_words"

    key: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    word: Mapped[Hash]
