"""What a node says of an account's nonces is not believed before it can be right."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from web3.types import RPCEndpoint

from chainbeasts.backend.accounts import devnet_account
from chainbeasts.backend.chain import attempts
from chainbeasts.backend.chain.anvil import Anvil, rpc
from chainbeasts.backend.chain.attempts import Attempts
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.errors import NodeUnavailableError
from chainbeasts.backend.chain.outbox import Outbox
from chainbeasts.backend.chain.transactions import SignedTransaction, TransactionManager
from chainbeasts.backend.store.session import Database
from tests.chain.conftest import DEPLOYER, OTHER
from tests.support.patience import PATIENCE
from tests.support.rpc_proxy import RpcProxy
from tests.support.snapshots import nothing_mined

ME, TO = devnet_account(DEPLOYER).address, devnet_account(OTHER).address
ABSURD = 1_000_000


@pytest.fixture
def proxy(anvil: Anvil) -> Iterator[RpcProxy]:
    with RpcProxy(anvil.url) as made:
        yield made


@pytest.fixture
def through(chain: Chain, proxy: RpcProxy, tmp_path: Path) -> Callable[..., TransactionManager]:
    """Sends by way of the proxy."""
    there = Chain.connect(proxy.url, chain.deployment)

    def make(**options: Any) -> TransactionManager:
        options = {"deadline": PATIENCE, "bump_after": PATIENCE} | options
        return TransactionManager(there, devnet_account(DEPLOYER), tmp_path / "locks", **options)

    return make


def counts(*said: int | None) -> Callable[[str, list[Any]], dict[str, Any] | None]:
    """A rule: these counts of the account, one after the other, then true ones, as for None."""
    left = list(said)

    def rule(method: str, params: list[Any]) -> dict[str, Any] | None:
        if method != "eth_getTransactionCount" or not left:
            return None
        count = left.pop(0)
        return None if count is None else {"result": hex(count)}

    return rule


def mint(manager: TransactionManager) -> Any:
    return manager.chain.energy.functions.mint(TO, 1)


def used(chain: Chain) -> int:
    return int(chain.w3.eth.get_transaction_count(ME))  # type: ignore[arg-type]


@pytest.mark.parametrize("lies", [(ABSURD,), (ABSURD, None, ABSURD), (None, ABSURD)])
def test_one_count_too_high_is_not_signed(
    lies: tuple[int | None, ...],
    chain: Chain,
    proxy: RpcProxy,
    through: Callable[..., TransactionManager],
) -> None:
    signed: list[SignedTransaction] = []
    manager, before = through(journal=signed.append), used(chain)
    proxy.rule = counts(*lies)
    manager.send(mint(manager), label="mint")
    assert [one.nonce for one in signed] == [before]
    assert (used(chain), chain.energy_of(TO)) == (before + 1, 1)


def test_a_count_that_is_taken_back_before_anything_is_signed_signs_nothing(
    chain: Chain,
    proxy: RpcProxy,
    through: Callable[..., TransactionManager],
    database: Database,
) -> None:
    outbox, before = Outbox(database, through()), used(chain)
    proxy.rule = counts(ABSURD, ABSURD, ABSURD, None, ABSURD)
    with pytest.raises(NodeUnavailableError, match="was not signed"):
        outbox.send_once("mint", "once", mint(outbox.sender), label="mint")
    proxy.rule = counts()
    assert used(chain) == before
    assert outbox.send_once("mint", "once", mint(outbox.sender), label="mint") is not None
    assert (used(chain), chain.energy_of(TO)) == (before + 1, 1)


def test_what_was_signed_far_above_fills_no_gap_and_blocks_nobody(
    chain: Chain,
    proxy: RpcProxy,
    through: Callable[..., TransactionManager],
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It keeps its nonce, as its bytes are out; the account's other moves use those below."""
    outbox, before = Outbox(database, through(deadline=0.2)), used(chain)
    sent: list[int] = []
    monkeypatch.setattr(Attempts, "_check_gap", lambda *_: None)  # the lie lasts until it is out
    proxy.rule = counts(*[ABSURD] * 3)
    with pytest.raises(attempts.NotMinedError):
        outbox.send_once("mint", "far", mint(outbox.sender), label="mint")
    assert used(chain) == before
    monkeypatch.undo()
    again = Outbox(database, through())
    broadcast = again.sender._broadcast
    monkeypatch.setattr(
        again.sender,
        "_broadcast",
        lambda signed: sent.append(signed.nonce) or broadcast(signed),  # type: ignore[func-returns-value]
    )
    assert again.recover() == 1
    for _ in range(2):
        with pytest.raises(attempts.NonceGapError, match=f"nonce {ABSURD}.*is {before}") as caught:
            again.send_once("mint", "far", mint(again.sender), label="mint")
    assert "another account" in caught.value.hint
    assert sent == []
    assert again.send_once("mint", "near", mint(again.sender), label="mint") is not None
    assert sent == [before]
    assert (used(chain), chain.energy_of(TO)) == (before + 1, 1)
    rpc(chain.rpc_url, "anvil_dropAllTransactions")


@pytest.mark.parametrize("lie", ["its transaction", "its chain id"])
def test_a_nonce_is_not_given_up_for_what_stands_in_a_block_of_another_chain(
    lie: str,
    chain: Chain,
    proxy: RpcProxy,
    through: Callable[..., TransactionManager],
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The account's key has its own transaction there at the nonce; ours still waits here."""
    monkeypatch.setattr(attempts, "LOOK_SECONDS", 0.1)
    hasty, before = Outbox(database, through(deadline=0.3)), used(chain)
    asked = [hex(chain.block().number), True]
    block = chain.w3.provider.make_request(RPCEndpoint("eth_getBlockByNumber"), asked)["result"]
    theirs = {"hash": "0x" + "ab" * 32, "from": ME.lower(), "nonce": hex(before), "input": "0x"}
    theirs["chainId"] = "0x1" if lie == "its transaction" else hex(chain.deployment.chain_id)

    def rule(method: str, params: list[Any]) -> dict[str, Any] | None:
        if method == "eth_getTransactionReceipt":
            return {"result": None}
        if method == "eth_getTransactionCount":
            return {"result": hex(before + 1)}
        if method == "eth_getBlockByNumber" and params[1]:
            return {"result": block | {"number": params[0], "transactions": [theirs]}}
        if method == "eth_chainId" and lie == "its chain id":
            return {"result": "0x1"}
        return None

    with nothing_mined(partial(rpc, chain.rpc_url)):
        with pytest.raises(attempts.NotMinedError):
            hasty.send_once("mint", "once", mint(hasty.sender), label="mint")
        proxy.rule = rule
        with monkeypatch.context() as patch:
            patch.setattr(attempts, "UNKNOWN_SECONDS", 0.8)
            with pytest.raises(attempts.UnknownOutcomeError):
                hasty.send_once("mint", "once", mint(hasty.sender), label="mint")
        proxy.rule = lambda method, params: None
    outbox = Outbox(database, through())
    outbox.recover()
    assert outbox.send_once("mint", "once", mint(outbox.sender), label="mint") is None
    assert (used(chain), chain.energy_of(TO)) == (before + 1, 1)
