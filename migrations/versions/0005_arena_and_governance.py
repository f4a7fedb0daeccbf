"""Matches, records of them, board words, seasons and proposals; which match an event is about.

What the indexer read before lacks all of these: it is read from the chain again.

Revision: 0005, after 0004.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import chainbeasts.backend.store.columns

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

FACTS = ("events", "blocks", "beasts", "epochs", "checkpoints", "disputes")


def _hash(name: str, *, nullable: bool = False) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(length=32), nullable=nullable)


def _wide(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, chainbeasts.backend.store.columns.Uint256(length=78), nullable=nullable)


def _big(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _id(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), autoincrement=False, nullable=False)


def _address(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=42), nullable=nullable)


def _index(table: str, column: str) -> None:
    with op.batch_alter_table(table, schema=None) as batch_op:
        batch_op.create_index(batch_op.f(f"ix_{table}_{column}"), [column], unique=False)


def upgrade() -> None:
    for table in FACTS:
        op.execute(sa.delete(sa.table(table)))
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.add_column(sa.Column("match_id", sa.BigInteger(), nullable=True))
        batch_op.create_index(batch_op.f("ix_events_match_id"), ["match_id"], unique=False)
    _create_matches()
    _create_governance()
    op.create_table(
        "match_jobs",
        _hash("digest"),
        _big("match_id"),
        _hash("log_root"),
        sa.Column("verdict", sa.String(length=12), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column(
            "judged_at", chainbeasts.backend.store.columns.UtcTime(timezone=True), nullable=True
        ),
        sa.PrimaryKeyConstraint("digest"),
    )
    _index("match_jobs", "match_id")


def _create_matches() -> None:
    op.create_table(
        "matches",
        _id("match_id"),
        sa.Column("status", sa.String(length=12), nullable=False),
        _big("beast_a"),
        _big("beast_b"),
        _address("owner_a"),
        _address("owner_b", nullable=True),
        _hash("state_a"),
        _hash("state_b", nullable=True),
        sa.Column("season", sa.Integer(), nullable=True),
        _big("seed_block", nullable=True),
        _wide("battle_seed", nullable=True),
        sa.Column("result", sa.String(length=4), nullable=True),
        _wide("reward_a"),
        _wide("reward_b"),
        _big("block_number"),
        _big("accepted_block", nullable=True),
        _big("final_block", nullable=True),
        _hash("tx_hash"),
        sa.PrimaryKeyConstraint("match_id"),
    )
    for column in ("beast_a", "beast_b", "block_number"):
        _index("matches", column)
    op.create_index("ix_matches_status", "matches", ["status", "match_id"], unique=False)
    op.create_table(
        "match_records",
        sa.Column("id", sa.Integer(), nullable=False),
        _big("match_id"),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        _address("reporter"),
        sa.Column("result", sa.String(length=4), nullable=False),
        sa.Column("turns", sa.Integer(), nullable=False),
        _hash("log_root"),
        sa.Column("keys", sa.LargeBinary(), nullable=False),
        _wide("bond"),
        _big("final_at"),
        _address("challenger", nullable=True),
        sa.Column("lie", sa.String(length=12), nullable=True),
        sa.Column("lie_turn", sa.Integer(), nullable=True),
        _wide("reward", nullable=True),
        _wide("burned", nullable=True),
        _big("block_number"),
        _hash("tx_hash"),
        _big("settled_block", nullable=True),
        _hash("settled_tx", nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("match_id", "number"),
    )
    _index("match_records", "status")
    op.create_table(
        "open_challenges",
        _id("beast_id"),
        _address("owner"),
        _hash("state"),
        _big("block_number"),
        sa.PrimaryKeyConstraint("beast_id"),
    )
    op.create_table("board_words", _hash("key"), _hash("word"), sa.PrimaryKeyConstraint("key"))


def _create_governance() -> None:
    op.create_table(
        "seasons",
        sa.Column("season", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("constants", sa.String(), nullable=False),
        _big("block_number"),
        _hash("tx_hash"),
        sa.PrimaryKeyConstraint("season"),
    )
    _index("seasons", "block_number")
    op.create_table(
        "proposals",
        _hash("operation"),
        sa.Column("index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        _address("target"),
        _wide("value"),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("constants", sa.String(), nullable=True),
        _hash("predecessor"),
        _hash("salt"),
        _big("unlock_at"),
        _big("block_number"),
        _big("settled_block", nullable=True),
        _hash("tx_hash"),
        sa.PrimaryKeyConstraint("operation", "index"),
    )


def downgrade() -> None:
    for table in (
        "match_jobs",
        "proposals",
        "seasons",
        "board_words",
        "open_challenges",
        "match_records",
        "matches",
    ):
        op.drop_table(table)
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_events_match_id"))
        batch_op.drop_column("match_id")
