"""ENERGY that is sold and burned by hatches; matches that expire.

The deployments that were indexed before do not know them: all facts are read from the chain again.

Revision: 0008, after 0007.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import chainbeasts.backend.store.columns

revision = "0008"
down_revision = "0007"
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
    "stakes",
    "stake_rewards",
    "vault_credits",
    "matches",
    "match_records",
    "open_challenges",
    "seasons",
    "proposals",
)


def _hash(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(length=32), nullable=False)


def _wei(name: str) -> sa.Column[int]:
    return sa.Column(name, chainbeasts.backend.store.columns.Uint256(length=78), nullable=False)


def _id(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), autoincrement=False, nullable=False)


def _address(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=42), nullable=False)


def _forget_facts() -> None:
    for table in FACTS:
        op.execute(sa.delete(sa.table(table)))


def upgrade() -> None:
    _forget_facts()
    with op.batch_alter_table("matches", schema=None) as batch_op:
        batch_op.add_column(sa.Column("record_until", sa.BigInteger(), nullable=True))
    op.create_table(
        "energy_sales",
        _id("block_number"),
        sa.Column("log_index", sa.Integer(), autoincrement=False, nullable=False),
        _address("buyer"),
        _address("receiver"),
        _wei("paid"),
        _wei("bought"),
        sa.Column("season", sa.Integer(), nullable=False),
        _hash("tx_hash"),
        sa.PrimaryKeyConstraint("block_number", "log_index"),
    )
    op.create_table(
        "hatch_requests",
        _id("beast_id"),
        _address("requester"),
        sa.Column("season", sa.Integer(), nullable=False),
        _wei("cost"),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        _hash("tx_hash"),
        sa.PrimaryKeyConstraint("beast_id"),
    )
    op.create_index(
        "ix_hatch_requests_block_number", "hatch_requests", ["block_number"], unique=False
    )


def downgrade() -> None:
    _forget_facts()
    op.drop_table("hatch_requests")
    op.drop_table("energy_sales")
    with op.batch_alter_table("matches", schema=None) as batch_op:
        batch_op.drop_column("record_until")
