"""A chain with a bit of everything on it, indexed and served by the real server on a free port."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from chainbeasts.backend.accounts import devnet_account
from chainbeasts.backend.api.app import make_app
from chainbeasts.backend.api.follow import Follower
from chainbeasts.backend.api.limits import Limits
from chainbeasts.backend.api.places import States
from chainbeasts.backend.api.server import bind, make_server
from chainbeasts.backend.api.services import Services
from chainbeasts.backend.api.wallets import Wallets
from chainbeasts.backend.chain.anvil import Anvil
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.deploy import Deployer, prepare
from chainbeasts.backend.chain.seasons import add_season_call, load_profile, season_with
from chainbeasts.backend.chain.transactions import TransactionManager
from chainbeasts.backend.indexer.follow import Waker
from chainbeasts.backend.indexer.sync import Indexer
from chainbeasts.backend.kernel.board import word_bytes
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.monitoring.health import Health
from chainbeasts.backend.store.session import Database
from chainbeasts.backend.store.snapshots import SnapshotStore
from tests.support import artifacts
from tests.support.arena import Bout, Fighter, Record, hunter
from tests.support.patience import PATIENCE, eventually
from tests.support.postgres import database_url, postgres_server, postgres_url
from tests.support.protocol import (
    ETHER,
    ZERO32,
    ArenaTerms,
    Economics,
    Rules,
    Schedule,
    Season,
    World,
)
from tests.support.training import SALT, Dataset, Trainee, Window, add_one, opening

__all__ = ["database_url", "postgres_server", "postgres_url"]

LIE_STEP = 13
"""In the second segment of a window."""

RECORDS = Dataset.of([3 * n + 1 for n in range(11)])

CONTRACTS = {
    "seasons": "SeasonRegistry",
    "energy": "Energy",
    "beasts": "Beasts",
    "referee": "StepReferee",
    "stage": "DatasetStage",
    "states": "StateArchive",
    "records": "RecordArchive",
    "ledger": "CheckpointLedger",
    "match_referee": "MatchReferee",
    "arena": "Arena",
    "vault": "DisputeVault",
    "windows": "WindowReferee",
    "court": "DisputeCourt",
}


def world_of(chain: Chain) -> World:
    """A deployment as the contracts' tests see theirs."""
    season = chain.season(1)
    world = World(
        chain.w3,
        artifacts.load(),
        list(chain.w3.eth.accounts),
        season=Season(
            Rules(*season.rules.values()),
            Schedule(*season.schedule.values()),
            Economics(*season.economics.to_abi()),
            ArenaTerms(*season.arena.to_abi()),
        ),
    )
    addresses = chain.deployment.addresses
    world.contracts = {name: world.at(of, addresses[of]) for name, of in CONTRACTS.items()}
    for account in world.accounts[:8]:
        world.fund(account, 10_000 * ETHER)
        world.fund(account, 10_000 * ETHER, "arena")
    return world


@dataclass
class Served:
    """A running server and what it serves."""

    url: str
    services: Services

    def get(self, path: str, **options: Any) -> httpx.Response:
        """A request that follows no redirects and uses no proxy."""
        # To verify means to load every authority's certificate; this server speaks http.
        with httpx.Client(
            base_url=self.url, trust_env=False, verify=False, timeout=PATIENCE
        ) as client:
            return client.get(path, **options)

    def json(self, path: str) -> Any:
        """The document of a request that must succeed."""
        answer = self.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        return answer.json()

    def follow(self) -> None:
        """Read the chain to its head."""
        Indexer(self.services.chain, self.services.database).sync()

    def all(self, path: str, limit: int = 2) -> list[Any]:
        """A whole list, page by page."""
        mark = "&" if "?" in path else "?"
        found, cursor = [], ""
        while True:
            page = self.json(f"{path}{mark}limit={limit}{cursor}")
            assert len(page["items"]) <= limit
            found += page["items"]
            if page["next"] is None:
                return found
            cursor = f"&cursor={page['next']}"


@contextmanager
def serving(services: Services, **options: Any) -> Iterator[Served]:
    """The real server over some services, in a thread."""
    listener, ready = bind(0), threading.Event()
    server = make_server(make_app(services, **options), ready.set)
    # Who is slow here is well all the same, and no idle connection is closed under a slow reader.
    server.config.timeout_keep_alive = server.config.ws_ping_timeout = int(PATIENCE)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        assert ready.wait(PATIENCE)
        yield Served(f"http://127.0.0.1:{listener.getsockname()[1]}", services)
    finally:
        server.should_exit = True
        thread.join()


def services_of(
    chain: Chain, database: Database, folder: Path, *, follows: bool = True
) -> Services:
    """Services over a database; if they do not follow, others read the chain."""
    follower = Follower(
        chain,
        database,
        Indexer(chain, database) if follows else None,
        Waker(chain.rpc_url, 0.05),
        Health("api"),
    )
    states = States(SnapshotStore(folder / "states"))
    wallets = Wallets(PATIENCE)
    return Services(chain, database, states, folder / "bundles", follower, wallets=wallets)


@dataclass
class Scene:
    """What there is on the chain."""

    chain: Chain
    world: World
    folder: Path
    honest: Trainee
    liar: Trainee
    lie: Window
    secretive: Trainee
    revealed: Trainee
    opened: Trainee
    believed: Trainee
    doubted: Trainee
    fighters: tuple[Fighter, Fighter]
    bout: Bout
    states: list[Any] = field(default_factory=list)


