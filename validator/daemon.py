"""The validator's loop: read the chain, judge what is pending, act on what is wrong, collect.

New blocks only wake it; what it knows, it reads from the indexed chain, so it may be killed at any
instant and goes on where it stopped. It waits for a node or a database that is away, and for room
on the disk.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from chainbeasts.backend.chain.errors import ChainError, WrongChainError
from chainbeasts.backend.chain.transactions import FailedOnChainError
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.indexer.follow import Waker, tell_failure
from chainbeasts.backend.indexer.sync import SyncReport
from chainbeasts.backend.locks import LockHeldError
from chainbeasts.backend.store.session import DatabaseUnavailableError
from chainbeasts.validator.enforce.bonds import MoveSender
from chainbeasts.validator.enforce.matches import Disprover
from chainbeasts.validator.enforce.windows import Enforcer, due_of
from chainbeasts.validator.judge.jobs import JobStore
from chainbeasts.validator.judge.matches import MatchJobStore, MatchJudge
from chainbeasts.validator.judge.states import StateProvider
from chainbeasts.validator.judge.windows import WindowJudge
from chainbeasts.validator.operations.deadlines import DeadlineAlarm, Overdue
from chainbeasts.validator.operations.funds import FundsWatch
from chainbeasts.validator.operations.metrics import ValidatorMetrics
from chainbeasts.validator.operations.timelock import TimelockAlarm

log = structlog.get_logger()

FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 30.0

LATE_SHARE = 0.2
"""Of the time, for judging final windows: a validator that comes to an old chain has many."""

LONG_COUNT_SECONDS, COUNT_SHARE = 0.25, 0.05
"""Counting many jobs takes no more than this share of the time."""


class Collector(Protocol):
    """Pulls what is owed to us."""

    def run(self) -> int:
        """Pull all that is due; returns the number of transactions."""
        ...


class Validator:
    """One validator at work.

    Args:
        sync: brings the indexed chain up to date.
        match_judge, disprover: the same for the records of matches.
        sender: makes its moves; None watches only.
        collectors: pull rewards; none leave them in escrow and vault.
        funds: tells what the sender's account has.
    """

    def __init__(
        self,
        *,
        sync: Callable[[], SyncReport],
        states: StateProvider,
        jobs: JobStore,
        judge: WindowJudge,
        alarm: DeadlineAlarm,
        timelock: TimelockAlarm,
        enforcer: Enforcer,
        match_jobs: MatchJobStore,
        match_judge: MatchJudge,
        disprover: Disprover,
        sender: MoveSender | None,
        collectors: Sequence[Collector],
        monitor: ValidatorMetrics,
        funds: FundsWatch | None,
        waker: Waker,
    ) -> None:
        self._sync = sync
        self._states = states
        self._jobs = jobs
        self._judge = judge
        self._alarm = alarm
        self._timelock = timelock
        self._enforcer = enforcer
        self._match_jobs = match_jobs
        self._match_judge = match_judge
        self._disprover = disprover
        self._sender = sender
        self._collectors = collectors
        self._monitor = monitor
        self._funds = funds
        self._waker = waker
        self._recovered = False
        self._count_again = self._late_again = self._collect_again = 0.0

    def run_once(self) -> None:
        """Work until nothing is left that can be done now.

        Raises:
            ChainBeastsError: the chain cannot be reached.
        """
        while self._pass(late_share=1.0) and not self._waker.stopped:
            pass

    def follow(self) -> None:
        """Work until the waker is stopped; a pass that fails is made again, with growing pauses.

        Raises:
            WrongChainError: the node serves another chain now.
        """
        delay = FIRST_WAIT_SECONDS
        while not self._waker.stopped:
            try:
                busy = self._pass()
                delay = FIRST_WAIT_SECONDS
            except WrongChainError:
                raise
            except Exception as error:  # whatever it is: a daemon that is gone watches nothing
                tell_failure(error, self._monitor, delay)
                self._waker.pause(delay)
                delay = min(2 * delay, LONGEST_WAIT_SECONDS)
                continue
            if not busy and not self._waker.wait():
                break

    def close(self) -> None:
        """Let the workers go, and write what is in memory alone."""
        self._judge.close()
        try:
            self._states.close()
        except OSError as error:  # they can be computed again
            log.warning("states are not kept", reason=str(error))

    def _pass(self, late_share: float = LATE_SHARE) -> bool:
        """One round; whether it judged or moved, so that another is worth while at once.

        Args:
            late_share: of the time, for windows that nothing can be done about any more.
        """
        if self._sender is not None and not self._recovered:
            self._sender.outbox.recover()
            self._recovered = True
        report = self._sync()
        judged, moved = self._judge.run() + self._match_judge.run(), 0
        if not judged:
            judged += self._judge_late(late_share)
        overdue, waiting = self._alarm.run(), self._timelock.run()
        self._monitor.governed(waiting.seasons, waiting.others)
        if not self._waker.stopped:
            moved = self._disprover.run() + self._enforcer.run()
            moved += self._collect()
        self._report(report, overdue)
        return judged + moved > 0

    def _judge_late(self, share: float) -> int:
        """Judge some of the windows that became final without a verdict; how many."""
        begun = time.monotonic()
        if begun < self._late_again:
            return 0
        judged = self._judge.run_late()
        if judged:
            self._alarm.judged_late()
        now = time.monotonic()
        self._late_again = now + (now - begun) * (1 / share - 1)
        return judged

    def _report(self, report: SyncReport, overdue: Sequence[Overdue]) -> None:
        """Tell the monitor how things stand after a pass."""
        sender, monitor = self._sender, self._monitor
        disputes = self._states.reader.open_disputes()
        self._count()
        monitor.alarmed(len(overdue), self._alarm.unverified, self._match_judge.unjudged)
        monitor.beyond_dispute(
            self._alarm.wrong, self._match_judge.wrong, self._match_judge.unverified
        )
        monitor.refused(self._enforcer.refused + self._disprover.refused)
        if sender is not None:
            monitor.risked(sender.bonds_at_risk(), self._enforcer.policy.max_bonds)
        if self._funds is not None:
            self._funds.look()
        monitor.passed(
            head=report.head,
            indexed=report.indexed_to,
            disputes=len(disputes),
            deadlines=[due_of(row) for row in disputes] + [one.deadline for one in overdue],
            costs=None if sender is None else sender.spent(),
            gaps=report.gaps,
            mended=report.mended,
        )

    def _count(self) -> None:
        """Tell the monitor of the jobs, unless that takes long and was done a moment ago."""
        begun = time.monotonic()
        if begun < self._count_again:
            return
        self._monitor.counted(self._jobs.counts(), self._match_jobs.counts())
        now = time.monotonic()
        took = now - begun
        self._count_again = now + (took / COUNT_SHARE if took > LONG_COUNT_SECONDS else 0.0)

    def _collect(self) -> int:
        if time.monotonic() < self._collect_again:
            return 0
        try:
            return sum(collector.run() for collector in self._collectors)
        except FailedOnChainError as error:  # as where two collect the same in one block
            log.warning("not collected", reason=str(error))
            # It cost gas. What always fails is not paid for with every block.
            self._collect_again = time.monotonic() + LONGEST_WAIT_SECONDS
            return 0
        except (ChainError, DatabaseUnavailableError, LockHeldError):
            raise
        except ChainBeastsError as error:
            log.warning("not collected", reason=str(error))
            return 0
