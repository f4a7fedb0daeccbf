"""Fans messages out to WebSocket clients, each behind a bounded queue of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from fastapi import WebSocket
from starlette.websockets import WebSocketDisconnect

from chainbeasts.backend.api.guard import client_of
from chainbeasts.backend.api.limits import Limits, Streams
from chainbeasts.backend.api.topics import Topics, wants

TOO_SLOW, TOO_MANY, ONLY_LISTEN = 1013, 1013, 1008
CLOSE_SECONDS = 1.0


class Inbox:
    """What one client has still to be sent.

    Args:
        wanted: all that it wants to hear of; everything if None.
    """

    def __init__(self, size: int, wanted: Topics | None = None) -> None:
        self.wanted = wanted
        self._queue: asyncio.Queue[str] = asyncio.Queue(size)
        self.overrun = asyncio.Event()
        """Set once a message did not fit: the client is too slow, and has missed something."""

    def put(self, text: str) -> None:
        try:
            self._queue.put_nowait(text)
        except asyncio.QueueFull:
            self.overrun.set()

    async def get(self) -> str:
        return await self._queue.get()


class Hub:
    """One stream of messages and its listeners. To be used in the event loop's thread alone."""

    def __init__(self, limits: Limits, streams: Streams) -> None:
        self._limits, self._streams = limits, streams
        self._inboxes: set[Inbox] = set()

    def publish(self, text: str, topics: Topics | None = None) -> None:
        """Give a message to everybody who listens now; one with topics, to those who want it."""
        for inbox in self._inboxes:
            if wants(inbox.wanted, topics):
                inbox.put(text)

    async def serve(
        self, socket: WebSocket, first: Callable[[], list[str]], wanted: Topics | None = None
    ) -> None:
        """Send a client what is published until either side ends; what ``first`` gives before it.

        A client that falls behind is closed with code 1013: it connects again and asks anew.
        """
        address = client_of(socket.scope)
        await socket.accept()
        if not self._streams.enter(address):
            await socket.close(TOO_MANY, "too many connections")
            return
        inbox = Inbox(self._limits.queue, wanted)
        self._inboxes.add(inbox)
        try:
            await self._relay(socket, first(), inbox)
        finally:
            self._inboxes.discard(inbox)
            self._streams.leave(address)

    async def _relay(self, socket: WebSocket, first: list[str], inbox: Inbox) -> None:
        async with asyncio.TaskGroup() as tasks:
            ends = {
                tasks.create_task(_heard(socket)): (ONLY_LISTEN, "this stream is only listened to"),
                tasks.create_task(self._send(socket, first, inbox)): (TOO_SLOW, "too slow"),
                tasks.create_task(_wait(inbox.overrun)): (TOO_SLOW, "too slow"),
            }
            done, rest = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            for task in rest:
                task.cancel()
        first_done = next(iter(done))
        if first_done.result():
            code, reason = ends[first_done]
            # It may not even read the goodbye.
            with suppress(TimeoutError, RuntimeError, WebSocketDisconnect):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await socket.close(code, reason)

    async def _send(self, socket: WebSocket, first: list[str], inbox: Inbox) -> bool:
        """Send for ever; True once the client is too slow, False once it has left."""
        try:
            for text in first:
                await self._send_one(socket, text)
            while True:
                await self._send_one(socket, await inbox.get())
        except TimeoutError:
            return True
        except (RuntimeError, WebSocketDisconnect):
            return False

    async def _send_one(self, socket: WebSocket, text: str) -> None:
        # Not wait_for: before Python 3.12 it loses a cancellation that comes as the text has gone.
        async with asyncio.timeout(self._limits.send_seconds):
            await socket.send_text(text)


async def _heard(socket: WebSocket) -> bool:
    """True once the client says something, False once it has left."""
    message = await socket.receive()
    return bool(message["type"] == "websocket.receive")


async def _wait(event: asyncio.Event) -> bool:
    return await event.wait()
