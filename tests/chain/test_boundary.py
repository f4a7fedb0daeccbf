"""The boundary to a node: an answer is one of its call, or counts as none; no call is endless."""

from __future__ import annotations

import dataclasses
import gzip
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import stamina
from web3 import Web3
from web3.exceptions import Web3RPCError
from web3.middleware import AttributeDictMiddleware
from web3.types import RPCEndpoint
from websockets.sync.server import ServerConnection, serve

from chainbeasts.backend.chain import lines
from chainbeasts.backend.chain.answers import (
    LARGE_BYTES,
    SMALL_BYTES,
    Answer,
    NotAnAnswerError,
    most_bytes,
    parse,
)
from chainbeasts.backend.chain.anvil import Anvil
from chainbeasts.backend.chain.broadcast import Outcome, SignedTransaction, hand_over
from chainbeasts.backend.chain.client import Chain, connect
from chainbeasts.backend.chain.clock import CallClock
from chainbeasts.backend.chain.errors import (
    NodeUnavailableError,
    NotThereError,
    Reverted,
    StoppedError,
    WrongChainError,
)
from chainbeasts.backend.chain.lines import Line
from chainbeasts.backend.chain.nonces import Nonces
from chainbeasts.backend.chain.providers import NodeProvider, make_provider, make_web3
from chainbeasts.backend.doctor.node import check_websocket
from chainbeasts.backend.doctor.report import Result
from chainbeasts.backend.signals import carry_on, hang_up
from scripts.lib.faulty_node import Fault, FaultyNode
from tests.support.patience import PATIENCE

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
    "result: a number of 64 bits": lambda n: json.dumps(
        {"id": n, "result": BLOCK | {"number": "0x5", "timestamp": hex(1 << 63)}}
    ),
    "result: a field of prose": lambda n: json.dumps({"id": n, "result": BLOCK | {"size": "big"}}),
}


class OneLine:
    """A line whose node says one thing to everything."""

    def __init__(self, say: Wrong) -> None:
        self._say = say

    def exchange(self, number: int, request: bytes, most: int = 0) -> Answer:
        return parse(self._say(number))


@pytest.fixture
def line_of(chain: Chain) -> Iterator[Callable[[Line], Chain]]:
    """The deployment over a line, whose node is asked once."""

    def make(line: Line) -> Chain:
        web3 = make_web3("http://127.0.0.1:1")
        web3.provider = NodeProvider("http://127.0.0.1:1", line, CallClock())
        return Chain(web3, "http://127.0.0.1:1", chain.deployment)

    stamina.set_testing(True, attempts=1)
    yield make
    stamina.set_testing(False)


@pytest.fixture
def chain_of(line_of: Callable[[Line], Chain]) -> Callable[[Wrong], Chain]:
    """The same over a line that says one thing to everything."""
    return lambda say: line_of(OneLine(say))


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
        "receipts": lambda: chain.events_in_receipts(bytes.fromhex(HASH[2:])),
        "receipt": lambda: chain.read(lambda: eth.get_transaction_receipt(HASH)),  # type: ignore[arg-type]
        "send": lambda: hand_over(chain, signed),
    }


PROPER = {("result: another block", "latest"), ("result: another block", "by hash")}
"""Where nothing is wrong with it."""

ANSWERS = {
    ("result: null", "by number"),
    ("result: null", "by hash"),
    ("result: null", "receipt"),
    ("result: null", "receipts"),
}
"""Where null is a proper answer: there is no such thing."""


TRANSACTION = {"hash": HASH, "from": ADDRESS, "nonce": "0x0", "input": "0x"}
LOG = {"address": ADDRESS, "topics": [HASH], "data": "0x"}
RECEIPT = {
    "transactionHash": HASH,
    "blockHash": HASH,
    "blockNumber": "0x5",
    "gasUsed": "0x1",
    "status": "0x1",
    "logs": [],
}
GENESIS = BLOCK | {"number": "0x0"}


class MethodsLine:
    """A line whose node has one answer for each of some methods."""

    def __init__(self, said: dict[str, Any]) -> None:
        self._said = said

    def exchange(self, number: int, request: bytes, most: int = 0) -> Answer:
        return {"id": number} | self._said[json.loads(request)["method"]]


Ask = Callable[[Chain], object]


def in_block(transaction: dict[str, Any]) -> dict[str, Any]:
    whole = BLOCK | {"transactions": [TRANSACTION | transaction]}
    return {"eth_getBlockByNumber": {"result": whole}}


def whole_block(chain: Chain) -> object:
    return chain.read(lambda: chain.w3.eth.get_block(5, True))


