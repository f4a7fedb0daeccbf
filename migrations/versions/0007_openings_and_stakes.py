"""Disputes that open everything: bonds, openings, publications, stakes and credits in native coin.

The deployments that were indexed before do not know them: all facts are read from the chain again.

Revision: 0007, after 0006.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import chainbeasts.backend.store.columns

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

FACTS = (
    "events",
    "blocks",
    "beasts",
    "epochs",
    "checkpoints",
    "matches",
    "match_records",
    "open_challenges",
    "seasons",
    "proposals",
)


def _hash(name: str, *, nullable: bool = False) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(length=32), nullable=nullable)


def _bytes(name: str, *, nullable: bool = False) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), nullable=nullable)


def _wide(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, chainbeasts.backend.store.columns.Uint256(length=78), nullable=nullable)


def _big(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _id(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), autoincrement=False, nullable=False)


def _int(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), autoincrement=False, nullable=False)


def _address(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=42), nullable=nullable)


def _word(name: str, length: int, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=length), nullable=nullable)


def _index(table: str, *columns: str) -> None:
    with op.batch_alter_table(table, schema=None) as batch_op:
        for column in columns:
            batch_op.create_index(batch_op.f(f"ix_{table}_{column}"), [column], unique=False)


def _forget_facts() -> None:
    for table in FACTS:
        op.execute(sa.delete(sa.table(table)))


def upgrade() -> None:
    _forget_facts()
    op.drop_table("disputes")
    _create_disputes()
    _create_publications()
    _create_coin()


def _create_disputes() -> None:
    op.create_table(
        "disputes",
        _id("dispute_id"),
        _big("beast_id"),
        _big("index"),
        _big("generation"),
        _hash("digest"),
        _address("filer"),
        _wide("bond"),
        _word("bond_outcome", 16, nullable=True),
        _word("status", 12),
        _int("missing"),
        _big("response_deadline"),
        _wide("opening_bond"),
        _wide("opening_surplus"),
        _wide("opening_paid"),
        _wide("opening_waiting"),
        _word("opening_end", 8, nullable=True),
        _wide("opening_returned", nullable=True),
        _wide("opening_burned", nullable=True),
        _bytes("segments", nullable=True),
        _big("proof_start", nullable=True),
        _big("head_start_end", nullable=True),
        _big("proof_deadline", nullable=True),
        _int("steps_done"),
        _hash("state_hash", nullable=True),
        _wide("step_energy"),
        _wide("step_coin"),
        _word("conviction", 12, nullable=True),
        _int("segment", nullable=True),
        _address("prover", nullable=True),
        _big("block_number"),
        _hash("tx_hash"),
        sa.PrimaryKeyConstraint("dispute_id"),
    )
    _index("disputes", "block_number", "status")
    op.create_index("ix_disputes_of", "disputes", ["beast_id", "index"], unique=False)
    op.create_table(
        "advances",
        _id("dispute_id"),
        _number("steps"),
        _int("count"),
        _hash("state_hash"),
        _address("account"),
        sa.Column("counted", sa.Boolean(), nullable=False),
        _big("block_number"),
        _hash("tx_hash"),
        sa.PrimaryKeyConstraint("dispute_id", "steps"),
    )
    _index("advances", "block_number")


def _create_publications() -> None:
    op.create_table(
        "published_states",
        _hash("hash"),
        _id("block_number"),
        _wide("beast_id"),
        _bytes("header"),
        _bytes("weights"),
        _big("time"),
        _hash("tx_hash"),
        sa.PrimaryKeyConstraint("hash", "block_number"),
    )
    _index("published_states", "block_number")
    op.create_table(
        "published_records",
        _id("beast_id"),
        _id("index"),
        _id("block_number"),
        _hash("secret"),
        _bytes("order"),
        _bytes("words"),
        _bytes("siblings"),
        _big("time"),
        _hash("tx_hash"),
        sa.PrimaryKeyConstraint("beast_id", "index", "block_number"),
    )
    _index("published_records", "block_number")
    op.create_table(
        "revealed_secrets",
        _id("beast_id"),
        _hash("secret"),
        _big("block_number"),
        _hash("tx_hash"),
        sa.PrimaryKeyConstraint("beast_id"),
    )
    _index("revealed_secrets", "block_number")
    op.create_table(
        "revealed_datasets",
        _id("block_number"),
        _number("log_index"),
        _big("beast_id"),
        _hash("c_dataset"),
        sa.Column("chunks", sa.String(), nullable=False),
        _hash("tx_hash"),
        sa.PrimaryKeyConstraint("block_number", "log_index"),
    )
    _index("revealed_datasets", "beast_id")


def _create_coin() -> None:
    op.create_table(
        "stakes",
        _id("beast_id"),
        _address("trainer"),
        _wide("amount"),
        _big("barred_at"),
        _big("withdrawable_at"),
        sa.PrimaryKeyConstraint("beast_id", "trainer"),
    )
    op.create_table(
        "stake_rewards",
        _id("beast_id"),
        _address("trainer"),
        _big("index"),
        _big("dispute_id"),
        _wide("filing"),
        _wide("proof"),
        _address("filer"),
        _address("prover", nullable=True),
        _big("gas_cap"),
        _big("block_number"),
        sa.PrimaryKeyConstraint("beast_id", "trainer"),
    )
    op.create_table(
        "vault_credits",
        _id("block_number"),
        _number("log_index"),
        _address("account"),
        _wide("amount"),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        _hash("tx_hash"),
        sa.PrimaryKeyConstraint("block_number", "log_index"),
    )
    _index("vault_credits", "account")


def downgrade() -> None:
    _forget_facts()
    for table in (
        "vault_credits",
        "stake_rewards",
        "stakes",
        "revealed_datasets",
        "revealed_secrets",
        "published_records",
        "published_states",
        "advances",
        "disputes",
    ):
        op.drop_table(table)
    op.create_table(
        "disputes",
        _id("dispute_id"),
        _big("beast_id"),
        _big("index"),
        _big("generation"),
        _hash("digest"),
        _address("challenger"),
        _wide("bond"),
        _word("status", 12),
        _big("deadline"),
        _bytes("segments", nullable=True),
        _int("steps_done"),
        _word("conviction", 12, nullable=True),
        _int("segment", nullable=True),
        _address("prover", nullable=True),
        _big("block_number"),
        _hash("tx_hash"),
        sa.PrimaryKeyConstraint("dispute_id"),
    )
    _index("disputes", "block_number", "status")
    op.create_index("ix_disputes_of", "disputes", ["beast_id", "index"], unique=False)
