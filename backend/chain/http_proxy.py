"""HTTP to a node through a proxy, by ``httpcore``, whose network backend keeps the deadlines."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from contextlib import suppress
from typing import Any
from urllib.parse import unquote, urlsplit

import httpcore

from chainbeasts.backend.addresses import addresses
from chainbeasts.backend.chain import lines
from chainbeasts.backend.chain.answers import NotAnAnswerError
from chainbeasts.backend.chain.clock import CallClock
from chainbeasts.backend.chain.http_direct import MOST_CONNECTIONS, PIECE, Posted, too_long


class ProxiedWay:
    """Connections that a proxy makes for us.

    Args:
        proxy: its address, perhaps with a user's name and password.
        url: the node's.
    """

    def __init__(
        self,
        proxy: str,
        url: str,
        headers: dict[str, str],
        clock: CallClock,
        tls: ssl.SSLContext | None,
    ) -> None:
        self._clock = clock
        self._url = url
        self._headers = [(name.encode(), value.encode()) for name, value in headers.items()]
        place = urlsplit(proxy)
        named = (unquote(place.username or ""), unquote(place.password or ""))
        self._pool = httpcore.HTTPProxy(
            f"{place.scheme}://{place.hostname}:{place.port or 80}",
            proxy_auth=named if any(named) else None,
            max_connections=MOST_CONNECTIONS,
            network_backend=_TimedBackend(clock),
            ssl_context=tls,
        )

    def post(self, request: bytes, most: int) -> Posted:
        """Send a request and read all of its answer.

        Raises:
            ConnectionError, TimeoutError: there is none, or not in time.
        """
        waiting = {"timeout": {"pool": self._clock.left()}}
        try:
            with self._pool.stream(
                "POST", self._url, headers=self._headers, content=request, extensions=waiting
            ) as response:
                headers = {name.lower(): value.lower() for name, value in response.headers}
                zipped = headers.get(b"content-encoding") == b"gzip"
                return Posted(response.status, zipped, _whole(response, most))
        except httpcore.TimeoutException as error:
            raise TimeoutError(str(error)) from None
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError) as error:
            raise ConnectionError(str(error)) from None
        except httpcore.UnsupportedProtocol as error:
            raise NotAnAnswerError(str(error)) from None

    def close(self) -> None:
        """Give the connections up that are kept."""
        self._pool.close()


def _whole(response: httpcore.Response, most: int) -> bytes:
    parts, size = [], 0
    for part in response.iter_stream():
        parts.append(part)
        size += len(part)
        if size >= most:
            raise too_long()
    return b"".join(parts)


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
        for start in range(0, len(buffer), PIECE):
            limit = min(self._clock.left(), lines.STEP_SECONDS)
            self._stream.write(buffer[start : start + PIECE], limit)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        limit = min(self._clock.left(), lines.STEP_SECONDS)
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
        *others, last = addresses(host, self._clock.slice)
        for address in others:
            with suppress(httpcore.NetworkError, httpcore.TimeoutException):
                return self._connect_to(address, port, local_address, socket_options)
        return self._connect_to(last, port, local_address, socket_options)

    def _connect_to(self, address: str, port: int, *options: Any) -> httpcore.NetworkStream:
        limit = min(self._clock.left(), lines.STEP_SECONDS)
        made = self._network.connect_tcp(address, port, limit, *options)
        return _TimedStream(made, self._clock)
