"""What strangers do for ever costs a daemon nothing for ever: each thing is looked at once."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_hash.auto import keccak
from sqlalchemy import event

from chainbeasts.backend.accounts import devnet_account
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.outbox import Outbox
from chainbeasts.backend.chain.types import BondOutcome, Commitments
from chainbeasts.backend.indexer.positions import rewound
from chainbeasts.backend.store.daemons import IntentRow, IntentState
from chainbeasts.backend.store.facts import BlockRow, DisputeRow, EventRow, SourceRow
from chainbeasts.backend.store.session import Database
from chainbeasts.validator.enforce.bonds import MoveSender, filing_key
from chainbeasts.validator.enforce.credits import Credit, CreditLog, ledger_credits
from chainbeasts.validator.judge import datasets
from chainbeasts.validator.judge.datasets import DatasetFolder
from tests.validator.conftest import OTHER, VALIDATOR, Rig

BOND, HEAD = 10**18, 10_000
RELEASED = "DisputeBondReleased(bytes32,uint64,address,uint128,uint8,uint256)"


@pytest.fixture
def database(tmp_path: Path) -> Database:
    made = Database(f"sqlite:///{tmp_path}/one.sqlite3")
    with made.session() as session:
        session.add(SourceRow(chain_id=1, genesis=bytes(32), ledger="0x" + "11" * 20))
    return made


def add_block(database: Database, number: int) -> None:
    with database.session() as session:
        block_hash = number.to_bytes(32)
        session.add(
            BlockRow(number=number, hash=block_hash, parent_hash=bytes(32), timestamp=number)
        )


def released(chain: Chain, number: int, log_index: int, filer: str) -> EventRow:
    """A dispute's bond that went back to its filer."""
    topics = keccak(RELEASED.encode()) + bytes(32) + log_index.to_bytes(32)
    values = (filer, BOND, int(BondOutcome.REFUND), 0)
    return EventRow(
        block_number=number,
        log_index=log_index,
        tx_hash=number.to_bytes(16) + log_index.to_bytes(16),
        address=chain.ledger.address,
        topics=topics,
        data=encode(["address", "uint128", "uint8", "uint256"], values),
        name="DisputeBondReleased",
        beast_id=None,
        match_id=None,
    )


def test_credits_of_strangers_are_not_decoded_and_ours_once(
    rig: Rig, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    me, stranger = (devnet_account(who).address for who in (VALIDATOR, OTHER))
    credits = CreditLog(rig.chain, database, ledger_credits(rig.chain), me)
    decoded = 0
    decode = Chain.decode

    def counted(chain: Chain, log: Any) -> Any:
        nonlocal decoded
        decoded += 1
        return decode(chain, log)

    monkeypatch.setattr(Chain, "decode", counted)
    add_block(database, 1)
    with database.session() as session:
        session.add_all(released(rig.chain, 1, n, stranger) for n in range(500))
        session.add(released(rig.chain, 1, 500, me))
    found = credits.read()
    assert list(found.values()) == [Credit(refund=BOND)]
    assert (credits.read(), decoded) == (found, 1)
    add_block(database, 2)
    with database.session() as session:
        session.add(released(rig.chain, 2, 0, me))
    assert len(credits.read()) == 2
    assert decoded == 2
    with database.session() as session:  # what was left out of an old block comes in
        session.add(released(rig.chain, 1, 501, me))
        rewound(session)
    assert len(credits.read()) == 3


def dispute(number: int, digest: bytes, filer: str, status: str = "filed") -> DisputeRow:
    return DisputeRow(
        dispute_id=number, beast_id=1, index=0, generation=0, digest=digest, filer=filer,
        bond=BOND, status=status, missing=1, response_deadline=1, block_number=1,
        tx_hash=bytes(32),
    )  # fmt: skip


def test_bonds_at_risk_are_reckoned_without_the_disputes_of_strangers(
    rig: Rig, database: Database
) -> None:
    sender = MoveSender(database, Outbox(database, rig.sender(VALIDATOR)))
    me, stranger = sender.me, devnet_account(OTHER).address
    lost, ours, coming = (bytes([n]) * 32 for n in (1, 2, 3))

    def filing(digest: bytes, earlier: int, block: int | None = HEAD) -> IntentRow:
        return IntentRow(
            kind="file", key=filing_key(digest, earlier), account=me, bond=BOND,
            state=IntentState.SIGNED if block is None else IntentState.MINED, block_number=block,
            updated_at=datetime.now(UTC),
        )  # fmt: skip

    with database.session() as session:
        session.add(BlockRow(number=HEAD, hash=bytes(32), parent_hash=bytes(32), timestamp=0))
        # Of long ago, and on its way since then.
        session.add_all(filing(n.to_bytes(32), 0, n) for n in range(500, 800))
        session.add(filing((800).to_bytes(32), 0, None))
        session.add_all(dispute(n, n.to_bytes(32), stranger) for n in range(10, 300))
        session.add(dispute(1, lost, me, "dismissed"))
        session.add(dispute(2, ours, me))
        session.add_all([filing(lost, 0), filing(ours, 0), filing(coming, 0), filing(lost, 1)])
    loaded = 0

    def count(*_: Any) -> None:
        nonlocal loaded
        loaded += 1

    event.listen(DisputeRow, "load", count)
    try:
        # Our open one; the one on its way; and two filings, one of them over a record that was
        # disputed before, whose disputes are not read yet.
        assert sender.bonds_at_risk() == 4 * BOND
    finally:
        event.remove(DisputeRow, "load", count)
    assert loaded == 0


def test_files_are_hashed_once_for_all_beasts_whose_data_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two", "three"):
        (tmp_path / name).write_text(name)
    now = [time.time() + 60]
    folder = DatasetFolder(tmp_path, lambda: now[0])
    read: list[str] = []
    bytes_of = datasets._bytes_of

    def counted(path: Path) -> bytes | None:
        read.append(path.name)
        return bytes_of(path)

    monkeypatch.setattr(datasets, "_bytes_of", counted)
    for beast in range(20):
        assert folder.find(Commitments(bytes([beast]) * 32, bytes(32), 1, bytes(32))) is None
        now[0] += 10
    assert sorted(read) == ["one", "three", "two"]
    (tmp_path / "two").write_text("changed")
    now[0] += 10
    folder.find(Commitments(b"x" * 32, bytes(32), 1, bytes(32)))
    assert read[3:] == ["two"]
