"""PostgreSQL's connections, whose server has a deadline for each answer.

A server that is frozen, waits for its storage, or for a standby before it commits, keeps its
connections and says nothing; psycopg waits for it without end. psycopg is imported where it is
used: it is an extra.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator
from functools import cache
from typing import TYPE_CHECKING, Any

from chainbeasts.backend.addresses import addresses
from chainbeasts.backend.remote import beside
from chainbeasts.backend.signals import SLICE_SECONDS, HungUpError, check

if TYPE_CHECKING:
    from psycopg import Connection

ANSWER = "answer_seconds"
"""Among the arguments of a connection: seconds for each of its answers; none without it."""

OPENING_SECONDS = 120.0
"""For a connection, the look-up of its host and all of its addresses included."""

ENDING_SECONDS = 4.0
"""For a connection or an answer once the process is to end: a server that is well is still told how
things stand."""


def connect(_dialect: object, _record: object, given: Any, named: dict[str, Any]) -> Any:
    """What SQLAlchemy asks for a connection (its event ``do_connect``).

    Raises:
        psycopg.OperationalError: none is made.
    """
    from psycopg import OperationalError

    others = {name: value for name, value in named.items() if name != ANSWER}
    kind, until, late = _patient_connection(), time.monotonic() + OPENING_SECONDS, _lateness()

    def look() -> float:
        if time.monotonic() >= until:
            raise TimeoutError(f"no connection in {OPENING_SECONDS:g} s")
        late()
        return SLICE_SECONDS

    try:
        others |= _place(others, look)
        made: Any = beside(lambda: kind.connect(*given, **others), look, lambda late: late.close())
    except (OSError, UnicodeError) as error:  # also out of time, or the process is to end
        raise OperationalError(str(error)) from None
    made.answer_seconds = named.get(ANSWER)
    return made


def _place(named: dict[str, Any], look: Callable[[], float]) -> dict[str, str]:
    """Where the server is, if one name says so: psycopg itself looks it up without limit."""
    host = str(named.get("host") or os.environ.get("PGHOST") or "")
    known = "hostaddr" in named or os.environ.get("PGHOSTADDR")
    if known or not host or "," in host or host.startswith(("/", "@")):
        return {}
    found = addresses(host, look)
    return {"host": ",".join([host] * len(found)), "hostaddr": ",".join(found)}


@cache
def _patient_connection() -> type[Connection[Any]]:
    from psycopg import Connection, OperationalError
    from psycopg.pq import TransactionStatus

    class PatientConnection(Connection[Any]):
        """A connection that is given up with the answer that did not come."""

        answer_seconds: float | None = None

        def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
            seconds = self.answer_seconds if timeout is None else timeout
            try:
                return super().wait(_watched(gen, _lateness()), interval, seconds)
            except (OperationalError, HungUpError) as error:
                # Still at it: whoever rolled back now would wait for the same answer.
                if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                    self.pgconn.finish()
                if isinstance(error, HungUpError):
                    raise OperationalError(str(error)) from None
                raise

    return PatientConnection


def _lateness() -> Callable[[], None]:
    """Raises once the process is to end and what is waited for from now on is late."""
    late = time.monotonic() + ENDING_SECONDS

    def look() -> None:
        if time.monotonic() >= late:
            check()

    return look


def _watched(gen: Any, look: Callable[[], None]) -> Generator[Any, Any, Any]:
    """What psycopg's generator gives, with a look each time that it is told how things are."""
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            look()
            wanted = gen.send(ready)
    except StopIteration as done:
        return done.value
