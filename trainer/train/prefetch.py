"""Trains windows ahead of their submission, in a thread of its own."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from chainbeasts.trainer.metrics.accuracy import Tally
from chainbeasts.trainer.submit.window import TrainedWindow

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
        windows: trains the next window and puts it on record, each time it is asked.
        capacity: most windows in flight.
    """

    def __init__(self, windows: Iterator[PreparedWindow], capacity: int) -> None:
        self._windows = windows
        self._capacity = capacity
        self._ready: deque[PreparedWindow] = deque()
        self._over = False
        self._closing = False
        self._error: BaseException | None = None
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="training ahead", daemon=True)
        self._thread.start()

    def peek(self, most: int, stopped: Callable[[], bool]) -> list[PreparedWindow]:
        """The next windows: ``most``, or all that are left; fewer once ``stopped``.

        Raises:
            Exception: what training raised, once the windows before are mined.
        """
        with self._changed:
            while len(self._ready) < most and not self._over and not stopped():
                self._changed.wait(LOOK_SECONDS)
            # Windows trained before the failure are sound: the run submits them before it ends.
            if not self._ready and self._error is not None:
                raise self._error
            return [self._ready[i] for i in range(min(most, len(self._ready)))]

    def mined(self, count: int) -> None:
        """The first ``count`` windows are on the chain: as many more may be trained."""
        with self._changed:
            for _ in range(count):
                self._ready.popleft()
            self._changed.notify_all()

    def close(self) -> None:
        """Train nothing more; returns once the window in training is on record."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        # Joined, or the process could end between a window's state and its row; and not under the
        # lock, which the thread takes once more to end.
        self._thread.join()

    def _work(self) -> None:
        error: BaseException | None = None
        try:
            # The window in training counts, so a head that moves costs ``capacity`` at most.
            while self._may_train():
                prepared = next(self._windows, None)
                if prepared is None:
                    break
                with self._changed:
                    self._ready.append(prepared)
                    self._changed.notify_all()
        except BaseException as raised:
            error = raised
        with self._changed:
            self._over, self._error = True, error
            self._changed.notify_all()

    def _may_train(self) -> bool:
        """Wait until one more window may be in flight; False once closing."""
        with self._changed:
            while len(self._ready) >= self._capacity and not self._closing:
                self._changed.wait()
            return not self._closing
