"""The whole daemon on a chain with many beasts: windows read, judged and recorded a second.

The daemon is a process of its own, which this one tells when to work. Alone, or in an older
checkout: ``python -m scripts.lib.bench.daemon --help``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import httpx

from chainbeasts.backend.accounts import devnet_account
from chainbeasts.backend.chain.anvil import Anvil, rpc
from chainbeasts.backend.chain.client import Chain, connect
from chainbeasts.backend.chain.deploy import Deployer, prepare
from chainbeasts.backend.chain.deployment import Deployment
from chainbeasts.backend.chain.escrow import ensure_allowance, ensure_escrow
from chainbeasts.backend.chain.seasons import load_profile
from chainbeasts.backend.chain.transactions import TransactionManager
from chainbeasts.backend.chain.types import CheckpointPayload, Commitments
from chainbeasts.backend.cli.ending import spare_collector
from chainbeasts.backend.indexer.follow import Waker
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.state import State, state_hash
from chainbeasts.backend.kernel.window import WindowContext, genesis_state, open_window
from chainbeasts.backend.kernels import kernel_for
from chainbeasts.backend.logs import configure_logging
from chainbeasts.backend.settings import load_settings
from chainbeasts.validator.enforce.policy import Policy
from chainbeasts.validator.judge.jobs import JobStore
from chainbeasts.validator.operations.metrics import ValidatorMetrics
from chainbeasts.validator.setup import make_validator, open_workspace
from scripts.lib.bench.figures import Figure

ROOT = Path(__file__).resolve().parents[3]
BEASTS = 1_000
WORKERS = 2
ROUNDS = 4
"""Times that every beast submits a window, one a transaction, and the daemon follows."""

HISTORY = 16_000
"""Windows that a daemon with an empty database catches up with, eight a transaction."""

BATCH = 8
EPOCH_WINDOWS = 64
ENERGY, WEEK = 10**18, 7 * 86_400
GWEI = 10**9
CALLS_AT_ONCE = 200


@dataclass
class Pupil:
    """A beast in training."""

    beast_id: int
    state: State
    head: bytes
    mask: int
    ctx: WindowContext
    burn: int
    done: int = 0


class Stage:
    """A chain with many beasts of one account, whose windows go in by unlocked transactions."""

    def __init__(self, folder: Path, node: Anvil, beasts: int) -> None:
        profile = load_profile("devnet")
        season = profile.season
        season = replace(
            season,
            schedule=replace(season.schedule, epoch_windows=EPOCH_WINDOWS),
            economics=replace(season.economics, challenge_period=WEEK, publication_age=60 * 86_400),
        )
        account = devnet_account(0)
        profile = replace(profile, season=season)
        self.chain = chain = prepare(node.url, folder, profile, account.address, fresh=True)
        sender = TransactionManager(chain, account, folder / "locks")
        for _ in Deployer(chain, sender, profile, folder).run():
            pass
        self._sender = sender.address
        self._schedule = season.schedule
        self._http = httpx.Client(timeout=120)
        fortune = 10**9 * ENERGY
        sender.send(chain.energy.functions.mint(sender.address, 2 * fortune), label="mint")
        ensure_allowance(chain, sender, chain.beasts, fortune)
        ensure_escrow(chain, sender, fortune)
        rpc(node.url, "anvil_setBalance", self._sender, hex(10**24))
        self.pupils = self._hatch(beasts)

    def _hatch(self, count: int) -> list[Pupil]:
        chain, beasts = self.chain, self.chain.beasts.functions
        nothing = Commitments().to_abi()
        self._send([beasts.requestHatch(*nothing)] * count)
        self._send([beasts.hatch(beast) for beast in range(1, count + 1)])
        stake = 4 * chain.required_stake(1)
        ids = range(1, count + 1)
        self._send([chain.ledger.functions.stake(beast) for beast in ids], stake)
        burns: dict[int, int] = {}
        pupils = []
        for beast in ids:
            birth = chain.birth(beast)
            state = genesis_state(beast, birth.dna)
            mask = state.header.active_mask
            if mask not in burns:
                burns[mask] = chain.quote(beast, mask)[0]
            ctx = chain.window_context(beast, epoch=0, source=Source.CURRICULUM)
            head = chain.head(beast).h128
            pupils.append(Pupil(beast, state, head, mask, ctx, burns[mask]))
        return pupils

    def submit(self, each: int) -> int:
        """So many more windows of every beast, in one transaction for each; how many in all."""
        self._send([self._train(pupil, each) for pupil in self.pupils])
        return each * len(self.pupils)

    def _train(self, pupil: Pupil, count: int) -> Any:
        epoch, place = divmod(pupil.done, EPOCH_WINDOWS)
        if place + count > EPOCH_WINDOWS:
            raise ValueError("a transaction's windows are of one epoch")
        if pupil.done and place == 0:
            source = Source.CURRICULUM
            pupil.ctx = self.chain.window_context(pupil.beast_id, epoch=epoch, source=source)
        head, payloads = pupil.head, []
        for index in range(pupil.done, pupil.done + count):
            state = open_window(pupil.state, pupil.mask, pupil.head if index else None)
            kernel_for(pupil.mask).run(pupil.ctx, state)
            pupil.state, pupil.head = state, state_hash(state)
            header = state.header
            payloads.append(
                CheckpointPayload(epoch, pupil.head, pupil.burn, pupil.ctx.lr_shift, pupil.mask,
                                  header.global_step, header.window_loss, Source.CURRICULUM)
            )  # fmt: skip
        pupil.done += count
        functions = self.chain.ledger.functions
        place_of = (pupil.beast_id, head, pupil.ctx.epoch_seed)
        if count == 1:
            return functions.submit(*place_of, payloads[0].to_abi(), False)
        return functions.submitBatch(*place_of, [one.to_abi() for one in payloads], False)

    def _send(self, calls: Sequence[Any], value: int = 0) -> None:
        """Mine transactions in full blocks, at a base fee that stays."""
        url = self.chain.rpc_url
        rpc(url, "evm_setAutomine", False)
        nonce = int(str(rpc(url, "eth_getTransactionCount", self._sender, "latest")), 16)
        for start in range(0, len(calls), CALLS_AT_ONCE):
            some = [
                {
                    "from": self._sender,
                    "to": call.address,
                    "data": call._encode_transaction_data(),
                    "gas": hex(200_000 + 60_000 * BATCH),
                    "gasPrice": hex(2 * GWEI),
                    "value": hex(value),
                    "nonce": hex(number),
                }
                for number, call in enumerate(calls[start : start + CALLS_AT_ONCE], nonce + start)
            ]
            sent = [
                {"jsonrpc": "2.0", "id": n, "method": "eth_sendTransaction", "params": [one]}
                for n, one in enumerate(some)
            ]
            answers = self._http.post(url, json=sent).json()
            for answer in answers:
                if "error" in answer:
                    raise RuntimeError(f"a transaction was refused: {answer['error']}")
            while int(str(_pool(url)["pending"]), 16):
                rpc(url, "anvil_setNextBlockBaseFeePerGas", hex(GWEI))
                rpc(url, "anvil_mine", "0x1", timeout=60.0)
        rpc(url, "evm_setAutomine", True)


def _pool(url: str) -> dict[str, object]:
    found = rpc(url, "txpool_status")
    assert isinstance(found, dict)
    return found


# --- the daemon, as a process --------------------------------------------------------------------


class Daemon:
    """A watching daemon in a process of its own."""

    def __init__(self, url: str, home: Path, workers: int) -> None:
        command = [sys.executable, "-m", __spec__.name if __spec__ else __name__, "--serve", url]
        command += ["--home", str(home), "--workers", str(workers)]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)

    def work(self) -> dict[str, Any]:
        """Have it work until nothing is left; what it took."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the daemon ended")
        found: dict[str, Any] = json.loads(line)
        return found


