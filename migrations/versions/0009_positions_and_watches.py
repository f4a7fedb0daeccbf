"""How often blocks were read again, from when on a validator has watched, and indexes of disputes.

Revision: 0009, after 0008.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("sources", schema=None) as batch_op:
        batch_op.add_column(sa.Column("rewinds", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("disputes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_disputes_digest"), ["digest"], unique=False)
    with op.batch_alter_table("advances", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_advances_account"), ["account"], unique=False)
    op.create_table(
        "watches",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    # A validator that has judged was there before this was written down.
    op.execute("INSERT INTO watches (id, since) SELECT 1, 0 WHERE EXISTS (SELECT 1 FROM jobs)")


def downgrade() -> None:
    op.drop_table("watches")
    with op.batch_alter_table("advances", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_advances_account"))
    with op.batch_alter_table("disputes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_disputes_digest"))
    with op.batch_alter_table("sources", schema=None) as batch_op:
        batch_op.drop_column("rewinds")
