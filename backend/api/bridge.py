"""Relays a metrics server's stream to the page, so that a browser needs one address only."""

from __future__ import annotations

import asyncio
import json
from collections import deque

import structlog
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from backend.api.hub import Hub
from backend.api.models import Relayed

log = structlog.get_logger()

REMEMBERED = 1000
"""Messages that a late joiner gets, as many as the metrics server itself keeps."""

MOST_BYTES = 64 * 1024
BACKOFF = (0.5, 5.0)
AWAY = "Start it with `chainbeasts metrics serve`; this reconnects by itself."


class Bridge:
    """One connection to a metrics server for all listeners, for as long as the task runs.

    Args:
        url: the metrics server's; None for a bridge that only says that there is none.
    """

    def __init__(self, url: str | None, hub: Hub) -> None:
        self._url, self._hub = url, hub
        self._kept: deque[str] = deque(maxlen=REMEMBERED)
        self._standing = _away()

    def first(self) -> list[str]:
        """What a new listener gets: how the server is, and its last messages."""
        return [self._standing, *self._kept]

    async def run(self) -> None:
        """Relay, and connect again whenever the connection breaks."""
        shortest, longest = BACKOFF
        delay = shortest
        while self._url is not None:
            try:
                async with connect(
                    self._url, proxy=None, compression=None, max_size=MOST_BYTES, close_timeout=1
                ) as socket:
                    delay = shortest
                    self._stand(Relayed(type="connected").model_dump_json())
                    known = set(self._kept)
                    async for data in socket:
                        self._relay(data, known)
            except (OSError, TimeoutError, WebSocketException) as error:
                log.debug("no metrics server", reason=type(error).__name__)
            self._stand(_away())
            await asyncio.sleep(delay)
            delay = min(longest, 2 * delay)

    def _stand(self, text: str) -> None:
        if text != self._standing:
            self._standing = text
            self._hub.publish(text)

    def _relay(self, data: str | bytes, known: set[str]) -> None:
        """Pass a message on, unless it is none or was passed on before the connection broke."""
        if not isinstance(data, str) or not _is_object(data):
            return
        text = f'{{"type":"metrics","message":{data},"hint":null}}'
        # After a break the server's history begins with what was relayed already.
        if text in known:
            return
        known.clear()
        self._kept.append(text)
        self._hub.publish(text)


def _is_object(text: str) -> bool:
    """Whether a text is a JSON object that every browser reads."""
    try:
        return isinstance(json.loads(text, parse_constant=_refuse), dict)
    except (ValueError, RecursionError):
        return False


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _away() -> str:
    return Relayed(type="away", hint=AWAY).model_dump_json()
