"""Lines to a node: a request's bytes go out, the bytes of its answer come in.

HTTP by ``httpcore``, whose network backend is replaced by one that keeps the call's deadline over
the whole exchange; WebSockets by ``websockets``, whose frames are matched to calls by their id.
"""

from __future__ import annotations

import os
import ssl
import threading
import urllib.request
import zlib
from base64 import b64encode
from collections.abc import Iterable
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import certifi
import httpcore
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from chainbeasts.backend.chain.answers import Answer, NotAnAnswerError, is_id, parse
from chainbeasts.backend.chain.clock import CallClock
from chainbeasts.backend.chain.hosts import LOCAL_HOSTS, is_loopback

STEP_SECONDS = 3.0
"""Of a step that cannot be waited for in slices: to connect, to shake hands, to send a piece."""

PIECE = 1 << 12
MOST_BYTES = 1 << 28
"""Of one answer. The largest are of ``eth_getLogs``, and shrink with the range."""

MOST_CONNECTIONS = 32
NOT_THE_NODE = (401, 403, 407, 408, 429)
"""Said by what stands before the node, or by a host that wants fewer calls."""

GZIP = 16 + zlib.MAX_WBITS


class Line(Protocol):
    """One way to a node."""

    def exchange(self, number: int, request: bytes) -> Answer:
        """Send a request; the object that came back.

        Args:
            number: the request's id.

        Raises:
            ConnectionError: there is no answer, or something else than one.
            TimeoutError: not in time.
        """
        ...


# --- HTTP -----------------------------------------------------------------------------------------


class _TimedStream(httpcore.NetworkStream):
    """A stream whose every step ends with the call: httpcore's own limits are for each step."""

    def __init__(self, stream: httpcore.NetworkStream, clock: CallClock) -> None:
        self._stream = stream
        self._clock = clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        while True:
            with suppress(httpcore.ReadTimeout):  # only a slice: the clock says when it is over
                return self._stream.read(max_bytes, self._clock.slice())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # By pieces: how much of one went out before a time-out is not told, so none is repeated.
        for start in range(0, len(buffer), PIECE):
            limit = min(self._clock.left(), STEP_SECONDS)
            self._stream.write(buffer[start : start + PIECE], limit)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        limit = min(self._clock.left(), STEP_SECONDS)
        stream = self._stream.start_tls(ssl_context, server_hostname, limit)
        return _TimedStream(stream, self._clock)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _TimedBackend(httpcore.NetworkBackend):
    def __init__(self, clock: CallClock) -> None:
        self._network = httpcore.SyncBackend()
        self._clock = clock

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        limit = min(self._clock.left(), STEP_SECONDS)
        options = (host, port, limit, local_address, socket_options)
        return _TimedStream(self._network.connect_tcp(*options), self._clock)


class HttpLine:
    """Each request is a POST, over connections that are kept."""

    def __init__(self, url: str, clock: CallClock) -> None:
        self._clock = clock
        place = urlsplit(url)
        self._headers = [
            (b"Content-Type", b"application/json"),
            (b"Accept", b"application/json"),
            (b"Accept-Encoding", b"gzip"),
            (b"User-Agent", b"chainbeasts"),
        ]
        if place.username is not None:
            named = f"{unquote(place.username)}:{unquote(place.password or '')}"
            basic = b"Basic " + b64encode(named.encode())
            self._headers.append((b"Authorization", basic))
        host = f"[{place.hostname}]" if ":" in (place.hostname or "") else place.hostname
        port = "" if place.port is None else f":{place.port}"
        query = f"?{place.query}" if place.query else ""
        self._url = f"{place.scheme}://{host}{port}{place.path or '/'}{query}"
        self._pool = self._make_pool(place.scheme, place.hostname or "")

    def _make_pool(self, scheme: str, host: str) -> httpcore.ConnectionPool:
        options: dict[str, Any] = {
            "max_connections": MOST_CONNECTIONS,
            "network_backend": _TimedBackend(self._clock),
            # loading the certificates takes longer than a call to a node without TLS
            "ssl_context": ssl.create_default_context(cafile=_certificates())
            if scheme == "https"
            else None,
        }
        # No proxy stands between this machine and itself, nor is one looked for.
        proxy = None if host in LOCAL_HOSTS else _proxy(scheme, host)
        if proxy is None:
            return httpcore.ConnectionPool(**options)
        place = urlsplit(proxy)
        named = (unquote(place.username or ""), unquote(place.password or ""))
        address = f"{place.scheme}://{place.hostname}:{place.port or 80}"
        return httpcore.HTTPProxy(address, proxy_auth=named if any(named) else None, **options)

    def exchange(self, number: int, request: bytes) -> Answer:
        """POST a request; the object in the body of the answer.

        Raises:
            ConnectionError, TimeoutError: as ``Line.exchange``.
        """
        waiting = {"timeout": {"pool": self._clock.left()}}
        try:
            with self._pool.stream(
                "POST", self._url, headers=self._headers, content=request, extensions=waiting
            ) as response:
                body = self._body(response)
        except httpcore.TimeoutException as error:
            raise TimeoutError(str(error)) from None
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError) as error:
            raise ConnectionError(str(error)) from None
        except (httpcore.UnsupportedProtocol, zlib.error) as error:
            raise NotAnAnswerError(str(error)) from None
        if response.status == 200:
            return parse(body)
        # Some nodes say no in their own words and with a status of 4xx.
        if not 400 <= response.status < 500 or response.status in NOT_THE_NODE:
            raise NotAnAnswerError(f"HTTP status {response.status}")
        with suppress(NotAnAnswerError):
            answer = parse(body)
            if is_id(answer.get("id"), number):
                return answer
        raise NotAnAnswerError(f"HTTP status {response.status}")

    def _body(self, response: httpcore.Response) -> bytes:
        parts, size = [], 0
        headers = {name.lower(): value.lower() for name, value in response.headers}
        zipped = headers.get(b"content-encoding") == b"gzip"
        unzip = zlib.decompressobj(GZIP) if zipped else None
        for chunk in response.iter_stream():
            part = chunk if unzip is None else unzip.decompress(chunk, MOST_BYTES)
            size += len(part)
            if size >= MOST_BYTES:
                raise NotAnAnswerError("the answer does not end")
            parts.append(part)
        return b"".join(parts)


