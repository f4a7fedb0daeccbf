"""What a validator can watch: replays by workers, memory over a long history, lag of a crowd."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from eth_hash.auto import keccak
from hexbytes import HexBytes
from web3.types import TxParams

from backend.accounts import devnet_account
from backend.chain.client import Chain
from backend.chain.escrow import ensure_allowance, ensure_escrow
from backend.chain.transactions import TransactionManager
from backend.chain.types import NO_CHECKPOINT, CheckpointPayload, Commitments
from backend.indexer.follow import Waker
from backend.kernel.samples import Source
from backend.kernel.state import State, state_hash
from backend.kernel.window import genesis_state, open_window
from backend.kernels import kernel_for
from backend.settings import load_settings
from backend.store.facts import BeastRow, BlockRow, CheckpointRow, CheckpointStatus
from backend.store.session import Database
from scripts.lib.bench.beasts import ALL_AWAKE, RULES, Birth, context, hatchery
from scripts.lib.bench.figures import Figure
from trainer.train.windows import read_window_start, train_window
from validator.enforce.policy import Policy
from validator.judge.cluster import Cluster, ClusterExecutor
from validator.judge.executors import InlineExecutor, make_executor
from validator.judge.jobs import JobStore
from validator.judge.replay import Window, judge_fast
from validator.judge.windows import WindowJudge
from validator.judge.worklist import PendingWindows
from validator.operations.metrics import ValidatorMetrics
from validator.setup import make_validator, open_workspace

ROOT = Path(__file__).resolve().parents[3]
REPLAYED = 4_000
BATCH = 1_000
HISTORY, HISTORY_BEASTS = 50_000, 250
CROWD = 1_000
BUSY_BLOCKS = 100
ENERGY = 10**18


def windows_of(birth: Birth, count: int) -> list[Window]:
    """Consecutive honest curriculum windows of one beast, every slot awake."""
    found, parent, ctx = [], genesis_state(1, birth.dna), context(birth, 1_999, Source.CURRICULUM)
    for index in range(count):
        state = open_window(parent, ALL_AWAKE)
        kernel_for(ALL_AWAKE).run(ctx, state)
        header = state.header
        payload = CheckpointPayload(
            31, state_hash(state), 1, ctx.lr_shift, ALL_AWAKE, header.global_step,
            header.window_loss, Source.CURRICULUM,
        )  # fmt: skip
        before = state_hash(parent) if index else bytes(32)
        record = replace(NO_CHECKPOINT, index=index, parent=before, payload=payload)
        found.append(Window(1, record, ctx, parent))
        parent = state
    return found


def throughput(executor: Executor, windows: Sequence[Window], workers: int) -> float:
    """Windows a second, the states sent to the workers and back."""
    warm = [executor.submit(judge_fast, windows[0]) for _ in range(64 * workers)]
    for future in warm:
        future.result()
    begun, done = time.perf_counter(), 0
    while done < REPLAYED:
        wave = [executor.submit(judge_fast, one) for one in (list(windows) * 4)[:BATCH]]
        for future in wave:
            future.result()
        done += len(wave)
    return done / (time.perf_counter() - begun)


@contextmanager
def dask(workers: int) -> Iterator[Executor]:
    """An executor on a scheduler with that many worker processes of one thread."""
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
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
        from distributed import Client

        with Client(address, timeout=30, set_as_default=False) as client:  # type: ignore[no-untyped-call]
            client.wait_for_workers(workers, timeout=30)
        executor = ClusterExecutor(Cluster(address, 0.0), InlineExecutor(), lambda h: None)
        stack.callback(executor.shutdown)
        yield executor


def replays(born: Sequence[Birth]) -> list[Figure]:
    """Windows a second by one and by two workers."""
    windows, figures = windows_of(born[0], 256), []
    for workers in (1, 2):
        pool = make_executor(workers)
        figures.append(
            Figure(f"replays, {workers} local worker{'s' * (workers > 1)}",
                   throughput(pool, windows, workers), "windows/s",
                   method=f"process pool, parent's state sent, end's sent back; {os.cpu_count()} "
                   f"cores, load {os.getloadavg()[0]:.1f}")
        )  # fmt: skip
        pool.shutdown()
    for workers in (1, 2):
        with dask(workers) as cluster:
            figures.append(
                Figure(f"replays, {workers} dask worker{'s' * (workers > 1)}",
                       throughput(cluster, windows, workers), "windows/s",
                       method="scheduler and workers on this machine, in batches of 32, states "
                       f"sent both ways; load {os.getloadavg()[0]:.1f}")
            )  # fmt: skip
    return figures


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
                    BeastRow(beast_id=beast, owner="0x" + "11" * 20, dna=dna,
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
                   "would, nothing published, so each window's end is kept on disk; "
                   f"load {os.getloadavg()[0]:.1f}"),
            Figure("memory after a tenth of it", start, "MB", method="resident, whole process"),
            Figure(f"memory after {done:,} windows", after, "MB",
                   method=f"database {size.stat().st_size / 1e6:.0f} MB, nothing deleted from it"),
        ]  # fmt: skip


# --- a crowd of beasts ---------------------------------------------------------------------------


class Load:
    """One account that owns many beasts and submits windows by an unlocked account of the node."""

    def __init__(self, chain: Chain, sender: TransactionManager) -> None:
        self.chain = chain
        self._base: TxParams = {"from": sender.address, "gas": 2_000_000}
        ensure_allowance(chain, sender, chain.beasts, 1_000 * ENERGY)
        ensure_escrow(chain, sender, 1_000_000 * ENERGY)
        self._states: dict[int, State] = {}

    def hatch(self, count: int) -> None:
        """Hatch that many beasts."""
        beasts = self.chain.beasts.functions
        for start in range(1, count + 1, 100):
            some = range(start, min(start + 100, count + 1))
            asked = [beasts.requestHatch(*Commitments().to_abi()) for _ in some]
            self._mined([call.transact(self._base) for call in asked])
            self._mined([beasts.hatch(beast).transact(self._base) for beast in some])

    def train(self, beast: int) -> Any:
        """The call that submits a beast's next window."""
        chain = self.chain
        store: Any = _Held(self._states.get(beast))
        start = read_window_start(chain, store, beast, Source.CURRICULUM)
        burn, _ = chain.quote(beast, start.head.active_mask)
        window = train_window(start, start.head.active_mask, burn)
        self._states[beast] = window.end
        submit = chain.ledger.functions.submit
        return submit(beast, start.head.h128, window.epoch_seed, window.payload.to_abi())

    def send(self, calls: Sequence[Any]) -> float:
        """Submit windows; the seconds that took."""
        begun = time.perf_counter()
        self._mined([call.transact(self._base) for call in calls])
        return time.perf_counter() - begun

    def _mined(self, sent: Sequence[HexBytes]) -> None:
        """Wait for one account's transactions."""
        for last in sent[-1:]:
            self.chain.w3.eth.wait_for_transaction_receipt(last, poll_latency=0.01)


