"""Replays on a real dask scheduler with worker processes: lost, lying, different, absent ones."""

from __future__ import annotations

import os
import signal
import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import structlog.testing

from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.state import State, encode_state, state_hash
from chainbeasts.backend.kernel.window import open_window
from chainbeasts.backend.kernels import kernel_for
from chainbeasts.backend.store.daemons import Verdict
from chainbeasts.backend.store.snapshots import SnapshotStore
from chainbeasts.validator.judge import pool
from chainbeasts.validator.judge.batch import Outcome, Run, batch_of, replay_batch
from chainbeasts.validator.judge.cluster import Cluster, ClusterExecutor
from chainbeasts.validator.judge.executors import InlineExecutor
from chainbeasts.validator.judge.loop import LoopThread
from chainbeasts.validator.judge.pool import WorkerPool
from chainbeasts.validator.judge.replay import Window
from chainbeasts.validator.judge.worker import difference, identity
from tests.store.servers import Web
from tests.support.patience import PATIENCE, eventually
from tests.support.ports import free_port
from tests.support.resolver import frozen_resolver
from tests.validator.windows import BEAST, Lies, context, make, private_words

ROOT = Path(__file__).parents[3]
GONE_SECONDS = 5.0
"""What tries to reach a process that has ended keeps trying."""

SITE = """
import os
lie = os.environ.get("LIE")
if lie == "kernel":
    import chainbeasts.backend.kernel.tables
    chainbeasts.backend.kernel.tables.KERNEL_ID = bytes(32)
if lie == "verdict":
    import numpy as np
    from chainbeasts.validator.judge import batch
    def blind(given):
        count, no_ends = len(given), np.zeros((0, batch.ENCODED_BYTES), np.uint8)
        rights, absent = np.ones(count, bool), np.zeros(count, bool)
        return batch.Outcome(rights, absent, np.zeros(0, np.int64), no_ends)
    batch.replay_batch = blind
if os.environ.get("PATIENCE"):
    import functools
    from chainbeasts.backend.store import published
    from chainbeasts.validator.judge import worker
    published.SLOW_SECONDS = float(os.environ["PATIENCE"])
    worker.open_place = functools.partial(worker.open_place, seconds=published.SLOW_SECONDS)
"""