def reveal(world: World, trainee: Trainee, challenger: str) -> None:
    """Train a private window, dispute it with its dataset, and open it."""
    window, data, court = trainee.train(Source.PRIVATE), trainee.dataset, world.court.functions
    assert data is not None
    record, beast = window.checkpoint, trainee.beast
    call = court.filePrivate(beast, record, data.blob, data.secret)
    receipt = world.send(call, challenger, world.opening_value(beast, record))
    dispute = int(world.logs("court", "DisputeFiled", receipt)[0]["disputeId"])
    trainee.open_all(dispute, window)


def play(chain: Chain, folder: Path) -> Scene:
    """Train, lie, prove, fight and propose."""
    world = world_of(chain)
    who = world.accounts
    honest = Trainee.hatch(world, who[1])
    first, second = honest.train(), honest.train(Source.SELF_PLAY)
    fighters = [Fighter.submit(world, who[n], hunter(), world.hatch(who[n])) for n in (1, 2)]
    believed = Trainee.hatch(world, who[1], RECORDS)
    unopened = believed.train(Source.PRIVATE)
    world.travel(world.season.economics.challengePeriod)
    world.finalize(honest.beast, first.checkpoint, second.checkpoint)
    for fighter in fighters:
        world.finalize(fighter.beast, fighter.checkpoint)
        world.publish_state(*opening(fighter.state), fighter.owner)
    world.finalize(believed.beast, unopened.checkpoint)
    believed.train()
    bout = Bout.arrange(world, fighters[0], fighters[1])
    false = Record((bout.truth.result + 1) % 3, bout.truth.words)
    bout.report(false, bout.reporter)
    last = len(false.words) - 1
    world.send(bout.turn_call(false, last), bout.challenger)
    bout.conclude(bout.reporter)

    honest.train()
    liar = Trainee.hatch(world, who[2])
    liar.train()
    lie = liar.train(tamper=(LIE_STEP, add_one))
    liar.train()
    liar.commit_proof(who[4], lie, LIE_STEP // 8)  # before the filing, so that it is paid
    liar.dispute(lie, who[3])
    world.send(liar.prove_call(1, lie, LIE_STEP // 8, salt=SALT), who[4])
    secretive = Trainee.hatch(world, who[1], RECORDS)
    secretive.train(Source.PRIVATE)
    doubted = Trainee.hatch(world, who[1])
    world.file(doubted.beast, doubted.train().checkpoint, who[3])
    revealed = Trainee.hatch(world, who[1], RECORDS)
    reveal(world, revealed, who[3])
    opened = Trainee.hatch(world, who[1], RECORDS)
    opened.dispute(opened.train(Source.PRIVATE), who[3])
    world.send(doubted.advance_call(2, doubted.windows[0], 0, 8), who[5])
    season = season_with(chain.season(1), ["block_gain=40", "base_cost=0.002"])
    world.send(
        chain.timelock.functions.schedule(
            chain.seasons.address, 0, add_season_call(chain, season), ZERO32, ZERO32, 3_600
        ),
        who[0],
    )
    for timeout in (False, True):  # four windows are an epoch
        beast = world.hatch(who[1])
        records = [world.submit(beast, who[1]) for _ in range(4)]
        if timeout:
            world.slash_by_timeout(beast, records[2], records[1])
    scene = Scene(
        chain, world, folder, honest, liar, lie, secretive, revealed, opened, believed, doubted,
        (fighters[0], fighters[1]), bout,
    )  # fmt: skip
    store = SnapshotStore(folder / "states")
    for window in honest.windows:
        store.put(window.end)
    for fighter in fighters:
        store.put(fighter.state)
    return scene


@pytest.fixture(scope="package")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A chain of the API's tests' own; tests may add to it and take nothing back."""
    folder = tmp_path_factory.mktemp("api")
    with Anvil() as anvil:
        account, devnet = devnet_account(0), load_profile("devnet")
        # Windows that no slow machine waits out between two moves of the play.
        economics = replace(
            devnet.season.economics,
            challenge_period=1_800,
            response_window=1_800,
            proof_window=3_600,
        )
        arena = replace(devnet.season.arena, disproof_period=1_800, record_window=7_200)
        season = replace(devnet.season, economics=economics, arena=arena)
        profile = replace(devnet, season=season)
        chain = prepare(anvil.url, folder / "deployments", profile, account.address, fresh=True)
        sender = TransactionManager(chain, account, folder / "locks")
        for _ in Deployer(chain, sender, profile, folder / "deployments").run():
            pass
        yield play(chain, folder)


@pytest.fixture(scope="module")
def served(scene: Scene) -> Iterator[Served]:
    """The scene's server, at the chain's head."""
    database = Database(f"sqlite:///{scene.folder}/served.sqlite3")
    services = services_of(scene.chain, database, scene.folder)
    assert services.follower is not None
    Indexer(scene.chain, database).sync()
    with serving(services, limits=Limits(rate=0)) as found:
        eventually(lambda: services.follower.schedulers)  # what a first pass asks the node for
        yield found
    database.close()


def spell(data: bytes) -> str:
    """Bytes as the API spells them."""
    return "0x" + data.hex()


def word_of(word: int) -> str:
    """A board word as the API spells it."""
    return spell(word_bytes(word))
