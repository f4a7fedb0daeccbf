"""A move is made once, whenever the process is killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from eth_hash.auto import keccak
from sqlalchemy import select

from chainbeasts.backend.accounts import devnet_account
from chainbeasts.backend.chain import attempts
from chainbeasts.backend.chain.anvil import rpc
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.errors import Reverted
from chainbeasts.backend.chain.intents import begun
from chainbeasts.backend.chain.outbox import Outbox
from chainbeasts.backend.chain.transactions import SignedTransaction
from chainbeasts.backend.store.daemons import IntentRow, IntentState
from chainbeasts.backend.store.session import Database
from tests.chain.conftest import (
    DEPLOYER,
    OTHER,
    TRAINER,
    EmptyBlocks,
    Senders,
    after_signed,
)
from tests.support.forked import Program
from tests.support.patience import eventually

TO = devnet_account(OTHER).address
Kill = Callable[[str], None]


@pytest.fixture
def kill(chain: Chain, folder: Path, database: Database, program: Program) -> Kill:
    """Runs a process that begins to mint one wei, until it kills itself."""

    def run(when: str) -> None:
        given = [when, chain.rpc_url, str(folder), database.url, TO]
        ended = program.run(given, os.environ, module="tests.chain.killed")
        assert ended.returncode == -signal.SIGKILL, ended.stderr

    return run


def row(database: Database, key: str = "once") -> IntentRow:
    with database.session() as session:
        found = session.scalar(select(IntentRow).where(IntentRow.key == key))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("when", "state", "arrived"),
    [
        ("planned", IntentState.PLANNED, 0),
        ("signed", IntentState.SIGNED, 0),
        ("sent", IntentState.SIGNED, 1),
        ("mined", IntentState.SIGNED, 1),
    ],
)
def test_killed_at_any_instant_the_move_is_made_once(
    when: str,
    state: IntentState,
    arrived: int,
    chain: Chain,
    sender: Senders,
    database: Database,
    kill: Kill,
) -> None:
    kill(when)
    assert row(database).state == state
    eventually(lambda: chain.energy_of(TO) == arrived)  # Anvil mines after it has answered
    nonce = chain.w3.eth.get_transaction_count(devnet_account(DEPLOYER).address) - arrived

    outbox = Outbox(database, sender(DEPLOYER))
    assert not outbox.is_done("mint", "once")
    assert outbox.recover() == (state == IntentState.SIGNED)
    assert row(database).state in (IntentState.MINED, IntentState.FAILED)
    assert chain.energy_of(TO) == (state == IntentState.SIGNED)
    mint = chain.energy.functions.mint(TO, 1)
    again = outbox.send_once("mint", "once", mint, label="mint")
    assert (again is None) == (state == IntentState.SIGNED)
    assert outbox.send_once("mint", "once", mint, label="mint") is None
    assert outbox.recover() == 0

    assert outbox.is_done("mint", "once")
    assert chain.energy_of(TO) == 1
    done = row(database)
    assert done.tx_hash is not None
    receipt = chain.w3.eth.get_transaction_receipt(done.tx_hash)  # type: ignore[arg-type]
    assert (receipt["status"], receipt["gasUsed"]) == (1, done.gas_used)
    assert chain.w3.eth.get_transaction_count(devnet_account(DEPLOYER).address) == nonce + 1


def test_sending_alone_also_ends_what_was_begun(
    chain: Chain, sender: Senders, database: Database, kill: Kill
) -> None:
    kill("signed")
    begun = row(database)
    mint = chain.energy.functions.mint(TO, 1)
    receipt = Outbox(database, sender(DEPLOYER)).send_once("mint", "once", mint, label="mint")
    assert receipt is not None
    assert receipt.hash == begun.tx_hash  # the very transaction that was signed
    assert chain.energy_of(TO) == 1


def test_a_nonce_that_went_to_another_transaction_is_tried_again(
    chain: Chain,
    sender: Senders,
    database: Database,
    kill: Kill,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(attempts, "LOOK_SECONDS", 0.2)
    kill("signed")
    begun = row(database)
    other = sender(DEPLOYER).send(chain.energy.functions.mint(TO, 100), label="another")
    assert chain.w3.eth.get_transaction(other.hash)["nonce"] == begun.nonce  # type: ignore[arg-type]

    outbox = Outbox(database, sender(DEPLOYER))
    assert outbox.recover() == 1
    assert (row(database).state, row(database).error) == (IntentState.FAILED, "replaced")
    assert not outbox.is_done("mint", "once")
    receipt = outbox.send_once("mint", "once", chain.energy.functions.mint(TO, 1), label="mint")
    assert receipt is not None
    assert receipt.hash != begun.tx_hash
    assert chain.energy_of(TO) == 101
    assert outbox.is_done("mint", "once")


def test_a_refused_move_can_be_made_later(
    chain: Chain, sender: Senders, database: Database
) -> None:
    outbox = Outbox(database, sender(TRAINER))
    give = chain.energy.functions.transfer(TO, 7)
    with pytest.raises(Reverted):
        outbox.send_once("give", "seven", give, label="give", bond=3)
    refused = row(database, "seven")
    assert (refused.state, refused.error) == (IntentState.FAILED, "ERC20InsufficientBalance")
    assert (refused.bond, refused.nonce) == (3, None)
    mint = chain.energy.functions.mint(outbox.sender.address, 7)
    sender(DEPLOYER).send(mint, label="mint")
    assert outbox.send_once("give", "seven", give, label="give") is not None
    assert chain.energy_of(TO) == 7


def test_moves_are_told_apart_by_account_kind_and_key(
    chain: Chain, sender: Senders, database: Database
) -> None:
    mint = chain.energy.functions.mint(TO, 1)
    first = Outbox(database, sender(DEPLOYER))
    assert all(
        first.send_once(kind, key, mint, label="mint")
        for kind, key in (("a", "1"), ("a", "2"), ("b", "1"))
    )
    allow = chain.energy.functions.approve(TO, 1)
    assert Outbox(database, sender(TRAINER)).send_once("a", "1", allow, label="allow") is not None
    assert chain.energy_of(TO) == 3


def test_every_bump_is_on_record_and_the_mined_one_at_last(
    chain: Chain,
    sender: Senders,
    database: Database,
    empty_blocks: EmptyBlocks,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[bytes | None] = []

    def look(_: SignedTransaction) -> None:
        seen.append(row(database).tx_hash)
        if len(seen) == 3:
            empty_blocks.stop()
            rpc(chain.rpc_url, "anvil_mine", "0x1")

    outbox = Outbox(database, empty_blocks.sender(DEPLOYER, bump_after=0.1))
    after_signed(monkeypatch, outbox, look)
    receipt = outbox.send_once("mint", "once", chain.energy.functions.mint(TO, 1), label="mint")
    assert receipt is not None
    assert len(set(seen)) == len(seen) == 3
    assert receipt.hash == seen[1]  # the second was mined while the third was on its way
    assert row(database).tx_hash == receipt.hash
    assert chain.energy_of(TO) == 1


def test_what_is_resumed_is_one_transaction_also_if_another_bump_was_mined(
    chain: Chain, sender: Senders, database: Database
) -> None:
    """A reorg takes it back; the bytes that are left are the last one's, which has its own hash."""
    outbox, raws = Outbox(database, sender(DEPLOYER)), (b"first", b"bumped")
    first, bumped = (SignedTransaction("mint", TO, 7, keccak(raw), raw) for raw in raws)
    outbox.intents.plan("mint", "once", 0, None)
    for one in (first, bumped):
        outbox.intents.signed("mint", "once", one, first=one is first)
    made = outbox.sender.send(chain.energy.functions.mint(TO, 1), label="mint")
    outbox.intents.mined("mint", "once", replace(made, hash=first.hash))
    outbox.intents.reopen("mint", "once")
    left = begun(row(database), "mint")
    assert (left.last.hash, left.last.raw) == (bumped.hash, bumped.raw)
    assert left.hashes == (first.hash, bumped.hash)
