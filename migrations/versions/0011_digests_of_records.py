"""Checkpoints know the ledger's name of their record, by which jobs are found for many at once.

It is computed as the log is read, so all facts are read from the chain again.

Revision: 0011, after 0010.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

FACTS = (
    "events",
    "blocks",
    "beasts",
    "epochs",
    "checkpoints",
    "disputes",
    "advances",
    "published_states",
    "published_records",
    "revealed_secrets",
    "revealed_datasets",
    "vault_credits",
    "energy_sales",
    "hatch_requests",
    "stakes",
    "stake_rewards",
    "matches",
    "match_records",
    "open_challenges",
    "seasons",
    "proposals",
)


def upgrade() -> None:
    for name in FACTS:
        op.execute(sa.delete(sa.table(name)))
    with op.batch_alter_table("checkpoints") as table:
        table.add_column(sa.Column("digest", sa.LargeBinary(length=32), nullable=False))
        table.create_index("ix_checkpoints_digest", ["digest"])
    op.drop_index("ix_jobs_window", "jobs")


def downgrade() -> None:
    op.create_index("ix_jobs_window", "jobs", ["beast_id", "index", "h128"])
    with op.batch_alter_table("checkpoints") as table:
        table.drop_index("ix_checkpoints_digest")
        table.drop_column("digest")
