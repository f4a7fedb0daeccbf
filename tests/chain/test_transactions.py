"""Transactions: nothing goes out that would fail, and what goes out is mined once."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes
from structlog.testing import capture_logs

from chainbeasts.backend.accounts import devnet_account
from chainbeasts.backend.chain import transactions
from chainbeasts.backend.chain.anvil import rpc
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.errors import ChainError, Reverted
from chainbeasts.backend.chain.transactions import (
    MAX_GAS,
    MAX_RAW_BYTES,
    SignedTransaction,
    TransactionManager,
)
from chainbeasts.backend.locks import LockHeldError
from tests.chain.conftest import DEPLOYER, OTHER, TRAINER, EmptyBlocks, Senders
from tests.support.patience import PATIENCE, eventually
from tests.support.stopped import stopped_holder

TO = devnet_account(OTHER).address

MINT_ONE = """
import sys
from pathlib import Path
from chainbeasts.backend.accounts import devnet_account
from chainbeasts.backend.chain.anvil import DEVNET_CHAIN_ID
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.deployment import Deployment
from chainbeasts.backend.chain.transactions import TransactionManager
url, folder, locks, to = sys.argv[1:]
chain = Chain.connect(url, Deployment.load(Path(folder), DEVNET_CHAIN_ID))
sender = TransactionManager(chain, devnet_account(0), Path(locks))
print(sender.send(chain.energy.functions.mint(to, 1), label="mint").hash.hex())
"""


def nonce(chain: Chain, who: int) -> int:
    return int(chain.w3.eth.get_transaction_count(devnet_account(who).address))


def offered(one: SignedTransaction) -> tuple[int, int]:
    made = TypedTransaction.from_bytes(HexBytes(one.raw)).as_dict()
    return made["maxFeePerGas"], made["maxPriorityFeePerGas"]


def test_a_mined_transaction_comes_back_with_its_receipt(chain: Chain, sender: Senders) -> None:
    signed: list[SignedTransaction] = []
    before = nonce(chain, DEPLOYER)
    manager = sender(DEPLOYER, journal=signed.append)
    receipt = manager.send(chain.energy.functions.mint(TO, 4), label="mint")
    assert chain.energy_of(TO) == 4
    assert [(one.hash, one.nonce) for one in signed] == [(receipt.hash, before)]
    block = chain.block(receipt.block_number)
    assert (block.hash, receipt.raw["status"]) == (receipt.block_hash, 1)
    sent = chain.w3.eth.get_transaction(receipt.hash)  # type: ignore[arg-type]
    assert receipt.gas_used <= sent["gas"] <= min(MAX_GAS, 2 * receipt.gas_used)


def test_what_the_simulation_refuses_is_not_sent(chain: Chain, sender: Senders) -> None:
    signed: list[SignedTransaction] = []
    before, height = nonce(chain, TRAINER), chain.block().number
    with pytest.raises(Reverted) as caught:
        sender(TRAINER, journal=signed.append).send(
            chain.energy.functions.mint(TO, 1), label="mint"
        )
    assert caught.value.name == "AccessControlUnauthorizedAccount"
    assert caught.value.args_by_name["account"] == devnet_account(TRAINER).address
    assert signed == []
    assert (nonce(chain, TRAINER), chain.block().number) == (before, height)


def test_coin_goes_along_with_every_bump(
    chain: Chain,
    sender: Senders,
    hatch: Callable[..., int],
    request: pytest.FixtureRequest,
) -> None:
    beast, trainer = hatch(), devnet_account(TRAINER).address
    blocks = request.getfixturevalue("empty_blocks")
    signed: list[SignedTransaction] = []

    def mine_the_third(one: SignedTransaction) -> None:
        signed.append(one)
        if len(signed) == 3:
            blocks.stop()
            rpc(chain.rpc_url, "anvil_mine", "0x1")

    manager = blocks.sender(TRAINER, journal=mine_the_third, bump_after=0.2)
    call = chain.ledger.functions.stake(beast)
    assert manager.estimate(call, value=12) > 21_000
    receipt = manager.send(call, label="stake", value=12)
    assert len(signed) >= 3
    assert chain.w3.eth.get_transaction(receipt.hash)["value"] == 12  # type: ignore[arg-type]
    assert chain.stake_of(beast, trainer).amount == 12


def test_no_funds_for_gas_is_one_sentence(chain: Chain, tmp_path: Path) -> None:
    poor = Account.from_key(bytes([7]) * 32)
    manager = TransactionManager(chain, poor, tmp_path / "locks", deadline=5)
    with pytest.raises(ChainError) as caught:
        manager.send(chain.energy.functions.approve(TO, 1), label="approve")
    assert caught.value.message == f"{poor.address} cannot pay the gas to approve."
    assert "native coin" in caught.value.hint


def test_more_than_128_kib_is_refused_before_it_is_sent(chain: Chain, sender: Senders) -> None:
    signed: list[SignedTransaction] = []
    before, zero = nonce(chain, DEPLOYER), bytes(32)
    schedule = chain.timelock.functions.schedule
    manager = sender(DEPLOYER, journal=signed.append)
    with pytest.raises(ChainError, match=f"nodes accept {MAX_RAW_BYTES}") as caught:
        manager.send(schedule(TO, 0, bytes(MAX_RAW_BYTES), zero, zero, 3), label="propose")
    assert "Send less at a time." in caught.value.hint
    assert (signed, nonce(chain, DEPLOYER)) == ([], before)
    manager.send(schedule(TO, 0, bytes(MAX_RAW_BYTES - 1024), zero, zero, 3), label="propose")
    assert len(signed[0].raw) <= MAX_RAW_BYTES


def test_fees_are_bumped_at_the_same_nonce_until_mined(
    chain: Chain, empty_blocks: EmptyBlocks
) -> None:
    signed: list[SignedTransaction] = []

    def journal(one: SignedTransaction) -> None:
        signed.append(one)
        if len(signed) == 4:  # the third is mined while a fourth is on its way out
            empty_blocks.stop()
            rpc(chain.rpc_url, "anvil_mine", "0x1")

    before = nonce(chain, DEPLOYER)
    manager = empty_blocks.sender(DEPLOYER, journal=journal, bump_after=0.1)
    receipt = manager.send(chain.energy.functions.mint(TO, 1), label="mint")
    assert {one.nonce for one in signed} == {before}
    assert receipt.hash == signed[2].hash
    offers = [offered(one) for one in signed]
    for (low, low_tip), (high, high_tip) in pairwise(offers):
        assert high >= 1.1 * low  # what nodes ask of a replacement
        assert high_tip >= 1.1 * low_tip
    assert len(offers) == 4
    assert (chain.energy_of(TO), nonce(chain, DEPLOYER)) == (1, before + 1)


def test_not_mined_in_time_is_told(chain: Chain, sender: Senders, manual_mining: None) -> None:
    manager = sender(DEPLOYER, deadline=0.3, bump_after=0.1)
    with pytest.raises(ChainError, match=r"to mint was not mined in 0\.3 s") as caught:
        manager.send(chain.energy.functions.mint(TO, 1), label="mint")
    assert "look before you send it again" in caught.value.hint


def test_a_stopped_process_that_holds_the_nonce_lock_is_given_up(
    chain: Chain, sender: Senders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transactions, "LOCK_SLACK_SECONDS", 0.0)
    manager, before = sender(DEPLOYER, deadline=0.1), nonce(chain, DEPLOYER)
    mint = chain.energy.functions.mint(TO, 1)
    with (
        stopped_holder(manager._lock.path) as holder,
        pytest.raises(LockHeldError, match=str(holder.pid)),
    ):
        manager.send(mint, label="mint")
    assert nonce(chain, DEPLOYER) == before


def test_two_processes_share_the_nonce_lock(
    chain: Chain, folder: Path, tmp_path: Path, sender: Senders, manual_mining: None
) -> None:
    before = nonce(chain, DEPLOYER)
    arguments = [chain.rpc_url, str(folder), str(tmp_path / "locks"), TO]
    other = subprocess.Popen(
        [sys.executable, "-c", MINT_ONE, *arguments], stdout=subprocess.PIPE, text=True
    )
    done = threading.Event()

    def mine() -> None:
        done.wait(0.5)  # time enough to do it wrong; doing it right needs none
        while not done.wait(0.05):
            rpc(chain.rpc_url, "anvil_mine", "0x1")

    miner = threading.Thread(target=mine)
    try:
        empty = {"pending": "0x0", "queued": "0x0"}
        eventually(lambda: rpc(chain.rpc_url, "txpool_status") != empty or other.poll() is not None)
        assert other.poll() is None
        miner.start()  # from here on the other process holds the lock, its transaction unmined
        signed: list[SignedTransaction] = []
        manager = sender(DEPLOYER, journal=signed.append, bump_after=PATIENCE)
        mine_too = manager.send(chain.energy.functions.mint(TO, 1), label="mint")
        theirs = other.communicate(timeout=PATIENCE)[0].split()[-1]
    finally:
        done.set()
        if miner.ident is not None:
            miner.join()
        if other.poll() is None:
            other.kill()
            other.wait()
    assert other.returncode == 0
    assert [one.nonce for one in signed] == [before + 1]
    first = chain.w3.eth.get_transaction("0x" + theirs)  # type: ignore[arg-type]
    assert first["nonce"] == before
    assert first["blockNumber"] < mine_too.block_number
    assert chain.energy_of(TO) == 2


def test_a_transaction_that_failed_on_chain_is_decoded(chain: Chain, sender: Senders) -> None:
    """Between simulation and broadcast somebody else takes what it was to spend."""
    trainer = devnet_account(TRAINER).address
    deployer = sender(DEPLOYER)
    deployer.send(chain.energy.functions.mint(trainer, 10), label="mint")
    allow = chain.energy.functions.approve(deployer.address, 10)
    sender(TRAINER).send(allow, label="allow")
    before = nonce(chain, TRAINER)

    def take(_: SignedTransaction) -> None:
        call = chain.energy.functions.transferFrom(trainer, deployer.address, 10)
        deployer.send(call, label="take")

    with pytest.raises(Reverted) as caught:
        sender(TRAINER).send(chain.energy.functions.transfer(TO, 10), label="give", journal=take)
    assert caught.value.name == "ERC20InsufficientBalance"
    assert caught.value.args_by_name == {"sender": trainer, "balance": 0, "needed": 10}
    assert nonce(chain, TRAINER) == before + 1  # mined, at the cost of its gas


def test_the_key_is_in_no_log_and_no_repr(chain: Chain, sender: Senders) -> None:
    manager = sender(DEPLOYER, bump_after=0.1)
    with capture_logs() as said:
        manager.send(chain.energy.functions.mint(TO, 1), label="mint")
        with pytest.raises(Reverted) as caught:
            manager.send(chain.energy.functions.burn(1), label="burn")
    key = bytes(manager.account.key).hex()
    shown = [*map(repr, said), repr(manager), repr(vars(manager)), repr(caught.value)]
    assert said
    assert all(key not in text.lower() for text in shown)
