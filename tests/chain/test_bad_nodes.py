"""Nodes that count and do not show, lag, stand still, refuse in odd words: nothing is doubled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes
from sqlalchemy import select

from chainbeasts.backend.accounts import devnet_account
from chainbeasts.backend.chain import attempts
from chainbeasts.backend.chain.anvil import Anvil, rpc
from chainbeasts.backend.chain.attempts import Attempt, Attempts
from chainbeasts.backend.chain.broadcast import Outcome, meaning
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.errors import ChainError
from chainbeasts.backend.chain.escrow import ensure_escrow
from chainbeasts.backend.chain.fees import MOST_MULTIPLE, ceiling
from chainbeasts.backend.chain.intents import IntentLog
from chainbeasts.backend.chain.outbox import SETTLED_BLOCKS, Outbox
from chainbeasts.backend.chain.transactions import (
    NotMinedError,
    SignedTransaction,
    TransactionManager,
    UnknownOutcomeError,
)
from chainbeasts.backend.store.daemons import IntentRow, IntentState
from chainbeasts.backend.store.session import Database
from scripts.lib.faulty_node import FaultyNode
from tests.chain.conftest import DEPLOYER, OTHER, TRAINER, EmptyBlocks, Senders, until
from tests.support.patience import PATIENCE, eventually
from tests.support.snapshots import nothing_mined

TO = devnet_account(OTHER).address
ENERGY = 10**18
Through = Callable[..., TransactionManager]


@pytest.fixture
def node(anvil: Anvil, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyNode]:
    monkeypatch.setattr(attempts, "LOOK_SECONDS", 0.2)
    with FaultyNode(anvil.url, seed=5) as made:
        yield made


@contextmanager
def hidden_receipts(node: FaultyNode, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """It counts and shows no receipt; whoever asks for one gives up soon."""
    node.hides_receipts = True
    with monkeypatch.context() as patch:
        patch.setattr(attempts, "UNKNOWN_SECONDS", 0.8)
        yield
    node.behave()


@pytest.fixture
def through(chain: Chain, node: FaultyNode, tmp_path: Path) -> Through:
    """Sends by way of the faulty node."""
    there = Chain.connect(node.url, chain.deployment)

    def make(who: int = DEPLOYER, **options: Any) -> TransactionManager:
        options = {"deadline": PATIENCE, "bump_after": PATIENCE} | options
        return TransactionManager(there, devnet_account(who), tmp_path / "locks", **options)

    return make


def mint(manager: TransactionManager) -> Any:
    return manager.chain.energy.functions.mint(TO, 1)


def count(chain: Chain, who: int = DEPLOYER) -> int:
    return int(chain.w3.eth.get_transaction_count(devnet_account(who).address))


def rows(database: Database, kind: str) -> list[IntentRow]:
    with database.session() as session:
        return list(session.scalars(select(IntentRow).where(IntentRow.kind == kind)))


def most(signed: SignedTransaction) -> int:
    return int(TypedTransaction.from_bytes(HexBytes(signed.raw)).as_dict()["maxFeePerGas"])


# --- no receipt is not a no -----------------------------------------------------------------------


def test_what_is_counted_without_a_receipt_is_not_sent_again(
    chain: Chain,
    node: FaultyNode,
    through: Through,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A command is run again after "unknown": it finds its transaction and sends nothing."""
    before = count(chain)
    with hidden_receipts(node, monkeypatch):
        for _ in range(2):
            with pytest.raises(UnknownOutcomeError, match="no receipt of 0x") as caught:
                through().send(mint(through()), label="mint")
            assert "same command again" in caught.value.hint
    assert (count(chain), chain.energy_of(TO)) == (before + 1, 1)
    receipt = through().send(mint(through()), label="mint")
    assert receipt.hash.hex() in caught.value.message
    assert (count(chain), chain.energy_of(TO)) == (before + 1, 1)
    assert list((tmp_path / "locks").glob("*.json")) == []
    through().send(mint(through()), label="mint")  # the next one is another one
    assert (count(chain), chain.energy_of(TO)) == (before + 2, 2)


