"""Peers that never come to an end cost one deadline, and are then left alone for a while."""

from __future__ import annotations

import gzip
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import count

import httpx
import pytest

from chainbeasts.backend.battle.logs import Peers
from chainbeasts.backend.kernel.board import word_bytes
from chainbeasts.backend.signals import carry_on, hang_up
from chainbeasts.backend.store.waits import Waits
from chainbeasts.backend.store.words import word_key
from tests.support.patience import PATIENCE, eventually
from tests.support.resolver import frozen_resolver

WORDS = {word_key(word): word for word in (7, 8, 9)}
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 32\r\n"
DRIPS = {
    "header": (OK, b"X-Drip: drop\r\n", b"\r\n"),
    "interim answers": (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", OK + b"\r\n"),
}
"""What is sent first, again and again, and at the very end."""

AWAY = 30.0


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "all_proxy"):
        for spelled in (name, name.upper()):
            monkeypatch.delenv(spelled, raising=False)


class Clock:
    """Seconds that pass when a test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Server(socketserver.ThreadingTCPServer):
    """A peer that has every word, and gives it at once, or only after longer than a test takes.

    Attributes:
        drip: one of ``DRIPS``; None: it answers well.
        asked: words that it was asked for.
        well_for: words of each connection that it gives at once before it drips.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, drip: str | None, well_for: int = 0) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.drip, self.well_for = drip, well_for
        self.asked = 0
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(socketserver.StreamRequestHandler):
    server: Server

    def handle(self) -> None:
        asked = 0
        with suppress(OSError):
            while line := self.rfile.readline():
                while self.rfile.readline().strip():
                    pass
                asked += 1
                self.server.asked += 1
                key = bytes.fromhex(line.split()[1].rpartition(b"/0x")[2].decode())
                self._answer(word_bytes(WORDS[key]), asked)

    def _answer(self, word: bytes, asked: int) -> None:
        server = self.server
        if server.drip is None or asked <= server.well_for:
            self.wfile.write(OK + b"\r\n" + word)
            return
        first, again, last = DRIPS[server.drip]
        self.wfile.write(first)
        # Who is still there at the end gets what it asked for: nothing but a deadline refuses it.
        until = time.monotonic() + PATIENCE
        while not server.released.wait(0.02) and time.monotonic() < until:
            self.wfile.write(again)
        self.wfile.write(last + word)


@contextmanager
def serving(drip: str | None, well_for: int = 0) -> Iterator[Server]:
    with Server(drip, well_for) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.released.set()
            server.shutdown()
            thread.join(PATIENCE)


class Raw(httpx.AsyncByteStream):
    """A body as it comes over the wire."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._data


@pytest.mark.parametrize("encoding", ["gzip", "gzip, gzip", "zstd", "br", "identity, gzip"])
def test_a_word_that_comes_compressed_is_not_decoded(
    encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few bytes would become megabytes before they are counted."""
    decoded: list[str] = []

    def decode(response: httpx.Response) -> None:
        decoded.append(response.headers["Content-Encoding"])
        raise httpx.DecodingError("no")

    monkeypatch.setattr(httpx.Response, "_get_content_decoder", decode)
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers["Accept-Encoding"])
        body = Raw(gzip.compress(gzip.compress(bytes(100_000))))
        return httpx.Response(200, headers={"Content-Encoding": encoding}, stream=body)

    peers = Peers(("http://a",), httpx.MockTransport(answer))
    assert peers.fetch(list(WORDS)) == {}
    assert (asked, decoded) == (["identity"], [])


@pytest.mark.parametrize("drip", DRIPS)
def test_a_peer_that_drips_is_given_up_and_left_alone(
    drip: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chainbeasts.backend.battle.logs.PEER_SECONDS", PATIENCE)
    clock, keys = Clock(), list(WORDS)
    with serving(drip) as server:
        peers = Peers((server.url,), seconds=0.5, waits=Waits(AWAY, AWAY, 1, clock))
        assert peers.fetch(keys) == {}
        server.drip, patient = None, replace(peers, seconds=PATIENCE)
        assert patient.fetch(keys) == {}  # it is not asked for the next log
        clock.now += AWAY
        assert patient.fetch(keys) == WORDS


def test_a_peer_that_drips_does_not_keep_words_from_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("chainbeasts.backend.battle.logs.PEER_SECONDS", PATIENCE)
    waits = Waits(AWAY, AWAY, 2, Clock())
    with serving("header") as bad, serving(None) as good:
        assert Peers((bad.url,), seconds=0.5, waits=waits).fetch(list(WORDS)) == {}
        peers = Peers((bad.url, good.url), seconds=PATIENCE, waits=waits)
        assert peers.fetch(list(WORDS)) == WORDS


def test_what_came_before_the_deadline_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chainbeasts.backend.battle.logs.PEER_SECONDS", PATIENCE)
    with serving("header", well_for=2) as server:
        peers = Peers((server.url,), seconds=0.5, waits=Waits(0.0, 0.0, 1, Clock()))
        first, more = dict(list(WORDS.items())[:2]), count(1)
        eventually(lambda: replace(peers, seconds=0.5 * next(more)).fetch(list(WORDS)) == first)


def test_a_peer_whose_name_is_not_found_out_is_given_up_and_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("chainbeasts.backend.battle.logs.PEER_SECONDS", PATIENCE)
    clock, keys = Clock(), list(WORDS)
    with serving(None) as server, frozen_resolver() as resolver:
        url = server.url.replace("127.0.0.1", resolver.host)
        peers = Peers((url,), seconds=0.5, waits=Waits(AWAY, AWAY, 1, clock))

        def is_asked() -> bool:
            clock.now += AWAY
            assert peers.fetch(keys) == {}
            assert peers.fetch(keys) == {}  # it is not asked for the next log
            return resolver.asked > 0

        eventually(is_asked)
        is_asked()
        assert resolver.asked == 1
        resolver.released.set()
        clock.now += AWAY
        assert replace(peers, seconds=PATIENCE).fetch(keys) == WORDS


def test_who_gave_a_peer_up_is_not_held_by_its_name() -> None:
    """Neither by the loop's end nor by the interpreter's."""
    done = subprocess.run(
        [sys.executable, "-c", GIVES_UP], timeout=PATIENCE, check=False, capture_output=True
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.splitlines()[-1] == b"{}"


GIVES_UP = f"""
import socket, time
from chainbeasts.backend.battle.logs import Peers

socket.getaddrinfo = lambda *_, **__: time.sleep({10 * PATIENCE})
print(Peers(("http://host.invalid",), seconds=0.2).fetch([bytes(32)]))
"""


def test_nobody_waits_for_a_peer_once_the_process_is_to_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("chainbeasts.backend.battle.logs.PEER_SECONDS", PATIENCE)
    found = list[dict[bytes, int]]()
    with serving("header") as server:
        peers = Peers((server.url,), seconds=PATIENCE)
        reader = threading.Thread(target=lambda: found.append(peers.fetch(list(WORDS))))
        reader.start()
        try:
            eventually(lambda: server.asked)
            hang_up(0.2)
            reader.join(PATIENCE)
        finally:
            carry_on()
    assert found == [{}]
