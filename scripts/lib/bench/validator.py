"""What a validator can watch: replays by workers, memory over a long history, lag of a crowd."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from statistics import median

from eth_hash.auto import keccak

from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.types import NO_CHECKPOINT, CheckpointPayload
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.state import State, encode_state, state_hash
from chainbeasts.backend.kernel.window import genesis_state, open_window
from chainbeasts.backend.kernels import kernel_for
from chainbeasts.backend.nicknames import nickname
from chainbeasts.backend.settings import load_settings
from chainbeasts.backend.store.facts import BeastRow, BlockRow, CheckpointRow, CheckpointStatus
from chainbeasts.backend.store.session import Database
from chainbeasts.validator.judge.batch import Batch, Outcome, Run, batch_of, replay_batch
from chainbeasts.validator.judge.cluster import BATCH as CLUSTER_BATCH
from chainbeasts.validator.judge.cluster import Cluster, ClusterExecutor
from chainbeasts.validator.judge.executors import InlineExecutor, make_executor
from chainbeasts.validator.judge.jobs import JobStore
from chainbeasts.validator.judge.windows import BATCH, FLIGHTS, WindowJudge
from chainbeasts.validator.judge.worklist import SLICE, PendingWindows
from chainbeasts.validator.setup import open_workspace
from scripts.lib.bench import daemon
from scripts.lib.bench.beasts import ALL_AWAKE, RULES, Birth, context, hatchery
from scripts.lib.bench.figures import Figure

ROOT = Path(__file__).resolve().parents[3]
SECONDS, ROUNDS = 3.0, 5
CALM = {
    "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",
    "DASK_DISTRIBUTED__WORKER__MEMORY__MONITOR_INTERVAL": "1s",
    "DASK_DISTRIBUTED__ADMIN__TICK__INTERVAL": "1s",
}
"""The environment that the guide recommends for scheduler and workers: dask wakes each of them 160
times a second, to look what its threads do and whether it still runs."""
HISTORY, HISTORY_BEASTS = 50_000, 250


def runs_of(birth: Birth, count: int, length: int) -> list[Run]:
    """Honest curriculum windows, every slot awake: so many runs of consecutive ones."""
    found, state, ctx = [], genesis_state(1, birth.dna), context(birth, 1_999, Source.CURRICULUM)
    for number in range(count):
        first, records, parents = encode_state(state), [], []
        for index in range(number * length, (number + 1) * length):
            before = state_hash(state)
            state = open_window(state, ALL_AWAKE, before)
            kernel_for(ALL_AWAKE).run(ctx, state)
            header = state.header
            payload = CheckpointPayload(
                31, state_hash(state), 1, ctx.lr_shift, ALL_AWAKE, header.global_step,
                header.window_loss, Source.CURRICULUM,
            )  # fmt: skip
            parents.append(before)
            records.append(replace(NO_CHECKPOINT, index=index, parent=before, payload=payload))
        found.append(Run(1, records, [ctx] * length, parents, first, [None] * length))
    return found


@dataclass(frozen=True, slots=True)
class Rate:
    """How fast windows were replayed: a second, and by how much processor time each."""

    speed: float
    cost: float


def throughput(executor: Executor, batches: Sequence[Batch], flights: int = 1,
               pids: Sequence[int] = ()) -> Rate:  # fmt: skip
    """Replay for some seconds, so many batches on their way, as the judge has them.

    Args:
        pids: processes that do the work besides this one.
    """
    on_their_way, turn = deque[tuple[Batch, Future[Outcome]]](), cycle(batches)

    def take() -> int:
        """Wait for the batch that was given out first, and give out another; its windows."""
        while len(on_their_way) < flights:
            batch = next(turn)
            on_their_way.append((batch, executor.submit(replay_batch, batch)))
        batch, future = on_their_way.popleft()
        if not future.result().right.all():
            raise AssertionError("an honest window is not right")
        return len(batch)

    # Between two moments at which as many batches are on their way: else those that are begun and
    # not counted would be a tenth of a cluster's.
    for _ in range(flights):
        take()
    done, begun, burnt = 0, time.perf_counter(), burnt_by(pids)
    while time.perf_counter() - begun < SECONDS:
        done += take()
    found = Rate(done / (time.perf_counter() - begun), (burnt_by(pids) - burnt) / done)
    for _, future in on_their_way:
        future.result()
    return found


def burnt_by(pids: Sequence[int]) -> float:
    """Processor time of this process and others, seconds."""
    ticks = 0
    for pid in pids:
        try:
            # After the name, which may have spaces and brackets in it.
            fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
        except OSError:  # not Linux
            return float("nan")
        ticks += int(fields[11]) + int(fields[12])
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


@contextmanager
def dask(workers: int) -> Iterator[tuple[ClusterExecutor, list[int]]]:
    """An executor on a scheduler with that many worker processes of one thread, and all their
    processes."""
    pids = []
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        place = ("--host", "127.0.0.1", "--no-dashboard")
        commands: list[tuple[str, ...]] = [("scheduler", *place, "--port", str(port))]
        one = ("worker", address, *place, "--no-nanny", "--nthreads", "1")
        commands += [(*one, "--local-directory", folder)] * workers
        for command in commands:
            process = subprocess.Popen(
                [sys.executable, "-m", "dask", *command],
                cwd=ROOT,
                env=os.environ | CALM,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            pids.append(process.pid)
            stack.callback(process.wait)
            stack.callback(process.kill)
        from distributed import Client

        with Client(address, timeout=30, set_as_default=False) as client:  # type: ignore[no-untyped-call]
            client.wait_for_workers(workers, timeout=30)
        executor = ClusterExecutor(Cluster(address, 0.0), InlineExecutor(), lambda h: None)
        stack.callback(executor.shutdown)
        yield executor, pids


def replays(born: Sequence[Birth]) -> list[Figure]:
    """Windows a second in the judge's own thread, by threads, and by dask's workers."""
    runs = runs_of(born[0], 4 * CLUSTER_BATCH // SLICE, SLICE)
    batches = _batches(runs, BATCH)
    load = f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    inline = InlineExecutor()
    throughput(inline, batches)
    figures = [
        Figure("replays, inline", throughput(inline, batches).speed, "windows/s",
               method=f"runs of {SLICE} windows, {BATCH} in a batch; {load}")
    ]  # fmt: skip
    for workers in (1, 2):
        pool = make_executor(workers)
        throughput(pool, batches, FLIGHTS)
        name = f"replays, {workers} local worker{'s' * (workers > 1)}"
        figures.append(Figure(name, throughput(pool, batches, FLIGHTS).speed, "windows/s"))
        pool.shutdown()
    large = _batches(runs, CLUSTER_BATCH)
    for workers in (1, 2):
        with dask(workers) as (cluster, pids):
            throughput(cluster, large, cluster.flights, pids)
            pairs = [
                (throughput(inline, batches), throughput(cluster, large, cluster.flights, pids))
                for _ in range(ROUNDS)
            ]
        by_speed = median(theirs.speed / ours.speed for ours, theirs in pairs)
        by_cost = median(theirs.cost / ours.cost for ours, theirs in pairs)
        figures.append(
            Figure(f"{workers} dask worker{'s' * (workers > 1)} over inline", by_speed, "×",
                   target=1.6 if workers == 2 else None,
                   method=f"the same windows, in turn, the median of {ROUNDS} ratios; "
                   f"{CLUSTER_BATCH:,} windows a call, each run's start sent and its end sent "
                   f"back; {median(one.speed for _, one in pairs):,.0f} windows/s; scheduler, "
                   f"workers and this process take {by_cost:.2f} × inline's processor time, "
                   f"on {load}")
        )  # fmt: skip
    return figures


def _batches(runs: Sequence[Run], size: int) -> list[Batch]:
    count = size // SLICE
    return [batch_of(runs[start : start + count]) for start in range(0, len(runs), count)]


# --- a long history ------------------------------------------------------------------------------


def memory() -> float:
    """Resident memory of this process, MB."""
    try:
        fields = Path("/proc/self/statm").read_text("ascii").split()
        return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


class History:
    """Beasts whose checkpoints are written into the database as the indexer would."""

    def __init__(self, chain: Chain, database: Database, beasts: int) -> None:
        self._database = database
        self._schedule = chain.season(1).schedule
        self.states: dict[int, State] = {}
        self.index = 0
        with database.session() as session:
            session.add(BlockRow(number=1, hash=bytes(32), parent_hash=bytes(32), timestamp=1))
            session.flush()
            for beast in range(1, beasts + 1):
                dna = bytes(keccak(beast.to_bytes(32)))
                self.states[beast] = genesis_state(beast, dna)
                session.add(
                    BeastRow(beast_id=beast, owner="0x" + "11" * 20, owner_key="0x" + "11" * 20,
                             name_key=nickname(dna).lower(), dna=dna,
                             epoch_seed=bytes(32), season=1, block_number=1)
                )  # fmt: skip

    def grow(self) -> int:
        """One more window of every beast, in a new block; those before become final."""
        index, epoch = self.index, self.index // self._schedule.epoch_windows
        number = index + 2
        with self._database.session() as session:
            session.query(CheckpointRow).filter(CheckpointRow.index < index - 2).filter(
                CheckpointRow.status == CheckpointStatus.PENDING
            ).update({"status": CheckpointStatus.FINAL})
            h = number.to_bytes(32)
            session.add(BlockRow(number=number, hash=h, parent_hash=bytes(32), timestamp=number))
            session.flush()
            for beast, parent in self.states.items():
                session.add(self._next(beast, parent, epoch, number))
        self.index += 1
        return len(self.states)

    def _next(self, beast: int, parent: State, epoch: int, number: int) -> CheckpointRow:
        mask, before = parent.header.active_mask, state_hash(parent)
        state = open_window(parent, mask, before)
        ctx = context(Birth(bytes(keccak(beast.to_bytes(32))), (bytes(32),)), 0, Source.CURRICULUM)
        shift = self._schedule.lr_shift(epoch)
        ctx = replace(ctx, heads=self._schedule.heads(epoch), lr_shift=shift, rules=RULES,
                      owner_secret_fold=0)  # fmt: skip
        kernel_for(mask).run(ctx, state)
        self.states[beast] = state
        header = state.header
        return CheckpointRow(
            digest=bytes(keccak(beast.to_bytes(32) + self.index.to_bytes(32))),
            beast_id=beast, index=self.index, generation=0,
            parent=before if self.index else bytes(32), epoch=epoch, h128=state_hash(state),
            energy_burn=1, lr_shift=shift, active_mask=mask, global_step=header.global_step,
            window_loss=header.window_loss, source=int(Source.CURRICULUM), source_id=0, season=1,
            trainer="0x" + "11" * 20, submitted_at=number, bond=1, locked_sum=1,
            epoch_seed=bytes(32), loss_drop=False, status=CheckpointStatus.PENDING,
            block_number=number, tx_hash=number.to_bytes(32),
        )  # fmt: skip


def long_history(tell: Callable[[str], None]) -> list[Figure]:
    """Memory of a judge over a long history, and how fast it gets through it."""
    with hatchery() as (chain, _), tempfile.TemporaryDirectory() as folder:
        settings = load_settings(home=Path(folder), rpc_url=chain.rpc_url)
        workspace = open_workspace(settings, chain)
        history = History(chain, workspace.database, HISTORY_BEASTS)
        jobs = JobStore(workspace.database)
        judge = WindowJudge(
            workspace.states, jobs, InlineExecutor, PendingWindows(workspace.reader)
        )
        done, spent, start, told = 0, 0.0, 0.0, 0
        while done < HISTORY:
            done += history.grow()
            begun = time.perf_counter()
            while judge.run():
                pass
            spent += time.perf_counter() - begun
            if done >= HISTORY // 10 and not start:
                start = memory()
            if done * 10 // HISTORY > told:
                told = done * 10 // HISTORY
                tell(f"{done:,} windows judged, {memory():.0f} MB")
        if jobs.counts() != {"valid": done}:
            raise AssertionError(f"not every window was found valid: {jobs.counts()}")
        after, size = memory(), settings.home / "validator.sqlite3"
        judge.close()
        return [
            Figure("judge, inline, with its database", done / spent, "windows/s",
                   method=f"{HISTORY_BEASTS} beasts written into the database as the indexer "
                   "would, nothing published, so some of the windows' ends are kept on disk; "
                   f"load {os.getloadavg()[0]:.1f}"),
            Figure("memory after a tenth of it", start, "MB", method="resident, whole process"),
            Figure(f"memory after {done:,} windows", after, "MB",
                   method=f"database {size.stat().st_size / 1e6:.0f} MB, nothing deleted from it"),
        ]  # fmt: skip


def measure(born: Sequence[Birth], tell: Callable[[str], None]) -> list[Figure]:
    """All figures of the validator."""
    tell("replays by workers")
    figures = replays(born)
    tell(f"a history of {HISTORY:,} windows")
    figures += long_history(tell)
    return [*figures, *daemon.measure(tell)]
