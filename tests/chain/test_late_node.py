"""A node behind the same name that is blocks late makes nobody pay what is paid already."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from chainbeasts.backend.accounts import devnet_account
from chainbeasts.backend.chain.anvil import Anvil, rpc
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.escrow import ensure_escrow
from chainbeasts.backend.chain.intents import IntentLog
from chainbeasts.backend.chain.outbox import Outbox
from chainbeasts.backend.chain.transactions import Receipt, SignedTransaction, TransactionManager
from chainbeasts.backend.store.daemons import IntentRow
from chainbeasts.backend.store.session import Database
from chainbeasts.trainer.submit.stake import Stakes
from tests.chain.conftest import DEPLOYER, TRAINER, Senders
from tests.support.patience import PATIENCE
from tests.support.rpc_proxy import RpcProxy

ENERGY = 10**18
ME = devnet_account(TRAINER).address


@pytest.fixture
def proxy(anvil: Anvil) -> Iterator[RpcProxy]:
    with RpcProxy(anvil.url) as made:
        yield made


@pytest.fixture
def outbox(chain: Chain, proxy: RpcProxy, tmp_path: Path, database: Database) -> Outbox:
    """The trainer's, by way of the proxy."""
    there = Chain.connect(proxy.url, chain.deployment)
    limits = {"deadline": PATIENCE, "bump_after": PATIENCE}
    sender = TransactionManager(there, devnet_account(TRAINER), tmp_path / "locks", **limits)  # type: ignore[arg-type]
    return Outbox(database, sender)


def late_calls(block: int) -> Callable[[str, list[Any]], None]:
    """A rule: a node that has no later block answers what is asked about the latest."""

    def rule(method: str, params: list[Any]) -> None:
        if method == "eth_call" and params[1] == "latest":
            params[1] = hex(block)

    return rule


def test_a_deposit_that_a_late_node_does_not_show_is_not_made_again(
    chain: Chain, sender: Senders, proxy: RpcProxy, outbox: Outbox
) -> None:
    sender(DEPLOYER).send(chain.energy.functions.mint(ME, 20 * ENERGY), label="mint")
    before = chain.block().number
    there = outbox.sender.chain
    assert ensure_escrow(there, outbox.sender, 5 * ENERGY, outbox=outbox) == 5 * ENERGY
    rpc(chain.rpc_url, "anvil_mine", "0x2")
    proxy.rule = late_calls(before)
    assert ensure_escrow(there, outbox.sender, 5 * ENERGY, outbox=outbox) == 0
    assert chain.escrow_of(ME) == 5 * ENERGY


def test_a_stake_that_a_late_node_does_not_show_is_not_put_up_again(
    chain: Chain, hatch: Callable[[], int], proxy: RpcProxy, outbox: Outbox
) -> None:
    beast, before = hatch(), chain.block().number
    stakes = Stakes(outbox.sender.chain, outbox)
    stakes.ensure(beast)
    staked = chain.stake_of(beast, ME).amount
    assert staked > 0
    proxy.rule = late_calls(before)
    stakes.ensure(beast)
    assert chain.stake_of(beast, ME).amount == staked


def test_what_is_spent_since_is_not_taken_for_there(
    chain: Chain, sender: Senders, outbox: Outbox
) -> None:
    """The sum is that of now, not of the last deposit's block."""
    sender(DEPLOYER).send(chain.energy.functions.mint(ME, 20 * ENERGY), label="mint")
    there = outbox.sender.chain
    ensure_escrow(there, outbox.sender, 5 * ENERGY, outbox=outbox)
    withdrawal = chain.ledger.functions.withdraw(3 * ENERGY, ME)
    sender(TRAINER).send(withdrawal, label="withdraw")
    assert ensure_escrow(there, outbox.sender, 5 * ENERGY, outbox=outbox) == 3 * ENERGY


def made(log: IntentLog, key: str) -> None:
    """Put a deposit on record that was mined at the nonce of its key."""
    nonce, digest = int(key), bytes([int(key)]) * 32
    log.plan("deposit", key, 0, None)
    log.signed("deposit", key, SignedTransaction("", ME, nonce, digest, b"\x01"), first=True)
    log.mined("deposit", key, Receipt("", digest, nonce, digest, 21_000, {}))  # type: ignore[arg-type]


def test_a_reorg_of_an_earlier_deposit_does_not_name_the_next_one_by_the_last(
    database: Database,
) -> None:
    log = IntentLog(database, ME)
    assert log.next_key("deposit") == "0"
    for key in ("0", "1"):
        assert log.next_key("deposit") == key
        made(log, key)
    log.reopen("deposit", "0")
    log.failed("deposit", "0", "replaced", 0)
    assert log.next_key("deposit") == "2"
    log.plan("deposit", "2", 0, None)
    assert log.next_key("deposit") == "2"


def test_what_was_made_long_ago_is_not_read_at_a_start(database: Database) -> None:
    log, read = IntentLog(database, ME), list[str]()
    for key in range(6):
        made(log, str(key))
    log.reopen("deposit", "1")
    log.settle("deposit", "5")

    def note(row: IntentRow, _: object) -> None:
        read.append(row.key)

    event.listen(IntentRow, "load", note)
    try:
        assert [row.key for row in log.unfinished(4)] == ["1", "4"]
    finally:
        event.remove(IntentRow, "load", note)
    assert read == ["1", "4"]
