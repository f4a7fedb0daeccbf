"""Sends a trainer's figures to a metrics server, and costs the trainer nothing if there is none."""

from __future__ import annotations

import asyncio
import os
import random
import threading
from collections import deque
from contextlib import suppress
from types import TracebackType
from typing import Self

import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from chainbeasts.backend.monitoring.training import TrainingMetrics
from chainbeasts.trainer.metrics.limits import (
    DEFAULT_HOST,
    DEFAULT_PORT,
    Limits,
    TokenBucket,
    metrics_url,
)

log = structlog.get_logger()

BUFFER = 1000
BACKOFF = (0.5, 10.0)
PATIENCE = 10.0
"""Seconds that the server may take for one message or one pong."""

# Below what a server allows by default, so that it never takes a trainer for a flood, not even when
# it was asleep for a while and finds everything at once.
_PACE = Limits().rate * 0.8
_AT_ONCE = Limits().burst // 4


class MetricsStreamer:
    """A sink that sends to a metrics server from a thread of its own.

    ``send`` only puts a message in a bounded buffer; it may be called from any thread, never waits
    and never raises. While the server is away the oldest messages make room for the newest. In a
    forked child the streamer is inert: what is sent there is dropped; make a new one.

    Args:
        buffer: messages that wait at most.
        backoff: seconds before the first and at most before any attempt to connect again; doubled
            each time, with a random part.
    """

    def __init__(
        self,
        host: str = DEFAULT_HOST,
        port: int = DEFAULT_PORT,
        *,
        buffer: int = BUFFER,
        backoff: tuple[float, float] = BACKOFF,
    ) -> None:
        self.url = metrics_url(host, port)
        self.sent = 0
        """Messages handed to a connection; the last ones before it broke may not have arrived."""
        self.dropped = 0
        """Messages that were given up: no room, or closed before they could be sent."""
        self.connected = False
        self._buffer = max(1, buffer)
        self._backoff = backoff
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._waiting: deque[TrainingMetrics] = deque()
        self._closed = False
        self._ended = False
        self._news = asyncio.Event()
        self._closing = asyncio.Event()
        self._complaint = ""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="metrics streamer", daemon=True)
        self._thread.start()

    def send(self, metrics: TrainingMetrics) -> None:
        """Have a message sent when that is possible."""
        if os.getpid() != self._process:  # the lock may have been held when the process forked
            self.dropped += 1
            return
        with self._lock:
            if self._closed:
                self.dropped += 1
                return
            self._waiting.append(metrics)
            self._drop_oldest()
            self._tell(self._news)

    def close(self, timeout: float = 2.0) -> None:
        """Send what waits, for at most ``timeout`` seconds; the rest is dropped.

        A server that is away is tried once more, not waited for.
        """
        if os.getpid() != self._process:
            return
        with self._lock:
            self._closed = True
            self._tell(self._closing)
            self._tell(self._news)
        self._thread.join(max(0.0, timeout))
        with self._lock:
            self.dropped += len(self._waiting)
            self._waiting.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _tell(self, event: asyncio.Event) -> None:
        """Set an event of the thread's loop; under the lock, so that the loop is still open."""
        if not self._ended:
            self._loop.call_soon_threadsafe(event.set)

    def _drop_oldest(self) -> None:
        while len(self._waiting) > self._buffer:
            self._waiting.popleft()
            self.dropped += 1

    def _take(self) -> TrainingMetrics | None:
        with self._lock:
            return self._waiting.popleft() if self._waiting else None

    def _put_back(self, metrics: TrainingMetrics) -> None:
        with self._lock:
            self._waiting.appendleft(metrics)
            self._drop_oldest()

    # --- the thread -----------------------------------------------------------------------------

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            try:
                runner.run(self._keep_sending())
            finally:
                with self._lock:
                    self._ended = True

    async def _keep_sending(self) -> None:
        """Connect, send, and connect again, until closed."""
        shortest, longest = self._backoff
        delay = shortest
        while True:
            last = self._closing.is_set()
            started = self._loop.time()
            try:
                await self._connect_and_send()
                return
            except (OSError, TimeoutError, WebSocketException) as error:
                self._complain(f"{error}" or type(error).__name__)
            except Exception as error:  # a trainer's figures must not end with one bad surprise
                self._complain(f"{type(error).__name__}: {error}")
            if last:
                return
            if self._loop.time() - started > longest:
                delay = shortest
            with suppress(TimeoutError):
                async with asyncio.timeout(delay * random.uniform(0.5, 1.0)):
                    await self._closing.wait()
            delay = min(longest, delay * 2)

    def _complain(self, reason: str) -> None:
        """Log why there is no connection, once for each reason in a row."""
        if reason != self._complaint:
            log.warning("metrics are not sent", url=self.url, reason=reason, dropped=self.dropped)
        self._complaint = reason

    async def _connect_and_send(self) -> None:
        # proxy=None: the server is on this machine or near it.
        async with connect(
            self.url, compression=None, proxy=None, open_timeout=PATIENCE, close_timeout=1
        ) as socket:
            self.connected = True
            if self._complaint:
                log.info("metrics are sent again", url=self.url, dropped=self.dropped)
            self._complaint = ""
            reader = asyncio.create_task(_discard(socket))
            reader.add_done_callback(lambda _: self._news.set())
            try:
                await self._send_all(socket, reader)
            except BaseException:
                socket.transport.abort()  # close() would wait for room in a full write buffer
                raise
            finally:
                self.connected = False
                reader.cancel()

    async def _send_all(self, socket: ClientConnection, reader: asyncio.Task[None]) -> None:
        """Send what waits and what comes; returns once closed and nothing waits.

        Raises:
            ConnectionError: the server closed the connection.
        """
        bucket = TokenBucket(_PACE, _AT_ONCE)
        unanswered = 0
        while True:
            if reader.done():
                said = socket.close_reason or f"code {socket.close_code}"
                raise ConnectionError(f"the server closed the connection: {said}")
            if unanswered >= _AT_ONCE:
                async with asyncio.timeout(PATIENCE):
                    await (await socket.ping())
                unanswered = 0
            self._news.clear()
            if not self._waiting:
                if self._closing.is_set():
                    return
                await self._news.wait()
                continue
            if (pause := bucket.take(self._loop.time())) > 0:
                await asyncio.sleep(pause)
                continue
            if metrics := self._take():
                await self._send_one(socket, metrics)
                unanswered += 1

    async def _send_one(self, socket: ClientConnection, metrics: TrainingMetrics) -> None:
        try:
            text = metrics.to_json()
        except ValueError as error:  # would fail again and again if it were put back
            log.warning("metrics cannot be told", error=str(error))
            self.dropped += 1
            return
        try:
            async with asyncio.timeout(PATIENCE):
                await socket.send(text)
        except BaseException:
            self._put_back(metrics)
            raise
        self.sent += 1


async def _discard(socket: ClientConnection) -> None:
    """Read what others send: a client that does not is cut off."""
    with suppress(ConnectionClosed):
        async for _ in socket:
            pass
