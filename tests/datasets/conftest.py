"""A cache folder of the test's own, records, and a web server that can be told to misbehave."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import structlog

from chainbeasts.backend.graph_cache.build import build
from chainbeasts.backend.graph_cache.tiered import EVERY_SLOT
from chainbeasts.backend.kernel.native.graph import Graph
from chainbeasts.backend.kernel.rng import split_mix64
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.samples import random_position
from tests.support.patience import PATIENCE
from tests.support.ports import free_port

Answer = Callable[["Handler"], None]


@pytest.fixture(scope="session")
def kernel() -> Path:
    """The compiled kernel that serves every brain."""
    kept = build(Graph(EVERY_SLOT)).object
    assert kept is not None
    return kept.path


@pytest.fixture(autouse=True)
def cache(kernel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache folder; the kernel is there, or every test that trains would compile one."""
    structlog.reset_defaults()
    folder = tmp_path / "cache"
    (folder / "kernels").mkdir(mode=0o700, parents=True)
    for file in (kernel, kernel.with_suffix(".json")):
        shutil.copy(file, folder / "kernels")
    monkeypatch.setenv("HARMONICS_CACHE_DIR", str(folder))
    return folder


def records(count: int, seed: int = 0) -> tuple[int, ...]:
    """That many valid words."""
    return tuple(random_position(split_mix64(1000 * seed + i), None, Rules()) for i in range(count))


class Handler(BaseHTTPRequestHandler):
    """Answers as the server's script says; the last entry for ever."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each answer waits for the reader's acknowledgement
    server: Server

    def do_GET(self) -> None:
        self.server.ranges.append(self.headers.get("Range"))
        script = self.server.script
        answer = script.pop(0) if len(script) > 1 else script[0]
        answer(self)
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def say(self, status: int, body: bytes = b"", **headers: str) -> None:
        """A whole answer; header names have underscores for dashes."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        self.send_response_only(status)  # its own date would stand beside a given one
        for name, value in ({"Content-Length": str(len(body))} | given).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    """A web server with one file."""

    daemon_threads = True

    def __init__(self, data: bytes) -> None:
        super().__init__(("127.0.0.1", free_port()), Handler)
        self.data = data
        self.etag = '"one"'
        self.ranges: list[str | None] = []
        self.script: list[Answer] = [self.serve]
        self.stalled = threading.Event()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def serve(self, handler: Handler) -> None:
        """The file, or the part that was asked for if it is still the same file."""
        asked, held = handler.headers.get("Range"), handler.headers.get("If-Range")
        if asked and (held == self.etag or (held or "").endswith(" GMT")):
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            place = f"bytes {start}-{len(self.data) - 1}/{len(self.data)}"
            handler.say(206, self.data[start:], ETag=self.etag, Content_Range=place)
        else:
            handler.say(200, self.data, ETag=self.etag)

    def cut(self, after: int) -> Answer:
        """The whole file announced, and the connection closed early."""

        def answer(handler: Handler) -> None:
            length = str(len(self.data))
            handler.say(200, self.data[:after], ETag=self.etag, Content_Length=length)

        return answer

    def stall(self, handler: Handler) -> None:
        """A part of the file, then silence."""
        handler.say(200, self.data[:100], ETag=self.etag, Content_Length=str(len(self.data)))
        handler.wfile.flush()
        self.stalled.wait(PATIENCE)


@pytest.fixture
def web() -> Iterator[Callable[[bytes], Server]]:
    """Starts servers; they are stopped after the test."""
    started: list[Server] = []

    def start(data: bytes) -> Server:
        made = Server(data)
        started.append(made)
        threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
        return made

    yield start
    for server in started:
        server.stalled.set()
        server.shutdown()
        server.server_close()
