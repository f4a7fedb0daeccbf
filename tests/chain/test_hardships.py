"""Dear, slow and broken chains: a move is made once, and no bid is above the cap."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes

from chainbeasts.backend.accounts import devnet_account
from chainbeasts.backend.chain import attempts
from chainbeasts.backend.chain.anvil import Anvil, rpc
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.errors import NodeUnavailableError
from chainbeasts.backend.chain.fees import FEE_BUMP, GWEI
from chainbeasts.backend.chain.nonces import Nonces
from chainbeasts.backend.chain.outbox import Outbox
from chainbeasts.backend.chain.transactions import (
    FeeCapError,
    ForeignPendingError,
    NotMinedError,
    SignedTransaction,
    TransactionManager,
)
from chainbeasts.backend.store.daemons import IntentState
from chainbeasts.backend.store.session import Database
from scripts.lib.faulty_node import Fault, FaultyNode
from tests.chain.conftest import DEPLOYER, EmptyBlocks, Senders, after_signed, until
from tests.chain.minting import TO, mine, mint, row
from tests.support.patience import PATIENCE, eventually
from tests.support.snapshots import set_base_fee

SEND = "eth_sendRawTransaction"


@pytest.fixture
def node(anvil: Anvil) -> Iterator[FaultyNode]:
    with FaultyNode(anvil.url, seed=3) as made:
        yield made


@pytest.fixture
def through(chain: Chain, node: FaultyNode, tmp_path: Path) -> TransactionManager:
    """Sends through the faulty node."""
    there = Chain.connect(node.url, chain.deployment)
    return TransactionManager(
        there, devnet_account(DEPLOYER), tmp_path / "locks", deadline=PATIENCE
    )


def most(signed: SignedTransaction) -> int:
    return int(TypedTransaction.from_bytes(HexBytes(signed.raw)).as_dict()["maxFeePerGas"])


@pytest.fixture
def mine_once_there(chain: Chain) -> Iterator[Callable[[SignedTransaction], None]]:
    """Mines one block, as soon as the node has any of the transactions that it is told of."""
    told: list[str] = []
    over = threading.Event()

    def is_there() -> bool:
        return any(rpc(chain.rpc_url, "eth_getTransactionByHash", one) for one in tuple(told))

    def wait() -> None:
        while not is_there():
            if over.wait(0.01):
                return
        mine(chain)

    waiter = threading.Thread(target=wait)

    def tell(one: SignedTransaction) -> None:
        told.append("0x" + one.hash.hex())
        if len(told) == 1:
            waiter.start()

    yield tell
    over.set()
    if told:
        waiter.join()  # or its block would come on top of the next test's chain


# --- the cap --------------------------------------------------------------------------------------


def test_nothing_is_signed_while_the_base_fee_is_above_the_cap(
    chain: Chain, sender: Senders
) -> None:
    set_base_fee(partial(rpc, chain.rpc_url), 50 * GWEI)
    mine(chain)
    signed: list[SignedTransaction] = []
    manager = sender(DEPLOYER, journal=signed.append, max_fee=9 * GWEI, deadline=0.1)
    with pytest.raises(FeeCapError, match="above --max-fee 9 gwei") as caught:
        manager.send(mint(chain), label="mint")
    assert "higher --max-fee" in caught.value.hint
    assert signed == []
    set_base_fee(partial(rpc, chain.rpc_url), GWEI)
    mine(chain)
    patient = sender(DEPLOYER, journal=signed.append, max_fee=9 * GWEI)
    patient.send(mint(chain), label="mint")
    assert [most(one) for one in signed] == [3 * GWEI]


def test_bumps_stop_at_the_cap(
    chain: Chain, empty_blocks: EmptyBlocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed: list[SignedTransaction] = []
    cap = int(empty_blocks.sender(DEPLOYER).offer().most * 1.3)
    until(monkeypatch, lambda attempt: attempt.fees.most * FEE_BUMP > cap, chances=3)
    options = {"max_fee": cap, "bump_after": 0.1}
    manager = empty_blocks.sender(DEPLOYER, journal=signed.append, **options)
    with pytest.raises(NotMinedError) as caught:
        manager.send(mint(chain), label="mint")
    assert 2 <= len(signed) <= 3
    assert all(most(one) <= cap for one in signed)
    assert "all that --max-fee" in caught.value.hint


# --- stuck ----------------------------------------------------------------------------------------


def test_a_stuck_transaction_of_an_earlier_process_is_replaced(
    chain: Chain,
    sender: Senders,
    database: Database,
    empty_blocks: EmptyBlocks,
    mine_once_there: Callable[[SignedTransaction], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = Outbox(database, empty_blocks.sender(DEPLOYER, deadline=0.2))
    with pytest.raises(NotMinedError):
        first.send_once("mint", "once", mint(chain), label="mint")
    stuck = row(database)
    assert stuck.state == IntentState.SIGNED

    outbox = Outbox(database, empty_blocks.sender(DEPLOYER, bump_after=0.3))

    def mine_it(signed: SignedTransaction) -> None:
        empty_blocks.stop()
        mine_once_there(signed)

    after_signed(monkeypatch, outbox, mine_it)
    receipt = outbox.send_once("mint", "once", mint(chain), label="mint")
    assert receipt is not None
    done = row(database)
    assert (done.nonce, done.state) == (stuck.nonce, IntentState.MINED)
    assert done.tx_hash == receipt.hash != stuck.tx_hash
    assert chain.energy_of(TO) == 1


def test_the_cheaper_one_of_two_on_record_may_be_the_mined_one(
    chain: Chain,
    sender: Senders,
    database: Database,
    empty_blocks: EmptyBlocks,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raw: list[bytes] = []

    until(monkeypatch, lambda attempt: len(attempt.hashes) > 1)
    outbox = Outbox(database, empty_blocks.sender(DEPLOYER, bump_after=0.1))
    after_signed(monkeypatch, outbox, lambda signed: raw.append(signed.raw))
    with pytest.raises(NotMinedError):
        outbox.send_once("mint", "once", mint(chain), label="mint")
    assert len(raw) > 1
    empty_blocks.stop()
    rpc(chain.rpc_url, "anvil_dropAllTransactions")
    early = chain.w3.eth.send_raw_transaction(raw[0])  # type: ignore[arg-type]
    mine(chain)
    again = Outbox(database, sender(DEPLOYER))
    assert again.recover() == 1
    done = row(database)
    assert (done.state, done.tx_hash) == (IntentState.MINED, bytes(early))
    assert again.send_once("mint", "once", mint(chain), label="mint") is None
    assert chain.energy_of(TO) == 1


def left_by_a_stranger(chain: Chain, manager: TransactionManager) -> bytes:
    """Leave a dear transaction of the account in the pool, on no record; its hash."""
    account, first = devnet_account(DEPLOYER), manager.offer()
    nonce = chain.w3.eth.get_transaction_count(account.address)
    fees = {"maxFeePerGas": 3 * first.most // 2, "maxPriorityFeePerGas": 3 * first.priority // 2}
    left = mint(chain, 100).build_transaction({"from": account.address, "nonce": nonce, **fees})
    return bytes(chain.w3.eth.send_raw_transaction(account.sign_transaction(left).raw_transaction))


def test_a_dearer_stranger_at_the_nonce_is_outbid_if_that_is_wished(
    chain: Chain,
    sender: Senders,
    manual_mining: None,
    mine_once_there: Callable[[SignedTransaction], None],
) -> None:
    """Left there by a process that kept no record."""
    signed: list[SignedTransaction] = []
    nonce = made_next(chain)
    plain = sender(DEPLOYER)
    dear = 1.5 * plain.offer().most
    left_by_a_stranger(chain, plain)

    def journal(one: SignedTransaction) -> None:
        signed.append(one)
        if most(one) > dear:
            mine_once_there(one)

    manager = sender(DEPLOYER, journal=journal, bump_after=1.0, replace=True)
    receipt = manager.send(mint(chain), label="mint")
    assert {one.nonce for one in signed} == {nonce}
    assert receipt.hash in {one.hash for one in signed[1:]}
    assert chain.energy_of(TO) == 1


def test_another_programs_pending_transaction_is_not_replaced(
    chain: Chain, sender: Senders, manual_mining: None
) -> None:
    signed: list[SignedTransaction] = []
    theirs = left_by_a_stranger(chain, sender(DEPLOYER))
    manager = sender(DEPLOYER, journal=signed.append, deadline=0.2)
    with pytest.raises(ForeignPendingError, match=theirs.hex()) as caught:
        manager.send(mint(chain), label="mint")
    assert "--replace-pending" in caught.value.hint
    assert signed == []
    rpc(chain.rpc_url, "evm_setAutomine", True)
    mine(chain)
    assert chain.energy_of(TO) == 100
    sender(DEPLOYER).send(mint(chain), label="mint")
    assert chain.energy_of(TO) == 101


def test_a_node_that_hides_what_is_pending_does_not_have_it_outbid(
    chain: Chain, sender: Senders, manual_mining: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The count of pending ones is often wrong; the refusal to replace tells as well."""
    signed: list[SignedTransaction] = []
    theirs = left_by_a_stranger(chain, sender(DEPLOYER))
    monkeypatch.setattr(Nonces, "taken", Nonces.used)
    manager = sender(DEPLOYER, journal=signed.append, deadline=0.5)
    with pytest.raises(ForeignPendingError, match=theirs.hex()):
        manager.send(mint(chain), label="mint")
    assert len(signed) == 1
    mine(chain)
    assert chain.energy_of(TO) == 100


