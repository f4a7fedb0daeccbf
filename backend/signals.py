"""An event that a signal's handler may set."""

from __future__ import annotations

from contextlib import suppress
from queue import Empty, SimpleQueue


class SignalSafeEvent:
    """A ``threading.Event`` without a lock.

    A handler runs in the main thread, between any two of its steps. Where that thread is just
    inside a ``threading.Event``, whose lock is not reentrant, ``set`` would wait for it for ever;
    ``SimpleQueue.put`` is documented to be reentrant.
    """

    def __init__(self) -> None:
        self._set = False
        self._wakes: SimpleQueue[None] = SimpleQueue()

    def set(self) -> None:
        """Let every wait return, now and from now on."""
        self._set = True
        self._wakes.put(None)

    def is_set(self) -> bool:
        return self._set

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set, for ``timeout`` seconds at most; whether it is."""
        if not self._set:
            with suppress(Empty):
                self._wakes.get(timeout=timeout)
                self._wakes.put(None)  # for the next who waits
        return self._set
