"""The faulty node does to a request what it is told, and nothing to the others."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from chainbeasts.backend.chain.anvil import Anvil
from chainbeasts.backend.chain.providers import make_web3
from scripts.lib.faulty_logs import LogFault, spoil
from scripts.lib.faulty_node import Fault, FaultyNode
from tests.support.patience import PATIENCE

MINE = "anvil_mine"


@pytest.fixture
def node(anvil: Anvil) -> Iterator[FaultyNode]:
    with FaultyNode(anvil.url, seed=1) as made:
        yield made


def mine(node: FaultyNode) -> None:
    request = {"jsonrpc": "2.0", "id": 1, "method": MINE, "params": ["0x1"]}
    requests.post(node.url, json=request, timeout=PATIENCE).raise_for_status()


def height(anvil: Anvil) -> int:
    return make_web3(anvil.url).eth.block_number


@pytest.mark.parametrize(
    ("fault", "error", "carried_out"),
    [
        (Fault.ERROR, requests.HTTPError, False),
        (Fault.DROP_BEFORE, requests.ConnectionError, False),
        (Fault.DROP_AFTER, requests.ConnectionError, True),
        (Fault.ERROR_AFTER, requests.HTTPError, True),
    ],
)
def test_a_planned_fault_hits_one_call(
    node: FaultyNode,
    anvil: Anvil,
    fault: Fault,
    error: type[requests.RequestException],
    carried_out: bool,
) -> None:
    before = height(anvil)
    node.plan(MINE, fault)
    with pytest.raises(error):
        mine(node)
    assert height(anvil) == before + carried_out
    mine(node)
    assert height(anvil) == before + carried_out + 1
    assert node.faults == {fault: 1, Fault.NONE: 1}


def test_a_slow_answer_is_late_and_right(node: FaultyNode, anvil: Anvil) -> None:
    node.misbehave(slow=1.0, delay=0.2)
    w3 = make_web3(node.url)
    assert w3.eth.block_number == height(anvil)
    assert node.faults[Fault.SLOW] == 1


def test_rates_follow_the_seed_and_only_the_methods(anvil: Anvil) -> None:
    def drawn() -> list[Fault]:
        node = FaultyNode(anvil.url, seed=7)
        node.misbehave(errors=0.2, drops_after=0.3, methods={"eth_call"})
        assert {node.choose(["eth_chainId"]) for _ in range(50)} == {Fault.NONE}
        return [node.choose(["eth_call"]) for _ in range(400)]

    first = drawn()
    assert drawn() == first
    assert 50 < first.count(Fault.ERROR) < 110
    assert 85 < first.count(Fault.DROP_AFTER) < 155


def test_websockets_pass_through_and_break_on_demand(node: FaultyNode, anvil: Anvil) -> None:
    request = {"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": []}
    with connect(node.ws_url, open_timeout=PATIENCE) as open_socket:
        open_socket.send(json.dumps(request))
        assert int(json.loads(open_socket.recv())["result"], 16) == height(anvil)
        assert node.drop_websockets() == 1
        with pytest.raises(ConnectionClosed):
            open_socket.recv(timeout=PATIENCE)
    with connect(node.ws_url, open_timeout=PATIENCE) as again:
        again.send(json.dumps(request))
        assert "result" in json.loads(again.recv())


def test_what_lasts_holds_over_websockets_and_news_pass_through(
    node: FaultyNode, anvil: Anvil
) -> None:
    def ask(number: int, method: str, *params: object) -> None:
        request = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        open_socket.send(json.dumps(request))

    def told() -> dict[str, Any]:
        answer = json.loads(open_socket.recv(timeout=PATIENCE))
        assert isinstance(answer, dict)
        return answer

    with connect(node.ws_url, open_timeout=PATIENCE) as open_socket:
        ask(1, "eth_subscribe", "newHeads")
        assert told()["id"] == 1
        mine(node)
        assert told()["params"]["result"]["number"] == hex(height(anvil))
        node.head, node.refusal = 0, "txpool is full"
        ask(2, "eth_blockNumber")
        assert told() == {"jsonrpc": "2.0", "id": 2, "result": "0x0"}
        ask(3, "eth_sendRawTransaction", "0x00")
        assert told()["error"]["message"] == "txpool is full"
        assert node.calls["eth_blockNumber"] == 1


def test_a_node_that_is_down_answers_nobody(node: FaultyNode) -> None:
    node.down = True
    with pytest.raises(requests.ConnectionError):
        mine(node)
    node.behave()
    mine(node)


def test_logs_are_wrong_at_the_rate_that_was_set(node: FaultyNode, anvil: Anvil) -> None:
    place = dict.fromkeys(("blockHash", "transactionHash"), "0x" + "11" * 32)
    logs = [place | {"blockNumber": "0x1", "logIndex": hex(n), "removed": False} for n in range(5)]
    told = json.dumps({"jsonrpc": "2.0", "id": 1, "result": logs}).encode()
    request = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_getLogs"}).encode()
    seen = {}
    for fault in LogFault:
        found = json.loads(spoil(request, told, fault, random.Random(2)))["result"]
        seen[fault] = (len(found), sorted(found, key=str) == sorted(logs, key=str))
        assert found != logs
    assert seen == {
        LogFault.REPEATED: (10, False),
        LogFault.REMOVED: (6, False),
        LogFault.PENDING: (6, False),
        LogFault.SHUFFLED: (5, True),
        LogFault.LEFT_OUT: (4, False),
        LogFault.NONE_AT_ALL: (0, False),
    }
    other = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_chainId"}).encode()
    assert spoil(other, told, LogFault.NONE_AT_ALL, random.Random(2)) == told
    node.misreport_logs(1.0)
    mine(node)  # no logs in this answer
    assert node.log_faults.total() == 0
