"""What the page asks the API for, on a database of 1,000 beasts and 100,000 checkpoints."""

from __future__ import annotations

import json
import os
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from eth_hash.auto import keccak
from sqlalchemy import insert, text

from chainbeasts.backend.api.app import make_app
from chainbeasts.backend.api.follow import Follower
from chainbeasts.backend.api.limits import Limits
from chainbeasts.backend.api.places import States
from chainbeasts.backend.api.server import bind, make_server
from chainbeasts.backend.api.services import Services
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.deployment import Deployment
from chainbeasts.backend.chain.providers import make_web3
from chainbeasts.backend.chain.seasons import load_profile, season_table
from chainbeasts.backend.indexer.follow import Waker
from chainbeasts.backend.indexer.tallies import MICRO
from chainbeasts.backend.monitoring.health import Health
from chainbeasts.backend.nicknames import nickname
from chainbeasts.backend.store.facts import (
    BeastRow,
    BlockRow,
    CheckpointRow,
    CheckpointStatus,
    DisputeRow,
    EpochRow,
)
from chainbeasts.backend.store.governance import SeasonRow
from chainbeasts.backend.store.session import Database
from chainbeasts.backend.store.snapshots import reading_store
from scripts.lib.bench.beasts import Birth
from scripts.lib.bench.figures import Figure
from tests.support.postgres import database_on, find_binaries, shared_server

BEASTS, WINDOWS = 1_000, 100
PENDING = 20
"""Of each beast's windows, the last so many are not final."""

ASKED, REPEATED = 60, 5
LIMIT_MS = 20.0
OWNER = "0x" + "11" * 20
NOWHERE = "http://127.0.0.1:9"
BURN = 2_500_000_000_000_000_000
ZERO = bytes(32)


def _hash(*parts: int) -> bytes:
    return bytes(keccak(b"".join(part.to_bytes(32) for part in parts)))


def _status(index: int) -> CheckpointStatus:
    return CheckpointStatus.PENDING if index >= WINDOWS - PENDING else CheckpointStatus.FINAL


