"""What goes over HTTP to a node and comes back, byte by byte, direct and through a proxy."""

from __future__ import annotations

import gzip
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from chainbeasts.backend.chain.clock import CallClock
from chainbeasts.backend.chain.http_line import HttpLine
from tests.support.patience import PATIENCE, eventually

ANSWER = b'{"jsonrpc":"2.0","id":1,"result":"0x1"}'
WANTED = {"jsonrpc": "2.0", "id": 1, "result": "0x1"}
SIZED = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(ANSWER), ANSWER)


def _is_whole(request: bytes) -> bool:
    """Whether head and body are there; they need not come together."""
    head, end, body = request.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    return bool(end) and length is not None and len(body) >= int(length[1])


class Server:
    """Gives one answer to every request, and keeps what came."""

    def __init__(self, answer: bytes, *, requests_each: int = 100) -> None:
        self.connections = 0
        self.requests: list[bytes] = []
        self.closed = threading.Semaphore(0)
        self._answer = answer
        self._each = requests_each
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        with suppress(OSError):
            while True:
                made, _ = self._listener.accept()
                self.connections += 1
                with made, suppress(OSError):
                    self._serve(made)
                self.closed.release()

    def _serve(self, made: socket.socket) -> None:
        for _ in range(self._each):
            request = b""
            while not _is_whole(request):
                more = made.recv(65_536)
                if not more:
                    return
                request += more
            self.requests.append(request)
            made.sendall(self._answer)

    def stop(self) -> None:
        self._listener.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def make(answer: bytes, **options: int) -> Server:
        servers.append(Server(answer, **options))
        return servers[-1]

    yield make
    for server in servers:
        server.stop()


def ask(line: HttpLine, clock: CallClock, request: bytes = b"{}") -> object:
    clock.begin()
    return line.exchange(1, request)


def test_calls_share_a_connection_and_say_who_asks(serve: Callable[..., Server]) -> None:
    server, clock = serve(SIZED), CallClock(PATIENCE)
    line = HttpLine(f"http://me:sec%20ret@127.0.0.1:{server.port}/v2/key?a=b c", clock)
    assert [ask(line, clock, b'{"n":1}') for _ in range(3)] == [WANTED] * 3
    assert server.connections == 1
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    first, *headers = head.decode().split("\r\n")
    assert first == "POST /v2/key?a=b%20c HTTP/1.1"
    assert {
        f"Host: 127.0.0.1:{server.port}",
        "Content-Type: application/json",
        "Content-Length: 7",
        "Authorization: Basic bWU6c2VjIHJldA==",
    } <= set(headers)
    assert body == b'{"n":1}'


def test_a_connection_that_was_closed_meanwhile_is_not_used_again(
    serve: Callable[..., Server],
) -> None:
    server, clock = serve(SIZED, requests_each=1), CallClock(PATIENCE)
    line = HttpLine(f"http://127.0.0.1:{server.port}", clock)
    for number in (1, 2):
        assert ask(line, clock) == WANTED
        assert server.closed.acquire(timeout=PATIENCE)
        eventually(lambda: all(one.is_stale() for one in line._way._idle))  # word of it has come
        assert server.connections == number


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n"
ZIPPED = gzip.compress(ANSWER)


@pytest.mark.parametrize(
    "answer",
    [
        CHUNKED % (len(ANSWER), ANSWER),
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b"
        % (len(ZIPPED), ZIPPED),
        b"HTTP/1.0 200 OK\r\n\r\n" + ANSWER,
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\n\r\n%b" % (len(ANSWER), ANSWER),
    ],
    ids=["chunked", "zipped", "until the end", "with another status"],
)
def test_answers_of_every_form_are_read(serve: Callable[..., Server], answer: bytes) -> None:
    server, clock = serve(answer, requests_each=1), CallClock(PATIENCE)
    line = HttpLine(f"http://127.0.0.1:{server.port}", clock)
    for _ in range(2):
        assert ask(line, clock) == WANTED
        assert server.closed.acquire(timeout=PATIENCE)
        eventually(lambda: all(one.is_stale() for one in line._way._idle))


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + ANSWER,
        CHUNKED[:-7] % (len(ANSWER) + 9, ANSWER),
        b"\x15\x03\x01 TLS?\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnone",
        b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
    ],
    ids=["nothing", "cut", "a cut chunk", "no HTTP", "no gzip", "too long", "too many headers"],
)
def test_what_is_no_answer_is_a_broken_connection(
    serve: Callable[..., Server], answer: bytes
) -> None:
    server, clock = serve(answer, requests_each=1), CallClock(PATIENCE)
    line = HttpLine(f"http://127.0.0.1:{server.port}", clock)
    with pytest.raises(ConnectionError):
        ask(line, clock)


def test_a_proxy_of_the_environment_is_asked_for_other_machines(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, clock = serve(SIZED), CallClock(PATIENCE)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv("http_proxy", f"http://me:secret@127.0.0.1:{server.port}")
    line = HttpLine("http://node.invalid:8545/v2/key", clock)
    assert ask(line, clock) == WANTED
    head = server.requests[0].partition(b"\r\n\r\n")[0].decode().split("\r\n")
    assert head[0] == "POST http://node.invalid:8545/v2/key HTTP/1.1"
    assert "Proxy-Authorization: Basic bWU6c2VjcmV0" in head


def test_a_host_that_has_no_name_is_no_node(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    clock = CallClock(PATIENCE)
    for host in ("a..b", "x" * 80 + ".invalid", "\u00e4.invalid"):
        line = HttpLine(f"http://{host}", clock)
        with pytest.raises(ConnectionError):
            ask(line, clock)