class _Held:
    """A beast's head, in the place of a store of states."""

    folder = Path()

    def __init__(self, state: State | None) -> None:
        self._state = state

    def get(self, h: bytes) -> State | None:
        return self._state


def crowd(tell: Callable[[str], None]) -> list[Figure]:
    """How far a watching validator falls behind a chain with many beasts."""
    with hatchery() as (chain, _), tempfile.TemporaryDirectory() as folder:
        settings = load_settings(home=Path(folder), rpc_url=chain.rpc_url)
        sender = TransactionManager(chain, devnet_account(0), Path(folder) / "locks")
        mint = chain.energy.functions.mint(sender.address, 1_001_000 * ENERGY)
        sender.send(mint, label="mint")
        load = Load(chain, sender)
        load.hatch(CROWD)
        tell(f"{CROWD:,} beasts hatched; training a window of each")
        calls = [load.train(beast) for beast in range(1, CROWD + 1)]
        daemon = make_validator(
            open_workspace(settings, chain),
            None,
            policy=Policy(),
            workers=0,
            monitor=ValidatorMetrics(),
            waker=Waker(chain.rpc_url, 1.0),
        )
        seconds = {}

        def once(name: str) -> None:
            begun = time.perf_counter()
            daemon.run_once()
            seconds[name] = time.perf_counter() - begun

        once("hatches")
        load.send(calls)
        first = chain.block().number
        once("burst")
        once("idle")
        worst, blocks = 0.0, 0
        for start in range(1, BUSY_BLOCKS + 1, 10):
            load.send([load.train(beast) for beast in range(start, start + 10)])
            once("ten")
            worst, blocks = max(worst, seconds["ten"]), blocks + 10
        jobs = JobStore(open_workspace(settings, chain).database).counts()
        if jobs != {"valid": CROWD + blocks}:
            raise AssertionError(f"not every window was found valid: {jobs}")
        daemon.close()
        return [
            Figure("caught up with a burst, 1,000 beasts", seconds["burst"], "s",
                   method=f"one window of each of {CROWD:,} beasts in {CROWD:,} blocks up to "
                   f"{first}, read and judged in one process; load {os.getloadavg()[0]:.1f}"),
            Figure("read and judged in that time", CROWD / seconds["burst"], "windows/s",
                   method=f"so many blocks a second, too; the {2 * CROWD:,} hatches before took "
                   f"{seconds['hatches']:.1f} s to read"),
            Figure("a pass with nothing new, 1,000 beasts pending", seconds["idle"] * 1e3, "ms"),
            Figure("longest lag, ten blocks with a window each", worst, "s",
                   method=f"from the last block to its verdict, {blocks} blocks ten at a time"),
        ]  # fmt: skip


def measure(born: Sequence[Birth], tell: Callable[[str], None]) -> list[Figure]:
    """All figures of the validator."""
    tell("replays by workers")
    figures = replays(born)
    tell(f"a history of {HISTORY:,} windows")
    figures += long_history(tell)
    tell(f"a chain with {CROWD:,} beasts")
    return [*figures, *crowd(tell)]