def serve(url: str, home: Path, workers: int) -> None:
    """Be the daemon: a line in, a run, a line out."""
    configure_logging("warning")
    settings = load_settings(home=home, rpc_url=url)
    w3 = connect(url)
    deployment = Deployment.load(settings.deployments_dir, w3.eth.chain_id)

    chain = Chain(w3, url, deployment)
    workspace = open_workspace(settings, chain)
    daemon = make_validator(
        workspace,
        None,
        policy=Policy(),
        workers=workers,
        monitor=ValidatorMetrics(),
        waker=Waker(chain.rpc_url, 1.0),
    )
    jobs = JobStore(workspace.database)
    spare_collector()  # as the command does
    for _ in sys.stdin:
        memory = Memory()
        begun, burnt = time.perf_counter(), cpu()
        daemon.run_once()
        seconds = time.perf_counter() - begun
        told = {"seconds": seconds, "cpu": cpu() - burnt, "jobs": dict(jobs.counts()),
                "memory": memory.stop()}  # fmt: skip
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
    daemon.close()


def cpu() -> float:
    """Processor time of this process, seconds."""
    return time.process_time()


class Memory:
    """Resident memory of this process and its children, MB, looked at now and then."""

    def __init__(self) -> None:
        self._found = [resident()]
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._stopped.wait(0.25):
            self._found.append(resident())

    def stop(self) -> list[float]:
        """Stop looking; all that was seen."""
        self._stopped.set()
        self._thread.join()
        return [*self._found, resident()]


def resident() -> float:
    """What this process and its children have in memory, shared pages once for each, MB."""
    me = os.getpid()
    pids = [me]
    children = Path(f"/proc/{me}/task/{me}/children")
    if children.exists():
        pids += [int(pid) for pid in children.read_text("ascii").split()]
    total = 0
    for pid in pids:
        try:
            total += int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
        except OSError:
            continue
    return total * os.sysconf("SC_PAGE_SIZE") / 1e6


