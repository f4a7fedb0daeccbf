"""Beasts know their nickname and what lists sort them by; events, whose doing they are.

With an index for each list that is read a page at a time, and for what an account has. All of it is
computed as the logs are read, so all facts are read from the chain again.

Revision: 0012, after 0011.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
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

PLACE = ["block_number", "log_index"]
NEW = (
    ("ix_events_named", "events", ["name", *PLACE]),
    ("ix_events_beast", "events", ["beast_id", "name", *PLACE]),
    ("ix_events_rival", "events", ["rival_id", "name", *PLACE]),
    ("ix_events_match", "events", ["match_id", *PLACE]),
    ("ix_events_account", "events", ["account", "name", *PLACE]),
    ("ix_beasts_owner", "beasts", ["owner_key", "beast_id"]),
    ("ix_beasts_name", "beasts", ["name_key", "beast_id"]),
    ("ix_beasts_windows", "beasts", ["windows", "beast_id"]),
    ("ix_beasts_spent", "beasts", ["spent_micro", "beast_id"]),
    ("ix_beasts_newest", "beasts", ["block_number", "beast_id"]),
    ("ix_beasts_dna", "beasts", ["dna"]),
    ("ix_checkpoints_list", "checkpoints", ["status", "source", "id"]),
    ("ix_checkpoints_of", "checkpoints", ["beast_id", "status", "source", "id"]),
    ("ix_checkpoints_trainer", "checkpoints", ["trainer", "status", "id"]),
    ("ix_disputes_filer", "disputes", ["filer", "dispute_id"]),
    ("ix_stakes_trainer", "stakes", ["trainer"]),
    ("ix_stake_rewards_filer", "stake_rewards", ["filer"]),
    ("ix_stake_rewards_prover", "stake_rewards", ["prover"]),
    ("ix_matches_owner_a", "matches", ["owner_a", "match_id"]),
    ("ix_matches_owner_b", "matches", ["owner_b", "match_id"]),
)
OLD = (
    ("ix_events_name", "events", ["name"]),
    ("ix_events_beast_id", "events", ["beast_id"]),
    ("ix_events_match_id", "events", ["match_id"]),
    ("ix_beasts_block_number", "beasts", ["block_number"]),
)


def upgrade() -> None:
    for name in FACTS:
        op.execute(sa.delete(sa.table(name)))
    for name, on, _ in OLD:
        op.drop_index(name, on)
    with op.batch_alter_table("beasts") as table:
        table.add_column(sa.Column("owner_key", sa.String(length=42), nullable=False))
        table.add_column(sa.Column("name_key", sa.String(length=16), nullable=False))
        table.add_column(sa.Column("windows", sa.BigInteger(), nullable=False))
        table.add_column(sa.Column("spent_micro", sa.BigInteger(), nullable=False))
    with op.batch_alter_table("events") as table:
        table.add_column(sa.Column("rival_id", sa.BigInteger(), nullable=True))
        table.add_column(sa.Column("account", sa.String(length=42), nullable=True))
    for name, on, columns in NEW:
        op.create_index(name, on, columns)


def downgrade() -> None:
    for name, on, _ in reversed(NEW):
        op.drop_index(name, on)
    with op.batch_alter_table("events") as table:
        table.drop_column("account")
        table.drop_column("rival_id")
    with op.batch_alter_table("beasts") as table:
        for column in ("spent_micro", "windows", "name_key", "owner_key"):
            table.drop_column(column)
    for name, on, columns in OLD:
        op.create_index(name, on, columns)