def _proxy(scheme: str, host: str) -> str | None:
    """The proxy that the environment names for an address."""
    if urllib.request.proxy_bypass(host):
        return None
    found = urllib.request.getproxies()
    return found.get(scheme) or found.get("all")


def _certificates() -> str:
    """The file of authorities: the one that the environment names, else the usual ones."""
    given = (os.environ.get(name) for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"))
    return next(filter(None, given), certifi.where())


# --- WebSocket ------------------------------------------------------------------------------------


def open_socket(url: str, seconds: float = STEP_SECONDS) -> ClientConnection:
    """A WebSocket connection; a proxy of the environment is not asked for this machine itself.

    Raises:
        OSError, WebSocketException: it cannot be opened.
    """
    return connect(
        url,
        proxy=None if is_loopback(url) else True,
        max_size=MOST_BYTES,
        open_timeout=seconds,
        close_timeout=1.0,  # a node that is silent does not answer a goodbye either
    )


class _OpenSocket:
    """One connection, and the calls that wait for a frame of it."""

    def __init__(self, url: str, seconds: float) -> None:
        self._open = ExitStack()  # closes the connection
        self.connection = self._open.enter_context(open_socket(url, seconds))
        self.ended = False
        self.waiting: dict[int, Future[Answer]] = {}
        threading.Thread(target=self._listen, name="answers", daemon=True).start()

    def call(self, number: int, request: bytes, answer: Future[Answer]) -> None:
        """Send a request whose answer goes into the future.

        Raises:
            OSError, WebSocketException: the connection is broken.
        """
        self.waiting[number] = answer
        self.connection.send(request.decode())
        if self.ended:  # perhaps before the future was there to be told
            raise ConnectionError("the connection was closed")

    def _listen(self) -> None:
        """Hand each frame to the call that it answers; frames of no call are ignored."""
        with suppress(OSError, WebSocketException):
            for frame in self.connection:
                with suppress(NotAnAnswerError):
                    answer = parse(frame)
                    number = answer.get("id")
                    waiting = self.waiting.pop(number, None) if isinstance(number, int) else None
                    if waiting is not None:
                        waiting.set_result(answer)
        self.ended = True
        with suppress(OSError, WebSocketException):
            self._open.close()
        while self.waiting:
            with suppress(KeyError):
                _, waiting = self.waiting.popitem()
                waiting.set_exception(ConnectionError("the connection was closed"))


class SocketLine:
    """All calls go over one connection, opened anew when it broke."""

    def __init__(self, url: str, clock: CallClock) -> None:
        self._url = url
        self._clock = clock
        self._lock = threading.Lock()
        self._socket: _OpenSocket | None = None

    def exchange(self, number: int, request: bytes) -> Answer:
        """Send a request and wait for the frame with its id.

        Raises:
            ConnectionError, TimeoutError: as ``Line.exchange``.
        """
        answer: Future[Answer] = Future()
        try:
            socket = self._opened()
            try:
                socket.call(number, request, answer)
                return self._wait(answer)
            finally:
                socket.waiting.pop(number, None)
        except (ConnectionError, TimeoutError):
            raise
        except (OSError, WebSocketException) as error:
            raise ConnectionError(f"{type(error).__name__}: {error}") from None

    def _wait(self, answer: Future[Answer]) -> Answer:
        while True:
            seconds = self._clock.slice()
            with suppress(TimeoutError):
                return answer.result(seconds)

    def _opened(self) -> _OpenSocket:
        while not self._lock.acquire(timeout=self._clock.slice()):
            pass
        try:
            # A broken one is not used again; whoever waits for it is told by its own thread.
            if self._socket is None or self._socket.ended:
                self._socket = _OpenSocket(self._url, min(self._clock.left(), STEP_SECONDS))
            return self._socket
        finally:
            self._lock.release()
