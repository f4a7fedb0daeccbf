"""A chain that each module drives forward and back, indexed into databases of each test's own."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from web3.exceptions import ContractLogicError

from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.deployment import Deployment
from chainbeasts.backend.chain.providers import make_web3
from chainbeasts.backend.indexer.sync import Indexer
from chainbeasts.backend.store.energy import EnergySaleRow, HatchRequestRow
from chainbeasts.backend.store.facts import (
    AdvanceRow,
    BeastRow,
    BlockRow,
    CheckpointRow,
    DisputeRow,
    EpochRow,
    EventRow,
    PublishedRecordsRow,
    PublishedStateRow,
    RevealedDatasetRow,
    RevealedSecretRow,
    StakeRewardRow,
    StakeRow,
    VaultCreditRow,
)
from chainbeasts.backend.store.governance import ProposalRow, SeasonRow
from chainbeasts.backend.store.matches import MatchRecordRow, MatchRow, OpenChallengeRow
from chainbeasts.backend.store.session import Database
from tests.support import artifacts
from tests.support.postgres import database_url, postgres_server, postgres_url
from tests.support.protocol import (
    NO_CHECKPOINT,
    ZERO_ADDRESS,
    Checkpoint,
    RevertedError,
    World,
)
from tests.support.snapshots import settled
from tests.support.steady import steady_anvil

__all__ = ["database_url", "postgres_server", "postgres_url"]

TABLES: tuple[Any, ...] = (
    BeastRow,
    EpochRow,
    CheckpointRow,
    DisputeRow,
    AdvanceRow,
    PublishedStateRow,
    PublishedRecordsRow,
    RevealedSecretRow,
    RevealedDatasetRow,
    StakeRow,
    StakeRewardRow,
    VaultCreditRow,
    EnergySaleRow,
    HatchRequestRow,
    MatchRow,
    MatchRecordRow,
    OpenChallengeRow,
    SeasonRow,
    ProposalRow,
    EventRow,
)
Facts = dict[str, list[tuple[Any, ...]]]


def facts(database: Database) -> Facts:
    """All that was indexed, without row numbers and without headers that may or may not stay."""
    found: Facts = {}
    with database.session() as session:
        for table in TABLES:
            columns = [c for c in table.__table__.columns if c.name != "id"]
            rows = map(tuple, session.execute(select(*columns)))
            found[table.__tablename__] = sorted(rows, key=repr)
        blocks = select(BlockRow.number, BlockRow.hash, BlockRow.parent_hash).where(
            BlockRow.number.in_(select(EventRow.block_number))
        )
        found["blocks"] = sorted(map(tuple, session.execute(blocks)))
    return found


@dataclass
class Life:
    """Beasts that are born, trained, disputed and slashed on a chain that is re-orged at will."""

    world: World
    deployment: Deployment
    url: str
    folder: Path
    made: int = 0
    known: tuple[bytes, Facts] | None = None

    def chain(self, url: str | None = None) -> Chain:
        at = url or self.url
        return Chain(make_web3(at), at, self.deployment)

    def fresh(self) -> Facts:
        """What an index from scratch has now; made once for each head."""
        head = bytes(self.world.w3.eth.get_block("latest")["hash"])
        if self.known is not None and self.known[0] == head:
            return copy.deepcopy(self.known[1])
        self.made += 1
        database = Database(f"sqlite:///{self.folder}/fresh-{self.made}.sqlite3")
        Indexer(self.chain(), database).sync()
        found = facts(database)
        database.close()
        self.known = (head, found)
        return copy.deepcopy(found)

    def head(self) -> int:
        return int(self.world.w3.eth.block_number)

    def reorg(self, depth: int) -> None:
        """Replace that many blocks by empty ones."""
        settled(self.world.rpc)  # what is in the pool still would be mined again
        self.world.rpc("anvil_reorg", depth, [])

    def rollback(self, depth: int) -> None:
        """Take that many blocks back."""
        settled(self.world.rpc)
        self.world.rpc("anvil_rollback", depth)

    def act(self, rng: random.Random) -> None:
        """One move of somebody's; what the chain does not allow now is left."""
        with suppress(RevertedError):
            self._act(rng)

    def _act(self, rng: random.Random) -> None:
        world = self.world
        count = int(world.beasts.functions.lastBeastId().call())
        beasts = [b for b in range(1, count + 1) if self._owner(b)]
        choice = rng.choice(["hatch", "submit", "submit", "slash", "slash", "final", "give"])
        if choice == "hatch" or not beasts:
            world.hatch(world.accounts[1])
            return
        beast = rng.choice(beasts)
        pending = self._pending(beast)
        if choice == "submit" or not pending:
            world.submit(beast, str(self._owner(beast)), accept_foreign=True)
        elif choice == "give":
            owner, heir = self._owner(beast), world.accounts[rng.randrange(1, 3)]
            world.send(world.beasts.functions.transferFrom(owner, heir, beast), str(owner))
        elif choice == "slash":
            # Only a young window can be disputed; what stands on it falls with it.
            fraud = world.submit(beast, str(self._owner(beast)), accept_foreign=True)
            world.submit(beast, str(self._owner(beast)), accept_foreign=True)
            world.slash_by_timeout(beast, fraud, pending[-1][0])
        else:
            world.travel(world.season.economics.challengePeriod + 1)
            world.finalize(beast, pending[0][0])

    def _owner(self, beast: int) -> str | None:
        try:
            return str(self.world.beasts.functions.ownerOf(beast).call())
        except ContractLogicError:  # not hatched on this chain
            return None

    def _pending(self, beast: int) -> list[tuple[Any, Any]]:
        """Live checkpoints that are not final, each with its parent."""
        head = self.world.head(beast)
        logs = self.world.ledger.events.CheckpointSubmitted().get_logs(
            from_block=self.deployment.start_block, argument_filters={"beastId": beast}
        )
        live: dict[int, Any] = {}
        for log in logs:
            record = self._record(log)
            if self.world.is_live(beast, record):
                live[record.index] = record
        return [
            (live[index], live.get(index - 1, NO_CHECKPOINT))
            for index in range(head.finalCount, head.headCount)
        ]

    @staticmethod
    def _record(log: Any) -> Any:
        return Checkpoint.of(log["args"]["checkpoint"])


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """A small deployment on a chain of the module's own."""
    with steady_anvil() as anvil:
        w3 = make_web3(anvil.url)
        world = World.deploy(w3, artifacts.load())
        admin = world.accounts[0]
        timelock = world.create("TimelockController", 1, [admin], [ZERO_ADDRESS], ZERO_ADDRESS)
        world.send(world.seasons.functions.transferOwnership(timelock.address), admin)
        world.contracts["timelock"] = timelock
        names = {
            "TimelockController": timelock,
            "SeasonRegistry": world.seasons,
            "Energy": world.energy,
            "EnergySale": world.sale,
            "Beasts": world.beasts,
            "StepReferee": world.referee,
            "DatasetStage": world.stage,
            "StateArchive": world.states,
            "RecordArchive": world.records,
            "CheckpointLedger": world.ledger,
            "DisputeVault": world.vault,
            "WindowReferee": world.windows,
            "DisputeCourt": world.court,
            "MatchReferee": world.match_referee,
            "Arena": world.arena,
        }
        deployment = Deployment(
            chain_id=w3.eth.chain_id,
            genesis=w3.eth.get_block(0)["hash"].to_0x_hex(),
            profile="devnet",
            deployer=world.accounts[0],
            start_block=1,
            addresses={name: str(contract.address) for name, contract in names.items()},
            complete=True,
        )
        yield Life(world, deployment, anvil.url, tmp_path_factory.mktemp("fresh"))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path}/one.sqlite3")
    yield opened
    opened.close()
