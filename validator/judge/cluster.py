"""Replays windows on a dask cluster, and on this machine whatever the cluster does not do.

The workers are the operator's own machines: what they send is unpickled here. Against broken ones,
each is checked once before it is used, what it calls invalid is always computed again here, and so
is a random sample of what it calls valid; one mismatch, and nothing it found counts any more.
"""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import structlog

from backend.errors import ChainBeastsError
from backend.kernel.state import State, state_hash
from backend.store.daemons import Verdict
from backend.store.waits import Waits
from validator.judge.replay import Judgement, RemoteWindow, Task, Window, judge_fast
from validator.judge.worker import Identity, difference, identity, work

log = structlog.get_logger()

BATCH = 32
"""Windows in one task: a task costs the scheduler a millisecond, a window less."""

WAVE = 512
CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 15.0
"""For a scheduler's answer. One that is frozen keeps its connections, and answers nothing."""

LEAVE_SECONDS = 2.0
CHECK_SECONDS = 30.0
"""For a worker's first answer, which may have to compile the kernel."""

TASK_SECONDS = 60.0
# Not a seeded generator: a worker that can tell which results are looked at lies in the others.
# At a share of 0.01 some 460 lies in a row stay unseen with a chance of 1 %, and the one that is
# seen takes the others back.
UNFORESEEABLE = random.SystemRandom()
LOOK_SECONDS = 0.5
"""Between two looks whether a worker that owes a result is still there."""

TRIES = 2
"""Workers that a batch is given to before this machine does it."""

MOST_ACCEPTED = 65_536
"""Results remembered per worker, to be taken back should it turn out to be wrong."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where else to replay.

    Attributes:
        scheduler: ``tcp://host:port`` or ``tls://host:port``.
        recheck: share of the valid results that is computed again here, 0 to 1.
    """

    scheduler: str
    recheck: float = 0.01

    def __post_init__(self) -> None:
        kind, _, rest = self.scheduler.partition("://")
        host, _, port = rest.rpartition(":")
        if kind not in ("tcp", "tls") or not host or not port.isdigit():
            raise ChainBeastsError(
                f"{self.scheduler} is no scheduler's address.", "It is like tcp://10.0.0.1:8786."
            )


@dataclass(eq=False)
class ClusterWorker:
    """A worker that was seen; usable once it was checked."""

    address: str
    executor: Executor
    check: Future[Identity]
    since: float
    process: str = ""
    refused: bool = False
    owed: int = 0
    accepted: deque[bytes] = field(default_factory=lambda: deque(maxlen=MOST_ACCEPTED))


@dataclass(eq=False)
class Batch:
    """Windows that go to one worker together."""

    tasks: list[Task] = field(default_factory=list)
    worker: ClusterWorker | None = None
    future: Future[list[Judgement | None]] | None = None
    since: float = 0.0
    tries: int = 0
    found: list[Judgement | None] | None = None


class ClusterFuture(Future[Any]):
    """A result that is settled in the thread that asks for it, so that no replay runs in a loop's
    callback."""

    def __init__(self, settle: Callable[[], Judgement | None]) -> None:
        super().__init__()
        self._settle = settle

    def result(self, timeout: float | None = None) -> Any:
        """The judgement; None if the parent's state could not be fetched by anybody."""
        if not self.done():
            self.set_result(self._settle())
        return super().result()


