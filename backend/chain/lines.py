"""Lines to a node: a request's bytes go out, the bytes of its answer come in.

WebSockets by ``websockets``, whose frames are matched to calls by their id; ``http_line`` has HTTP.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from typing import Protocol

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from chainbeasts.backend.chain.answers import Answer, NotAnAnswerError, parse
from chainbeasts.backend.chain.clock import CallClock
from chainbeasts.backend.chain.hosts import is_loopback

STEP_SECONDS = 3.0
"""Of a step that cannot be waited for in slices: to connect, to shake hands, to send a piece."""

MOST_BYTES = 1 << 28
"""Of one answer. The largest are of ``eth_getLogs``, and shrink with the range."""


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


def open_socket(url: str, seconds: float | None = None) -> ClientConnection:
    """A WebSocket connection; a proxy of the environment is not asked for this machine itself.

    Args:
        seconds: for its opening; ``STEP_SECONDS`` if None.

    Raises:
        OSError, WebSocketException: it cannot be opened.
    """
    return connect(
        url,
        proxy=None if is_loopback(url) else True,
        max_size=MOST_BYTES,
        open_timeout=STEP_SECONDS if seconds is None else seconds,
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
