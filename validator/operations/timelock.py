"""Tells of everything that waits in the timelock: what governance can do, before it is done.

A season may lower a period; another call may move a role, an owner or coins. Nothing is done about
either here: whoever trains, holds or validates has the timelock's delay to look, and to leave.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from chainbeasts.backend.chain.amounts import show_time
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.timelock import (
    Operation,
    call_text,
    decoded,
    only_seasons,
    scheduler_of,
)
from chainbeasts.backend.indexer.queries import pending_operations
from chainbeasts.backend.store.session import Database

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Waiting:
    """So many operations wait in the timelock.

    Attributes:
        seasons: of them that only add seasons.
        others: that do something else, known or not.
    """

    seasons: int = 0
    others: int = 0


class TimelockAlarm:
    """Looks for operations that wait, and logs each of them once in a process's life."""

    def __init__(self, chain: Chain, database: Database) -> None:
        self._chain = chain
        self._addresses = chain.deployment.addresses
        self._database = database
        self._logged: set[tuple[bytes, bytes]] = set()

    def run(self) -> Waiting:
        """Tell of what is new; returns how much waits."""
        with self._database.session() as session:
            found = pending_operations(session)
        # By the transaction, too: what was cancelled and scheduled anew is told of anew.
        new = [one for one in found if (one.id, one.tx_hash) not in self._logged]
        for operation in new:
            self._log(operation)
        self._logged = {(one.id, one.tx_hash) for one in found}
        seasons = sum(only_seasons(self._addresses, one) for one in found)
        return Waiting(seasons, len(found) - seasons)

    def _log(self, operation: Operation) -> None:
        write = log.warning if only_seasons(self._addresses, operation) else log.error
        write(
            "an operation waits in the timelock",
            operation=operation.name,
            calls=[
                call_text(call, known)
                for call, known in zip(
                    operation.calls, decoded(self._chain, operation), strict=True
                )
            ],
            executable_from=show_time(operation.ready_at),
            scheduled_by=scheduler_of(self._chain, operation.tx_hash),
        )
