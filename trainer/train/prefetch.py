"""Trains windows ahead of their submission, in a thread of its own."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from trainer.metrics.accuracy import Tally
from trainer.submit.window import TrainedWindow

LOOK_SECONDS = 0.1
"""Between two looks at whether the run was asked to stop."""


@dataclass(frozen=True, slots=True)
class PreparedWindow:
    """A window that is on record and may be submitted.

    Attributes:
        lock: what submitting it locks, wei of ENERGY.
        learned: figures of its steps; None unless they were asked for, or if an earlier process
            trained it.
    """

    window: TrainedWindow
    lock: int
    learned: Tally | None = None


class Prefetcher:
    """Windows in flight: those trained, or in training, that are not mined yet.

    Args:
        making: trains the next window and puts it on record, each time it is asked.
        room: most windows in flight.
    """

    def __init__(self, making: Iterator[PreparedWindow], room: int) -> None:
        self._making = making
        self._room = room
        self._ready: deque[PreparedWindow] = deque()
        self._over = False
        self._closing = False
        self._error: BaseException | None = None
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="training ahead", daemon=True)
        self._thread.start()

    def peek(self, most: int, stopped: Callable[[], bool]) -> list[PreparedWindow]:
        """The next windows: ``most``, or all that are left; fewer once ``stopped``.

        Raises:
            Exception: what training raised, once the windows before are mined.
        """
        with self._news:
            while len(self._ready) < most and not self._over and not stopped():
                self._news.wait(LOOK_SECONDS)
            if not self._ready and self._error is not None:
                raise self._error
            return [self._ready[i] for i in range(min(most, len(self._ready)))]

    def mined(self, count: int) -> None:
        """The first ``count`` windows are on the chain: there is room for as many more."""
        with self._news:
            for _ in range(count):
                self._ready.popleft()
            self._news.notify_all()

    def close(self) -> None:
        """Train nothing more; returns once the window in training is on record."""
        with self._news:
            self._closing = True
            self._news.notify_all()
        self._thread.join()

    def _work(self) -> None:
        error: BaseException | None = None
        try:
            while self._may_train():
                made = next(self._making, None)
                if made is None:
                    break
                with self._news:
                    self._ready.append(made)
                    self._news.notify_all()
        except BaseException as raised:
            error = raised
        with self._news:
            self._over, self._error = True, error
            self._news.notify_all()

    def _may_train(self) -> bool:
        """Wait for room; False once closing."""
        with self._news:
            while len(self._ready) >= self._room and not self._closing:
                self._news.wait()
            return not self._closing
