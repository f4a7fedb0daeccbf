"""The boundary to a node: an answer is one of its call, or counts as none; no call is endless."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import stamina
from web3 import Web3
from web3.exceptions import TransactionNotFound

from backend.chain.answers import Answer, parse
from backend.chain.broadcast import Outcome, SignedTransaction, hand_over
from backend.chain.client import Chain
from backend.chain.clock import CallClock
from backend.chain.errors import ChainError, NodeUnavailableError, WrongChainError
from backend.chain.providers import NodeProvider, make_web3

HASH, ADDRESS = "0x" + "ab" * 32, Web3.to_checksum_address("0x" + "cd" * 20)
BLOCK = {"number": "0x5", "hash": HASH, "parentHash": HASH, "timestamp": "0x1"}


def without(answer: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name not in names}


Wrong = Callable[[int], str]

SHAPES: dict[str, Wrong] = {
    "a page": lambda n: "<html><body>502 Bad Gateway</body></html>",
    "nothing": lambda n: "",
    "half an answer": lambda n: '{"jsonrpc": "2.0", "id": ',
    "brackets": lambda n: "[" * 100_000,
    "a list": lambda n: json.dumps([{"jsonrpc": "2.0", "id": n, "result": "0x1"}]),
    "a string": lambda n: '"0x1"',
    "null": lambda n: "null",
    "another id": lambda n: json.dumps({"jsonrpc": "2.0", "id": n + 7, "result": "0x1"}),
    "no id": lambda n: json.dumps({"jsonrpc": "2.0", "id": None, "result": "0x1"}),
    "no result": lambda n: json.dumps({"jsonrpc": "2.0", "id": n}),
    "error as a string": lambda n: json.dumps({"id": n, "error": "rate limited"}),
    "error without a code": lambda n: json.dumps({"id": n, "error": {"message": "no"}}),
    "error without words": lambda n: json.dumps({"id": n, "error": {"code": -32000}}),
    "too many calls": lambda n: json.dumps(
        {"id": n, "error": {"code": -32000, "message": "daily request count exceeded"}}
    ),
    "result: null": lambda n: json.dumps({"jsonrpc": "2.0", "id": n, "result": None}),
    "result: true": lambda n: json.dumps({"jsonrpc": "2.0", "id": n, "result": True}),
    "result: a number": lambda n: json.dumps({"jsonrpc": "2.0", "id": n, "result": 1}),
    "result: empty": lambda n: json.dumps({"jsonrpc": "2.0", "id": n, "result": ""}),
    "result: prose": lambda n: json.dumps({"jsonrpc": "2.0", "id": n, "result": "0xnothing"}),
    "result: a list": lambda n: json.dumps({"jsonrpc": "2.0", "id": n, "result": [None, 1]}),
    "result: an object": lambda n: json.dumps({"jsonrpc": "2.0", "id": n, "result": {"a": 1}}),
    "result: no hash": lambda n: json.dumps({"id": n, "result": without(BLOCK, "hash")}),
    "result: another block": lambda n: json.dumps({"id": n, "result": BLOCK | {"number": "0x63"}}),
    "result: a field of prose": lambda n: json.dumps({"id": n, "result": BLOCK | {"size": "big"}}),
}


class OneLine:
    """A line whose node says one thing to everything."""

    def __init__(self, say: Wrong) -> None:
        self._say = say

    def exchange(self, number: int, request: bytes) -> Answer:
        return parse(self._say(number))


@pytest.fixture
def chain_of(chain: Chain) -> Iterator[Callable[[Wrong], Chain]]:
    """The deployment behind such a node, which is asked once."""

    def make(say: Wrong) -> Chain:
        web3 = make_web3("http://127.0.0.1:1")
        web3.provider = NodeProvider("http://127.0.0.1:1", OneLine(say), CallClock())
        return Chain(web3, "http://127.0.0.1:1", chain.deployment)

    stamina.set_testing(True, attempts=1)
    yield make
    stamina.set_testing(False)


def calls(chain: Chain) -> dict[str, Callable[[], object]]:
    """One call of each method, as daemons make them."""
    eth, raw = chain.w3.eth, bytes(40)
    signed = SignedTransaction("move", ADDRESS, 0, bytes(32), raw)
    return {
        "chain id": chain.check,
        "latest": chain.block,
        "by number": lambda: chain.block(5),
        "by hash": lambda: chain.block(bytes.fromhex(HASH[2:])),
        "base fee": chain.base_fee,
        "logs": lambda: chain.events(1, 5),
        "call": chain.beast_count,
        "struct": lambda: chain.head(1),
        "dispute": lambda: chain.dispute(1),
        "balance": lambda: chain.read(lambda: eth.get_balance(ADDRESS)),  # type: ignore[arg-type]
        "count": lambda: chain.read(lambda: eth.get_transaction_count(ADDRESS)),  # type: ignore[arg-type]
        "receipt": lambda: chain.read(lambda: eth.get_transaction_receipt(HASH)),  # type: ignore[arg-type]
        "send": lambda: hand_over(chain, signed),
    }


ANSWERS = {("result: null", "by number"), ("result: null", "by hash"), ("result: null", "receipt")}
"""Where null is a proper answer: there is no such thing."""


@pytest.mark.parametrize("shape", SHAPES)
def test_no_shape_of_an_answer_raises_what_nothing_waits_for(
    shape: str, chain_of: Callable[[Wrong], Chain]
) -> None:
    chain = chain_of(SHAPES[shape])
    for name, call in calls(chain).items():
        if name == "send":
            assert call() is Outcome.UNSURE
            continue
        if (shape, name) == ("result: empty", "call"):
            continue
        expected: type[Exception] = NodeUnavailableError
        if (shape, name) in ANSWERS:
            expected = TransactionNotFound if name == "receipt" else ChainError
        with pytest.raises(expected) as caught:
            call()
        assert not isinstance(caught.value, WrongChainError), name
