"""Waits for news: a WebSocket's new heads where there is one, else the clock. Only wakes."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from queue import Empty, SimpleQueue
from urllib.parse import urlsplit

import structlog

from chainbeasts.backend.chain.client import TRANSPORT_ERRORS
from chainbeasts.backend.chain.errors import ChainError, NodeUnavailableError, WrongChainError
from chainbeasts.backend.chain.providers import open_socket
from chainbeasts.backend.locks import LockHeldError
from chainbeasts.backend.monitoring.health import Health
from chainbeasts.backend.redact import redact_text
from chainbeasts.backend.signals import SignalSafeEvent
from chainbeasts.backend.store.session import DatabaseUnavailableError

log = structlog.get_logger()

RECONNECT_SECONDS = 1.0

PASSING = (ChainError, DatabaseUnavailableError, LockHeldError, OSError)
"""What a daemon waits for the end of. Transport errors are operating system's errors, too, as is a
disk that is full; all that was decided is on record, so the next pass goes on from there."""

AWAY = (NodeUnavailableError, WrongChainError, DatabaseUnavailableError, LockHeldError, OSError)
"""What is away for everything that a daemon looks at, and ends its pass. Any other error is about
the one thing that it was at, and must not keep it from the rest."""


def what_is_away(error: BaseException) -> str:
    """What a daemon waits for after one of the ``PASSING`` errors."""
    if isinstance(error, DatabaseUnavailableError):
        return "database"
    if isinstance(error, LockHeldError):
        return "other process"
    return "node" if isinstance(error, (ChainError, *TRANSPORT_ERRORS)) else "disk"


def tell_failure(error: Exception, monitor: Health, seconds: float) -> None:
    """Say why a pass of a daemon failed, and that it is made again after some seconds."""
    problem = redact_text(str(error)) or type(error).__name__
    monitor.failed(problem)
    if isinstance(error, PASSING):
        log.warning(f"waiting for the {what_is_away(error)}", seconds=seconds, problem=problem)
    else:
        log.error("a pass failed", seconds=seconds, problem=problem, exc_info=error)


class Waker:
    """Wakes whenever the node may have news; the truth is read by number and hash.

    A signal's handler may stop it.

    Args:
        rpc_url: with a ``ws`` scheme its new heads wake; else only the clock does.
        poll: most seconds between two wakings.
    """

    def __init__(self, rpc_url: str, poll: float) -> None:
        self._url = rpc_url
        self._poll = poll
        self._news: SimpleQueue[None] = SimpleQueue()
        self._stopped = SignalSafeEvent()
        if urlsplit(rpc_url).scheme in ("ws", "wss"):
            threading.Thread(target=self._listen, name="new heads", daemon=True).start()

    def wait(self) -> bool:
        """Wait for news or the clock; False once stopped."""
        with suppress(Empty):
            self._news.get(timeout=0 if self.stopped else self._poll)
        return not self._stopped.is_set()

    def pause(self, seconds: float) -> None:
        """Wait that long whatever the news, or until stopped."""
        self._stopped.wait(seconds)

    def stop(self) -> None:
        """Make the present wait return False at once, and all that come after it."""
        self._stopped.set()
        self._news.put(None)

    @property
    def stopped(self) -> bool:
        return self._stopped.is_set()

    def _listen(self) -> None:
        request = {"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newHeads"]}
        while not self._stopped.is_set():
            try:
                with open_socket(self._url) as socket:
                    socket.send(json.dumps(request))
                    for _ in socket:
                        if self._news.empty():  # what comes meanwhile is looked at in one
                            self._news.put(None)
                        if self._stopped.is_set():
                            return
            except Exception as error:  # without this thread every piece of news comes late
                log.debug("new heads interrupted", error=type(error).__name__)
            self._stopped.wait(RECONNECT_SECONDS)
