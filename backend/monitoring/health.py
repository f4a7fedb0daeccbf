"""What every daemon reports: whether its last pass was good, how far it has read, what it spent."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select

from chainbeasts.backend.store.daemons import IntentRow, IntentState
from chainbeasts.backend.store.session import Database

READY_SECONDS = 60.0
"""A daemon whose last good pass is older than this is not ready."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What one kind of move has cost so far.

    Attributes:
        gas: of all its mined transactions, those that failed included.
    """

    moves: int
    gas: int


def spent(database: Database, account: str) -> dict[str, Spent]:
    """What an account's recorded moves have cost, by kind; survives restarts with the database."""
    found = (
        select(
            IntentRow.kind,
            func.count().filter(IntentRow.state == IntentState.MINED),
            func.sum(IntentRow.gas_used),
        )
        .where(IntentRow.account == account)
        .where(IntentRow.state.in_((IntentState.MINED, IntentState.FAILED)))
        .group_by(IntentRow.kind)
    )
    total: dict[str, Spent] = {}
    with database.session() as session:
        for kind, moves, gas in session.execute(found):
            name = str(kind).split("-")[0]  # supply-3 is a supply
            before = total.get(name, Spent(0, 0))
            total[name] = Spent(before.moves + int(moves), before.gas + int(gas or 0))
    return total


class Health:
    """Figures that all daemons share.

    Args:
        role: middle part of every metric's name, such as ``validator``.
    """

    def __init__(self, role: str) -> None:
        self.registry = CollectorRegistry()
        self._prefix = f"chainbeasts_{role}"
        self._head = self.gauge("head_block", "Newest block of the node that counts.")
        self._indexed = self.gauge("indexed_block", "Last block read.")
        self._disputes = self.gauge("open_disputes", "Disputes that have not ended.")
        self._deadline = self.gauge(
            "next_deadline_timestamp_seconds",
            "Chain time of the nearest deadline that is ours to watch; 0 if there is none.",
        )
        self._passed_at = self.gauge(
            "last_pass_timestamp_seconds", "Clock time of the last good pass; 0 before the first."
        )
        self._failures = Counter(
            f"{self._prefix}_failures",
            "Passes that node, database or disk spoiled.",
            registry=self.registry,
        )
        self._gaps = self.gauge(
            "log_gaps", "Counters of the contracts that the events read do not add up to."
        )
        self._mended = Counter(
            f"{self._prefix}_log_gaps_mended",
            "Times that blocks were read again for events that the node had left out.",
            registry=self.registry,
        )
        self._costs = _Costs(self._prefix)
        self.registry.register(self._costs)
        self._last_pass: float | None = None
        self._problem = "no pass yet"

    def gauge(self, name: str, text: str, labels: Iterable[str] = ()) -> Gauge:
        """A gauge of this daemon."""
        return Gauge(f"{self._prefix}_{name}", text, list(labels), registry=self.registry)

    def passed(
        self,
        *,
        head: int,
        indexed: int,
        disputes: int,
        deadlines: Iterable[int] = (),
        costs: Mapping[str, Spent] | None = None,
        gaps: int = 0,
        mended: int = 0,
    ) -> None:
        """A pass ended well.

        Args:
            deadlines: unix seconds of chain time.
            gaps, mended: see ``SyncReport``.
        """
        self._head.set(head)
        self._indexed.set(indexed)
        self._disputes.set(disputes)
        self._deadline.set(min(deadlines, default=0))
        self._costs.spent = dict(costs or {})
        self._gaps.set(gaps)
        self._mended.inc(mended)
        self._passed_at.set_to_current_time()
        self._last_pass, self._problem = time.monotonic(), ""

    def failed(self, problem: str) -> None:
        """Node, database or disk did not do their part."""
        self._failures.inc()
        self._problem = problem

    @property
    def problem(self) -> str:
        """Why the daemon is not ready; empty if it is."""
        if self._problem or self._last_pass is None:
            return self._problem
        age = time.monotonic() - self._last_pass
        return "" if age < READY_SECONDS else f"the last pass was {age:.0f} s ago"


class AccountHealth(Health):
    """Figures of daemons that sign: besides the shared ones, what their account has."""

    def __init__(self, role: str) -> None:
        super().__init__(role)
        self._coin = self.gauge("native_balance", "Native coin of the account, in whole coins.")
        self._energy = self.gauge(
            "energy_balance", "ENERGY of the account, in wallet and the ledger's escrow."
        )
        for figure in (self._coin, self._energy):
            figure.set(math.nan)  # not known yet, which is no reason for an alarm

    def funded(self, coin: int, energy: int) -> None:
        """The account has that many wei of native coin and of ENERGY."""
        self._coin.set(coin / 10**18)
        self._energy.set(energy / 10**18)


class _Costs(Collector):
    """Counters that are read from the database, so that a restart does not reset them."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self.spent: dict[str, Spent] = {}

    def collect(self) -> Iterator[Metric]:
        moves = CounterMetricFamily(
            f"{self._prefix}_moves", "Transactions of ours that were mined.", labels=["action"]
        )
        gas = CounterMetricFamily(
            f"{self._prefix}_gas_spent", "Gas of those transactions.", labels=["action"]
        )
        for action, one in sorted(self.spent.items()):
            moves.add_metric([action], one.moves)
            gas.add_metric([action], one.gas)
        yield moves
        yield gas