class ClusterExecutor(Executor):
    """Judges windows on the workers of a scheduler; everything else runs in ``local``.

    Args:
        local: runs what the cluster does not.
        load: a state by its hash, for what is computed again here.
        chance: a number from 0 to 1, unforeseeable for the workers.
    """

    wave = WAVE

    def __init__(
        self,
        cluster: Cluster,
        local: Executor,
        load: Callable[[bytes], State | None],
        chance: Callable[[], float] = UNFORESEEABLE.random,
    ) -> None:
        self._cluster = cluster
        self._local = local
        self._load = load
        self._chance = chance
        self._ours: Identity | None = None
        self._client: Any = None
        self._workers: dict[str, ClusterWorker] = {}
        self._filling: Batch | None = None
        self._revoked: set[bytes] = set()
        self._scheduler_waits = Waits(5.0, 300.0, 1, time.monotonic)

    # --- what a judge asks ----------------------------------------------------------------------

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run a call; windows without private records go to the cluster, in batches."""
        task = args[0] if args else None
        if fn is not judge_fast or not isinstance(task, Window | RemoteWindow):
            return self._local.submit(fn, *args, **kwargs)
        # A private dataset is its owner's secret until a dispute reveals it; it leaves in no task.
        if isinstance(task, Window) and task.words is not None:
            return self._local.submit(fn, task)
        batch = self._filling or Batch()
        self._filling = batch
        position = len(batch.tasks)
        batch.tasks.append(task)
        if len(batch.tasks) == BATCH:
            self._send_filling()
        return ClusterFuture(lambda: self._result(batch, position))

    def revoked(self) -> set[bytes]:
        """h128 of windows that a worker judged which is not believed any more; each call
        starts a new set."""
        found, self._revoked = self._revoked, set()
        return found

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the cluster; its workers go on for others."""
        self._leave()
        self._local.shutdown(wait=wait, cancel_futures=cancel_futures)

    # --- batches --------------------------------------------------------------------------------

    def _send_filling(self) -> None:
        batch, self._filling = self._filling, None
        if batch is not None:
            self._send(batch)

    def _send(self, batch: Batch) -> None:
        """Give a batch to the least busy worker, or leave it to this machine."""
        batch.future = batch.worker = None
        usable = self._usable()
        if usable and batch.tries < TRIES:
            worker = min(usable, key=lambda one: one.owed)
            batch.tries += 1
            batch.worker, batch.since = worker, time.monotonic()
            worker.owed += len(batch.tasks)
            # With the process that was checked: whatever was started at its address since, answers
            # nothing.
            batch.future = worker.executor.submit(work, worker.process, batch.tasks)

    def _result(self, batch: Batch, position: int) -> Judgement | None:
        if batch is self._filling:
            self._send_filling()
        while batch.found is None:
            if batch.future is None:
                return self._here(batch.tasks[position])
            self._await(batch)
        task, found, worker = batch.tasks[position], batch.found[position], batch.worker
        assert worker is not None
        # It may have been caught after this batch was sent: none of its answers counts any more.
        if worker.refused:
            return self._here(task)
        if found is None:
            return None
        # An invalid verdict leads to a bond, and an unavailable one hides a window: neither is
        # taken on somebody's word. The other lie, a wrong window called valid, is what the sample
        # is for.
        doubtful = found.verdict is not Verdict.VALID or self._chance() < self._cluster.recheck
        if doubtful or not _ends_right(task, found):
            ours = self._here(task)
            if ours is not None and ours.verdict is not found.verdict:
                self._mistrust(worker, task, found, ours)
            return ours
        worker.accepted.append(task.checkpoint.payload.h128)
        return found

    def _await(self, batch: Batch) -> None:
        """Take a batch's results; if its worker is lost or fails, give it to another."""
        worker, future = batch.worker, batch.future
        assert worker is not None
        assert future is not None
        problem = ""
        try:
            found = future.result(timeout=LOOK_SECONDS)
            if len(found) == len(batch.tasks):
                batch.found = found
            else:
                problem = "it sent something else"
        except TimeoutError:
            if worker.address not in self._addresses():
                problem = "it is gone"
            elif time.monotonic() - batch.since > TASK_SECONDS:
                problem = "it did not answer in time"
            else:
                return
        except CancelledError:
            problem = "it is gone"
        # Even an exception is the worker's to choose: none may end the daemon.
        except Exception as error:
            problem = type(error).__name__
        worker.owed -= len(batch.tasks)
        if problem:
            self._forget(worker, problem)
            if self._client is not None:  # else it has been left, and knows of no task of ours
                future.cancel()
            self._send(batch)

    def _here(self, task: Task) -> Judgement | None:
        """Judge a window on this machine; None if its parent's state is not to be had."""
        if isinstance(task, RemoteWindow):
            parent = self._load(task.parent_hash)
            if parent is None:
                return None
            task = task.at(parent)
        return self._local.submit(judge_fast, task).result()

    def _mistrust(
        self, worker: ClusterWorker, task: Task, theirs: Judgement, ours: Judgement
    ) -> None:
        log.error(
            "a worker's result is wrong; nothing of what it found counts",
            worker=worker.address,
            beast=task.beast_id,
            checkpoint=task.checkpoint.index,
            reported=str(theirs.verdict),
            found_here=str(ours.verdict),
        )
        worker.refused = True
        self._revoked.update(worker.accepted)
        worker.accepted.clear()

    # --- workers --------------------------------------------------------------------------------

    def _usable(self) -> list[ClusterWorker]:
        """The workers that were checked. Waits for the first one's check if there is none yet."""
        deadline = time.monotonic() + CHECK_SECONDS
        while self._connected():
            self._update_workers()
            fit = [one for one in self._workers.values() if one.process and not one.refused]
            coming = [one for one in self._workers.values() if not one.process and not one.refused]
            if fit or not coming or time.monotonic() > deadline:
                return fit
            time.sleep(0.05)
        return []

    def _update_workers(self) -> None:
        """Have new workers checked, and take note of what those asked before have answered."""
        present = self._addresses()
        for address in [one for one in self._workers if one not in present]:
            self._forget(self._workers[address], "it is gone")
        for address in present:
            if address not in self._workers:
                executor = self._client.get_executor(workers=[address], pure=False)
                check = executor.submit(identity)
                self._workers[address] = ClusterWorker(address, executor, check, time.monotonic())
        for worker in list(self._workers.values()):
            if not worker.process and not worker.refused:
                self._check(worker)

    def _check(self, worker: ClusterWorker) -> None:
        if not worker.check.done():
            if time.monotonic() - worker.since > CHECK_SECONDS:
                self._refuse(worker, "it does not say what it runs")
            return
        try:
            theirs = worker.check.result()
        except (CancelledError, Exception) as error:
            self._refuse(worker, f"it does not run this program ({type(error).__name__})")
            return
        # This finds other versions and broken machines. A hostile worker can say what we want to
        # hear: against that there are only the re-check and the operator's own network.
        self._ours = self._ours or identity()
        reason = difference(self._ours, theirs)
        if reason is not None:
            self._refuse(worker, reason)
            return
        worker.process = theirs.process
        log.info("worker joined", worker=worker.address)

    def _refuse(self, worker: ClusterWorker, reason: str) -> None:
        worker.refused = True
        log.error("worker refused", worker=worker.address, reason=reason)

    def _forget(self, worker: ClusterWorker, problem: str) -> None:
        """Drop a worker that failed; should it still be there, it is checked again. One that was
        refused stays refused for as long as it is there."""
        if self._workers.get(worker.address) is not worker:
            return
        # Else one that lied, and then failed on purpose, would be met anew and trusted again.
        if worker.refused and worker.address in self._addresses():
            return
        del self._workers[worker.address]
        log.warning("worker lost; its windows are replayed elsewhere", worker=worker.address,
                    reason=problem)  # fmt: skip

    def _addresses(self) -> set[str]:
        """The workers that the scheduler has now."""
        if self._client is None or self._client.status != "running":
            return set()
        # Not scheduler_info(): it reads its reply from where the client's own periodic query, which
        # asks for no workers, may just have put another, and all of ours would seem lost.
        asked = self._client.scheduler.identity
        try:
            return set(self._client.sync(asked, callback_timeout=ANSWER_SECONDS)["workers"])
        except TimeoutError:
            # Not asked again for each batch of a wave: it is left, and met again after a while.
            self._leave()
            self._gone("it does not answer")
            return set()
        except OSError:
            return set()

    # --- the scheduler --------------------------------------------------------------------------

    def _connected(self) -> bool:
        """Whether the scheduler can be used; one that is away is asked again after a while."""
        if self._client is not None and self._client.status == "running":
            return True
        if self._client is not None:
            self._leave()
            self._gone("it is gone")
        if not self._scheduler_waits.due(b""):
            return False
        try:
            from distributed import Client
        except ImportError:
            raise ChainBeastsError(
                "--scheduler needs the package distributed.", "pip install 'chainbeasts[cluster]'"
            ) from None
        try:
            self._client = Client(  # type: ignore[no-untyped-call]
                self._cluster.scheduler, timeout=CONNECT_SECONDS, set_as_default=False
            )
        except (OSError, TimeoutError) as error:
            self._gone(type(error).__name__)
            return False
        if self._scheduler_waits.done(b""):
            log.info("the scheduler is back", scheduler=self._cluster.scheduler)
        return True

    def _gone(self, reason: str) -> None:
        if self._scheduler_waits.again(b""):
            log.warning(
                "no scheduler; windows are replayed on this machine",
                scheduler=self._cluster.scheduler,
                reason=reason,
            )

    def _leave(self) -> None:
        client, self._client = self._client, None
        self._workers.clear()
        if client is None:
            return
        # It takes leave of the scheduler, which may not take notice.
        with suppress(TimeoutError, OSError):
            client.close(timeout=LEAVE_SECONDS)


def _ends_right(task: Task, found: Judgement) -> bool:
    """Whether a valid judgement's end, if it came along, is the state behind h128."""
    return found.end is None or state_hash(found.end) == task.checkpoint.payload.h128
