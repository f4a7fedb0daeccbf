"""Moves know the block that they were mined in, and that they are settled.

A node keeps receipts for a while only, and some keep none of old blocks: what a move's receipt once
said must not depend on whether the node still has it.

Revision: 0010, after 0009.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("intents") as table:
        table.add_column(sa.Column("block_number", sa.BigInteger(), nullable=True))
        table.add_column(sa.Column("block_hash", sa.LargeBinary(length=32), nullable=True))
        table.add_column(
            sa.Column("settled", sa.Boolean(), nullable=False, server_default=sa.false())
        )


def downgrade() -> None:
    with op.batch_alter_table("intents") as table:
        table.drop_column("settled")
        table.drop_column("block_hash")
        table.drop_column("block_number")
