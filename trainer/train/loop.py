"""Trains and submits window after window; whatever happens in between, goes on from the chain."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog
from web3.types import TxReceipt

from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.costs import plan_cost
from chainbeasts.backend.chain.errors import (
    ChainError,
    NodeUnavailableError,
    Reverted,
    StoppedError,
    WrongChainError,
)
from chainbeasts.backend.chain.transactions import FailedOnChainError
from chainbeasts.backend.chain.types import Economics, Head
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.indexer.follow import what_is_away
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.locks import LockHeldError
from chainbeasts.backend.redact import redact_text
from chainbeasts.backend.store.private import PrivateDataset
from chainbeasts.backend.store.session import DatabaseUnavailableError
from chainbeasts.backend.store.snapshots import SnapshotStore
from chainbeasts.trainer.plan.plan import Plan
from chainbeasts.trainer.plan.sources import Battle, TrainingSource
from chainbeasts.trainer.submit.funds import out_of_energy, wait_for_fee
from chainbeasts.trainer.submit.submitter import Submitter
from chainbeasts.trainer.train.epoch import head_after
from chainbeasts.trainer.train.in_flight import WindowsInFlight, start_in_flight
from chainbeasts.trainer.train.job import Submitted, TrainingJob
from chainbeasts.trainer.train.prefetch import PreparedWindow
from chainbeasts.trainer.train.window_store import WindowStore
from chainbeasts.trainer.train.windows import WindowStart, read_window_start

log = structlog.get_logger()

HEAD_MOVED = ("StaleParent", "WrongEpochSeed", "WrongEpoch", "WrongStep", "WrongLrShift")
"""Refusals that mean: the head is not where the window was trained on."""

MAX_RETRAINED = 5
"""Such refusals in a row after which something else must be wrong."""

REFUSED_SECONDS = 2.0
"""So much longer after each of them than after the one before; none after the first."""

NODE_SECONDS = 1.0
"""Between two looks for a node that is away, in a run without end."""

LASTING = (WrongChainError, FailedOnChainError)
"""What does not pass by waiting, or is paid for again each time."""

FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 1.0, 30.0
"""For a database that is away, and what else passes: twice as long each time, as where a disk is
full each look costs a window's training."""


class Trainer:
    """Trains one beast.

    Args:
        private: the beast's records, needed for PRIVATE windows.
        logs: finds a match's log, needed for BATTLE windows.
    """

    def __init__(
        self,
        chain: Chain,
        snapshots: SnapshotStore,
        store: WindowStore,
        submitter: Submitter,
        beast_id: int,
        private: PrivateDataset | None = None,
        logs: Callable[[int], Sequence[int]] | None = None,
    ) -> None:
        self.chain = chain
        self.beast_id = beast_id
        self.store = store
        self.submitter = submitter
        self._snapshots = snapshots
        self._private = private
        self._logs = logs

    def window_start(self, source: TrainingSource) -> WindowStart:
        """Where the next window starts.

        Raises:
            ForeignParentError: the head is another trainer's pending window.
            ChainBeastsError: the state behind the head, the private dataset or the match's log is
                not at hand, or the match is not final.
        """
        self.submitter.check_parent(self.beast_id, self.chain.head(self.beast_id))
        private = match_log = None
        if isinstance(source, Battle) and self._logs is not None:
            match_log = self._logs(source.match_id)
        if source is Source.PRIVATE:
            if self._private is None:
                raise ChainBeastsError(
                    f"Beast {self.beast_id}'s private dataset is not at hand.",
                    "Train from --source curriculum or self-play, or copy the beast's folder here.",
                )
            private = self._private
        return read_window_start(
            self.chain, self._snapshots, self.beast_id, source, private, match_log
        )

    def run(self, windows: int, source: TrainingSource) -> list[Submitted]:
        """Train and submit that many windows of one source, one by one.

        Raises:
            ChainBeastsError: a state or dataset is missing, no funds, or no node.
        """
        return Run(self, TrainingJob(Plan(rest=(source,)), windows)).go()


