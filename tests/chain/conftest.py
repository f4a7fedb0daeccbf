"""A deployment on the test process's Anvil, and what acts on it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_hash.auto import keccak
from web3.logs import DISCARD

from chainbeasts.backend.accounts import devnet_account
from chainbeasts.backend.chain.anvil import Anvil, rpc
from chainbeasts.backend.chain.attempts import Attempt, Attempts
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.escrow import ensure_escrow, ensure_stake
from chainbeasts.backend.chain.outbox import Outbox
from chainbeasts.backend.chain.prices import window_price
from chainbeasts.backend.chain.transactions import SignedTransaction, TransactionManager
from chainbeasts.backend.chain.types import Checkpoint, CheckpointPayload, Commitments
from chainbeasts.backend.kernel.constants import WINDOW_STEPS
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.store.session import Database
from scripts.lib.faulty_node import FaultyNode
from tests.support.hatching import pay_hatch
from tests.support.patience import PATIENCE

DEPLOYER, TRAINER, OTHER = range(3)
Senders = Callable[..., TransactionManager]


@pytest.fixture
def folder(deployed: tuple[Chain, Path]) -> Path:
    """Where the deployment's record lies."""
    return deployed[1]


@pytest.fixture
def chain(deployed: tuple[Chain, Path], anvil: Anvil) -> Chain:
    """The deployment; whatever the test does to it is undone."""
    return deployed[0]


@pytest.fixture
def sender(chain: Chain, tmp_path: Path) -> Senders:
    """Makes a transaction manager for a development account; they share the nonce locks."""

    def make(who: int, **options: Any) -> TransactionManager:
        options = {"deadline": PATIENCE, "bump_after": PATIENCE} | options
        return TransactionManager(chain, devnet_account(who), tmp_path / "locks", **options)

    return make


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A daemon's, empty."""
    opened = Database(f"sqlite:///{tmp_path / 'daemon.sqlite3'}")
    yield opened
    opened.close()


def after_signed(
    monkeypatch: pytest.MonkeyPatch, outbox: Outbox, act: Callable[[SignedTransaction], None]
) -> None:
    """Have something happen each time a transaction is on record and not yet out."""
    signed = outbox.intents.signed

    def watched(kind: str, key: str, one: SignedTransaction, *, first: bool) -> None:
        signed(kind, key, one, first=first)
        act(one)

    monkeypatch.setattr(outbox.intents, "signed", watched)


def until(
    monkeypatch: pytest.MonkeyPatch, enough: Callable[[Attempt], bool], chances: int = 0
) -> None:
    """Have the deadline of attempts pass once they have come so far, however long that takes.

    Args:
        chances: of a bump, which an attempt is given after that.
    """
    bump, given = Attempts._bump, Counter[int]()

    def watched(attempts: Attempts, attempt: Attempt, factor: float) -> None:
        bump(attempts, attempt, factor)
        if enough(attempt):
            given[attempt.nonce] += 1
            if given[attempt.nonce] > chances:
                attempt.deadline = 0.0

    monkeypatch.setattr(Attempts, "_bump", watched)


@pytest.fixture
def manual_mining(chain: Chain) -> Iterator[None]:
    """Nothing is mined unless the test says so."""
    rpc(chain.rpc_url, "evm_setAutomine", False)
    yield
    rpc(chain.rpc_url, "anvil_dropAllTransactions")
    rpc(chain.rpc_url, "evm_setAutomine", True)


class EmptyBlocks:
    """Blocks come, and none takes what is sent by this node, as when others pay more."""

    def __init__(self, chain: Chain, locks: Path) -> None:
        self.node = FaultyNode(chain.rpc_url)
        self.node.start()
        self.node.swallows = True
        self._direct = chain
        self._chain = Chain.connect(self.node.url, chain.deployment)
        self._locks = locks
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def sender(self, who: int, **options: Any) -> TransactionManager:
        """One whose transactions wait until ``stop``."""
        options = {"deadline": PATIENCE} | options
        return TransactionManager(self._chain, devnet_account(who), self._locks, **options)

    def stop(self) -> None:
        """No more of them; what was sent is in the pool then."""
        self._done.set()
        self._thread.join()
        self.node.release()

    def _run(self) -> None:
        base = hex(self._direct.base_fee())  # empty blocks would bring it down
        while not self._done.wait(0.03):
            rpc(self._direct.rpc_url, "anvil_setNextBlockBaseFeePerGas", base)
            rpc(self._direct.rpc_url, "anvil_mine", "0x1")


@pytest.fixture
def passing_blocks(chain: Chain) -> Iterator[None]:
    """Blocks come by themselves, besides those that transactions make."""
    done = threading.Event()

    def run() -> None:
        while not done.wait(0.1):
            rpc(chain.rpc_url, "anvil_mine", "0x1")

    thread = threading.Thread(target=run)
    thread.start()
    yield
    done.set()
    thread.join()


@pytest.fixture
def empty_blocks(chain: Chain, tmp_path: Path, manual_mining: None) -> Iterator[EmptyBlocks]:
    """Mines blocks without anybody's transactions until it is stopped."""
    blocks = EmptyBlocks(chain, tmp_path / "locks")
    yield blocks
    blocks.stop()
    blocks.node.stop()


@pytest.fixture
def hatch(chain: Chain, sender: Senders) -> Callable[..., int]:
    """Hatches a beast of the trainer's; returns its id."""

    def do(commitments: Commitments | None = None) -> int:
        committed = (commitments or Commitments()).to_abi()
        trainer = sender(TRAINER)
        pay_hatch(chain, sender(DEPLOYER), trainer)
        trainer.send(chain.beasts.functions.requestHatch(*committed), label="request")
        rpc(chain.rpc_url, "anvil_mine", "0x1")
        beast = chain.beast_count()
        trainer.send(chain.beasts.functions.hatch(beast), label="hatch")
        return beast

    return do


def fund(chain: Chain, sender: Senders, who: int, amount: int) -> None:
    """Mint ENERGY into a development account's escrow."""
    account = sender(who)
    mint = chain.energy.functions.mint(account.address, amount)
    sender(DEPLOYER).send(mint, label="mint")
    ensure_escrow(chain, account, amount)


def submit(
    chain: Chain,
    sender: Senders,
    beast: int,
    mask: int | None = None,
    *,
    h128: bytes | None = None,
    source: Source = Source.CURRICULUM,
) -> Checkpoint:
    """A window of the trainer's; whether it was trained honestly is not the ledger's business.

    Args:
        mask: the head's if None.
        h128: some hash of its own if None.
    """
    trainer, head = sender(TRAINER), chain.head(beast)
    awake = head.active_mask if mask is None else mask
    payload = CheckpointPayload(
        head.epoch,
        h128 or keccak(bytes([beast, head.head_count, awake])),
        window_price(chain.season(head.season).economics, head.active_mask, awake),
        head.lr_shift,
        awake,
        WINDOW_STEPS * (head.head_count + 1),
        1,
        source,
    )
    ensure_stake(chain, trainer, beast, 2 * chain.required_stake(beast))
    seed = chain.epoch(beast, head.epoch).epoch_seed
    call = chain.ledger.functions.submit(beast, head.h128, seed, payload.to_abi(), False)
    receipt = trainer.send(call, label="submit")
    (log,) = chain.ledger.events.CheckpointSubmitted().process_receipt(receipt.raw, errors=DISCARD)
    return Checkpoint.from_abi(log["args"]["checkpoint"])
