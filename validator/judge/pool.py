"""A scheduler's workers: met, checked before they are used, watched, and left.

The scheduler only brings us together: what a worker replays, and what it found, goes between it and
this process (an actor's calls do), so that the scheduler copies no states and keeps no books.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, wait
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog

from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.store.waits import Waits
from chainbeasts.validator.judge.loop import LoopThread
from chainbeasts.validator.judge.worker import Identity, Replayer, difference, identity

log = structlog.get_logger()

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 15.0
"""For a scheduler's answer. One that is frozen keeps its connections, and answers nothing."""

MEET_SECONDS = CONNECT_SECONDS + ANSWER_SECONDS
"""For a scheduler's first words, after which it is looked for from time to time, not waited for."""

LEAVE_SECONDS = 2.0
CHECK_SECONDS = 30.0
"""For a worker's first answer, which may have to compile the kernel."""

LOOK_SECONDS = 0.5
"""Between two looks which workers there are."""

MOST_ACCEPTED = 65_536
"""Results remembered per worker, to be taken back should it turn out to be wrong."""


@dataclass(eq=False)
class ClusterWorker:
    """A worker that was seen; usable once it was checked.

    Attributes:
        hired: becomes its ``Replayer``, and ``check`` that one's identity.
        direct: whether that was asked of the worker itself.
        heard: when its last result was taken.
    """

    address: str
    hired: Any
    since: float
    replayer: Any = None
    check: Any = None
    direct: bool = True
    process: str = ""
    refused: bool = False
    owed: int = 0
    heard: float = 0.0
    accepted: deque[bytes] = field(default_factory=lambda: deque(maxlen=MOST_ACCEPTED))


