"""How daemons begin and end: they wait for a node that is away, and obey signals within seconds."""

from __future__ import annotations

import gc
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

import structlog

from chainbeasts.backend.chain.errors import NodeUnavailableError
from chainbeasts.backend.indexer.follow import what_is_away
from chainbeasts.backend.locks import LockHeldError
from chainbeasts.backend.redact import redact_text
from chainbeasts.backend.signals import SignalSafeEvent, carry_on, hang_up
from chainbeasts.backend.store.session import DatabaseUnavailableError

log = structlog.get_logger()
T = TypeVar("T")

FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 30.0

YOUNG_OBJECTS = 5_000
"""Objects made since the collector's last look at the young ones; Python's own 700 have it look at
everything that lives two or three times while a thousand windows are judged, 0.2 s each time."""


@contextmanager
def ended_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """End in good order on SIGTERM and SIGINT.

    Args:
        stop: says so to whoever works. It is called by the handler, so it must take no lock.
    """

    def handle(number: int, frame: FrameType | None) -> None:
        stop()
        hang_up()  # nobody waits for a node that is silent; what was signed is on record

    before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        carry_on()


def when_there(
    make: Callable[[], T],
    pause: Callable[[float], object],
    stopped: Callable[[], bool],
    failed: Callable[[str], None] = lambda _: None,
) -> T | None:
    """The result of a set-up, made again and again while the node is away; None if stopped.

    A process that stands still and holds a lock is waited for in the same way.

    Args:
        pause: waits that many seconds, or until the daemon is to end.
        failed: told why it is waited.
    """
    delay = FIRST_WAIT_SECONDS
    while not stopped():
        try:
            made = make()
            spare_collector()
            return made
        except DatabaseUnavailableError:
            if stopped():  # it was not waited for any more
                break
            raise
        except (NodeUnavailableError, LockHeldError) as error:
            if stopped():  # it was the wish to end that cut the call off
                break
            problem = redact_text(str(error))
            failed(problem)
            log.warning(f"waiting for the {what_is_away(error)}", seconds=delay, problem=problem)
            pause(delay)
            delay = min(2 * delay, LONGEST_WAIT_SECONDS)
    return None


def spare_collector() -> None:
    """Spare the collector what a daemon is made of: modules and tables, which stay to its end."""
    gc.collect()
    gc.freeze()
    _, middle, old = gc.get_threshold()
    gc.set_threshold(YOUNG_OBJECTS, middle, old)


def started(make: Callable[[], T]) -> T | None:
    """The same for a command that has no waker yet; None if a signal ended the wait."""
    stopped = SignalSafeEvent()
    with ended_by_signals(stopped.set):
        return when_there(make, stopped.wait, stopped.is_set)
