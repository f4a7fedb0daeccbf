"""A gate in front of a node that can be made to misbehave, for chaos and tests.

HTTP requests may be answered with 502, cut off before or after they reach the node, or kept
waiting; WebSocket connections may be cut or slowed down. Without faults it passes everything on.
"""

from __future__ import annotations

import asyncio
import random
import threading
from enum import Enum, auto
from typing import Self
from urllib.parse import urlsplit

import httpx

HOST = "127.0.0.1"
HEAD_END = b"\r\n\r\n"
CHUNK = 1 << 16
NODE_SECONDS = 60.0


class Fault(Enum):
    """What a request may meet."""

    NONE = auto()
    BAD_GATEWAY = auto()
    CUT_BEFORE = auto()
    CUT_AFTER = auto()


BAD = (Fault.BAD_GATEWAY, Fault.CUT_BEFORE, Fault.CUT_AFTER)


class FaultyNode:
    """A gate to a node's HTTP endpoint and the WebSocket on the same port.

    Args:
        upstream: the node's ``http`` URL.
        seed: of the choice of requests that go wrong.
    """

    def __init__(self, upstream: str, seed: int = 0) -> None:
        self._upstream = upstream
        self._rng = random.Random(seed)
        self._chance = 0.0
        self._delay = 0.0
        self._loop = asyncio.new_event_loop()
        self._sockets: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.port = 0

    @property
    def url(self) -> str:
        """The gate's HTTP endpoint."""
        return f"http://{HOST}:{self.port}"

    @property
    def ws_url(self) -> str:
        """The gate's WebSocket endpoint."""
        return f"ws://{HOST}:{self.port}"

    def start(self) -> Self:
        """Listen on a free port."""
        self._thread.start()
        opening = asyncio.start_server(self._serve, HOST, 0)
        self._server = asyncio.run_coroutine_threadsafe(opening, self._loop).result()
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def stop(self) -> None:
        """Close every connection and stop listening."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _close(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- what goes wrong ------------------------------------------------------------------------

    def fail(self, chance: float) -> None:
        """Let each request go wrong with a chance of 0 to 1."""
        self._chance = chance

    def delay(self, seconds: float) -> None:
        """Keep each answer waiting, up to so long."""
        self._delay = seconds

    def heal(self) -> None:
        """Pass everything on as it comes."""
        self._chance = self._delay = 0.0

    def drop_websockets(self) -> None:
        """Cut every WebSocket connection; new ones are let through."""
        self._loop.call_soon_threadsafe(self._close_sockets)

    def _close_sockets(self) -> None:
        for socket in self._sockets:
            socket.close()

    def _draw(self) -> Fault:
        wrong = self._rng.random() < self._chance
        return self._rng.choice(BAD) if wrong else Fault.NONE

    async def _wait(self) -> None:
        if self._delay:
            await asyncio.sleep(self._rng.uniform(0, self._delay))

    # --- connections ----------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            async with httpx.AsyncClient(timeout=NODE_SECONDS) as client:
                await self._requests(reader, writer, client)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the client is gone
        finally:
            writer.close()
            self._tasks.discard(task)

    async def _requests(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        client: httpx.AsyncClient,
    ) -> None:
        """One request after the other, until the client goes or a fault ends the connection."""
        while True:
            head = await reader.readuntil(HEAD_END)
            lines = head.decode("latin-1").lower().split("\r\n")
            headers = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
            if headers.get("upgrade") == "websocket":
                await self._relay(head, reader, writer)
                return
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            fault = self._draw()
            await self._wait()
            if fault is Fault.CUT_BEFORE:
                return
            status, answer = 502, b"bad gateway"
            if fault is not Fault.BAD_GATEWAY:
                status, answer = await self._ask(client, body)
            if fault is Fault.CUT_AFTER:
                return
            writer.write(f"HTTP/1.1 {status} x\r\ncontent-type: application/json\r\n".encode())
            writer.write(f"content-length: {len(answer)}\r\n\r\n".encode() + answer)
            await writer.drain()

    async def _ask(self, client: httpx.AsyncClient, body: bytes) -> tuple[int, bytes]:
        try:
            kind = {"content-type": "application/json"}
            got = await client.post(self._upstream, content=body, headers=kind)
        except httpx.HTTPError:
            return 502, b"the node is away"
        return got.status_code, got.content

    async def _relay(
        self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Pass a WebSocket's bytes both ways until either side ends or it is cut."""
        node = urlsplit(self._upstream)
        there, back = await asyncio.open_connection(node.hostname, node.port)
        back.write(head)
        self._sockets.add(writer)
        try:
            ways = [
                asyncio.ensure_future(self._pass(reader, back)),
                asyncio.ensure_future(self._pass(there, writer)),
            ]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
        finally:
            self._sockets.discard(writer)
            back.close()

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(CHUNK):
            await self._wait()
            if self._draw() is not Fault.NONE:
                return
            sink.write(data)
            await sink.drain()