def test_what_is_mined_at_the_deadline_is_waited_for(
    chain: Chain, sender: Senders, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the looks for a receipt and at the count."""
    looks, find = list[int](), Attempts._find

    def late(attempt_of: Attempts, attempt: Attempt) -> Any:
        looks.append(len(attempt.hashes))
        if len(looks) > 1:
            return find(attempt_of, attempt)
        return eventually(lambda: find(attempt_of, attempt)) and None

    monkeypatch.setattr(Attempts, "_find", late)
    receipt = sender(DEPLOYER, deadline=0.0).send(chain.energy.functions.mint(TO, 1), label="mint")
    assert receipt.block_number == chain.block().number
    assert looks == [1, 1]


def test_what_an_earlier_run_began_is_a_new_wish_once_something_else_was_sent(
    chain: Chain,
    node: FaultyNode,
    through: Through,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A setting that was changed, changed back, and changed again is not taken for made."""
    manager = through()
    allow = manager.chain.energy.functions.approve
    with hidden_receipts(node, monkeypatch), pytest.raises(UnknownOutcomeError):
        manager.send(allow(TO, 1), label="allow")
    manager.send(allow(TO, 2), label="allow")
    assert list((tmp_path / "locks").glob("*.json")) == []
    manager.send(allow(TO, 1), label="allow")
    me = manager.address
    assert chain.call(chain.energy.functions.allowance(me, TO)) == 1


def test_a_move_without_a_receipt_is_made_once_however_often_it_is_tried(
    chain: Chain,
    node: FaultyNode,
    through: Through,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with hidden_receipts(node, monkeypatch):
        for _ in range(2):
            with pytest.raises(UnknownOutcomeError):
                Outbox(database, through()).send_once("mint", "once", mint(through()), label="mint")
    assert rows(database, "mint")[0].state == IntentState.SIGNED
    assert chain.energy_of(TO) == 1
    outbox = Outbox(database, through())
    assert outbox.recover() == 1
    assert outbox.send_once("mint", "once", mint(through()), label="mint") is None
    assert chain.energy_of(TO) == 1


def test_the_same_call_at_a_nonce_that_is_offered_again_is_another_transaction(
    chain: Chain, sender: Senders, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a late node offers it: one receipt would end two moves."""
    manager = sender(DEPLOYER)
    fees, attempts_of = manager.offer(), manager._attempts
    monkeypatch.setattr(manager, "offer", lambda: fees)
    for _ in range(2):  # the second takes less gas than the first, and as much as the third
        before = manager.send(mint(manager), label="mint")
    offered, free = [attempts_of.nonces.used() - 1], attempts_of.free_nonce
    monkeypatch.setattr(
        attempts_of, "free_nonce", lambda label: offered.pop() if offered else free(label)
    )
    after = manager.send(mint(manager), label="mint")
    assert offered == []
    assert after.hash != before.hash
    assert chain.energy_of(TO) == 3


def test_two_nodes_behind_one_name_double_nothing(
    chain: Chain,
    node: FaultyNode,
    through: Through,
    database: Database,
    passing_blocks: None,
) -> None:
    """One is two blocks late, and each call goes to either."""
    rpc(chain.rpc_url, "anvil_mine", "0x3")  # the late one knows the deployer's role, too
    node.lag, node.lag_share = 2, 0.5
    # Anvil drops what follows on a transaction that it mines twice in one moment.
    outbox = Outbox(database, through(bump_after=1.0))
    for number in range(3):
        while not made(outbox, str(number)):
            pass
    assert chain.energy_of(TO) == 3
    node.behave()
    assert outbox.recover() == 0
    assert chain.energy_of(TO) == 3


def made(outbox: Outbox, key: str) -> bool:
    try:
        outbox.send_once("mint", key, mint(outbox.sender), label="mint")
    except ChainError:
        return False
    return True


def test_a_nonce_is_given_up_only_for_what_is_seen_in_a_block(
    chain: Chain, sender: Senders, node: FaultyNode, through: Through, database: Database
) -> None:
    """The proof is a block with another transaction, also of a node without old states."""
    hasty, outbox = Outbox(database, through(deadline=0.3)), Outbox(database, through())
    with nothing_mined(partial(rpc, chain.rpc_url)):
        with pytest.raises(NotMinedError):
            hasty.send_once("mint", "once", mint(outbox.sender), label="mint")
        rpc(chain.rpc_url, "anvil_dropAllTransactions")
    sender(DEPLOYER).send(chain.energy.functions.mint(TO, 100), label="another")
    node.hides_receipts = True
    assert outbox.recover() == 1
    assert rows(database, "mint")[0].error == "replaced"
    node.behave()
    assert outbox.send_once("mint", "once", mint(outbox.sender), label="mint") is not None
    assert chain.energy_of(TO) == 101


def test_what_is_settled_is_on_disk(
    chain: Chain, node: FaultyNode, through: Through, database: Database
) -> None:
    """A payout is not withdrawn again by way of a node without old receipts."""
    outbox = Outbox(database, through())
    assert outbox.send_once("collect", "one", mint(outbox.sender), label="collect") is not None
    node.hides_receipts = True
    assert outbox.is_done("collect", "one")  # its block stands
    assert outbox.is_settled("collect", "one") is False
    rpc(chain.rpc_url, "anvil_mine", hex(SETTLED_BLOCKS))
    assert Outbox(database, through()).is_settled("collect", "one")
    assert rows(database, "collect")[0].settled
    node.down = True
    again = Outbox(database, outbox.sender)
    assert again.is_settled("collect", "one")
    assert again.send_once("collect", "one", mint(outbox.sender), label="collect") is None
    assert chain.energy_of(TO) == 1


def test_a_deposit_is_a_journalled_move(
    chain: Chain,
    sender: Senders,
    node: FaultyNode,
    through: Through,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trainer = devnet_account(TRAINER).address
    sender(DEPLOYER).send(chain.energy.functions.mint(trainer, 20 * ENERGY), label="mint")
    outbox = Outbox(database, through(TRAINER))
    allow = chain.energy.functions.approve(chain.ledger.address, 20 * ENERGY)
    sender(TRAINER).send(allow, label="approve")
    with hidden_receipts(node, monkeypatch):
        for _ in range(2):  # it may be on the chain: no other one is made
            with pytest.raises(UnknownOutcomeError):
                ensure_escrow(outbox.sender.chain, outbox.sender, 5 * ENERGY, outbox=outbox)
    assert [row.state for row in rows(database, "deposit")] == [IntentState.SIGNED]
    assert ensure_escrow(outbox.sender.chain, outbox.sender, 5 * ENERGY, outbox=outbox) == 0
    assert chain.escrow_of(trainer) == 5 * ENERGY
    assert ensure_escrow(outbox.sender.chain, outbox.sender, 7 * ENERGY, outbox=outbox) > 0
    assert chain.escrow_of(trainer) == 7 * ENERGY
    assert [row.key for row in rows(database, "deposit")] == ["0", "1"]


def test_two_processes_that_plan_one_move_do_not_trip_over_its_row(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs, plain = IntentLog(database, TO), IntentLog(database, TO), IntentLog._row
    assert theirs.plan("file", "one", 3, None) is False
    looks: list[str] = []

    def late(log: IntentLog, session: Any, kind: str, key: str) -> IntentRow | None:
        """The first look is from before the other's row was there."""
        looks.append(key)
        return None if len(looks) == 1 else plain(log, session, kind, key)

    monkeypatch.setattr(IntentLog, "_row", late)
    assert ours.plan("file", "one", 3, None) is False
    assert len(looks) == 2
    assert [row.state for row in rows(database, "file")] == [IntentState.PLANNED]


# --- fees -----------------------------------------------------------------------------------------


def test_no_fee_rises_while_the_head_stands_still(
    chain: Chain, sender: Senders, manual_mining: None
) -> None:
    signed: list[SignedTransaction] = []
    manager = sender(DEPLOYER, journal=signed.append, bump_after=0.05, deadline=1.0)
    with pytest.raises(NotMinedError):
        manager.send(chain.energy.functions.mint(TO, 1), label="mint")
    assert len(signed) == 1


def test_a_node_that_always_wants_more_is_not_paid_more_than_the_bound(
    chain: Chain, node: FaultyNode, through: Through
) -> None:
    signed: list[SignedTransaction] = []
    node.refusal = "transaction underpriced"
    manager, top = through(journal=signed.append, deadline=4.0), ceiling(chain.base_fee())
    with pytest.raises(NotMinedError):
        manager.send(mint(manager), label="mint")
    assert node.calls["eth_sendRawTransaction"] <= 6  # no two refusals without a pause
    assert [most(one) for one in signed] == sorted(most(one) for one in signed)
    assert most(signed[-1]) <= top.most == MOST_MULTIPLE * manager.offer().most


def test_a_resumed_move_is_bumped_whatever_the_node_says(
    database: Database, empty_blocks: EmptyBlocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Outbox(database, empty_blocks.sender(DEPLOYER, deadline=0.2))
    call = mint(first.sender)
    with pytest.raises(NotMinedError):
        first.send_once("mint", "once", call, label="mint")
    before = rows(database, "mint")[0].tx_hash
    empty_blocks.node.refusal = "the mempool is on holiday"
    until(monkeypatch, lambda attempt: len(attempt.hashes) > 1)
    again = Outbox(database, empty_blocks.sender(DEPLOYER, bump_after=0.2))
    with pytest.raises(NotMinedError):
        again.send_once("mint", "once", call, label="mint")
    assert rows(database, "mint")[0].tx_hash != before


# --- words ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ("already known", Outcome.ACCEPTED),  # Geth
        ("AlreadyKnown", Outcome.ACCEPTED),  # Nethermind
        ("Known transaction", Outcome.ACCEPTED),  # Besu
        ("existing txn with same hash", Outcome.ACCEPTED),  # Erigon
        ("INTERNAL_ERROR: existing tx with same hash", Outcome.ACCEPTED),  # Erigon
        ("Transaction with the same hash was already imported.", Outcome.ACCEPTED),  # Parity
        ("transaction already imported", Outcome.ACCEPTED),  # Anvil
        ("nonce too low: next nonce 5, tx nonce 4", Outcome.ACCEPTED),  # Geth, Reth
        ("Nonce too low", Outcome.ACCEPTED),  # Besu
        ("OldNonce, Current nonce: 5, nonce of rejected tx: 4", Outcome.ACCEPTED),  # Nethermind
        ("Transaction nonce is too low. Try incrementing the nonce.", Outcome.ACCEPTED),  # Parity
        ("replacement transaction underpriced", Outcome.OCCUPIED),  # Geth
        ("Replacement transaction underpriced", Outcome.OCCUPIED),  # Besu
        ("ReplacementNotAllowed, Pending fee 3", Outcome.OCCUPIED),  # Nethermind
        ("could not replace existing tx", Outcome.OCCUPIED),  # Erigon
        ("insufficient gas price to replace existing transaction", Outcome.OCCUPIED),  # Reth
        (
            "Transaction gas price 5wei is too low. There is another transaction with same nonce "
            "in the queue with gas price: 9wei. Try increasing the gas price.",
            Outcome.OCCUPIED,
        ),  # Parity
        ("transaction underpriced", Outcome.UNDERPRICED),  # Geth
        ("FeeTooLow, MaxFeePerGas too low", Outcome.UNDERPRICED),  # Nethermind
        ("FeeTooLowToCompete", Outcome.UNDERPRICED),  # Nethermind
        ("fee too low", Outcome.UNDERPRICED),  # Erigon
        ("fee too low: 1, use at least tx.gasLimit = 2 and tx.gasPrice = 3", Outcome.UNDERPRICED),
        ("max fee per gas less than block base fee", Outcome.UNDERPRICED),  # Geth, Reth
        ("Gas price below current base fee", Outcome.UNDERPRICED),  # Besu
        ("Gas price below configured minimum gas price", Outcome.UNDERPRICED),  # Besu
        ("Transaction gas price is too low. It does not satisfy your", Outcome.UNDERPRICED),
        ("insufficient funds for gas * price + value: have 1 want 2", Outcome.UNPAYABLE),
        ("InsufficientFunds, Account balance: 1", Outcome.UNPAYABLE),  # Nethermind
        ("Upfront cost exceeds account balance", Outcome.UNPAYABLE),  # Besu
        ("Insufficient funds. The account you tried to send", Outcome.UNPAYABLE),  # Parity
        ("exceeds block gas limit", Outcome.REFUSED),  # Geth
        ("transaction gas limit too high (cap: 16777216, tx: 3)", Outcome.REFUSED),  # Geth
        ("Transaction gas limit exceeds block gas limit", Outcome.REFUSED),  # Besu
        ("Transaction gas is too low. There is not enough gas to cover", Outcome.REFUSED),
        ("tx fee (1.10 ether) exceeds the configured cap (1.00 ether)", Outcome.REFUSED),  # Geth
        ("txpool is full", Outcome.UNSURE),  # Geth, Reth
        ("pending sub-pool is full", Outcome.UNSURE),  # Erigon
        ("There are too many transactions in the queue.", Outcome.UNSURE),  # Parity
        ("Transaction pool not enabled.", Outcome.UNSURE),  # Besu
        ("Node is syncing", Outcome.UNSURE),  # Nethermind
        ("nonce too high", Outcome.UNSURE),  # Geth
        ("in-flight transaction limit reached for delegated accounts", Outcome.UNSURE),  # Geth
        ("Internal error", Outcome.UNSURE),
        ("words of tomorrow", Outcome.UNSURE),
    ],
)
def test_the_words_of_other_clients_are_understood(said: str, means: Outcome) -> None:
    assert meaning(said) is means


def test_words_that_nobody_knows_end_nothing(
    chain: Chain, node: FaultyNode, through: Through
) -> None:
    node.refusal = "the mempool is on holiday"
    manager = through(journal=lambda _: None)
    broadcast = manager._broadcast

    def again(signed: SignedTransaction) -> Outcome:
        outcome = broadcast(signed)
        node.refusal = None
        return outcome

    manager._broadcast = again  # type: ignore[method-assign]
    manager.send(mint(manager), label="mint")
    assert chain.energy_of(TO) == 1
