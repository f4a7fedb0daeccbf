"""Intents remember every transaction signed at their nonce, and when they are due.

A process that was killed after a bump finds the earlier, cheaper transaction too, should that one
be mined. Moves are named by their bare key: a reorg no longer gives them another name.

Revision: 0003, after 0002.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("intents", sa.Column("hashes", sa.LargeBinary(), nullable=True))
    op.add_column("intents", sa.Column("due", sa.BigInteger(), nullable=True))
    op.execute("UPDATE intents SET key = substr(key, 1, length(key) - 2) WHERE key LIKE '%/0'")


def downgrade() -> None:
    op.execute("UPDATE intents SET key = key || '/0' WHERE kind <> 'collect'")
    with op.batch_alter_table("intents", schema=None) as batch_op:
        batch_op.drop_column("due")
        batch_op.drop_column("hashes")
