"""Both kinds of endpoint answer alike."""

from __future__ import annotations

from pathlib import Path

import pytest
from web3 import Web3

from chainbeasts.backend.accounts import devnet_account
from chainbeasts.backend.chain.anvil import Anvil, rpc
from chainbeasts.backend.chain.client import Chain, connect
from chainbeasts.backend.chain.errors import ChainError, NodeUnavailableError, Reverted
from chainbeasts.backend.chain.providers import NodeProvider, is_loopback, make_provider
from chainbeasts.backend.chain.transactions import TransactionManager
from tests.chain.conftest import DEPLOYER, OTHER, Senders


def test_http_and_ws_give_the_same_answers(chain: Chain, anvil: Anvil, sender: Senders) -> None:
    other = devnet_account(OTHER).address
    sender(DEPLOYER).send(chain.energy.functions.mint(other, 12), label="mint")
    socket = Chain.connect(anvil.ws_url, chain.deployment)
    assert isinstance(socket.w3.provider, NodeProvider)
    assert socket.w3.provider.endpoint_uri == anvil.ws_url
    start, end = chain.deployment.start_block, chain.block().number
    assert socket.energy_of(other) == chain.energy_of(other) == 12
    assert socket.block() == chain.block()
    assert socket.season(1) == chain.season(1)
    assert socket.events(start, end) == chain.events(start, end) != []
    refused = []
    for one in (chain, socket):
        with pytest.raises(Reverted) as caught:
            one.birth(99)
        refused.append((caught.value.name, caught.value.args_by_name))
    assert refused[0] == refused[1]
    for one in (chain, socket):
        with pytest.raises(ChainError, match="does not have block"):
            one.block(10**6)


def test_transactions_go_out_over_ws(chain: Chain, anvil: Anvil, tmp_path: Path) -> None:
    socket = Chain.connect(anvil.ws_url, chain.deployment)
    account = devnet_account(DEPLOYER)
    manager = TransactionManager(socket, account, tmp_path / "locks")
    other = devnet_account(OTHER).address
    manager.send(socket.energy.functions.mint(other, 5), label="mint")
    assert chain.energy_of(other) == 5


def test_a_broken_connection_is_opened_anew() -> None:
    with Anvil() as first:
        port = first.port
        w3 = connect(first.ws_url)
        rpc(first.url, "anvil_mine", "0x5")
        assert w3.eth.block_number == 5
    with pytest.raises(ConnectionError, match=f"ws://127.0.0.1:{port}"):
        _ = w3.eth.block_number
    with Anvil(port=port):
        assert w3.eth.block_number == 0


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1",
        "localhost:8545",
        "/tmp/geth.ipc",
        "",
        "http://",
        "ws://[::1",
        "http://a:b",
    ],
)
def test_another_scheme_is_refused(url: str) -> None:
    with pytest.raises(ChainError, match="is not an http or ws endpoint") as caught:
        make_provider(url)
    assert "--rpc-url" in caught.value.hint
    with pytest.raises(ChainError):
        connect(url)


def test_silence_over_ws_is_a_node_that_does_not_answer(anvil: Anvil) -> None:
    with Anvil() as child:
        w3: Web3 = connect(child.ws_url)
        chain_id = w3.eth.chain_id
    assert chain_id == anvil.chain_id
    with pytest.raises(NodeUnavailableError):
        connect(child.ws_url)


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:8545", True),
        ("ws://localhost:1", True),
        ("http://[::1]:8545", True),
        ("http://127.0.0.1.example.org", False),
        ("https://localhost.example.org", False),
        ("http://127.0.0.1@example.org", False),
    ],
)
def test_loopback(url: str, local: bool) -> None:
    assert is_loopback(url) is local
