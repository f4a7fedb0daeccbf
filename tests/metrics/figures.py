"""Messages for the tests, and how they wait."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from queue import Queue
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import Close

from chainbeasts.backend.monitoring.training import SCHEMA, TrainingMetrics
from chainbeasts.trainer.metrics.server import MetricsServer
from tests.support.patience import PATIENCE


def figures(step: int, run: str = "beast-1", **more: Any) -> TrainingMetrics:
    """A message of a run that learns."""
    given: dict[str, Any] = {
        "run": run,
        "beast": 1,
        "step": step,
        "steps": 1,
        "source": "curriculum",
        "loss": 1000.0 / (1 + step),
        "move_accuracy": 0.5,
    }
    return TrainingMetrics(schema=SCHEMA, **(given | more))


def text(step: int, **more: Any) -> str:
    """A message as JSON."""
    return figures(step, **more).to_json()


def padded(step: int, size: int) -> str:
    """A message with a field that no reader knows, to make it long."""
    return json.dumps({**json.loads(text(step)), "pad": "x" * size})


def longest(step: int) -> str:
    """A message that is as long as the schema allows, and so is relayed."""
    return text(step, run="\x01" * 100, source="\x01" * 100)


def step_of(data: str | bytes) -> int:
    """Which message that is."""
    return TrainingMetrics.from_json(data).step


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run a test's coroutine, which must end by itself."""
    asyncio.run(asyncio.wait_for(main, PATIENCE))


async def until(look: Callable[[], bool]) -> None:
    """Wait for something to be so."""
    async with asyncio.timeout(PATIENCE):
        while not look():
            await asyncio.sleep(0.005)


async def verdict(socket: ClientConnection) -> Close:
    """The close frame that the server sends, whatever comes before it."""
    while True:
        try:
            await socket.recv()
        except ConnectionClosed as closed:
            if closed.rcvd is None:
                raise
            return closed.rcvd


@contextmanager
def served(port: int = 0) -> Iterator[MetricsServer]:
    """A server in a thread of its own."""
    ready: Queue[tuple[MetricsServer, Callable[[], object]]] = Queue()

    async def serve() -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        async with MetricsServer(port=port) as server:
            ready.put((server, lambda: loop.call_soon_threadsafe(stop.set)))
            await stop.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    server, stop = ready.get(timeout=PATIENCE)
    try:
        yield server
    finally:
        stop()
        thread.join()
