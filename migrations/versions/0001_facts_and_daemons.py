"""Chain facts, and what the daemons decide and send.

Revision: 0001, after .
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import chainbeasts.backend.store.columns

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:

    op.create_table(
        "beasts",
        sa.Column("beast_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("owner", sa.String(length=42), nullable=False),
        sa.Column("dna", sa.LargeBinary(length=32), nullable=False),
        sa.Column("epoch_seed", sa.LargeBinary(length=32), nullable=False),
        sa.Column("season", sa.Integer(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("beast_id"),
    )
    with op.batch_alter_table("beasts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_beasts_block_number"), ["block_number"], unique=False)

    op.create_table(
        "blocks",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("parent_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "checkpoints",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("beast_id", sa.BigInteger(), nullable=False),
        sa.Column("index", sa.BigInteger(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("parent", sa.LargeBinary(length=32), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("h128", sa.LargeBinary(length=32), nullable=False),
        sa.Column(
            "energy_burn", chainbeasts.backend.store.columns.Uint256(length=78), nullable=False
        ),
        sa.Column("lr_shift", sa.Integer(), nullable=False),
        sa.Column("active_mask", sa.Integer(), nullable=False),
        sa.Column("global_step", sa.BigInteger(), nullable=False),
        sa.Column("window_loss", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("season", sa.Integer(), nullable=False),
        sa.Column("trainer", sa.String(length=42), nullable=False),
        sa.Column("submitted_at", sa.BigInteger(), nullable=False),
        sa.Column("bond", chainbeasts.backend.store.columns.Uint256(length=78), nullable=False),
        sa.Column(
            "locked_sum", chainbeasts.backend.store.columns.Uint256(length=78), nullable=False
        ),
        sa.Column("epoch_seed", sa.LargeBinary(length=32), nullable=False),
        sa.Column("loss_drop", sa.Boolean(), nullable=False),
        sa.Column("proven", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("tx_hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("beast_id", "index", "generation"),
    )
    with op.batch_alter_table("checkpoints", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_checkpoints_block_number"), ["block_number"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_checkpoints_h128"), ["h128"], unique=False)
        batch_op.create_index(
            "ix_checkpoints_pending", ["status", "beast_id", "index"], unique=False
        )

    op.create_table(
        "disputes",
        sa.Column("dispute_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("beast_id", sa.BigInteger(), nullable=False),
        sa.Column("index", sa.BigInteger(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("challenger", sa.String(length=42), nullable=False),
        sa.Column("bond", chainbeasts.backend.store.columns.Uint256(length=78), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("deadline", sa.BigInteger(), nullable=False),
        sa.Column("segments", sa.LargeBinary(), nullable=True),
        sa.Column("steps_done", sa.Integer(), nullable=False),
        sa.Column("conviction", sa.String(length=12), nullable=True),
        sa.Column("segment", sa.Integer(), nullable=True),
        sa.Column("prover", sa.String(length=42), nullable=True),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("tx_hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("dispute_id"),
    )
    with op.batch_alter_table("disputes", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_disputes_block_number"), ["block_number"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_disputes_status"), ["status"], unique=False)

    op.create_table(
        "epochs",
        sa.Column("beast_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("epoch_seed", sa.LargeBinary(length=32), nullable=False),
        sa.Column("season", sa.Integer(), nullable=False),
        sa.Column("start_index", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("beast_id", "epoch"),
    )
    op.create_table(
        "intents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("account", sa.String(length=42), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("nonce", sa.BigInteger(), nullable=True),
        sa.Column("tx_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        sa.Column("bond", chainbeasts.backend.store.columns.Uint256(length=78), nullable=False),
        sa.Column("gas_used", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column(
            "updated_at", chainbeasts.backend.store.columns.UtcTime(timezone=True), nullable=False
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account", "kind", "key"),
    )
    op.create_table(
        "jobs",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("beast_id", sa.BigInteger(), nullable=False),
        sa.Column("index", sa.BigInteger(), nullable=False),
        sa.Column("h128", sa.LargeBinary(length=32), nullable=False),
        sa.Column("verdict", sa.String(length=12), nullable=True),
        sa.Column("mode", sa.String(length=8), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("header_lie", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column(
            "judged_at", chainbeasts.backend.store.columns.UtcTime(timezone=True), nullable=True
        ),
        sa.PrimaryKeyConstraint("digest"),
    )
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_jobs_beast_id"), ["beast_id"], unique=False)

    op.create_table(
        "windows",
        sa.Column("h128", sa.LargeBinary(length=32), nullable=False),
        sa.Column("beast_id", sa.BigInteger(), nullable=False),
        sa.Column("index", sa.BigInteger(), nullable=False),
        sa.Column("parent", sa.LargeBinary(length=32), nullable=False),
        sa.Column("segments", sa.LargeBinary(), nullable=False),
        sa.Column("payload", sa.String(), nullable=False),
        sa.Column("epoch_seed", sa.LargeBinary(length=32), nullable=False),
        sa.Column(
            "created_at", chainbeasts.backend.store.columns.UtcTime(timezone=True), nullable=False
        ),
        sa.PrimaryKeyConstraint("h128"),
    )
    with op.batch_alter_table("windows", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_windows_beast_id"), ["beast_id"], unique=False)

    op.create_table(
        "events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.Column("tx_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("address", sa.String(length=42), nullable=False),
        sa.Column("topics", sa.LargeBinary(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.String(length=48), nullable=False),
        sa.Column("beast_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["block_number"], ["blocks.number"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("block_number", "log_index"),
    )
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_events_beast_id"), ["beast_id"], unique=False)


def downgrade() -> None:

    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_events_beast_id"))

    op.drop_table("events")
    with op.batch_alter_table("windows", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_windows_beast_id"))

    op.drop_table("windows")
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_jobs_beast_id"))

    op.drop_table("jobs")
    op.drop_table("intents")
    op.drop_table("epochs")
    with op.batch_alter_table("disputes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_disputes_status"))
        batch_op.drop_index(batch_op.f("ix_disputes_block_number"))

    op.drop_table("disputes")
    with op.batch_alter_table("checkpoints", schema=None) as batch_op:
        batch_op.drop_index("ix_checkpoints_pending")
        batch_op.drop_index(batch_op.f("ix_checkpoints_h128"))
        batch_op.drop_index(batch_op.f("ix_checkpoints_block_number"))

    op.drop_table("checkpoints")
    op.drop_table("blocks")
    with op.batch_alter_table("beasts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_beasts_block_number"))

    op.drop_table("beasts")