# --- figures -------------------------------------------------------------------------------------


@contextmanager
def stage(beasts: int) -> Iterator[tuple[Stage, Path]]:
    """A chain, and a folder on disk for the homes of daemons."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        node = Anvil(extra=("--order", "fifo"))
        with node:
            yield Stage(place / "chain", node, beasts), place


def home_of(made: Stage, folder: Path, name: str) -> Path:
    """A home that has nothing but the deployment's record."""
    home = folder / name
    (home / "deployments").mkdir(parents=True)
    for record in (folder / "chain").glob("*.json"):
        (home / "deployments" / record.name).write_bytes(record.read_bytes())
    return home


def following(made: Stage, folder: Path, workers: int, rounds: int) -> list[Figure]:
    """A daemon that follows a chain on which every beast submits a window at a time."""
    spent = burnt = done = 0.0
    with Daemon(made.chain.rpc_url, home_of(made, folder, "following"), workers) as daemon:
        read = daemon.work()
        for _ in range(rounds):
            done += made.submit(1)
            found = daemon.work()
            spent += found["seconds"]
            burnt += found["cpu"]
        if found["jobs"] != {"valid": done}:
            raise AssertionError(f"not every window was found valid: {found['jobs']}")
        idle = daemon.work()
    crowd = f"{len(made.pupils):,} beasts"
    return [
        Figure(f"windows read, judged and recorded, {crowd}", done / spent, "windows/s",
               target=2_000,
               method=f"from a node, {rounds} rounds of one window of every beast, one a "
               f"transaction, nothing published; database and states on disk; {workers} workers, "
               f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"),
        Figure("processor time of that", burnt / done * 1e6, "µs/window",
               method="the daemon's, its threads' included"),
        Figure(f"a pass with nothing new, {crowd}", idle["seconds"] * 1e3, "ms",
               method=f"{done:,.0f} windows pending; reading {3 * len(made.pupils):,} transactions "
               f"of hatching took {read['seconds']:.1f} s"),
    ]  # fmt: skip


def catching_up(made: Stage, folder: Path, workers: int, windows: int) -> list[Figure]:
    """A daemon that comes to a chain with a history."""
    before = sum(pupil.done for pupil in made.pupils)
    while sum(pupil.done for pupil in made.pupils) < windows + before:
        left = EPOCH_WINDOWS - made.pupils[0].done % EPOCH_WINDOWS
        made.submit(min(BATCH, left))
    total = sum(pupil.done for pupil in made.pupils)
    with Daemon(made.chain.rpc_url, home_of(made, folder, "late"), workers) as daemon:
        found = daemon.work()
    if found["jobs"] != {"valid": total}:
        raise AssertionError(f"not every window was found valid: {found['jobs']}")
    memory: list[float] = found["memory"]
    early, late = memory[: len(memory) // 4 + 1], memory[len(memory) // 4 :]
    return [
        Figure(f"catching up with {total:,} windows", total / found["seconds"], "windows/s",
               target=1_000,
               method=f"an empty database, {len(made.pupils):,} beasts, up to {BATCH} windows a "
               f"transaction; {workers} workers, {found['cpu'] / total * 1e6:.0f} µs of processor "
               f"time a window, load {os.getloadavg()[0]:.1f}"),
        Figure("most memory in the first quarter of that time", max(early), "MB",
               method="resident, daemon and workers"),
        Figure("most memory after it", max(late), "MB"),
    ]  # fmt: skip


def measure(
    tell: Callable[[str], None],
    *,
    beasts: int = BEASTS,
    workers: int = WORKERS,
    rounds: int = ROUNDS,
    windows: int = HISTORY,
) -> list[Figure]:
    """All figures of the daemon."""
    tell(f"a chain with {beasts:,} beasts")
    with stage(beasts) as (made, folder):
        figures = []
        if rounds:
            tell(f"{rounds} rounds of windows")
            figures += following(made, folder, workers, rounds)
        if windows:
            tell(f"a history of {windows:,} windows")
            figures += catching_up(made, folder, workers, windows)
        return figures


def main() -> int:
    """Measure with other numbers, or be the daemon that is measured."""
    parser = argparse.ArgumentParser(prog="python -m scripts.lib.bench.daemon")
    parser.add_argument("--beasts", type=int, default=BEASTS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--windows", type=int, default=HISTORY, help="to catch up with")
    parser.add_argument("--workers", type=int, default=WORKERS)
    parser.add_argument("--serve", metavar="URL", help="be the daemon that is measured")
    parser.add_argument("--home", type=Path)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve, options.home, options.workers)
        return 0

    def tell(text: str) -> None:
        sys.stderr.write(f"[bench] {text}\n")

    configure_logging("warning")
    found = measure(
        tell,
        beasts=options.beasts,
        workers=options.workers,
        rounds=options.rounds,
        windows=options.windows,
    )
    for figure in found:
        sys.stdout.write(f"{figure.name}: {figure.shown}  ({figure.method})\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
