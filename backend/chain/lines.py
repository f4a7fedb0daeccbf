"""Lines to a node: a request's bytes go out, the bytes of its answer come in.

WebSockets by ``websockets``, whose frames are matched to calls by their id; ``http_line`` has HTTP.
"""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from typing import Any, Protocol, TypeVar, cast

from websockets.client import ClientProtocol
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from chainbeasts.backend.chain.answers import (
    LARGE_BYTES,
    SMALL_BYTES,
    Answer,
    NotAnAnswerError,
    parse,
)
from chainbeasts.backend.chain.clock import CallClock
from chainbeasts.backend.chain.hosts import is_loopback
from chainbeasts.backend.remote import Shared
from chainbeasts.backend.signals import SLICE_SECONDS, check

STEP_SECONDS = 3.0
"""Of a step that cannot be waited for in slices: to connect, to shake hands, to send a piece."""

PING_SECONDS = 20.0
"""Between an answered ping and the next one, and for the answer to one."""

PIECE = 1 << 14
"""Bytes that are sent at once on a WebSocket: a record of TLS."""

T = TypeVar("T")


class Line(Protocol):
    """One way to a node."""

    def exchange(self, number: int, request: bytes, most: int = LARGE_BYTES) -> Answer:
        """Send a request; the object that came back.

        Args:
            number: the request's id.
            most: bytes that an answer has less than.

        Raises:
            ConnectionError: there is no answer, or something else than one.
            TimeoutError: not in time.
        """
        ...


def open_socket(url: str, seconds: float | None = None) -> ClientConnection:
    """A WebSocket connection; a proxy of the environment is not asked for this machine itself.

    A node that freezes keeps nobody who uses it: what does not go out in ``STEP_SECONDS``, or a
    ping that is not answered in ``PING_SECONDS``, ends the connection.

    Args:
        seconds: for its opening; ``STEP_SECONDS`` if None.

    Raises:
        OSError, WebSocketException: it cannot be opened.
    """
    return connect(
        url,
        proxy=None if is_loopback(url) else True,
        max_size=LARGE_BYTES,
        open_timeout=STEP_SECONDS if seconds is None else seconds,
        ping_interval=PING_SECONDS,
        ping_timeout=PING_SECONDS,
        close_timeout=1.0,  # a node that is silent does not answer a goodbye either
        create_connection=_Connection,
    )


class _Connection(ClientConnection):
    """A connection over a socket that several threads may use, and none hangs in."""

    def __init__(self, sock: socket.socket, protocol: ClientProtocol, **options: Any) -> None:
        super().__init__(cast(socket.socket, _SharedSocket(sock)), protocol, **options)


class _SharedSocket:
    """What ``websockets`` wants of a socket, which it reads in one thread and writes in others.

    It waits for its reader without limit, who with TLS sits where half a record came and is not
    woken by a ``close``; it sends without limit; and OpenSSL is not for two threads at once. Here
    they take turns, no turn waits for the node, and who waits for a turn looks whether it is over.
    """

    def __init__(self, made: socket.socket) -> None:
        self._made = made
        self._turn = threading.Lock()
        self._seconds: float | None = None
        made.setblocking(False)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._made, name)

    def fileno(self) -> int:
        """For a selector."""
        return self._made.fileno()

    def settimeout(self, seconds: float | None) -> None:
        """A limit for each piece that is sent, where it is less than ``STEP_SECONDS``."""
        self._seconds = seconds

    def recv(self, most: int) -> bytes:
        """Wait for bytes, or for the end.

        Raises:
            OSError: the connection is broken or closed.
        """
        return self._take_turns(lambda: self._made.recv(most), None)

    def sendall(self, data: bytes) -> None:
        """Send by pieces.

        Raises:
            TimeoutError: a piece did not go out in time.
            OSError: the connection is broken or closed, or the process is to end.
        """
        limit = STEP_SECONDS if self._seconds is None else min(self._seconds, STEP_SECONDS)
        start = 0
        while start < len(data):
            piece = data[start : start + PIECE]
            start += self._take_turns(lambda piece=piece: self._made.send(piece), limit)  # type: ignore[misc]

    def shutdown(self, how: int) -> None:
        """Of the connection below TLS."""
        socket.socket.shutdown(self._made, how)

    def close(self) -> None:
        """Close it and wake who waits."""
        with self._turn:
            with suppress(OSError):  # it is over already
                self.shutdown(socket.SHUT_RDWR)
            self._made.close()

    def _take_turns(self, act: Callable[[], T], seconds: float | None) -> T:
        ends = None if seconds is None else time.monotonic() + seconds
        while True:
            with self._turn:
                try:
                    return act()
                except ssl.SSLWantReadError:
                    events = select.POLLIN
                except ssl.SSLWantWriteError:
                    events = select.POLLOUT
                except BlockingIOError:
                    events = select.POLLIN if seconds is None else select.POLLOUT
                ready = select.poll()
                ready.register(self._made, events)
            left = SLICE_SECONDS if ends is None else min(SLICE_SECONDS, ends - time.monotonic())
            if not ready.poll(max(left, 0.0) * 1_000) and ends is not None:
                check()
                if left <= 0:
                    raise TimeoutError("the node takes no more")


class _OpenSocket:
    """One connection, and the calls that wait for a frame of it."""

    def __init__(self, url: str) -> None:
        self._open = ExitStack()  # closes the connection
        self.connection = self._open.enter_context(open_socket(url))
        self.ended = False
        self.waiting: dict[int, Future[Answer]] = {}
        self.most: dict[int, int] = {}
        """Bytes that the answers have less than which are waited for."""
        threading.Thread(target=self._listen, name="answers", daemon=True).start()

    def close(self) -> None:
        """Give the connection up."""
        with suppress(OSError, WebSocketException):
            self._open.close()

    def call(self, number: int, request: bytes, answer: Future[Answer]) -> None:
        """Send a request whose answer goes into the future.

        Raises:
            OSError, WebSocketException: the connection is broken.
        """
        self.waiting[number] = answer
        try:
            self.connection.send(request.decode())
        except (OSError, WebSocketException):
            self.ended = True  # the next call opens another one, also if no frame has told so yet
            raise
        if self.ended:  # perhaps before the future was there to be told
            raise ConnectionError("the connection was closed")

    def _listen(self) -> None:
        """Hand each frame to the call that it answers; frames of no call are ignored."""
        with suppress(OSError, WebSocketException):
            for frame in self.connection:
                # Whose frame it is shows only once it is read.
                if len(frame) >= max(self.most.copy().values(), default=SMALL_BYTES):
                    continue
                with suppress(NotAnAnswerError):
                    answer = parse(frame)
                    number = answer.get("id")
                    waiting = self.waiting.pop(number, None) if isinstance(number, int) else None
                    if waiting is not None:
                        waiting.set_result(answer)
        self.ended = True
        self.close()
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
        self._opening = Shared[_OpenSocket]()

    def exchange(self, number: int, request: bytes, most: int = LARGE_BYTES) -> Answer:
        """Send a request and wait for the frame with its id.

        Raises:
            ConnectionError, TimeoutError: as ``Line.exchange``.
        """
        answer: Future[Answer] = Future()
        try:
            socket = self._opened()
            try:
                socket.most[number] = most
                socket.call(number, request, answer)
                return self._wait(answer)
            finally:
                socket.waiting.pop(number, None)
                socket.most.pop(number, None)
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
                self._socket = self._opening.beside(
                    self._url, lambda: _OpenSocket(self._url), self._clock.slice, _OpenSocket.close
                )
            return self._socket
        finally:
            self._lock.release()
