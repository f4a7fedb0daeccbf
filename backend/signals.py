"""What a signal's handler may do: set an event, and let all remote calls of the process end."""

from __future__ import annotations

import time
from contextlib import suppress
from queue import Empty, SimpleQueue

SLICE_SECONDS = 0.25
"""Nobody blocks for longer without a look at the clock: a signal's handler cannot interrupt a wait
for a socket, it can only leave a note that is read between two of them."""

GRACE_SECONDS = 2.0
"""What calls have left after the wish to end: enough for a node that answers."""


class HungUpError(ConnectionError):
    """The process is to end; the node is not waited for any more."""


class _Process:
    """When this process's calls have to end, by the monotonic clock; None: it goes on."""

    ends: float | None = None


def hang_up(grace: float = GRACE_SECONDS) -> None:
    """Let every call of the process end within ``grace`` seconds, and none begin after that.

    A signal's handler may call it: it takes no lock.
    """
    _Process.ends = time.monotonic() + grace


def carry_on() -> None:
    """Take the wish to end back, where it was for a part of the process alone."""
    _Process.ends = None


def check() -> None:
    """Raise if the process is to end and its calls are over.

    Raises:
        HungUpError: they are.
    """
    if _Process.ends is not None and time.monotonic() >= _Process.ends:
        raise HungUpError("the process ends")


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