def sender_of(chain: Chain) -> object:
    return chain.sender_of(bytes.fromhex(HASH[2:]))


UNREADABLE: dict[str, tuple[dict[str, Any], Ask]] = {
    "difficulty": (
        {"eth_getBlockByNumber": {"result": BLOCK | {"difficulty": "big"}}},
        whole_block,
    ),
    "v": (in_block({"v": "big"}), whole_block),
    "type": (in_block({"type": "big"}), whole_block),
    "r": (in_block({"r": 7.5}), whole_block),
    "data": (in_block({"data": "0xno"}), whole_block),
    "access list": (in_block({"accessList": [7]}), whole_block),
    "nonce": (in_block({"nonce": hex(1 << 63)}), whole_block),
    "a transaction's type": (
        {"eth_getTransactionByHash": {"result": TRANSACTION | {"type": "big"}}},
        sender_of,
    ),
    "a receipt's type": (
        {"eth_getBlockReceipts": {"result": [RECEIPT | {"type": "big"}]}},
        lambda chain: chain.events_in_receipts(bytes.fromhex(HASH[2:])),
    ),
    "log index": (
        {"eth_getLogs": {"result": [LOG | {"logIndex": hex(1 << 63)}]}},
        lambda chain: chain.events(1, 5),
    ),
    "count": (
        {"eth_getTransactionCount": {"result": hex(1 << 63)}},
        lambda chain: Nonces(chain, ADDRESS).used(),
    ),
    "timestamp": (
        {"eth_getBlockByNumber": {"result": BLOCK | {"timestamp": hex(1 << 63)}}},
        Chain.block,
    ),
}
"""Fields that web3 stumbles over, or that fit nowhere."""


@pytest.mark.parametrize("field", UNREADABLE)
def test_no_field_of_an_answer_raises_what_nothing_waits_for(
    field: str, line_of: Callable[[Line], Chain]
) -> None:
    said, ask = UNREADABLE[field]
    with pytest.raises(NodeUnavailableError):
        ask(line_of(MethodsLine(said)))


@pytest.mark.parametrize("field", [{"difficulty": "big"}, {"extraData": "0x" + "00" * 97}])
def test_which_chain_it_is_depends_on_no_field_that_is_not_read(
    field: dict[str, Any], line_of: Callable[[Line], Chain]
) -> None:
    """Chains with signed blocks have more than 32 bytes of extra data."""
    chain = line_of(MethodsLine({}))
    genesis = GENESIS | field | {"hash": chain.deployment.genesis}
    chain = line_of(
        MethodsLine(
            {
                "eth_chainId": {"result": hex(chain.deployment.chain_id)},
                "eth_getBlockByNumber": {"result": genesis},
            }
        )
    )
    chain.check()


@pytest.mark.parametrize(
    ("data", "name"), [("0x4e487b71" + "ff" * 32, "Panic"), ("0x556f183000", "Unknown")]
)
def test_a_refusal_that_web3_does_not_know_is_one(
    data: str, name: str, line_of: Callable[[Line], Chain]
) -> None:
    error = {"code": 3, "message": "execution reverted", "data": data}
    chain = line_of(MethodsLine({"eth_call": {"error": error}}))
    with pytest.raises(Reverted) as caught:
        chain.beast_count()
    assert caught.value.name == name


@pytest.mark.parametrize("shape", SHAPES)
def test_no_shape_of_an_answer_raises_what_nothing_waits_for(
    shape: str, chain_of: Callable[[Wrong], Chain]
) -> None:
    chain = chain_of(SHAPES[shape])
    for name, call in calls(chain).items():
        if name == "send":
            assert call() is Outcome.UNSURE
            continue
        if (shape, name) in PROPER:
            call()
            continue
        expected: type[Exception] = NodeUnavailableError
        if (shape, name) in ANSWERS:
            expected = NotThereError
        with pytest.raises(expected) as caught:
            call()
        assert not isinstance(caught.value, WrongChainError), name


def test_only_a_proven_other_chain_is_the_wrong_one(chain: Chain, anvil: Anvil) -> None:
    """One word of another chain is asked about again; a daemon ends by it."""
    with FaultyNode(anvil.url) as node:
        there = Chain(make_web3(node.url), node.url, chain.deployment)
        node.plan("eth_chainId", Fault.NO_RESULT, Fault.PAGE, Fault.LIST, Fault.OTHER_ID)
        with pytest.raises(NodeUnavailableError):
            there.check()
        there.check()
        other = dataclasses.replace(chain.deployment, chain_id=1)
        with pytest.raises(WrongChainError, match="serves chain 31337"):
            Chain(make_web3(node.url), node.url, other).check()


