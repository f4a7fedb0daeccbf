"""HTTP to a node without anything in between, over connections that are kept.

A daemon makes thousands of calls, most of them to a node near by. So the one kind of request is
written here, and only the answer is read by a library, ``http.client``: a third of what a whole
client of HTTP takes.
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

from chainbeasts.backend.chain.answers import NotAnAnswerError
from chainbeasts.backend.chain.clock import CallClock
from chainbeasts.backend.chain.lines import MOST_BYTES, STEP_SECONDS

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

    def post(self, request: bytes) -> Posted:
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
        self._clock = clock
        self._host = place.hostname or ""
        self._port = place.port or (443 if place.scheme == "https" else 80)
        self._tls = tls_context(place.scheme)
        named = {"Host": authority(place)} | headers
        lines = [f"POST {target(place)} HTTP/1.1", *(f"{k}: {v}" for k, v in named.items())]
        self._head = "\r\n".join(lines).encode("latin-1", "replace")
        self._idle: list[_Connection] = []
        self._free = threading.BoundedSemaphore(MOST_CONNECTIONS)

    def post(self, request: bytes) -> Posted:
        """Send a request and read all of its answer.

        Raises:
            OSError, http.client.HTTPException: there is none, or not in time.
        """
        while not self._free.acquire(timeout=self._clock.slice()):
            pass
        try:
            connection = self._kept() or self._opened()
            try:
                connection.send(
                    b"%b\r\nContent-Length: %d\r\n\r\n%b" % (self._head, len(request), request)
                )
                response = connection.response()
                body = _whole(response)
            except BaseException:
                connection.close()
                raise
            if response.will_close:
                connection.close()
            else:
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

    def _opened(self) -> _Connection:
        limit = min(self._clock.left(), STEP_SECONDS)
        made = socket.create_connection((self._host, self._port), limit)
        try:
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                made.settimeout(min(self._clock.left(), STEP_SECONDS))
                made = self._tls.wrap_socket(made, server_hostname=self._host)
        except BaseException:
            made.close()
            raise
        return _Connection(made, self._clock)


class _Connection:
    """A connection whose every step ends with the call: a socket's own limit is for each step."""

    def __init__(self, made: socket.socket, clock: CallClock) -> None:
        self.socket = made
        self.clock = clock
        self.close = made.close
        self._poll = select.poll()
        self._poll.register(made, select.POLLIN)

    def is_stale(self) -> bool:
        """Whether the node has closed it: else nothing comes before it is asked."""
        return bool(self._poll.poll(0))

    def send(self, message: bytes) -> None:
        for start in range(0, len(message), PIECE):
            self.socket.settimeout(min(self.clock.left(), STEP_SECONDS))
            self.socket.sendall(message[start : start + PIECE])

    def response(self) -> http.client.HTTPResponse:
        """The answer, as far as its body."""
        response = http.client.HTTPResponse(cast(socket.socket, self), method="POST")
        response.begin()
        return response

    def makefile(self, mode: str) -> io.BufferedReader:
        """What ``http.client`` reads from; called by it."""
        return io.BufferedReader(_Reading(self), READ_BYTES)


class _Reading(io.RawIOBase):
    def __init__(self, connection: _Connection) -> None:
        self._connection = connection

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        made, clock = self._connection.socket, self._connection.clock
        while True:
            made.settimeout(clock.slice())
            with suppress(TimeoutError):  # only a slice: the clock says when it is over
                return made.recv_into(buffer)


def _whole(response: http.client.HTTPResponse) -> bytes:
    if response.length is not None:
        if response.length >= MOST_BYTES:
            raise too_long()
        return response.read()  # which tells if it ends early
    parts, size = [], 0
    while part := response.read(READ_BYTES):
        parts.append(part)
        size += len(part)
        if size >= MOST_BYTES:
            raise too_long()
    return b"".join(parts)
