"""Indexes for lists: a beast's checkpoints added up without reading them, and their disputes.

Revision: 0006, after 0005.
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TALLY = ["beast_id", "status", "source", "energy_burn", "bond"]


def upgrade() -> None:
    op.create_index("ix_checkpoints_tally", "checkpoints", TALLY, unique=False)
    op.create_index("ix_disputes_of", "disputes", ["beast_id", "index"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_disputes_of", "disputes")
    op.drop_index("ix_checkpoints_tally", "checkpoints")