class WorkerPool:
    """The workers of one scheduler, which may be away.

    Args:
        scheduler: its address.
    """

    def __init__(self, scheduler: str) -> None:
        self._scheduler = scheduler
        self._ours: Identity | None = None
        self._client: Any = None
        self._coming: Future[Any] | None = None
        self._loop: LoopThread | None = None
        self._workers: dict[str, ClusterWorker] = {}
        self._present: set[str] = set()
        self._looked = 0.0
        self._waits = Waits(5.0, 300.0, 1, time.monotonic)

    # --- workers --------------------------------------------------------------------------------

    @property
    def fit(self) -> list[ClusterWorker]:
        """The workers that were checked, as far as is known."""
        return [one for one in self._workers.values() if one.process and not one.refused]

    def usable(self) -> list[ClusterWorker]:
        """The workers that were checked. Waits for the first one's check if there is none yet."""
        deadline = time.monotonic() + CHECK_SECONDS
        while self._connected():
            self._update()
            coming = [one for one in self._workers.values() if not one.process and not one.refused]
            if self.fit or not coming or time.monotonic() > deadline:
                return self.fit
            time.sleep(0.05)
        return []

    def has(self, worker: ClusterWorker) -> bool:
        """Whether the scheduler still has a worker."""
        return worker.address in self._addresses()

    def forget(self, worker: ClusterWorker, problem: str) -> None:
        """Drop a worker that failed; should it still be there, it is checked again. One that was
        refused stays refused for as long as it is there."""
        if self._workers.get(worker.address) is not worker:
            return
        self._looked = 0.0
        # Else one that lied, and then failed on purpose, would be met anew and trusted again.
        if worker.refused and self.has(worker):
            return
        self._workers.pop(worker.address, None)
        log.warning("worker lost; its windows are replayed elsewhere", worker=worker.address,
                    reason=problem)  # fmt: skip

    def _update(self) -> None:
        """Have new workers checked, and take note of what those asked before have answered."""
        present = self._addresses()
        for address in [one for one in self._workers if one not in present]:
            self.forget(self._workers[address], "it is gone")
        for address in present:
            if address not in self._workers:
                hired = self._client.submit(Replayer, actor=True, workers=[address], pure=False)
                self._workers[address] = ClusterWorker(address, hired, time.monotonic())
        for worker in list(self._workers.values()):
            if not worker.process and not worker.refused:
                self._check(worker)

    def _check(self, worker: ClusterWorker) -> None:
        waited = time.monotonic() - worker.since
        try:
            if worker.check is None and worker.hired.done():
                worker.direct = self._client.direct_to_workers
                with self._client.as_current():  # by which its calls are made
                    worker.replayer = worker.hired.result(timeout=ANSWER_SECONDS)
                    worker.check = worker.replayer.identity()
            if worker.check is None or not worker.check.done():
                if waited > CHECK_SECONDS:
                    self._refuse(worker, "it does not say what it runs")
                return
            theirs = worker.check.result()
        except (CancelledError, Exception) as error:
            if isinstance(error, OSError) and worker.direct and self.has(worker):
                self._go_by_the_scheduler(worker)
                return
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

    def _go_by_the_scheduler(self, worker: ClusterWorker) -> None:
        """Have the scheduler pass everything on: from outside of their network, workers are not
        reached."""
        if self._client.direct_to_workers:
            log.warning("a worker is not reached from here; the scheduler passes all on",
                        worker=worker.address)  # fmt: skip
        self._client.direct_to_workers = False
        worker.check = None

    def _refuse(self, worker: ClusterWorker, reason: str) -> None:
        worker.refused = True
        log.error("worker refused", worker=worker.address, reason=reason)

    def _addresses(self) -> set[str]:
        """The workers that the scheduler had a moment ago."""
        if self._client is None or self._client.status != "running":
            return set()
        if time.monotonic() - self._looked < LOOK_SECONDS:
            return self._present
        # Not scheduler_info(): it reads its reply from where the client's own periodic query, which
        # asks for no workers, may just have put another, and all of ours would seem lost.
        asked = self._client.scheduler.identity
        try:
            found = self._client.sync(asked, callback_timeout=ANSWER_SECONDS)["workers"]
        except TimeoutError:
            # Not asked again for each batch of a wave: it is left, and met again after a while.
            self._leave_for_now()
            self._gone("it does not answer")
            return set()
        except OSError:
            return set()
        self._present, self._looked = set(found), time.monotonic()
        return self._present

    # --- the scheduler --------------------------------------------------------------------------

    def _connected(self) -> bool:
        """Whether the scheduler can be used; one that is away is asked again after a while."""
        if self._client is not None and self._client.status == "running":
            return True
        if self._client is not None:
            self._leave_for_now()
            self._gone("it is gone")
        here = self._coming is not None and self._coming.done()
        if not here and not self._waits.due(b""):
            return False
        try:
            import dask
            from distributed import Client
        except ImportError:
            raise ChainBeastsError(
                "--scheduler needs the package distributed.", "pip install 'chainbeasts[cluster]'"
            ) from None
        # Also for a worker that was killed between two calls: by itself dask tries for 30 seconds.
        dask.config.set({"distributed.comm.timeouts.connect": f"{CONNECT_SECONDS:g}s"})
        if self._loop is None:  # one for all meetings: dask never ends that of one in vain
            self._loop = LoopThread()
        patience = MEET_SECONDS if self._coming is None else 0.0
        coming = self._coming = self._coming or _in_a_thread(
            partial(
                Client,
                self._scheduler,
                loop=self._loop.loop,
                timeout=CONNECT_SECONDS,
                set_as_default=False,
                direct_to_workers=True,
            )
        )
        if not wait([coming], patience).done:
            self._gone("it does not answer")
            return False
        self._coming = None
        try:
            self._client = coming.result()
        except ConnectionError as error:
            self._gone(str(error))
            return False
        if self._waits.done(b""):
            log.info("the scheduler is back", scheduler=self._scheduler)
        return True

    def _gone(self, reason: str) -> None:
        if self._waits.again(b""):
            log.warning(
                "no scheduler; windows are replayed on this machine",
                scheduler=self._scheduler,
                reason=reason,
            )

    def leave(self) -> None:
        """Leave the scheduler; its workers go on for others."""
        coming, self._coming = self._coming, None
        loop, self._loop = self._loop, None
        self._leave_for_now()
        if loop is None:
            return
        if coming is not None:
            coming.add_done_callback(partial(_close_late, loop))
        else:
            loop.stop()

    def _leave_for_now(self) -> None:
        client, self._client = self._client, None
        self._workers.clear()
        self._looked = 0.0
        if client is not None:
            _close(client)


def _in_a_thread(make: Callable[[], Any]) -> Future[Any]:
    """What dask makes, which waits without end for the first words of a scheduler that was frozen:
    the kernel takes the connection all the same. If nothing is made, a ``ConnectionError``."""
    made: Future[Any] = Future()

    def run() -> None:
        # Whoever else listens there answers in other words. dask takes them for lengths and packed
        # messages, and raises whatever comes of that. What its loop called off is no Exception, and
        # nobody would hear of it.
        try:
            met = make()
        except BaseException as error:
            reason = type(error).__name__
        else:
            made.set_result(met)
            return
        # By now the error has gone, and what was half made with it, for which the loop has to live.
        made.set_exception(ConnectionError(reason))

    threading.Thread(target=run, name="scheduler", daemon=True).start()
    return made


def _close_late(loop: LoopThread, made: Future[Any]) -> None:
    try:
        if made.exception() is None:
            _close(made.result())
    finally:
        loop.stop()


def _close(client: Any) -> None:
    # It takes leave of the scheduler, which may not take notice.
    with suppress(TimeoutError, OSError):
        client.close(timeout=LEAVE_SECONDS)
