"""Remote work that nothing can interrupt, done beside its caller, who looks whether it is over.

A signal's handler runs between two steps of the main thread. A library that waits for a resolver or
a server on its own is one step, however long that takes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future, wait
from typing import Generic, TypeVar

from chainbeasts.backend.signals import SLICE_SECONDS, check

T = TypeVar("T")


def until_the_end() -> float:
    """Seconds until the next look whether the process is to end.

    Raises:
        HungUpError: it is.
    """
    check()
    return SLICE_SECONDS


def beside(
    work: Callable[[], T],
    look: Callable[[], float] = until_the_end,
    discard: Callable[[T], object] = lambda late: None,
) -> T:
    """What some work gives, or raises, unless it is given up before.

    What is given up goes on in its thread, so the work has to have a limit of its own; see
    ``Shared`` for work without one.

    Args:
        look: seconds until it is called the next time; raises to give the work up.
        discard: takes what comes after that.
    """
    look()
    begun = _Work(work)
    begun.join()
    return begun.result(look, discard)


class Shared(Generic[T]):
    """The same for work that may never end: who asks while it is at work waits for the same.

    So there is one thread for each key, however often its work is asked for.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at_work: dict[Hashable, _Work[T]] = {}

    def begin(self, key: Hashable, work: Callable[[], T]) -> Future[T]:
        """The work of a key, which may be at work already."""
        return self._begun(key, work).done

    def beside(
        self,
        key: Hashable,
        work: Callable[[], T],
        look: Callable[[], float] = until_the_end,
        discard: Callable[[T], object] = lambda late: None,
    ) -> T:
        """As the function of that name, for all who ask for the key meanwhile."""
        look()
        begun = self._begun(key, work)
        while not begun.join():  # it came for nobody in between
            begun = self._begun(key, work)
        return begun.result(look, discard)

    def _begun(self, key: Hashable, work: Callable[[], T]) -> _Work[T]:
        with self._lock:
            # One that has ended is of another time: an address of an hour ago, say.
            running = {one: at for one, at in self._at_work.items() if not at.done.done()}
            self._at_work = running
            if key not in running:
                running[key] = _Work(work)
            return running[key]


class _Work(Generic[T]):
    """Work in a thread of its own, and how many wait for it."""

    def __init__(self, work: Callable[[], T]) -> None:
        self.done: Future[T] = Future()
        self.done.set_running_or_notify_cancel()  # nobody who waits for it can call it off
        self._lock = threading.Lock()
        self._waiting = 0
        self._taken = self._discarded = False
        threading.Thread(target=self._do, args=(work,), name="remote work", daemon=True).start()

    def _do(self, work: Callable[[], T]) -> None:
        try:
            found = work()
        except BaseException as error:  # whatever it is, it is the caller's
            self.done.set_exception(error)
        else:
            self.done.set_result(found)

    def join(self) -> bool:
        """Be one more who waits for it; False if it was discarded, as nobody did."""
        with self._lock:
            self._waiting += not self._discarded
            return not self._discarded

    def result(self, look: Callable[[], float], discard: Callable[[T], object]) -> T:
        """Wait for it, after ``join``; what nobody waits for any more is discarded as it comes."""
        ended = False
        try:
            while not self.done.done():
                wait([self.done], look())
            ended = True
        finally:
            with self._lock:
                self._waiting -= 1
                self._taken = self._taken or ended
            if not ended:
                self.done.add_done_callback(lambda late: self._came(late, discard))
        return self.done.result()

    def _came(self, late: Future[T], discard: Callable[[T], object]) -> None:
        with self._lock:
            if self._taken or self._waiting or self._discarded:
                return
            self._discarded = True
        if late.exception() is None:
            discard(late.result())
