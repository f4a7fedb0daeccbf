"""Which deployment the facts are about, and the blocks that settled a checkpoint.

What the indexer read before lacks those blocks: it is read from the chain again.

Revision: 0002, after 0001.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

FACTS = ("events", "blocks", "beasts", "epochs", "checkpoints", "disputes")


def _forget_facts() -> None:
    for table in FACTS:
        op.execute(sa.delete(sa.table(table)))


def upgrade() -> None:
    _forget_facts()
    op.create_table(
        "sources",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("genesis", sa.LargeBinary(length=32), nullable=False),
        sa.Column("ledger", sa.String(length=42), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("checkpoints", schema=None) as batch_op:
        batch_op.add_column(sa.Column("proven_block", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("settled_block", sa.BigInteger(), nullable=True))
        batch_op.create_index(
            batch_op.f("ix_checkpoints_settled_block"), ["settled_block"], unique=False
        )


def downgrade() -> None:
    with op.batch_alter_table("checkpoints", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_checkpoints_settled_block"))
        batch_op.drop_column("settled_block")
        batch_op.drop_column("proven_block")
    op.drop_table("sources")