@dataclass
class Farm:
    """A scheduler and its workers, as processes."""

    folder: Path
    processes: list[subprocess.Popen[str]] = field(default_factory=list)
    address: str = ""
    looking: LoopThread | None = None

    def start(self) -> None:
        self.looking = LoopThread()
        self.address = f"tcp://127.0.0.1:{free_port()}"
        where = self.address.removeprefix("tcp://").split(":")
        self._run("scheduler", "--host", where[0], "--port", where[1], "--no-dashboard")

    def worker(self, **environment: str) -> subprocess.Popen[str]:
        """A worker that has joined."""
        before = self.present()
        made = self._run(
            *("worker", self.address, "--no-nanny", "--nthreads", "1", "--no-dashboard"),
            *("--host", "127.0.0.1", "--local-directory", str(self.folder)),
            **environment,
        )
        eventually(lambda: self.present() > before)
        return made

    def present(self) -> int:
        from distributed import Client

        assert self.looking is not None
        how = {"loop": self.looking.loop, "timeout": PATIENCE, "set_as_default": False}
        with Client(self.address, **how) as client:  # type: ignore[no-untyped-call]
            # Not what it has by itself: what it asks for now and then may overwrite that.
            told = client.sync(client.scheduler.identity, n_workers=-1)  # type: ignore[no-untyped-call]
            return len(told["workers"])

    def _run(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": f"{self.folder}:{ROOT}", **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.processes.append(process)
        return process

    def end(self) -> None:
        for process in reversed(self.processes):
            process.kill()
            process.wait(PATIENCE)
        if self.looking is not None:
            self.looking.stop()


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    folder = tmp_path_factory.mktemp("farm")
    (folder / "sitecustomize.py").write_text(SITE)
    made = Farm(folder)
    made.start()
    yield made
    made.end()


@pytest.fixture
def farm(scheduler: Farm) -> Iterator[Farm]:
    """The scheduler; a test's workers end with it."""
    yield scheduler
    for process in scheduler.processes[1:]:
        process.kill()
        process.wait(PATIENCE)
    del scheduler.processes[1:]
    eventually(lambda: scheduler.present() == 0)


@pytest.fixture
def executor(farm: Farm) -> Iterator[Callable[..., ClusterExecutor]]:
    """Makes executors on the scheduler."""
    made: list[ClusterExecutor] = []

    def make_one(
        load: Callable[[bytes], bytes | None] = lambda h: None,
        *,
        recheck: float = 0.0,
        address: str = "",
        **more: Any,
    ) -> ClusterExecutor:
        cluster = Cluster(address or farm.address, recheck)
        made.append(ClusterExecutor(cluster, InlineExecutor(), load, **more))
        return made[-1]

    yield make_one
    for one in made:
        one.shutdown()


def chain(count: int) -> tuple[list[Window], list[State]]:
    """Consecutive honest windows of a beast, and the states that they end in."""
    first, _ = make()
    windows, ends = [], []
    parent, checkpoint = first.parent, first.checkpoint
    for index in range(count):
        state = open_window(parent, parent.header.active_mask)
        kernel_for(state.header.active_mask).run(context(), state)
        payload = replace(
            checkpoint.payload,
            h128=state_hash(state),
            global_step=state.header.global_step,
            window_loss=state.header.window_loss,
        )
        before = state_hash(parent) if index else bytes(32)
        record = replace(checkpoint, index=index, parent=before, payload=payload)
        windows.append(Window(BEAST, record, context(), parent))
        ends.append(state)
        parent = state
    return windows, ends


def run_of(window: Window, *, fetched: bool = False) -> Run:
    """A window as a run of its own; with ``fetched`` whoever replays it has to find its start."""
    parent = None if fetched else encode_state(window.parent)
    record, start = window.checkpoint, window.parent_hash
    return Run(BEAST, [record], [window.context], [start], parent, [window.words])


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever answers is waited for, however much the machine has to do."""
    for name in ("CONNECT_SECONDS", "ANSWER_SECONDS", "MEET_SECONDS", "CHECK_SECONDS"):
        monkeypatch.setattr(pool, name, PATIENCE)
    monkeypatch.setattr("chainbeasts.validator.judge.cluster.TASK_SECONDS", PATIENCE)


@contextmanager
def soon_given_up(
    monkeypatch: pytest.MonkeyPatch, seconds: float, *deadlines: str
) -> Iterator[None]:
    """Whoever is gone or frozen is waited for this long."""
    import dask

    with (
        monkeypatch.context() as soon,
        dask.config.set({"distributed.comm.timeouts.connect": f"{seconds}s"}),
    ):
        for name in ("CONNECT_SECONDS", *deadlines):
            soon.setattr(pool, name, seconds)
        yield


Futures = list[Future[Outcome]]


def submit(
    executor: ClusterExecutor, windows: Sequence[Window | Run], *places: str, size: int = 32
) -> Futures:
    """Windows, each as a run of its own, so many in a batch."""
    runs = [one if isinstance(one, Run) else run_of(one) for one in windows]
    starts = range(0, len(runs), size)
    batches = [batch_of(runs[start : start + size], places) for start in starts]
    return [executor.submit(replay_batch, batch) for batch in batches]


def verdicts(futures: Futures) -> list[Verdict | None]:
    found: list[Verdict | None] = []
    for future in futures:
        outcome = future.result()
        for right, absent in zip(outcome.right, outcome.absent, strict=True):
            known = Verdict.VALID if right else Verdict.INVALID
            found.append(None if absent else known)
    return found


def test_windows_replay_in_parallel_from_published_states(
    farm: Farm, executor: Callable[..., ClusterExecutor], tmp_path: Path
) -> None:
    windows, ends = chain(80)
    folder = tmp_path / "web"
    folder.mkdir()
    web = Web(folder)
    try:
        for end in ends:
            SnapshotStore(folder).put(end)
        farm.worker(PATIENCE=f"{PATIENCE:g}")
        ours = executor()
        tasks = [run_of(windows[0]), *(run_of(one, fetched=True) for one in windows[1:])]
        assert verdicts(submit(ours, tasks[:5], web.url)) == [Verdict.VALID] * 5
        assert verdicts(submit(ours, tasks[4:5])) == [Verdict.VALID]  # from its memory
        farm.worker(PATIENCE=f"{PATIENCE:g}")
        lie, _ = make(lies=Lies(5, weight=(100, 1)))
        judged = submit(ours, [*tasks, lie], web.url)
        assert verdicts(judged) == [Verdict.VALID] * 80 + [Verdict.INVALID]
        first = judged[0].result()
        assert first.last.tolist() == [0]  # what starts from fetched states stays there
        assert first.ends[0].tobytes() == encode_state(ends[0])
        assert 1 <= len(web.asked) < 200  # the workers fetched, each state once at most
        missing = replace(windows[3].checkpoint, parent=bytes(32))
        gone = run_of(replace(windows[3], checkpoint=missing), fetched=True)
        assert verdicts(submit(ours, [gone], web.url)) == [None]
    finally:
        web.close()


def test_a_killed_workers_windows_are_replayed_elsewhere(
    farm: Farm, executor: Callable[..., ClusterExecutor], monkeypatch: pytest.MonkeyPatch
) -> None:
    windows, _ = chain(2)
    one, other = farm.worker(), farm.worker()
    ours = executor()
    assert verdicts(submit(ours, windows)) == [Verdict.VALID] * 2
    eventually(lambda: len(ours._pool.usable()) == 2)  # so that it is given some
    os.kill(one.pid, signal.SIGSTOP)  # it takes its windows, and answers nothing
    with structlog.testing.capture_logs() as logs, soon_given_up(monkeypatch, GONE_SECONDS):
        judged = submit(ours, [windows[0]] * 96)
        one.kill()
        assert verdicts(judged) == [Verdict.VALID] * 96
        other.kill()
        assert verdicts(submit(ours, windows)) == [Verdict.VALID] * 2  # here, in the end
    assert [line["event"] for line in logs].count("worker lost; its windows are replayed elsewhere")


def test_a_frozen_scheduler_is_left_and_its_windows_are_replayed_here(
    farm: Farm, executor: Callable[..., ClusterExecutor], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It keeps its connections open, takes what is sent, and answers nothing."""
    monkeypatch.setattr(pool, "LOOK_SECONDS", 0.0)
    window, _ = make()
    farm.worker()
    ours, frozen = executor(), farm.processes[0]
    assert verdicts(submit(ours, [window])) == [Verdict.VALID]
    os.kill(frozen.pid, signal.SIGSTOP)
    try:
        with structlog.testing.capture_logs() as logs, monkeypatch.context() as soon:
            soon.setattr(pool, "ANSWER_SECONDS", 0.5)
            soon.setattr(pool, "MEET_SECONDS", 0.5)
            assert verdicts(submit(ours, [window] * 96)) == [Verdict.VALID] * 96
            for _ in range(2):  # asked again, it takes the connection, and answers nothing
                ours._pool._waits.done(b"")
                assert verdicts(submit(ours, [window])) == [Verdict.VALID]
            coming = ours._pool._coming
            assert coming is not None
            assert meeting() == 1
    finally:
        os.kill(frozen.pid, signal.SIGCONT)
    told = [line for line in logs if line["event"].startswith("no scheduler")]
    assert [line["reason"] for line in told] == ["it does not answer"] * 3

    def joined() -> bool:
        ours._pool._waits.done(b"")
        with structlog.testing.capture_logs() as logs:
            assert verdicts(submit(ours, [window])) == [Verdict.VALID]
        return "worker joined" in [line["event"] for line in logs]

    eventually(joined)
    assert ours._pool._client is coming.result()


def meeting() -> int:
    """How many threads wait for a scheduler's first words."""
    return [one.name for one in threading.enumerate()].count("scheduler")


def test_a_scheduler_that_is_left_before_it_says_anything_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pool, "MEET_SECONDS", 0.1)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        silent.settimeout(PATIENCE)
        met = WorkerPool(f"tcp://127.0.0.1:{silent.getsockname()[1]}")
        assert met.usable() == []
        assert meeting() == 1
        made, _ = silent.accept()  # it is connected: where it is refused, it tries again for long
        met.leave()
        made.close()
        eventually(lambda: meeting() == 0)