def _checkpoint(beast: int, index: int, epoch_windows: int) -> dict[str, Any]:
    return {
        "digest": _hash(beast, index, 4), "beast_id": beast, "index": index, "generation": 0,
        "parent": _hash(beast, index - 1) if index else _hash(beast),
        "epoch": index // epoch_windows, "h128": _hash(beast, index),
        "energy_burn": BURN * (1 + index // 25), "lr_shift": 9, "active_mask": 0x33,
        "global_step": 128 * (index + 1), "window_loss": 400_000 - 2_000 * index + beast,
        "source": index % 2, "source_id": 0, "season": 1, "trainer": OWNER,
        "submitted_at": 1_000 + index, "bond": 4 * BURN, "locked_sum": 5 * BURN * (index + 1),
        "epoch_seed": ZERO, "loss_drop": True, "proven": False, "status": _status(index),
        "settled_block": None, "proven_block": None, "block_number": index + 1,
        "tx_hash": _hash(beast, index, 1),
    }  # fmt: skip


def fill(database: Database) -> None:
    """Write beasts, checkpoints and a dispute for every tenth beast, as the indexer would."""
    season = load_profile("devnet").season
    epoch_windows = season.schedule.epoch_windows
    beasts = range(1, BEASTS + 1)
    epochs = range(1 + WINDOWS // epoch_windows)
    tables: list[tuple[Any, Iterable[dict[str, Any]]]] = [
        (BlockRow, ({"number": n, "hash": _hash(n), "parent_hash": _hash(n - 1),
                     "timestamp": 1_000 + n} for n in range(1, WINDOWS + 2))),
        (SeasonRow, [{"season": 1, "constants": json.dumps(season_table(season)),
                      "block_number": 1, "tx_hash": ZERO}]),
        (BeastRow, ({"beast_id": b, "owner": OWNER, "owner_key": OWNER, "dna": _hash(b),
                     "name_key": nickname(_hash(b)).lower(), "windows": WINDOWS,
                     "spent_micro": WINDOWS * BURN // MICRO, "epoch_seed": ZERO,
                     "season": 1, "block_number": 1} for b in beasts)),
        (EpochRow, ({"beast_id": b, "epoch": e, "epoch_seed": ZERO, "season": 1,
                     "start_index": e * epoch_windows} for b in beasts for e in epochs)),
        (CheckpointRow, (_checkpoint(b, i, epoch_windows)
                         for i in range(WINDOWS) for b in beasts)),
        (DisputeRow, ({"dispute_id": 1 + b // 10, "beast_id": b, "index": WINDOWS - 1,
                       "generation": 0, "digest": _hash(b, 2), "filer": OWNER, "bond": BURN,
                       "status": "filed", "missing": 1, "response_deadline": 9_999,
                       "segments": None, "steps_done": 0,
                       "conviction": None, "segment": None, "prover": None,
                       "block_number": WINDOWS, "tx_hash": _hash(b, 3)}
                      for b in beasts if b % 10 == 0)),
    ]  # fmt: skip
    for table, rows in tables:
        given = list(rows)
        for start in range(0, len(given), 5_000):
            with database.session() as session:
                session.execute(insert(table), given[start : start + 5_000])
    with database.session() as session:
        session.execute(text("ANALYZE"))  # as PostgreSQL does by itself within a minute


@contextmanager
def serving(database: Database, folder: Path) -> Iterator[str]:
    """The API over a database, on a free port; the address."""
    deployment = Deployment(31_337, "0x" + "00" * 32, "devnet", OWNER, 1)
    chain = Chain(make_web3(NOWHERE), NOWHERE, deployment)
    follower = Follower(chain, database, None, Waker(NOWHERE, 60.0), Health("api"))
    states = States(reading_store(folder / "states", []))
    services = Services(chain, database, states, folder, follower)
    listener, ready = bind(0), threading.Event()
    server = make_server(make_app(services, limits=Limits(rate=0)), ready.set)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        ready.wait(30)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def _seconds(address: str) -> float:
    """How long a request takes, its answer read."""
    begun = time.perf_counter()
    with urlopen(address) as answer:
        answer.read()
    return time.perf_counter() - begun


def typical(url: str, paths: Sequence[str]) -> float:
    """Milliseconds that a request takes: the fastest of some for each path, the median of paths."""
    for path in paths[:5]:
        _seconds(url + path)
    fastest = [min(_seconds(url + path) for _ in range(REPEATED)) for path in paths]
    return 1e3 * statistics.median(fastest)


def _figure(paths: Sequence[str], url: str, name: str, kind: str) -> Figure:
    return Figure(
        f"{name}, {kind}",
        typical(url, paths),
        "ms",
        LIMIT_MS,
        at_most=True,
        method="a whole HTTP request by one client on this machine; the fastest of "
        f"{REPEATED}, the median of {len(paths)} such; load {os.getloadavg()[0]:.1f}",
    )


def measure_on(url: str, kind: str, folder: Path, tell: Callable[[str], None]) -> list[Figure]:
    """The figures of one kind of database, which is filled first."""
    database = Database(url)
    tell(f"filling {kind} with {BEASTS * WINDOWS:,} checkpoints")
    fill(database)
    ids = random.Random(1).sample(range(1, BEASTS + 1), ASKED)
    with serving(database, folder) as at:
        figures = [
            _figure([f"/v1/beasts?limit=50&cursor={i - 50}" for i in ids if i > 50], at,
                       "a page of 50 beasts", kind),
            _figure([f"/v1/beasts/{i}" for i in ids], at, "one beast", kind),
            _figure([f"/v1/beasts/{i}/checkpoints?limit=50" for i in ids], at,
                       "50 checkpoints of a beast", kind),
            _figure([f"/v1/beasts/{i}/curve" for i in ids], at, "a beast's curve", kind),
        ]  # fmt: skip
    database.close()
    return figures


def measure(born: Sequence[Birth], tell: Callable[[str], None]) -> list[Figure]:
    """All figures of the API; PostgreSQL's only where it is installed."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        figures = measure_on(f"sqlite:///{folder}/api.sqlite3", "SQLite", folder, tell)
        binaries = find_binaries()
        if binaries is None:
            tell("PostgreSQL is not installed: not measured")
            return figures
        server = stack.enter_context(shared_server(folder, binaries))
        url = stack.enter_context(database_on(server))
        return figures + measure_on(url, "PostgreSQL", folder, tell)