def test_a_block_without_a_base_fee_is_waited_for(anvil: Anvil, chain: Chain) -> None:
    with FaultyNode(anvil.url) as node:
        there = Chain(make_web3(node.url), node.url, chain.deployment)
        node.plan("eth_getBlockByNumber", Fault.NO_FEE)
        with pytest.raises(NodeUnavailableError, match="without a base fee"):
            there.base_fee()
        assert there.base_fee() == chain.base_fee()


def test_a_refusal_of_a_node_that_is_out_of_step_is_waited_for(chain: Chain) -> None:
    def call() -> object:
        raise Web3RPCError("{'code': -32000, 'message': 'header not found'}")

    with pytest.raises(NodeUnavailableError, match="header not found"):
        chain.read(call)


def test_a_dripping_answer_ends_with_the_calls_deadline(anvil: Anvil) -> None:
    with FaultyNode(anvil.url) as node:
        node.delay = 0.1
        node.plan("eth_getBlockByNumber", Fault.DRIP)
        provider, long = make_provider(node.url, seconds=0.5), RPCEndpoint("eth_getBlockByNumber")
        with pytest.raises(TimeoutError):  # without one for the whole, it would come to its end
            provider.make_request(long, ["latest", False])
        node.behave()  # on a busy machine it may not have come to that call
        provider.clock.seconds = PATIENCE
        assert "result" in provider.make_request(long, ["latest", False])


STEP_SECONDS = 3.0
"""Of what cannot be interrupted: to shake hands."""

NEVER = 100_000.0
"""Seconds of a deadline that no test lives to see."""


@contextmanager
def silent_node(asked: Callable[[], None]) -> Iterator[str]:
    """Takes a request, has it known that somebody waits, and says nothing: the address of it."""

    def take() -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(1)
            asked()
            over.wait(PATIENCE)

    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        over.set()
        thread.join()


@contextmanager
def socket_node(answer: Callable[[ServerConnection, dict[str, Any]], None]) -> Iterator[str]:
    """A WebSocket node that answers as it is told."""

    def handle(connection: ServerConnection) -> None:
        for frame in connection:
            answer(connection, json.loads(frame))

    with serve(handle, "127.0.0.1", 0, open_timeout=PATIENCE, ping_interval=None) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        server.shutdown()
        thread.join()


def reply(call: dict[str, Any], result: object) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": call["id"], "result": result})


