"""Fixtures for all tests: hypothesis profiles, one real Anvil per test process, a deployment."""

from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers

from chainbeasts.backend.accounts import devnet_account
from chainbeasts.backend.chain import anvil as devnet
from chainbeasts.backend.chain import clock, lines
from chainbeasts.backend.chain.anvil import Anvil, rpc
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.deploy import Deployer, prepare
from chainbeasts.backend.chain.seasons import load_profile
from chainbeasts.backend.chain.transactions import TransactionManager
from chainbeasts.backend.store import session
from chainbeasts.trainer.datasets import hdf5
from tests.support.engines import create_sharing
from tests.support.forked import Program
from tests.support.patience import PATIENCE
from tests.support.ports import free_port
from tests.support.snapshots import go_back
from tests.support.steady import steady_anvil

# For a machine that runs many tests at once.
devnet.free_port = free_port
devnet.START_SECONDS = devnet.STOP_SECONDS = devnet.RPC_SECONDS = PATIENCE
lines.STEP_SECONDS = clock.CALL_SECONDS = PATIENCE
session.BUSY_SECONDS = session.CONNECT_SECONDS = int(PATIENCE)
session.create_engine = create_sharing
hdf5.CHILD_SECONDS = PATIENCE

GC_THRESHOLD = 10_000
"""New objects before the young ones are looked through; seven hundred is Python's own number."""

WORKER = "PYTEST_XDIST_WORKER"
NIGHTLY = os.environ.get("CHAINBEASTS_NIGHTLY") == "1"

# By itself hypothesis draws some of its values from constants in whichever of our modules have been
# imported by then: a test's examples would depend on the files that its worker had before. So there
# are none of them; those that hypothesis brings along stay.
assert callable(providers._get_local_constants)
providers._get_local_constants = providers.Constants

settings.register_profile(
    "default",
    derandomize=True,
    deadline=None,
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.register_profile("nightly", settings.get_profile("default"), max_examples=1000)
settings.load_profile("nightly" if NIGHTLY else "default")


LONG = (
    "wheel",
    "e2e",
    "kills",
    "examples",
    "validator",
    "browser",
    "trainer",
    "indexer",
    "cli",
    "api",
)
"""Folders whose tests wait for chains and processes: begun first, so that none runs on alone."""


gc.disable()
"""Nothing that is imported or collected is garbage, and it is looked through again and again."""


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    """Leave all that is there alone for good, and collect among the tests' own things."""
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long folders first; within a file the order stays.

    Raises:
        RuntimeError: tests share an id; xdist would run one of them and be green.
    """
    shared = [one for one, times in Counter(item.nodeid for item in items).items() if times > 1]
    if shared:
        raise RuntimeError(f"Tests that share an id, of which xdist runs one: {shared}")
    rank = {folder: place for place, folder in enumerate(LONG)}
    root = Path(__file__).parent

    def place(item: pytest.Item) -> tuple[int, tuple[str, ...]]:
        parts = item.path.relative_to(root).parts
        return rank.get(parts[0], len(LONG)), parts

    items.sort(key=place)


class Shared(pytest.Dir):
    """A folder that several workers collect at once, each beginning with another part of it.

    All of them need all files, and whoever imports one first keeps its assertions rewritten for the
    others. In one order all would rewrite each file at the same moment, for half of their time.
    """

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        found = list(super().collect())
        workers = int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
        begin = len(found) * int(os.environ[WORKER].removeprefix("gw")) // workers
        return found[begin:] + found[:begin]


def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Each folder of tests, as xdist's workers collect it."""
    return Shared.from_parent(parent, path=path) if WORKER in os.environ else None


@pytest.fixture(scope="session")
def nightly() -> bool:
    """Whether the long settings are asked for (CHAINBEASTS_NIGHTLY=1)."""
    return NIGHTLY


@pytest.fixture(scope="session")
def anvil_process() -> Iterator[Anvil]:
    """One Anvil child for this test process, on a free port."""
    with steady_anvil() as child:
        yield child


@pytest.fixture
def anvil(anvil_process: Anvil) -> Iterator[Anvil]:
    """The process's Anvil; whatever the test does to the chain is undone after it."""
    snapshot = rpc(anvil_process.url, "evm_snapshot")
    yield anvil_process
    go_back(partial(rpc, anvil_process.url), snapshot)


@pytest.fixture(autouse=True)
def logs() -> Iterator[None]:
    """Logs as the library has them; commands leave theirs on a stream that is closed soon."""
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()  # before fixtures of the next module


@pytest.fixture(scope="session")
def deployed(anvil_process: Anvil, tmp_path_factory: pytest.TempPathFactory) -> tuple[Chain, Path]:
    """The contracts with the devnet's season, and the folder of their record."""
    folder = tmp_path_factory.mktemp("deployments")
    account, profile = devnet_account(0), load_profile("devnet")
    chain = prepare(anvil_process.url, folder, profile, account.address, fresh=True)
    sender = TransactionManager(chain, account, folder / "locks")
    for _ in Deployer(chain, sender, profile, folder).run():
        pass
    return chain, folder


@pytest.fixture(scope="session")
def program() -> Iterator[Program]:
    """The loaded program of this test process, from which commands fork."""
    made = Program()
    yield made
    made.end()
