"""HTTP to a node without anything in between, by ``http.client`` over connections that are kept.

A daemon makes thousands of calls, most of them to a node near by, and a client that knows more of
HTTP takes twice the time. What is ours is the deadline of the whole exchange.
"""

from __future__ import annotations

import http.client
import io
import os
import select
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol, cast
from urllib.parse import SplitResult, quote

from chainbeasts.backend.addresses import addresses
from chainbeasts.backend.chain import lines
from chainbeasts.backend.chain.answers import NotAnAnswerError
from chainbeasts.backend.chain.clock import CallClock

PIECE = 1 << 12
"""Bytes that are sent at once: how much of them went out before a time-out is not told."""

READ_BYTES = 1 << 16
MOST_CONNECTIONS = 32
URL_MARKS = "/?%:@!$&'()*+,;=~-._"
"""What a path or query may have besides letters and digits."""


@dataclass(frozen=True, slots=True)
class Posted:
    """What came back: a status, and a body as it was sent."""

    status: int
    zipped: bool
    body: bytes


class Way(Protocol):
    """How requests get to the node."""

    def post(self, request: bytes, most: int) -> Posted:
        """Send a request and read all of its answer."""
        ...

    def close(self) -> None:
        """Give the connections up that are kept."""
        ...


def authority(place: SplitResult) -> str:
    """Host and port of an endpoint, without a user's name."""
    host = place.hostname or ""
    with suppress(UnicodeError):  # if it has no such form, nobody finds it either
        host = host.encode("idna").decode()
    host = f"[{host}]" if ":" in host else host
    return host if place.port is None else f"{host}:{place.port}"


def target(place: SplitResult) -> str:
    """Path and query of an endpoint."""
    query = f"?{place.query}" if place.query else ""
    return quote(f"{place.path or '/'}{query}", safe=URL_MARKS)


def tls_context(scheme: str) -> ssl.SSLContext | None:
    """Whom to trust; made only for TLS: loading the certificates takes longer than a call."""
    if scheme != "https":
        return None
    import certifi

    given = (os.environ.get(name) for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"))
    return ssl.create_default_context(cafile=next(filter(None, given), None) or certifi.where())


def too_long() -> NotAnAnswerError:
    """Of more bytes than any answer has."""
    return NotAnAnswerError("the answer does not end")


class DirectWay:
    """Connections to the node itself, the last one used first."""

    def __init__(self, place: SplitResult, headers: dict[str, str], clock: CallClock) -> None:
        self._place = place
        self._target = target(place)
        self._headers = headers
        self._clock = clock
        self._tls = tls_context(place.scheme)
        self._idle: list[_Connection] = []
        self._free = threading.BoundedSemaphore(MOST_CONNECTIONS)

    def post(self, request: bytes, most: int) -> Posted:
        """Send a request and read all of its answer.

        Raises:
            OSError, http.client.HTTPException: there is none, or not in time.
        """
        while not self._free.acquire(timeout=self._clock.slice()):
            pass
        try:
            connection = self._kept() or _Connection(self._place, self._tls, self._clock)
            try:
                connection.request("POST", self._target, request, self._headers)
                response = connection.getresponse()
                body = _whole(response, most)
            except BaseException:
                connection.close()
                raise
            if connection.is_open:  # the node may have said that it closes it
                self._idle.append(connection)
            zipped = response.headers.get("content-encoding", "").lower() == "gzip"
            return Posted(response.status, zipped, body)
        finally:
            self._free.release()

    def close(self) -> None:
        """Give the connections up that are kept."""
        while self._idle:
            self._idle.pop().close()

    def _kept(self) -> _Connection | None:
        while self._idle:
            with suppress(IndexError):  # another thread took it
                connection = self._idle.pop()
                if not connection.is_stale():
                    return connection
                connection.close()
        return None


class _Connection(http.client.HTTPConnection):
    """A connection whose every step ends with the call: a socket's own limit is for each step."""

    def __init__(self, place: SplitResult, tls: ssl.SSLContext | None, clock: CallClock) -> None:
        usual = http.client.HTTP_PORT if tls is None else http.client.HTTPS_PORT
        self.default_port = usual
        super().__init__(place.hostname or "", place.port or usual)
        self._tls = tls
        self._clock = clock

    def connect(self) -> None:
        """Open it; called by ``request``."""
        clock, made = self._clock, self._connected()
        try:
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                made.settimeout(min(clock.left(), lines.STEP_SECONDS))
                made = self._tls.wrap_socket(made, server_hostname=self.host)
        except BaseException:
            made.close()
            raise
        self.sock = cast(socket.socket, _TimedSocket(made, clock))

    def _connected(self) -> socket.socket:
        *others, last = addresses(self.host, self._clock.slice)
        for address in others:
            with suppress(OSError):
                return self._connect_to(address)
        return self._connect_to(last)

    def _connect_to(self, address: str) -> socket.socket:
        limit = min(self._clock.left(), lines.STEP_SECONDS)
        return socket.create_connection((address, self.port), limit)

    @property
    def is_open(self) -> bool:
        """Whether another request can be sent."""
        return self.sock is not None

    def is_stale(self) -> bool:
        """Whether the node has closed it: else nothing comes before it is asked."""
        return self.sock is None or cast(_TimedSocket, self.sock).has_news()


class _TimedSocket:
    """What ``http.client`` wants of a socket."""

    def __init__(self, made: socket.socket, clock: CallClock) -> None:
        self.socket = made
        self.clock = clock
        self._readers = 0
        self._closing = False
        self._poll = select.poll()
        self._poll.register(made, select.POLLIN)

    def has_news(self) -> bool:
        """Whether there are bytes to read, or an end."""
        return bool(self._poll.poll(0))

    def sendall(self, message: bytes) -> None:
        """Send by pieces: how much of one went out before a time-out is not told."""
        for start in range(0, len(message), PIECE):
            self.socket.settimeout(min(self.clock.left(), lines.STEP_SECONDS))
            self.socket.sendall(message[start : start + PIECE])

    def makefile(self, mode: str) -> io.BufferedReader:
        """A reader of what comes back."""
        self._readers += 1
        return io.BufferedReader(_Reading(self), READ_BYTES)

    def close(self) -> None:
        """Close it, but not before an answer that ends with the connection has been read."""
        self._closing = True
        if not self._readers:
            self.socket.close()

    def end_reading(self) -> None:
        """A reader is done."""
        self._readers -= 1
        if self._closing:
            self.close()


class _Reading(io.RawIOBase):
    def __init__(self, connection: _TimedSocket) -> None:
        self._connection = connection

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        if not self.closed:
            self._connection.end_reading()
        super().close()

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        made, clock = self._connection.socket, self._connection.clock
        while True:
            made.settimeout(clock.slice())
            with suppress(TimeoutError):  # only a slice: the clock says when it is over
                return made.recv_into(buffer)


def _whole(response: http.client.HTTPResponse, most: int) -> bytes:
    if response.length is not None:
        if response.length >= most:
            raise too_long()
        return response.read()  # which tells if it ends early
    parts, size = [], 0
    while part := response.read(READ_BYTES):
        parts.append(part)
        size += len(part)
        if size >= most:
            raise too_long()
    return b"".join(parts)
