"""One chain and one deployment per test process; every test starts from the same state."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chainbeasts.backend.chain.anvil import Anvil
from chainbeasts.backend.chain.providers import make_web3
from tests.support import artifacts, books
from tests.support.arena import Bout, Fighter, hunter
from tests.support.gas_meter import GENESIS_TIMESTAMP
from tests.support.protocol import ETHER, Checkpoint, World
from tests.support.snapshots import go_back
from tests.support.steady import steady_anvil
from tests.support.training import Trainee


@pytest.fixture(scope="session")
def deployment(anvil_process: Anvil) -> World:
    """The protocol on a fresh chain."""
    return World.deploy(make_web3(anvil_process.url), artifacts.load())


@pytest.fixture
def world(deployment: World) -> Iterator[World]:
    """The fresh deployment; whatever the test does to it is accounted for, and undone."""
    snapshot = deployment.rpc("evm_snapshot")
    deployment.gas_spent.clear()
    yield deployment
    try:
        books.check(deployment)
    finally:
        go_back(deployment.rpc, snapshot)


@pytest.fixture
def owner(world: World) -> str:
    return world.accounts[1]


@pytest.fixture
def trainer(world: World) -> str:
    return world.accounts[2]


@pytest.fixture
def challenger(world: World) -> str:
    return world.accounts[3]


@pytest.fixture
def prover(world: World) -> str:
    return world.accounts[4]


@pytest.fixture
def stranger(world: World) -> str:
    return world.accounts[5]


@pytest.fixture
def beast(world: World, owner: str) -> int:
    return world.hatch(owner)


@pytest.fixture
def checkpoint(world: World, beast: int, owner: str) -> Checkpoint:
    """A pending public window that nobody trained."""
    return world.submit(beast, owner)


@pytest.fixture
def trainee(world: World, owner: str) -> Trainee:
    return Trainee.hatch(world, owner)


@pytest.fixture(scope="session")
def arranged() -> Iterator[Bout]:
    """A seeded match on a chain of its own, whose block hashes, hence DNA and seed, are always the
    same for the same contracts."""
    with steady_anvil("--timestamp", str(GENESIS_TIMESTAMP)) as anvil:
        w3 = make_web3(anvil.url)
        world = World.deploy(w3, artifacts.load())
        for account in world.accounts[1:6]:
            world.fund(account, 100 * ETHER, "arena")
        a, b = (Fighter.train(world, owner, hunter()) for owner in world.accounts[1:3])
        yield fought_out(world, a, b)


def fought_out(world: World, a: Fighter, b: Fighter) -> Bout:
    """A match that somebody wins before its turns are over, with no wall between the two."""
    while True:
        snapshot = world.rpc("evm_snapshot")
        bout = Bout.arrange(world, a, b)
        if bout.played.turns < world.season.rules.maxTurns - 5:
            return bout
        go_back(world.rpc, snapshot)
        world.mine()


@pytest.fixture
def bout(arranged: Bout) -> Iterator[Bout]:
    """The seeded match; whatever the test does is undone."""
    snapshot = arranged.world.rpc("evm_snapshot")
    yield arranged
    go_back(arranged.world.rpc, snapshot)