def test_frames_are_matched_to_calls_by_their_id() -> None:
    held: list[dict[str, Any]] = []

    def answer(connection: ServerConnection, call: dict[str, Any]) -> None:
        held.append(call)
        if len(held) == 2:  # the second call is answered first, among frames of nobody
            connection.send('{"jsonrpc": "2.0", "method": "eth_subscription", "params": {}}')
            connection.send(reply(held[1], hex(held[1]["params"][0])))
            connection.send("no JSON")
            connection.send(reply({"id": 4711}, "0x0"))
            connection.send(reply(held[0], hex(held[0]["params"][0])))

    with socket_node(answer) as url:
        provider, found = make_provider(url, PATIENCE), dict[int, Any]()

        def ask(number: int) -> None:
            call = RPCEndpoint("eth_getBalance")
            found[number] = provider.make_request(call, [number])["result"]

        threads = [threading.Thread(target=ask, args=(number,)) for number in (7, 9)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == {7: "0x7", 9: "0x9"}


def test_a_late_frame_is_not_taken_for_the_next_answer() -> None:
    def answer(connection: ServerConnection, call: dict[str, Any]) -> None:
        if call["method"] == "eth_blockNumber":
            connection.send(reply({"id": call["id"] - 1}, "0xdead"))
            connection.send(reply(call, "0x2"))

    with socket_node(answer) as url:
        provider = make_provider(url, seconds=0.3)
        with pytest.raises(TimeoutError):
            provider.make_request(RPCEndpoint("eth_gasPrice"), [])
        provider.clock.seconds = PATIENCE
        answered = provider.make_request(RPCEndpoint("eth_blockNumber"), [])
        assert answered["result"] == "0x2"


def test_a_connection_whose_send_failed_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own thread may tell of the end much later."""

    def answer(connection: ServerConnection, call: dict[str, Any]) -> None:
        connection.send(reply(call, "0x2"))

    def broken(data: object) -> None:
        raise OSError("broken pipe")

    with socket_node(answer) as url:
        provider, call = make_provider(url, PATIENCE), RPCEndpoint("eth_blockNumber")
        assert provider.make_request(call, [])["result"] == "0x2"
        line = provider._line
        assert isinstance(line, lines.SocketLine)
        assert line._socket is not None
        monkeypatch.setattr(line._socket.connection, "send", broken)
        with pytest.raises(ConnectionError, match="broken pipe"):
            provider.make_request(call, [])
        assert provider.make_request(call, [])["result"] == "0x2"


def test_no_proxy_stands_before_this_machine(anvil: Anvil, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "WS_PROXY", "ws_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for url in (anvil.url, anvil.ws_url):
        assert connect(url).eth.chain_id == anvil.chain_id
        assert [told.result for told in check_websocket(url)] == [Result.OK]


@pytest.mark.parametrize("scheme", ["http", "ws"])
def test_a_call_ends_soon_after_the_wish_to_end(
    scheme: str, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "STEP_SECONDS", STEP_SECONDS)
    with silent_node(lambda: hang_up(0.2)) as place:
        url = f"{scheme}://{place}"
        web3 = Web3(make_provider(url, NEVER), middleware=[(AttributeDictMiddleware, "attrdict")])
        there = Chain(web3, url, chain.deployment)
        try:
            with pytest.raises(NodeUnavailableError):
                there.block()
            with pytest.raises(StoppedError):
                there.block()
        finally:
            carry_on()


def test_an_http_refusal_in_the_nodes_own_words_is_heard() -> None:
    bodies = [b'{"jsonrpc":"2.0","id":0,"error":{"code":-32000,"message":"nonce too low"}}', b"no"]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            body = gzip.compress(bodies.pop(0))
            self.send_response(400)
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        provider = make_provider(f"http://127.0.0.1:{server.server_address[1]}")
        answer = provider.make_request(RPCEndpoint("eth_sendRawTransaction"), ["0x"])
        assert answer["error"]["message"] == "nonce too low"  # type: ignore[index]
        with pytest.raises(NotAnAnswerError, match="HTTP status 400"):
            provider.make_request(RPCEndpoint("eth_sendRawTransaction"), ["0x"])
        server.shutdown()


@contextmanager
def zipped_node(body: bytes) -> Iterator[str]:
    """Says one thing to everything, packed: the address of it."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            packed = gzip.compress(body)
            self.send_response(200)
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(packed)))
            self.end_headers()
            self.wfile.write(packed)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_a_small_question_has_a_small_answer() -> None:
    """Kilobytes that unpack to gigabytes of lists are not read."""
    long = b'{"jsonrpc":"2.0","id":0,"result":"0x' + b"00" * SMALL_BYTES + b'"}'
    with zipped_node(long) as url:
        provider = make_provider(url, PATIENCE)
        with pytest.raises(NotAnAnswerError, match="does not end"):
            provider.make_request(RPCEndpoint("eth_call"), [{}, "latest"])
    with zipped_node(long.replace(b'"id":0', b'"id":1')) as url:
        provider = make_provider(url, PATIENCE)
        next(provider.request_counter)
        answer = provider.make_request(RPCEndpoint("eth_getCode"), [ADDRESS, "latest"])
        assert len(answer["result"]) == 2 + 2 * SMALL_BYTES


def test_a_long_frame_that_nobody_asked_for_is_not_read() -> None:
    def answer(connection: ServerConnection, call: dict[str, Any]) -> None:
        connection.send(reply(call, "0x" + "00" * SMALL_BYTES))
        connection.send(reply(call, "0x2"))

    with socket_node(answer) as url:
        provider = make_provider(url, PATIENCE)
        assert provider.make_request(RPCEndpoint("eth_blockNumber"), [])["result"] == "0x2"


def test_a_heap_of_lists_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    heap = b'{"id":1,"result":[' + b",".join([b"[]"] * 100_000) + b"]}"
    monkeypatch.setattr(json, "loads", lambda _: pytest.fail("it was read"))
    with pytest.raises(NotAnAnswerError, match="nested"):
        parse(heap)


def test_how_long_an_answer_may_be() -> None:
    assert most_bytes("eth_call", [{}, "latest"]) == SMALL_BYTES
    assert most_bytes("eth_getBlockByNumber", ["latest", False]) == SMALL_BYTES
    for method in ("eth_getLogs", "eth_getBlockReceipts", "eth_getTransactionReceipt"):
        assert most_bytes(method, [{}]) == LARGE_BYTES
    assert most_bytes("eth_getBlockByNumber", ["latest", True]) == LARGE_BYTES
