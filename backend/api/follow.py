"""Keeps the index at the chain's head in a thread of its own, and says what is new.

Node and database may be away for any time: what the index holds is served meanwhile, and the status
says how far behind that is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import structlog
from sqlalchemy import func, select

from chainbeasts.backend.api.memory import Place
from chainbeasts.backend.api.models import Live
from chainbeasts.backend.api.news import News
from chainbeasts.backend.chain.client import TRANSPORT_ERRORS, Chain
from chainbeasts.backend.chain.errors import NodeUnavailableError
from chainbeasts.backend.chain.timelock import scheduler_of
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.indexer.follow import Waker
from chainbeasts.backend.indexer.queries import OPEN, pending_operations
from chainbeasts.backend.indexer.sync import Indexer
from chainbeasts.backend.monitoring.health import Health
from chainbeasts.backend.redact import redact_text
from chainbeasts.backend.signals import carry_on, hang_up
from chainbeasts.backend.store.facts import BlockRow, DisputeRow
from chainbeasts.backend.store.session import Database, DatabaseUnavailableError

log = structlog.get_logger()

Tell = Callable[[Sequence[Live]], None]
Remember = Callable[[Sequence[Live], Place], None]
"""Given the newest events that were there before the first pass, and what place they go back to."""

FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 15.0

NODE_AWAY = "The node does not answer."
DATABASE_AWAY = "The database does not answer."
UNREADABLE = "The chain cannot be read; the server's log says why."


@dataclass(frozen=True, slots=True)
class Head:
    """The node's newest block, as last asked.

    Attributes:
        base_fee: wei per gas.
        problem: why the last pass failed; empty if it did not.
        answers: whether it was the node that answered.
    """

    number: int | None = None
    time: int | None = None
    base_fee: int | None = None
    answers: bool = False
    problem: str = "no pass yet"


class Follower:
    """The thread.

    Args:
        indexer: None where another daemon fills the database.
    """

    def __init__(
        self,
        chain: Chain,
        database: Database,
        indexer: Indexer | None,
        waker: Waker,
        health: Health,
    ) -> None:
        self._chain, self._database, self._indexer = chain, database, indexer
        self._waker, self._health = waker, health
        self._tell: Tell = lambda news: None
        self._remember: Remember | None = None
        self._news = News(chain, database)
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)
        self.head = Head()
        self.indexed: int | None = None
        self.reference_fee: int | None = None
        """Wei per gas below which no stake or opening bond is reckoned; fixed at deployment."""
        self.schedulers: dict[bytes, str] = {}
        """Who sent the transactions that scheduled what waits in the timelock, by their hashes."""

    def start(self, tell: Tell, remember: Remember | None = None) -> None:
        """Begin; passes go on until ``stop``.

        Args:
            tell: given what is new, in this thread first and after each pass in the follower's.
            remember: called once before, where ``tell`` will be.
        """
        self._tell, self._remember = tell, remember
        with suppress(DatabaseUnavailableError):  # the passes will say so
            self.indexed = self._newest()
            # Whoever is greeted with this block is told of what the first pass finds, however late.
            self._tell_news()
        self._thread.start()

    def stop(self) -> None:
        """End after the present pass, which does not wait for a node that is silent."""
        self._waker.stop()
        hang_up()
        try:
            self._thread.join()
        finally:
            carry_on()

    def _run(self) -> None:
        delay = FIRST_WAIT_SECONDS
        while not self._waker.stopped:
            try:
                self._pass()
            except Exception as error:  # a server must not go on and silently no longer follow
                if not isinstance(error, (ChainBeastsError, *TRANSPORT_ERRORS)):
                    log.exception("a pass failed")
                self._failed(error, delay)
                self._waker.pause(delay)
                delay = min(2 * delay, LONGEST_WAIT_SECONDS)
                continue
            delay = FIRST_WAIT_SECONDS
            self._waker.wait()

    def _pass(self) -> None:
        """Read on, look at the head, and tell what is new."""
        gaps = mended = 0
        if self._indexer is not None:
            report = self._indexer.sync()
            gaps, mended = report.gaps, report.mended
        else:
            self._chain.check()
        head = self._chain.block()
        if self.reference_fee is None:
            self.reference_fee = self._chain.limits().reference_fee
        self.head = Head(head.number, head.timestamp, head.base_fee, answers=True, problem="")
        self.indexed = self._newest()
        with self._database.session() as session:
            wanted = select(func.count()).select_from(DisputeRow).where(DisputeRow.status.in_(OPEN))
            disputes = session.scalar(wanted) or 0
        self._health.passed(
            head=head.number,
            indexed=self.indexed or 0,
            disputes=disputes,
            gaps=gaps,
            mended=mended,
        )
        self._ask_for_schedulers()
        self._tell_news()

    def _tell_news(self) -> None:
        news = self._news.read()
        if news and self._remember is not None:
            self._remember(self._news.past, self._news.floor)
            self._remember = None
        if news:
            self._tell(news)

    def _ask_for_schedulers(self) -> None:
        """Learn here who scheduled what: no answer to a reader waits for the node."""
        with self._database.session() as session:
            waiting = {operation.tx_hash for operation in pending_operations(session)}
        for tx_hash in waiting - self.schedulers.keys():
            found = scheduler_of(self._chain, tx_hash)
            if found is not None:
                self.schedulers[tx_hash] = found

    def _newest(self) -> int | None:
        with self._database.session() as session:
            return session.scalar(select(func.max(BlockRow.number)))

    def _failed(self, error: Exception, delay: float) -> None:
        before, text = self.head, redact_text(str(error))
        node = isinstance(error, (NodeUnavailableError, *TRANSPORT_ERRORS))
        database = isinstance(error, DatabaseUnavailableError)
        problem = NODE_AWAY if node else DATABASE_AWAY if database else UNREADABLE
        self.head = replace(before, answers=not node, problem=problem)
        self._health.failed(text)
        log.warning("the chain is not followed", seconds=delay, problem=text)
