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


def beside(work: Callable[[], T], look: Callable[[], float] = until_the_end) -> T:
    """What some work gives, or raises, unless it is given up before.

    What is given up goes on in its thread, so the work has to have a limit of its own; see
    ``Shared`` for work without one.

    Args:
        look: seconds until it is called the next time; raises to give the work up.
    """
    look()
    return _result(_begun(work), look)


class Shared(Generic[T]):
    """The same for work that may never end: what was given up is there for the next who asks, if it
    did not fail meanwhile.

    So there is one thread for each key, however often its work is asked for.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at_work: dict[Hashable, Future[T]] = {}

    def beside(self, key: Hashable, work: Callable[[], T], look: Callable[[], float]) -> T:
        """As the function of that name, for all who ask for the key meanwhile."""
        look()
        with self._lock:
            done = self._at_work.get(key)
            if done is None or (done.done() and done.exception() is not None):
                done = self._at_work[key] = _begun(work)
        try:
            return _result(done, look)
        finally:
            with self._lock:
                if done.done() and self._at_work.get(key) is done:
                    del self._at_work[key]


def _begun(work: Callable[[], T]) -> Future[T]:
    done: Future[T] = Future()

    def do() -> None:
        try:
            found = work()
        except BaseException as error:  # whatever it is, it is the caller's
            done.set_exception(error)
        else:
            done.set_result(found)

    threading.Thread(target=do, name="remote work", daemon=True).start()
    return done


def _result(done: Future[T], look: Callable[[], float]) -> T:
    while not done.done():
        wait([done], look())
    return done.result()
