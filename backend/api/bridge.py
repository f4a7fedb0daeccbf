"""Relays a metrics server's stream to the page, so that a browser needs one address only."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping

import structlog
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from chainbeasts.backend.api.figures import UNVERIFIED, Figures, Window
from chainbeasts.backend.api.hub import Hub
from chainbeasts.backend.api.models import Relayed
from chainbeasts.backend.monitoring.training import MessageError, TrainingMetrics
from chainbeasts.backend.store.session import DatabaseUnavailableError

log = structlog.get_logger()

MOST_BYTES = 64 * 1024
BACKOFF = (0.5, 5.0)
LOOK_SECONDS = 0.5
"""Between two looks into the index for windows that were told of."""

AWAY = "Start it with `chainbeasts metrics serve`; this reconnects by itself."

LookUp = Callable[[Collection[Window]], Mapping[Window, tuple[int, int]]]


class Bridge:
    """One connection to a metrics server for all listeners, for as long as the task runs.

    Args:
        url: the metrics server's; None for a bridge that only says that there is none.
        look_up: what the index has of some windows; called in a thread.
    """

    def __init__(self, url: str | None, hub: Hub, look_up: LookUp) -> None:
        self._url, self._hub, self._look_up = url, hub, look_up
        self._figures = Figures()
        self._news = asyncio.Event()
        self._standing = _away()

    def first(self, beast: int | None = None, *, past: bool = True) -> list[str]:
        """What a new listener gets: how the server is, and the last messages about its beast."""
        kept = self._figures.of(beast) if past else []
        return [self._standing, *(_relayed(one, past=True) for one in kept)]

    async def run(self) -> None:
        """Relay, and connect again whenever the connection breaks."""
        if self._url is None:
            return
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen(self._url))
            tasks.create_task(self._tell())

    async def _listen(self, url: str) -> None:
        shortest, longest = BACKOFF
        delay = shortest
        while True:
            try:
                async with connect(
                    url, proxy=None, compression=None, max_size=MOST_BYTES, close_timeout=1
                ) as socket:
                    delay = shortest
                    self._stand(Relayed(type="connected").model_dump_json())
                    async for data in socket:
                        self._hear(data)
            except (OSError, TimeoutError, WebSocketException) as error:
                log.debug("no metrics server", reason=type(error).__name__)
            self._stand(_away())
            await asyncio.sleep(delay)
            delay = min(longest, 2 * delay)

    def _stand(self, text: str) -> None:
        if text != self._standing:
            self._standing = text
            self._hub.publish(text)

    def _hear(self, data: str | bytes) -> None:
        try:
            message = TrainingMetrics.from_json(data)
        except MessageError:
            return
        self._figures.take(message, time.monotonic())
        self._news.set()

    async def _tell(self) -> None:
        """Pass on what the index bears out, as soon as it does."""
        while True:
            await self._news.wait()
            self._news.clear()
            while waiting := self._figures.waiting:
                try:
                    found = await asyncio.to_thread(self._look_up, waiting)
                except DatabaseUnavailableError:
                    found = {}
                for message in self._figures.confirm(found, time.monotonic()):
                    self._hub.publish(_relayed(message), frozenset({f"beast:{message.beast}"}))
                await asyncio.sleep(LOOK_SECONDS)


def _relayed(message: TrainingMetrics, *, past: bool = False) -> str:
    relayed = Relayed(type="metrics", message=message, past=past, unverified=UNVERIFIED)
    return relayed.model_dump_json(by_alias=True)


def _away() -> str:
    return Relayed(type="away", hint=AWAY).model_dump_json()
