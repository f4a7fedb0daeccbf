"""Indexes for a history of many months: no pass of a daemon reads all jobs or all events.

A job is found by its window (beast, index, state hash) and by its verdict, an event by its name.

Revision: 0004, after 0003.
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_jobs_beast_id", table_name="jobs")
    op.create_index("ix_jobs_window", "jobs", ["beast_id", "index", "h128"])
    op.create_index("ix_jobs_verdict", "jobs", ["verdict"])
    op.create_index("ix_events_name", "events", ["name"])


def downgrade() -> None:
    op.drop_index("ix_events_name", table_name="events")
    op.drop_index("ix_jobs_verdict", table_name="jobs")
    op.drop_index("ix_jobs_window", table_name="jobs")
    op.create_index("ix_jobs_beast_id", "jobs", ["beast_id"])
