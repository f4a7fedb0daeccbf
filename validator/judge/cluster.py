"""Replays windows on a dask cluster, and on this machine whatever the cluster does not do.

The workers are the operator's own machines: what they send is unpickled here. Against broken ones,
each is checked once before it is used, what it calls invalid is always computed again here, and so
is a random sample of what it calls valid; one mismatch, and nothing it found counts any more.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Executor, Future
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import structlog

from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.state import ENCODED_BYTES, MalformedStateError, decode_state
from chainbeasts.backend.kernels import state_hash
from chainbeasts.validator.judge.batch import (
    Batch,
    Outcome,
    part_of,
    replay_batch,
    resolved,
    runs_of,
)
from chainbeasts.validator.judge.pool import LOOK_SECONDS, ClusterWorker, WorkerPool

log = structlog.get_logger()

FLIGHTS = 6
"""Batches on their way at once, at least."""

TASK_SECONDS = 60.0
Flags = npt.NDArray[np.bool_]
BATCH = 512
"""Windows in one call of a worker: it and this process spend some milliseconds on handing over any.
No more, since a worker without a compiler has ``TASK_SECONDS`` for them, too."""

TRIES = 2
"""Workers that a batch is given to before this machine does it."""


def unforeseeable(count: int) -> npt.NDArray[np.float64]:
    """So many numbers from 0 to 1."""
    # Not a seeded generator: a worker that can tell which results are looked at lies in the others.
    # At a share of 0.01 some 460 lies in a row stay unseen with a chance of 1 %, and the one that
    # is seen takes the others back.
    return np.asarray(np.frombuffer(os.urandom(4 * count), np.uint32) / 2.0**32, np.float64)


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
class Sent:
    """A batch on its way."""

    batch: Batch
    worker: ClusterWorker | None = None
    future: Any = None
    since: float = 0.0
    tries: int = 0
    found: Outcome | None = None


class ClusterFuture(Future[Any]):
    """A result that is settled in the thread that asks for it, so that no replay runs in a loop's
    callback."""

    def __init__(self, settle: Callable[[], Outcome]) -> None:
        super().__init__()
        self._settle = settle

    def result(self, timeout: float | None = None) -> Any:
        """What was found; see ``Outcome.absent`` for what nobody could fetch."""
        if not self.done():
            self.set_result(self._settle())
        return super().result()


class ClusterExecutor(Executor):
    """Judges windows on the workers of a scheduler; everything else runs in ``local``.

    Args:
        local: runs what the cluster does not.
        load: an encoded state by its hash, for what is computed again here.
        chance: as many numbers from 0 to 1 as are asked for, unforeseeable for the workers.
    """

    batch = BATCH

    def __init__(
        self,
        cluster: Cluster,
        local: Executor,
        load: Callable[[bytes], bytes | None],
        chance: Callable[[int], Sequence[float] | npt.NDArray[np.float64]] = unforeseeable,
    ) -> None:
        self._cluster = cluster
        self._local = local
        self._load = load
        self._chance = chance
        self._pool = WorkerPool(cluster.scheduler)
        self._revoked: set[bytes] = set()

    # --- what a judge asks ----------------------------------------------------------------------

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run a call; batches without records go to the cluster."""
        batch = args[0] if args else None
        # A private dataset is its owner's secret until a dispute reveals it; it leaves in no task.
        if fn is not replay_batch or not isinstance(batch, Batch) or batch.local:
            given = batch if not isinstance(batch, Batch) else resolved(batch, self._load)
            return self._local.submit(fn, *((given,) if args else ()), *args[1:], **kwargs)
        sent = Sent(batch)
        self._send(sent)
        return ClusterFuture(lambda: self._result(sent))

    @property
    def flights(self) -> int:
        """Batches to have on their way: each worker has its next one waiting."""
        return max(FLIGHTS, 2 * len(self._pool.fit) + 1)

    def revoked(self) -> set[bytes]:
        """h128 of windows that a worker judged which is not believed any more; each call
        starts a new set."""
        found, self._revoked = self._revoked, set()
        return found

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the cluster; its workers go on for others."""
        self._pool.leave()
        self._local.shutdown(wait=wait, cancel_futures=cancel_futures)

    # --- batches --------------------------------------------------------------------------------

    def _send(self, sent: Sent) -> None:
        """Give a batch to the least busy worker, or leave it to this machine."""
        sent.future = sent.worker = None
        while sent.future is None and sent.tries < TRIES and (usable := self._pool.usable()):
            worker = min(usable, key=lambda one: one.owed)
            sent.tries += 1
            try:
                # With the process that was checked: whatever was started at its address since,
                # answers nothing.
                sent.future = worker.replayer.work(worker.process, sent.batch)
            except RuntimeError:  # the scheduler has told of it before we looked
                self._pool.forget(worker, "it is gone")
                continue
            sent.worker, sent.since = worker, time.monotonic()
            worker.owed += len(sent.batch)

    def _result(self, sent: Sent) -> Outcome:
        while sent.found is None:
            if sent.future is None:
                return self._here(sent.batch)
            self._await(sent)
        batch, found, worker = sent.batch, sent.found, sent.worker
        assert worker is not None
        # It may have been caught after this batch was sent: none of its answers counts any more.
        if worker.refused:
            return self._here(batch)
        # An invalid verdict leads to a bond, and none at all hides a window: neither is taken on
        # somebody's word. The other lie, a wrong window called right, is what the sample is for.
        drawn = np.asarray(self._chance(len(batch))) < self._cluster.recheck
        doubtful = (~found.right & ~found.absent) | (found.right & drawn)
        doubtful[found.last] |= ~_ends_right(batch, found)
        if doubtful.any():
            found = self._recheck(worker, batch, found, doubtful)
        if not worker.refused:
            worker.accepted.extend(row.tobytes() for row in batch.h128[found.right])
        return found

    def _recheck(
        self, worker: ClusterWorker, batch: Batch, found: Outcome, doubtful: Flags
    ) -> Outcome:
        """Compute the runs of doubtful windows again here; what was found with ours in place."""
        part, rows = part_of(batch, set(runs_of(batch)[doubtful].tolist()))
        ours = self._here(part)
        wrong = rows[~ours.absent & (found.right[rows] != ours.right)]
        if wrong.size:
            self._mistrust(worker, batch, found, int(wrong[0]))
            return self._here(batch)
        # The ends too: where a worker's is another state than h128 names, ours is the one.
        theirs = ~np.isin(found.last, rows)
        last = np.concatenate([found.last[theirs], rows[ours.last]])
        ends = np.concatenate([found.ends[theirs], ours.ends])
        return replace(found, last=last, ends=ends)

    def _await(self, sent: Sent) -> None:
        """Take a batch's results; if its worker is lost or fails, give it to another."""
        worker, future = sent.worker, sent.future
        assert worker is not None
        assert future is not None
        problem = ""
        try:
            found = future.result(timeout=LOOK_SECONDS)
            if _fits(sent.batch, found):
                sent.found, worker.heard = found, time.monotonic()
            else:
                problem = "it sent something else"
        except TimeoutError:
            if not self._pool.has(worker):
                problem = "it is gone"
            # It has several, one after the other, and no longer for the last than for the first.
            elif time.monotonic() - max(sent.since, worker.heard) > TASK_SECONDS:
                problem = "it did not answer in time"
            else:
                return
        except CancelledError:
            problem = "it is gone"
        # Even an exception is the worker's to choose: none may end the daemon.
        except Exception as error:
            problem = type(error).__name__
        worker.owed -= len(sent.batch)
        if problem:
            self._pool.forget(worker, problem)
            self._send(sent)

    def _here(self, batch: Batch) -> Outcome:
        """Judge a batch on this machine."""
        return self._local.submit(replay_batch, resolved(batch, self._load)).result()

    def _mistrust(self, worker: ClusterWorker, batch: Batch, theirs: Outcome, row: int) -> None:
        log.error(
            "a worker's result is wrong; nothing of what it found counts",
            worker=worker.address,
            h128=batch.h128[row].tobytes().hex(),
            reported="right" if theirs.right[row] else "wrong",
        )
        worker.refused = True
        self._revoked.update(worker.accepted)
        worker.accepted.clear()


def _fits(batch: Batch, found: object) -> bool:
    """Whether what a worker sent has the form of a batch's outcome."""
    if not isinstance(found, Outcome):
        return False
    count, kept = len(batch), len(found.last)
    flags = found.right.dtype == np.bool_ and found.absent.dtype == np.bool_
    shapes = (found.right.shape, found.absent.shape) == ((count,), (count,))
    states = found.ends.dtype == np.uint8 and found.ends.shape == (kept, ENCODED_BYTES)
    rows = found.last.dtype == np.int64 and bool(((found.last >= 0) & (found.last < count)).all())
    # Only what was sent by its hash may be absent.
    named = np.isin(runs_of(batch), list(batch.fetched)) if shapes else found.absent
    return flags and shapes and states and rows and not (found.absent & ~named).any()


def _ends_right(batch: Batch, found: Outcome) -> Flags:
    """Of each end that a worker sent whether it is the state behind h128."""
    right = np.zeros(len(found.last), np.bool_)
    for place, row in enumerate(found.last):
        with suppress(MalformedStateError):
            state = decode_state(found.ends[place].tobytes())
            right[place] = state_hash(state) == batch.h128[row].tobytes()
    return right
