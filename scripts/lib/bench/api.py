"""What the page asks the API for, on a database of 1,000 beasts and 100,000 checkpoints."""

from __future__ import annotations

import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from urllib.request import urlopen

from chainbeasts.backend.store.session import Database
from scripts.lib.bench.beasts import Birth
from scripts.lib.bench.figures import Figure
from scripts.lib.bench.world import Size, fill, serving
from tests.support.postgres import database_on, find_binaries, shared_server

SIZE = Size(beasts=1_000, windows=100)
ASKED, REPEATED = 60, 5
LIMIT_MS = 20.0


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
    tell(f"filling {kind} with {SIZE.beasts * SIZE.windows:,} checkpoints")
    fill(database, SIZE)
    ids = random.Random(1).sample(range(1, SIZE.beasts + 1), ASKED)
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
