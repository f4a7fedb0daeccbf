"""PostgreSQL's connections, whose server has a deadline for each answer.

A server that is frozen, waits for its storage, or for a standby before it commits, keeps its
connections and says nothing; psycopg waits for it without end. psycopg is imported where it is
used: it is an extra.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from psycopg import Connection

ANSWER = "answer_seconds"
"""Among the arguments of a connection: seconds for each of its answers; none without it."""


def connect(_dialect: object, _record: object, given: Any, named: dict[str, Any]) -> Any:
    """What SQLAlchemy asks for a connection (its event ``do_connect``).

    Raises:
        psycopg.OperationalError: none is made.
    """
    others = {name: value for name, value in named.items() if name != ANSWER}
    made: Any = _patient_connection().connect(*given, **others)
    made.answer_seconds = named.get(ANSWER)
    return made


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
                return super().wait(gen, interval, seconds)
            except OperationalError:
                # Still at it: whoever rolled back now would wait for the same answer.
                if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                    self.pgconn.finish()
                raise

    return PatientConnection
