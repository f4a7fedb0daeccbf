"""The event loop that the connections to a scheduler live in."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING

from chainbeasts.backend.addresses import LookingUpLoop

if TYPE_CHECKING:
    from tornado.ioloop import IOLoop

END_SECONDS = 10.0
"""For the loop's end. A thread that needs longer ends nothing here."""


class LoopThread:
    """An event loop in a thread of its own, until it is stopped.

    dask has one, too. It allows ten seconds for its beginning and its end, and fails on a machine
    that stands still for longer; and the interpreter's end waits for the names that it looks up.

    Attributes:
        loop: as dask takes it.
    """

    def __init__(self) -> None:
        self._begun: Future[tuple[IOLoop, asyncio.Event]] = Future()
        self._thread = threading.Thread(target=self._run, name="IO loop", daemon=True)
        self._thread.start()
        self.loop, self._end = self._begun.result()

    def stop(self) -> None:
        """End it; what is still at work in it is called off."""
        self.loop.add_callback(self._end.set)
        if threading.current_thread() is not self._thread:
            self._thread.join(END_SECONDS)

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=LookingUpLoop) as runner:
                runner.run(self._live())
        except BaseException as error:
            if self._begun.done():
                raise
            self._begun.set_exception(error)

    async def _live(self) -> None:
        from tornado.ioloop import IOLoop

        end = asyncio.Event()
        self._begun.set_result((IOLoop.current(), end))
        await end.wait()