@dataclass(slots=True)
class Run:
    """One job on one beast.

    Attributes:
        done: the submitted windows that stand, in order.
        _unsure: those of a submission that nobody has seen to end.
    """

    trainer: Trainer
    job: TrainingJob
    done: list[Submitted] = field(default_factory=list)
    _in_flight: WindowsInFlight | None = None
    _unsure: Sequence[PreparedWindow] = ()
    _refused: int = 0

    @property
    def left(self) -> int | None:
        """Windows still to submit; None without end."""
        return None if self.job.windows is None else self.job.windows - len(self.done)

    def go(self) -> list[Submitted]:
        """Train and submit until the job is done or is to stop.

        Raises:
            ChainBeastsError: a state or dataset is missing, no funds, or no node; ``done`` holds
                what was submitted before.
        """
        recovered, delay = False, FIRST_WAIT_SECONDS
        try:
            while self.left != 0 and not self.job.pause(0):
                try:
                    if not recovered:
                        self._recover()
                        recovered = True
                    self._round()
                    delay = FIRST_WAIT_SECONDS
                except StoppedError:
                    break  # the node was slower than the wish to end; all is on record
                except NodeUnavailableError as error:
                    # Nothing to undo: what was signed is on record, the head is looked at again.
                    if self.job.windows is not None:
                        raise
                    self._await_node(error)
                    recovered = False
                except DatabaseUnavailableError as error:
                    if self.job.pause(0):
                        break  # the same
                    if self.job.windows is not None:
                        raise
                    log.warning("waiting for the database", seconds=delay, reason=error.message)
                    self.job.pause(delay)
                    delay = min(2 * delay, LONGEST_WAIT_SECONDS)
                    recovered = False  # it may have gone away between a move and its record
                except LockHeldError as error:  # it was waited for long enough; now again
                    if self.job.windows is not None:
                        raise
                    log.warning("waiting for the other process", reason=str(error))
                # A refusal in words that nobody knows, a transaction that is not mined in time, a
                # disk without room: they pass, and all that was decided is on record.
                except (ChainError, OSError) as error:
                    if self.job.windows is not None or isinstance(error, LASTING):
                        raise
                    log.warning(
                        f"waiting for the {what_is_away(error)}",
                        seconds=delay,
                        reason=redact_text(str(error)),
                    )
                    self.job.pause(delay)
                    delay = min(2 * delay, LONGEST_WAIT_SECONDS)
                    recovered = False
        finally:
            self._discard()
        return self.done

    def _recover(self) -> None:
        """Bring what was signed to its end: it may still be mined, and moves the head."""
        submitter, unsure = self.trainer.submitter, self._unsure
        submitter.recover()
        if unsure and self._in_flight is not None:
            receipt = submitter.submitted([one.window for one in unsure])
            if receipt is not None:
                self._submitted(self._in_flight, unsure, receipt)
        self._unsure = ()
        # What was in training when the database went away has ended by that.
        if self._in_flight is not None and not self._moved():
            self._discard()

    def _await_node(self, error: NodeUnavailableError) -> None:
        log.warning("waiting for the node", reason=error.message)
        while not self.job.pause(NODE_SECONDS):
            try:
                self.trainer.chain.block()
            except NodeUnavailableError:
                continue
            return

    def _round(self) -> None:
        """Submit as many windows as fit one transaction, once they are trained."""
        job, left = self.job, self.left
        in_flight = self._on_the_head()
        most = job.batch if left is None else min(job.batch, left)
        ready = in_flight.prefetcher.peek(most, lambda: job.pause(0))
        if not ready or not wait_for_fee(self.trainer.chain, job.max_fee, job.pause):
            return
        prepared = self._affordable(ready)
        windows = [one.window for one in prepared]
        self._unsure = prepared
        try:
            receipt = self.trainer.submitter.submit(windows, sum(one.lock for one in prepared))
        except Reverted as error:
            self._unsure = ()
            # Such a refusal locks nothing: the ledger compares parent and seed with its head first,
            # so a window trained on another head is never paid for. Counted, because a node that
            # contradicts itself would have us train for ever.
            if error.name not in HEAD_MOVED or self._refused == MAX_RETRAINED:
                raise
            self._refused += 1
            log.warning("the ledger refused, looking at the head again", reason=error.name)
            # Of two nodes behind one name one may be late: it is given time to catch up.
            if job.pause(REFUSED_SECONDS * (self._refused - 1)):
                return
            if not self._moved():
                self._discard()
            return
        self._unsure = ()
        self._refused = 0
        self._submitted(in_flight, prepared, receipt)

    def _submitted(
        self, in_flight: WindowsInFlight, prepared: Sequence[PreparedWindow], receipt: TxReceipt
    ) -> None:
        """Take note of windows that are on the chain."""
        share, tx = receipt["gasUsed"] // len(prepared), bytes(receipt["transactionHash"])
        # Before the callbacks, which may raise: the next look at the chain is held against the head
        # that these windows led to.
        in_flight.head = head_after(in_flight.head, prepared[-1].window)
        in_flight.prefetcher.mined(len(prepared))
        for one in prepared:
            submitted = Submitted.of(one.window, one.lock, share, tx, one.learned)
            self.done.append(submitted)
            self.job.on_submitted(submitted)

    def _on_the_head(self) -> WindowsInFlight:
        """The windows in flight, if the chain is where they go on from; else new ones."""
        if self._in_flight is None or self._moved():
            self._in_flight = self._start_in_flight()
        return self._in_flight

    def _moved(self) -> bool:
        """Whether the windows in flight had to be dropped, because the chain is elsewhere."""
        in_flight, beast = self._in_flight, self.trainer.beast_id
        assert in_flight is not None
        head = self.trainer.chain.head(beast)
        seed = self.trainer.chain.epoch(beast, head.epoch).epoch_seed
        if in_flight.stands_on(head, seed):
            return False
        if not in_flight.led_to(head):
            self._taken_back(in_flight, head, seed)
        self._discard()
        return True

    def _taken_back(self, in_flight: WindowsInFlight, head: Head, seed: bytes) -> None:
        """Forget the submitted windows that no longer stand; they are trained again."""
        stands, count = self.trainer.submitter.stands, len(self.done)
        # From the last one back, because checkpoints fall in suffixes: the first that stands ends
        # it. The receipt is asked for besides, since after a reorg another trainer's window can
        # have the index.
        while self.done and not (
            self.done[-1].index < head.head_count and stands(self.done[-1].tx_hash)
        ):
            self.done.pop()
        lost = count - len(self.done)
        log.warning(
            "the chain took another way, training again",
            beast=self.trainer.beast_id,
            had=in_flight.head.head_count,
            now=head.head_count,
            taken_back=lost,
            seed_changed=head.epoch == in_flight.head.epoch and seed != in_flight.epoch_seed,
        )
        if lost:
            self.job.on_taken_back(lost)

    def _start_in_flight(self) -> WindowsInFlight:
        trainer = self.trainer

        def economics(season: int) -> Economics:
            return trainer.chain.season(season).economics

        return start_in_flight(trainer.window_start, economics, trainer.store, self.job, self.left)

    def _discard(self) -> None:
        if self._in_flight is not None:
            self._in_flight.prefetcher.close()
            self._in_flight = None

    def _affordable(self, prepared: Sequence[PreparedWindow]) -> Sequence[PreparedWindow]:
        """As many of the windows, from the first on, as the account's ENERGY can lock.

        Raises:
            OutOfEnergyError: not even one.
        """
        funds = self.trainer.submitter.funds()
        number = funds.covers([one.lock for one in prepared])
        if number:
            return prepared[:number]
        assert self._in_flight is not None
        job, left, head = self.job, self.left, self._in_flight.head
        economics = self.trainer.chain.season(head.season).economics
        rest = plan_cost(
            economics, job.plan.growth, head.head_count, head.active_mask, left or 1, job.wake
        )
        raise out_of_energy(self.trainer.beast_id, funds, prepared[0].lock, rest.lock, left)