def made_next(chain: Chain) -> int:
    return int(chain.w3.eth.get_transaction_count(devnet_account(DEPLOYER).address))


# --- a bad line to the node -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault", [Fault.ERROR, Fault.DROP_BEFORE, Fault.DROP_AFTER, Fault.ERROR_AFTER]
)
def test_a_broadcast_without_an_answer_is_neither_lost_nor_doubled(
    chain: Chain, node: FaultyNode, through: TransactionManager, fault: Fault
) -> None:
    signed: list[SignedTransaction] = []
    node.plan(SEND, fault)
    receipt = through.send(mint(chain), label="mint", journal=signed.append)
    assert [one.hash for one in signed] == [receipt.hash]
    assert node.faults[fault] == 1
    assert chain.energy_of(TO) == 1


def test_many_faults_at_once(
    chain: Chain, node: FaultyNode, through: TransactionManager, database: Database
) -> None:
    outbox = Outbox(database, through)
    node.misbehave(errors=0.1, drops_before=0.05, drops_after=0.1, errors_after=0.05)
    for number in range(2):
        while not made_once(outbox, chain, str(number)):
            pass
    assert sum(node.faults.values()) - node.faults[Fault.NONE] > 3
    assert chain.energy_of(TO) == 2


def made_once(outbox: Outbox, chain: Chain, key: str) -> bool:
    try:
        outbox.send_once(
            "mint", key, outbox.sender.chain.energy.functions.mint(TO, 1), label="mint"
        )
    except NodeUnavailableError:
        return False
    return True


def test_a_node_that_dies_before_the_receipt_leaves_the_intent_signed(
    chain: Chain,
    node: FaultyNode,
    through: TransactionManager,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(attempts, "SILENT_SECONDS", 0.5)
    hand_over = through._broadcast

    def last_act(signed: SignedTransaction) -> Any:
        outcome = hand_over(signed)
        node.down = True
        return outcome

    monkeypatch.setattr(through, "_broadcast", last_act)
    outbox = Outbox(database, through)
    call = through.chain.energy.functions.mint(TO, 1)
    with pytest.raises(NodeUnavailableError):
        outbox.send_once("mint", "once", call, label="mint")
    assert row(database).state == IntentState.SIGNED
    with pytest.raises(NodeUnavailableError):
        outbox.recover()
    assert row(database).state == IntentState.SIGNED
    eventually(lambda: chain.energy_of(TO) == 1)  # Anvil mines after it has answered
    node.behave()
    assert outbox.recover() == 1
    assert outbox.send_once("mint", "once", call, label="mint") is None
    assert chain.energy_of(TO) == 1
