"""The metrics server: relays each client's messages to all others, and keeps the last ones.

Nobody has to say who he is, so a message is only what somebody said. It is written anew from the
fields of the schema, which have bounds: what a stranger can make others carry is small.

One client's trouble stays its own: whoever floods, sends what is no message, or does not read is
closed with a code and a reason, and nobody else waits for it or loses anything.
"""

from __future__ import annotations

import asyncio
import errno
import itertools
import logging
import re
import signal
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import structlog
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode
from websockets.http11 import Request, Response
from websockets.typing import Data

from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.monitoring.training import MessageError, TrainingMetrics
from chainbeasts.trainer.metrics.backlog import Backlog, Entry, History
from chainbeasts.trainer.metrics.limits import (
    DEFAULT_HOST,
    DEFAULT_PORT,
    PATH,
    Limits,
    TokenBucket,
    metrics_url,
)

log = structlog.get_logger()

LOCAL_PAGES = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?")
"""Origins of web pages that may read."""

HANDSHAKE_SECONDS = 30.0
"""Who connects has so long to say what it wants."""

_REASON_BYTES = 123  # what a close frame holds besides its code


class _Client:
    """A connection, how far it has read, and why it has to go.

    Args:
        past: what it gets before the message with the number ``following``.
    """

    def __init__(
        self,
        connection: ServerConnection,
        number: int,
        past: deque[Entry],
        following: int,
        limits: Limits,
    ) -> None:
        self.connection = connection
        self.number = number
        self.past = past
        self.next = following
        self.wake = asyncio.Event()
        self.verdict: asyncio.Future[tuple[CloseCode, str]] = (
            asyncio.get_running_loop().create_future()
        )
        self.bucket = TokenBucket(limits.rate, limits.burst)
        self.received = 0
        request = connection.request
        self.page = request is not None and "Origin" in request.headers

    def behind(self, end: int) -> int:
        """How many messages since it joined it has not been sent."""
        return end - self.next

    def dismiss(self, code: CloseCode, reason: str) -> None:
        """Have it closed; the first reason counts."""
        if not self.verdict.done():
            self.verdict.set_result((code, reason))


def _quiet_logger() -> logging.Logger:
    """A logger for the library, whose tracebacks about broken peers are of no use to anybody."""
    logger = logging.getLogger("chainbeasts.metrics.websockets")
    logger.setLevel(logging.CRITICAL)
    return logger