def test_meetings_in_vain_leave_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scheduler may be away for days."""
    monkeypatch.setattr(pool, "CONNECT_SECONDS", 0.1)
    met = WorkerPool(f"tcp://127.0.0.1:{free_port()}")
    assert met.usable() == []
    eventually(lambda: meeting() == 0)  # its thread tells the end, and ends after that
    before = set(threading.enumerate())
    for _ in range(3):
        met._waits.done(b"")
        assert met.usable() == []
    eventually(lambda: meeting() == 0)
    assert set(threading.enumerate()) <= before
    met.leave()


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0" * 64, b"\1" + bytes(63)]
)
def test_who_listens_there_may_be_somebody_else(answer: bytes) -> None:
    """Ports are given anew; whatever is said there, windows are replayed on this machine."""

    class Other(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.sendall(answer)
            self.request.recv(65_536)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Other) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        met = WorkerPool(f"tcp://127.0.0.1:{server.server_address[1]}")
        with structlog.testing.capture_logs() as logs:
            assert met.usable() == []
        met.leave()
        server.shutdown()
    told = [line["event"] for line in logs]
    assert told == ["no scheduler; windows are replayed on this machine"]


def test_a_name_that_nobody_knows_yet_holds_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The interpreter's end waits for every thread of an executor, as dask's own loop has it."""
    monkeypatch.setattr(pool, "CONNECT_SECONDS", 0.5)
    others = set(threading.enumerate())
    with frozen_resolver() as resolver:
        met = WorkerPool(f"tcp://{resolver.host}:{free_port()}")
        assert met.usable() == []
        eventually(lambda: resolver.asked)  # in a thread of its own, which may come late
        met.leave()
        eventually(lambda: meeting() == 0)
        ours = [one.name for one in set(threading.enumerate()) - others]
        assert [name for name in ours if name.startswith("asyncio")] == []
        assert resolver.asked == 1


