"""A node that freezes, in the middle of what it says or of what it takes, keeps nobody."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import pytest
from web3.types import RPCEndpoint
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from chainbeasts.backend.chain import lines
from chainbeasts.backend.chain.lines import open_socket
from chainbeasts.backend.chain.providers import make_provider
from chainbeasts.backend.doctor import node as doctor
from chainbeasts.backend.doctor.report import Result
from chainbeasts.backend.indexer import follow
from chainbeasts.backend.indexer.follow import Waker
from tests.support.patience import PATIENCE, eventually
from tests.support.tls import trusted

T = TypeVar("T")

SHORT = 0.3
"""Seconds of a limit that is waited for. Whatever is slow of its own only passes it, too."""

NEVER = 100_000.0
CALL = RPCEndpoint("eth_blockNumber")

HELLO, ANSWER, READING = "hello", "answer", "reading"
"""Where a connection freezes: in its answer to the handshake or to the first call, or after that
in reading."""


class FreezingNode:
    """A WebSocket node of which the first connection freezes and later ones are well.

    Args:
        tls: whom it is; without one, it is a ``ws://`` node.
        freezes: at what.
    """

    def __init__(self, tls: ssl.SSLContext | None, freezes: str) -> None:
        self._tls = tls
        self._freezes = freezes
        self._server = socket.create_server(("127.0.0.1", 0))
        self._over = threading.Event()
        self._made: list[socket.socket] = []
        self.connections = 0
        scheme = "ws" if tls is None else "wss"
        self.url = f"{scheme}://127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        """Let go of all that is frozen, and of all that is well."""
        self._over.set()
        self._server.close()
        for made in self._made:
            with suppress(OSError):  # closed by then
                made.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                made, _ = self._server.accept()
                self._made.append(made)
                self.connections += 1
                freezes = self._freezes if self.connections == 1 else ""
                threading.Thread(target=self._serve, args=(made, freezes), daemon=True).start()

    def _serve(self, made: socket.socket, freezes: str) -> None:
        with made, suppress(OSError):
            pipe = _Pipe(made, self._tls)
            protocol = ServerProtocol()
            while data := pipe.read():
                protocol.receive_data(data)
                for event in protocol.events_received():
                    at = ""
                    if isinstance(event, Request):
                        protocol.send_response(protocol.accept(event))
                        at = HELLO
                    elif isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                        number = json.loads(bytes(event.data))["id"]
                        answer = {"jsonrpc": "2.0", "id": number, "result": "0x5"}
                        protocol.send_text(json.dumps(answer).encode())
                        at = ANSWER
                    half = bool(at) and at == freezes
                    pipe.write(b"".join(protocol.data_to_send()), half=half)
                    if half or (at == ANSWER and freezes == READING):
                        self._over.wait(PATIENCE)
                        return
                pipe.write(b"".join(protocol.data_to_send()))  # pongs, and the answer to a goodbye
                if protocol.close_expected():
                    return


class _Pipe:
    """Bytes over a connection, with TLS or without, whole or the first half of their record."""

    def __init__(self, made: socket.socket, tls: ssl.SSLContext | None) -> None:
        self._made = made
        self._tls = None
        if tls is not None:
            self._into, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
            self._tls = tls.wrap_bio(self._into, self._out, server_side=True)
            self._patiently(self._tls.do_handshake)

    def read(self) -> bytes:
        if self._tls is None:
            return self._made.recv(1 << 16)
        tls = self._tls
        return self._patiently(lambda: tls.read(1 << 16))

    def write(self, data: bytes, *, half: bool = False) -> None:
        if self._tls is not None and data:
            self._tls.write(data)
            data = self._out.read()
        self._made.sendall(data[: len(data) // 2] if half else data)

    def _patiently(self, act: Callable[[], T]) -> T:
        while True:
            with suppress(ssl.SSLWantReadError):
                done = act()
                self._made.sendall(self._out.read())
                return done
            self._made.sendall(self._out.read())
            if not (data := self._made.recv(1 << 16)):
                raise ConnectionError("gone")
            self._into.write(data)


Node = Callable[..., FreezingNode]


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Node]:
    """Makes one."""
    made = list[FreezingNode]()

    def make(scheme: str, freezes: str) -> FreezingNode:
        tls = trusted(monkeypatch, tmp_path) if scheme == "wss" else None
        made.append(FreezingNode(tls, freezes))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_half_an_answer_to_the_handshake_ends_the_opening(scheme: str, node: Node) -> None:
    frozen = node(scheme, HELLO)
    with pytest.raises(TimeoutError):
        open_socket(frozen.url, 1.0)
    provider = make_provider(frozen.url, PATIENCE)
    assert provider.make_request(CALL, [])["result"] == "0x5"


@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_half_an_answer_ends_the_call_and_the_connection(
    scheme: str, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen, usual = node(scheme, ANSWER), lines.PING_SECONDS
    provider = make_provider(frozen.url, NEVER)
    monkeypatch.setattr(lines, "PING_SECONDS", SHORT)
    with pytest.raises(ConnectionError):
        provider.make_request(CALL, [])
    monkeypatch.setattr(lines, "PING_SECONDS", usual)
    provider.clock.seconds = PATIENCE
    assert provider.make_request(CALL, [])["result"] == "0x5"


@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_a_node_that_takes_no_more_ends_the_call_and_the_connection(
    scheme: str, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen, usual = node(scheme, READING), lines.STEP_SECONDS
    provider = make_provider(frozen.url, PATIENCE)
    assert provider.make_request(CALL, [])["result"] == "0x5"
    monkeypatch.setattr(lines, "STEP_SECONDS", SHORT)
    more = "0" * (1 << 25)  # than all buffers on the way hold
    with pytest.raises(ConnectionError):
        provider.make_request(CALL, [more])
    monkeypatch.setattr(lines, "STEP_SECONDS", usual)
    assert provider.make_request(CALL, [])["result"] == "0x5"
    assert frozen.connections == 2


def test_who_waits_for_news_subscribes_again(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    frozen = node("wss", ANSWER)
    monkeypatch.setattr(lines, "PING_SECONDS", SHORT)
    monkeypatch.setattr(follow, "RECONNECT_SECONDS", SHORT)
    others = set(threading.enumerate())
    waker = Waker(frozen.url, NEVER)
    (listening,) = (one for one in set(threading.enumerate()) - others if one.name == "new heads")
    eventually(lambda: frozen.connections >= 2)
    assert waker.wait()  # one that is well has answered
    waker.stop()
    frozen.stop()
    listening.join(PATIENCE)
    assert not listening.is_alive()


def test_the_doctor_tells_of_it(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    frozen = node("wss", ANSWER)
    monkeypatch.setattr(doctor, "SOCKET_SECONDS", 1.0)
    (told,) = doctor.check_websocket(frozen.url)
    assert told.result is Result.WARNING
    monkeypatch.setattr(doctor, "SOCKET_SECONDS", PATIENCE)
    (told,) = doctor.check_websocket(frozen.url)
    assert told.result is Result.OK