class MetricsServer:
    """Serves ``/metrics`` while it is entered (``async with``).

    Args:
        port: 0 takes a free one.

    Raises:
        ChainBeastsError: on entering, if it cannot listen there.
    """

    def __init__(
        self, host: str = DEFAULT_HOST, port: int = DEFAULT_PORT, limits: Limits | None = None
    ) -> None:
        self.host = host
        self.port = port
        self._limits = limits or Limits()
        self._backlog = Backlog(self._limits.queue + 1)  # the one that makes a client too slow
        self._history = History(self._limits.history, self._limits.beasts)
        self._clients: set[_Client] = set()
        self._numbers = itertools.count(1)
        self._stopping = False
        self._server: Server | None = None

    @property
    def url(self) -> str:
        """The address for clients."""
        return metrics_url(self.host, self.port)

    @property
    def clients(self) -> int:
        """How many are connected."""
        return len(self._clients)

    async def __aenter__(self) -> Self:
        limits = self._limits
        try:
            self._server = await serve(
                self._attend,
                self.host,
                self.port,
                origins=[None, LOCAL_PAGES],
                compression=None,  # small messages on one machine
                process_request=self._admit,
                open_timeout=HANDSHAKE_SECONDS,
                ping_interval=limits.ping,
                ping_timeout=limits.ping,
                close_timeout=limits.close,
                max_size=limits.message,
                logger=_quiet_logger(),
            )
        except (OSError, OverflowError) as error:
            raise _cannot_listen(self.host, self.port, error) from None
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._stopping = True
        for client in self._clients:
            client.dismiss(CloseCode.GOING_AWAY, "the server stops")
        # The library would wait for ever for a client that does not read; ours have a deadline.
        self._server.close(close_connections=False)
        try:
            async with asyncio.timeout(self._limits.close + 1):
                await self._server.wait_closed()
        except TimeoutError:
            for task in tuple(self._server.handler_tasks):
                task.cancel()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """The answer to a request that is turned away before it becomes a connection."""
        if urlsplit(request.path).path != PATH:
            return connection.respond(HTTPStatus.NOT_FOUND, f"Metrics are at {PATH}.\n")
        if len(self._clients) >= self._limits.clients:
            most = f"This server has its {self._limits.clients} clients.\n"
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, most)
        return None

    async def _attend(self, connection: ServerConnection) -> None:
        """One client, from its joining to its end."""
        client = _Client(
            connection,
            next(self._numbers),
            self._history.all(),
            self._backlog.end,
            self._limits,
        )
        self._clients.add(client)
        if self._stopping:
            client.dismiss(CloseCode.GOING_AWAY, "the server stops")
        log.info("client joined", client=client.number, clients=len(self._clients))
        reader = asyncio.create_task(self._read(client))
        writer = asyncio.create_task(self._write(client))
        try:
            await asyncio.wait(
                (reader, writer, client.verdict), return_when=asyncio.FIRST_COMPLETED
            )
            self._clients.discard(client)
            writer.cancel()
            await self._close(client)
        finally:
            self._clients.discard(client)
            reader.cancel()
            writer.cancel()
            await asyncio.gather(reader, writer, return_exceptions=True)

    async def _close(self, client: _Client) -> None:
        """Say why, and cut the line if the client does not take it in."""
        code, reason = CloseCode.NORMAL_CLOSURE, ""
        if client.verdict.done():
            code, reason = client.verdict.result()
        told = reason.encode()[:_REASON_BYTES].decode(errors="ignore")
        facts = {"client": client.number, "received": client.received}
        if code in (CloseCode.NORMAL_CLOSURE, CloseCode.GOING_AWAY):
            log.info("client left", **facts)
        else:
            log.warning("client cut off", **facts, code=int(code), reason=reason)
        try:
            # close() first waits for room in the write buffer, and knows no deadline for that.
            async with asyncio.timeout(self._limits.close):
                await client.connection.close(code, told)
        except TimeoutError:
            client.connection.transport.abort()

    async def _read(self, client: _Client) -> None:
        with suppress(ConnectionClosed):
            async for data in client.connection:
                if client.verdict.done():
                    continue  # discarded, so that its own close frame is reached
                found = self._parsed(client, data)
                if not isinstance(found, TrainingMetrics):
                    client.dismiss(*found)
                    continue
                client.received += 1
                self._relay(client.number, found)
                await asyncio.sleep(0)  # frames that came together must not hold up the writers

    def _parsed(self, client: _Client, data: Data) -> TrainingMetrics | tuple[CloseCode, str]:
        """What a client says, or why it may not say it."""
        if client.bucket.take(asyncio.get_running_loop().time()) > 0:
            most = f"more than {self._limits.rate:g} messages per second"
            return CloseCode.POLICY_VIOLATION, most
        if client.page:
            return CloseCode.POLICY_VIOLATION, "web pages may read, not send"
        if isinstance(data, bytes):
            return CloseCode.UNSUPPORTED_DATA, "messages are text, not binary"
        try:
            return TrainingMetrics.from_json(data)
        except MessageError as error:
            return CloseCode.INVALID_DATA, f"no message: {error}"

    def _relay(self, sender: int, message: TrainingMetrics) -> None:
        entry = Entry(sender, message.to_json())
        self._history.add(message.beast, self._backlog.end, entry)
        self._backlog.append(entry)
        for client in self._clients:
            client.wake.set()
            if client.behind(self._backlog.end) > self._limits.queue:
                most = f"more than {self._limits.queue} messages behind"
                client.dismiss(CloseCode.TRY_AGAIN_LATER, most)

    async def _write(self, client: _Client) -> None:
        with suppress(ConnectionClosed):
            while client.past and not client.verdict.done():
                await client.connection.send(client.past.popleft().text)
            while True:
                while client.next < self._backlog.end and not client.verdict.done():
                    entry = self._backlog[client.next]
                    if entry.sender != client.number:
                        await client.connection.send(entry.text)
                    client.next += 1
                client.wake.clear()
                await client.wake.wait()


def _cannot_listen(host: str, port: int, error: Exception) -> ChainBeastsError:
    """The sentence for a socket that could not be bound."""
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return ChainBeastsError(
            f"Port {port} on {host} is in use.",
            "Perhaps a metrics server runs already; otherwise pass --port, or set METRICS_PORT.",
        )
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return ChainBeastsError(
        f"Nothing can listen on {host}, port {port}: {reason}.", "Pass another --host or --port."
    )


async def serve_until_stopped(
    server: MetricsServer, on_ready: Callable[[], None] = lambda: None
) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        on_ready: called once the server listens.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with server:
        log.info("metrics server listens", url=server.url)
        on_ready()
        await stop.wait()
        log.info("metrics server stops", clients=server.clients)