def test_present_workers_are_not_taken_for_lost(
    farm: Farm, executor: Callable[..., ClusterExecutor]
) -> None:
    """However often dask's client renews its own view of the scheduler, which names no workers."""
    import dask

    window, _ = make()
    farm.worker()
    with (
        dask.config.set({"distributed.client.scheduler-info-interval": "1ms"}),
        structlog.testing.capture_logs() as logs,
    ):
        ours = executor()
        for _ in range(100):
            assert verdicts(submit(ours, [window])) == [Verdict.VALID]
    assert [line["event"] for line in logs] == ["worker joined"]


def test_a_worker_that_ends_between_two_looks_ends_nothing_here(
    farm: Farm, executor: Callable[..., ClusterExecutor], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its calls fail, at once or when they are made, before it is seen to be gone."""
    window, _ = make()
    one = farm.worker()
    ours = executor()
    assert verdicts(submit(ours, [window])) == [Verdict.VALID]
    monkeypatch.setattr(pool, "LOOK_SECONDS", 1_000.0)
    (known,) = ours._pool.fit
    one.kill()
    eventually(lambda: known.hired.status == "error")  # the scheduler has told of it
    with structlog.testing.capture_logs() as logs, soon_given_up(monkeypatch, GONE_SECONDS):
        assert verdicts(submit(ours, [window] * 64)) == [Verdict.VALID] * 64
    assert [line["reason"] for line in logs if line["event"].startswith("worker lost")]


def test_workers_out_of_reach_are_reached_through_the_scheduler(
    farm: Farm, executor: Callable[..., ClusterExecutor], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As from outside of their network."""
    from distributed.core import ConnectionPool

    connect = ConnectionPool.connect

    async def connect_near(self: ConnectionPool, address: str, **how: Any) -> Any:
        if address != farm.address:
            raise OSError("no route")
        return await connect(self, address, **how)

    monkeypatch.setattr(ConnectionPool, "connect", connect_near)
    windows, _ = chain(2)
    farm.worker()
    farm.worker()
    ours = executor()
    with structlog.testing.capture_logs() as logs:
        assert verdicts(submit(ours, windows * 32)) == [Verdict.VALID] * 64
        eventually(lambda: bool(ours._pool.usable()) and len(ours._pool.fit) == 2)
    told = [line["event"] for line in logs]
    assert sorted(told) == [
        "a worker is not reached from here; the scheduler passes all on",
        "worker joined",
        "worker joined",
    ]
    assert any(one.heard for one in ours._pool.fit)  # it was not replayed here


def test_a_lying_worker_is_caught_by_the_sample_and_believed_in_nothing(
    farm: Farm, executor: Callable[..., ClusterExecutor]
) -> None:
    lie, _ = make(lies=Lies(5, weight=(100, 1)))
    honest, _ = make()
    farm.worker(LIE="verdict")
    chances = iter([0.9, 0.9, 0.0, 0.9])
    ours = executor(recheck=0.5, chance=lambda count: [next(chances) for _ in range(count)])
    with structlog.testing.capture_logs() as logs:
        found = verdicts(submit(ours, [honest, lie, lie, lie, honest], size=2))
    # two were not sampled, the third was; the rest is computed here
    assert found == [Verdict.VALID] * 2 + [Verdict.INVALID] * 2 + [Verdict.VALID]
    assert "a worker's result is wrong; nothing of what it found counts" in [
        line["event"] for line in logs if line["log_level"] == "error"
    ]
    assert ours.revoked() == {honest.checkpoint.payload.h128, lie.checkpoint.payload.h128}
    assert ours.revoked() == set()
    assert verdicts(submit(ours, [lie])) == [Verdict.INVALID]  # it gets no more work


def test_a_worker_with_another_kernel_is_refused(
    farm: Farm, executor: Callable[..., ClusterExecutor]
) -> None:
    window, _ = make()
    farm.worker(LIE="kernel")
    with structlog.testing.capture_logs() as logs:
        assert verdicts(submit(executor(), [window])) == [Verdict.VALID]
    refused = next(line for line in logs if line["event"] == "worker refused")
    assert refused["reason"] == "it runs another kernel"


def test_what_makes_a_worker_different() -> None:
    ours = identity()
    assert difference(ours, replace(ours, process="other")) is None
    assert difference(ours, replace(ours, variation="another", object="machine")) is None
    for change in (
        {"kernel_id": bytes(32)},
        {"source": "other"},
        {"object": "other"},
        {"probe": bytes(32)},
    ):
        known = replace(ours, variation=ours.variation or "same")
        assert difference(known, replace(known, **change)) is not None  # type: ignore[arg-type]


def test_without_a_scheduler_this_machine_goes_on(
    executor: Callable[..., ClusterExecutor], monkeypatch: pytest.MonkeyPatch
) -> None:
    window, _ = make()
    ours = executor(address=f"tcp://127.0.0.1:{free_port()}")
    with structlog.testing.capture_logs() as logs, soon_given_up(monkeypatch, GONE_SECONDS):
        for _ in range(2):
            assert verdicts(submit(ours, [window])) == [Verdict.VALID]
    assert [line["event"] for line in logs] == [
        "no scheduler; windows are replayed on this machine"
    ]


def test_private_datasets_stay_here(executor: Callable[..., ClusterExecutor]) -> None:
    window, _ = make(Source.PRIVATE, private_words())
    ours = executor(address="tcp://127.0.0.1:1")
    with structlog.testing.capture_logs() as logs:
        assert verdicts(submit(ours, [window])) == [Verdict.VALID]
    assert logs == []  # nobody was asked


@pytest.mark.parametrize("address", ["127.0.0.1:8786", "http://h:1", "tcp://h", "tcp://h:x"])
def test_no_schedulers_address(address: str) -> None:
    with pytest.raises(ChainBeastsError, match="no scheduler's address"):
        Cluster(address)
