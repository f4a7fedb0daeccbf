"""Matches, seasons and proposals in the index, whatever reorgs do to them."""

from __future__ import annotations

import json
import random
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select

from chainbeasts.backend.chain.amounts import LAST_SECOND
from chainbeasts.backend.indexer import queries
from chainbeasts.backend.indexer.energy import energy_totals
from chainbeasts.backend.indexer.sync import Indexer
from chainbeasts.backend.kernel.board import word_bytes
from chainbeasts.backend.kernel.merkle import proof, root
from chainbeasts.backend.store.energy import EnergySaleRow, HatchRequestRow
from chainbeasts.backend.store.facts import EventRow
from chainbeasts.backend.store.governance import ProposalStatus
from chainbeasts.backend.store.matches import MatchRow, MatchStatus, RecordStatus, WordRow
from chainbeasts.backend.store.session import Database
from chainbeasts.backend.store.words import word_by_key, word_key, words_of_match
from tests.indexer.conftest import Life, facts
from tests.support.arena import Fighter, idle
from tests.support.protocol import ZERO32, RevertedError, World
from tests.support.training import opening

SEED = 20_261_126
LOG = (5, 6, 5)
CHALLENGED, ACCEPTED, SEEDED, RECORDED = 1, 2, 3, 4


@dataclass
class Ring:
    """Two beasts with final states, and every move that the arena and the timelock know."""

    world: World
    a: Fighter
    b: Fighter

    @property
    def arena(self) -> Any:
        return self.world.arena.functions

    def send(self, call: Any, who: str | None = None) -> Any:
        return self.world.send(call, who or self.world.accounts[5])

    def matches(self, status: int) -> list[int]:
        count = int(self.arena.matchCount().call())
        return [n for n in range(1, count + 1) if self.arena.matchOf(n).call()[7] == status]

    def challenge(self) -> int:
        self.send(self.arena.challenge(self.a.beast, self.a.checkpoint, self.b.beast), self.a.owner)
        return int(self.arena.matchCount().call())

    def accept(self, match: int) -> None:
        agreed = (self.a.checkpoint.payload.h128, self.b.checkpoint)
        self.send(self.arena.accept(match, *agreed), self.b.owner)
        self.world.mine()

    def agree(self) -> int:
        """A match that waits for its seed, whatever came before."""
        if str(self.world.beasts.functions.ownerOf(self.b.beast).call()) != self.b.owner:
            self.give(self.b.owner)
        match = self.challenge()
        if match in self.matches(CHALLENGED):
            self.accept(match)
        self.world.mine()
        return match

    def seed(self, match: int) -> None:
        self.send(self.arena.drawSeed(match))

    def record(self, match: int, log: tuple[int, ...] = LOG) -> None:
        reporter = self.world.accounts[3]
        self.world.fund(reporter, self.world.season.arena.recordBond, "arena")
        seed = self.arena.matchOf(match).call()[9]
        self.send(self.arena.record(match, seed, 0, len(log), root(log), list(log)), reporter)

    def disprove(self, match: int) -> None:
        self.send(self.arena.disproveOver(match, 1, LOG[1], proof(LOG, 1)))

    def finalize(self, match: int) -> None:
        self.world.travel(self.world.season.arena.disproofPeriod)
        self.send(self.arena.finalize(match))

    def expire(self, match: int) -> None:
        self.world.travel(self.world.season.arena.recordWindow)
        self.send(self.arena.expire(match))

    def open(self, openly: bool) -> None:
        call = (
            self.arena.openChallenge(self.b.beast, self.b.checkpoint)
            if openly
            else self.arena.closeChallenge(self.b.beast)
        )
        self.send(call, self.b.owner)

    def give(self, to: str) -> None:
        world = self.world
        owner = str(world.beasts.functions.ownerOf(self.b.beast).call())
        self.send(world.beasts.functions.transferFrom(owner, to, self.b.beast), owner)

    def propose(self, salt: bytes = ZERO32) -> tuple[Any, ...]:
        """Schedule a season; the call's arguments for what follows."""
        world = self.world
        data = world.seasons.encode_abi("addSeason", args=[world.season])
        call = (world.seasons.address, 0, data, ZERO32, salt)
        self.send(world.timelock.functions.schedule(*call, 1), world.accounts[0])
        return call

    def execute(self, call: tuple[Any, ...]) -> None:
        self.world.travel(2)
        self.send(self.world.timelock.functions.execute(*call))

    def cancel(self, call: tuple[Any, ...]) -> None:
        operation = self.world.timelock.functions.hashOperation(*call).call()
        self.send(self.world.timelock.functions.cancel(operation), self.world.accounts[0])

    def act(self, rng: random.Random) -> None:
        """One move; what the chain does not allow now is left."""
        moves: list[Any] = [
            self.challenge,
            lambda: self.accept(rng.choice(self.matches(CHALLENGED))),
            lambda: self.seed(rng.choice(self.matches(ACCEPTED))),
            lambda: self.record(rng.choice(self.matches(SEEDED))),
            lambda: self.record(rng.choice(self.matches(SEEDED))),
            lambda: self.disprove(rng.choice(self.matches(RECORDED))),
            lambda: self.finalize(rng.choice(self.matches(RECORDED))),
            lambda: self.expire(rng.choice(self.matches(SEEDED))),
            lambda: self.open(rng.random() < 0.5),
            lambda: self.give(self.world.accounts[rng.choice((2, 6))]),
            lambda: self._govern(rng),
        ]
        with suppress(RevertedError, IndexError):
            rng.choice(moves)()

    def _govern(self, rng: random.Random) -> None:
        call = self.propose(rng.randbytes(32) if rng.random() < 0.5 else ZERO32)
        if rng.random() < 0.8:
            rng.choice((self.execute, self.cancel))(call)


@pytest.fixture(scope="module")
def ring(life: Life) -> Ring:
    world = life.world
    a, b = (Fighter.train(world, world.accounts[n], idle()) for n in (1, 2))
    for fighter in (a, b):
        world.publish_state(*opening(fighter.state), world.accounts[5])
    world.mine(6)
    return Ring(world, a, b)


def test_a_match_from_challenge_to_finality(life: Life, ring: Ring, database: Database) -> None:
    indexer = Indexer(life.chain(), database)
    match = ring.challenge()

    def row() -> MatchRow:
        indexer.sync()
        with database.session() as session:
            found = queries.match_row(session, match)
        assert found is not None
        return found

    assert (row().status, row().owner_b) == (MatchStatus.CHALLENGED, None)
    ring.accept(match)
    accepted = row()
    assert (accepted.status, accepted.owner_b, accepted.season) == (
        MatchStatus.ACCEPTED,
        ring.b.owner,
        int(ring.world.seasons.functions.currentSeason().call()),
    )
    assert accepted.state_b == ring.b.checkpoint.payload.h128
    ring.seed(match)
    seeded, told = row(), life.chain().match(match)
    assert (seeded.battle_seed, seeded.record_until) == (told.battle_seed, told.record_until)
    ring.world.travel(9)
    ring.record(match)
    ring.disprove(match)
    again = row()
    assert (again.status, again.result) == (MatchStatus.SEEDED, None)
    assert again.record_until == life.chain().match(match).record_until > told.record_until
    ring.record(match, LOG[:2])
    assert (row().status, row().result) == (MatchStatus.RECORDED, "a")
    terms = ring.world.season.arena
    ring.world.travel(terms.rewardCooldown)
    ring.finalize(match)
    final = row()
    assert (final.status, final.reward_a) == (MatchStatus.FINAL, terms.winnerReward)
    with database.session() as session:
        wrong, right = queries.records_of(session, match)
        assert (wrong.status, wrong.lie, wrong.lie_turn) == (RecordStatus.DISPROVED, "over", 1)
        assert (wrong.reward or 0) + (wrong.burned or 0) == wrong.bond == terms.recordBond
        assert (right.status, right.number, right.turns) == (RecordStatus.FINAL, 1, 2)
        assert words_of_match(session, match) == LOG[:2]
        assert word_by_key(session, word_key(LOG[1])) == word_bytes(LOG[1])
        assert word_by_key(session, bytes(32)) is None
        assert [m.match_id for m in queries.matches(session, beast_id=ring.a.beast)][:1] == [match]
        assert queries.matches(session, status=MatchStatus.CANCELLED) == []
        assert queries.matches(session, beast_id=999) == []


def test_a_match_that_nobody_records_expires_unless_a_reorg_forgets_it(
    life: Life, ring: Ring, sqlite: Database
) -> None:
    indexer = Indexer(life.chain(), sqlite)
    match = ring.agree()
    ring.seed(match)
    ring.expire(match)
    indexer.sync()
    with sqlite.session() as session:
        assert session.get_one(MatchRow, match).status == MatchStatus.EXPIRED
    life.reorg(1)
    indexer.sync()
    with sqlite.session() as session:
        assert session.get_one(MatchRow, match).status == MatchStatus.SEEDED
    assert facts(sqlite) == life.fresh()


def test_energy_that_is_bought_or_burned_by_hatches_is_in_the_books(
    life: Life, sqlite: Database
) -> None:
    world, indexer = life.world, Indexer(life.chain(), sqlite)
    buyer, receiver = world.accounts[7], world.accounts[8]
    indexer.sync()
    with sqlite.session() as session:
        before = energy_totals(session)
    paid, price = 10**15, world.season.economics.energyPrice
    world.mine()
    world.send(world.sale.functions.buy(receiver, 0), buyer, paid)
    bought = paid * 10**18 // price
    world.hatch(buyer)
    indexer.sync()
    with sqlite.session() as session:
        after = energy_totals(session)
        sale = session.scalars(select(EnergySaleRow)).one()
        asked = session.get_one(HatchRequestRow, int(world.beasts.functions.lastBeastId().call()))
    assert (after.sold - before.sold, after.paid - before.paid) == (bought, paid)
    assert after.sold == life.chain().energy_sold()
    assert (sale.buyer, sale.receiver, sale.bought) == (buyer, receiver, bought)
    cost = world.season.economics.hatchCost
    assert (asked.requester, asked.cost) == (buyer, cost)
    assert after.hatching - before.hatching == cost
    life.reorg(life.head() - sale.block_number + 1)
    indexer.sync()
    with sqlite.session() as session:
        assert energy_totals(session) == before
    assert facts(sqlite) == life.fresh()


def test_a_beast_is_open_while_its_owner_keeps_it(life: Life, ring: Ring, sqlite: Database) -> None:
    indexer = Indexer(life.chain(), sqlite)

    def open_beasts() -> list[int]:
        indexer.sync()
        with sqlite.session() as session:
            return [row.beast_id for row in queries.open_challenges(session)]

    ring.open(True)
    assert open_beasts() == [ring.b.beast]
    ring.give(ring.world.accounts[6])
    assert open_beasts() == []
    ring.give(ring.b.owner)
    assert open_beasts() == []  # it comes back, and what was agreed to before does not
    assert not life.chain().open_challenge(ring.b.beast)
    ring.open(True)
    assert open_beasts() == [ring.b.beast]
    ring.open(False)
    assert open_beasts() == []
    life.reorg(1)  # the closing is taken back
    assert open_beasts() == [ring.b.beast]
    assert facts(sqlite) == life.fresh()


def test_seasons_and_proposals(life: Life, ring: Ring, sqlite: Database) -> None:
    indexer = Indexer(life.chain(), sqlite)
    done = ring.propose(b"\1" * 32)
    ring.execute(done)
    ring.cancel(ring.propose(b"\2" * 32))
    timelock, deployer = ring.world.timelock, ring.world.accounts[0]
    # Operations without calls: all that they tell is their salt, and that they are taken back.
    nothing = ([], [], [], ZERO32, b"\3" * 32)
    ring.send(timelock.functions.scheduleBatch(*nothing, 1), deployer)
    empty = timelock.functions.hashOperationBatch(*nothing).call()
    ring.send(timelock.functions.cancel(empty), deployer)
    waiting = ring.propose()
    indexer.sync()
    with sqlite.session() as session:
        seasons, found = queries.seasons(session), queries.proposals(session)
    current = int(ring.world.seasons.functions.currentSeason().call())
    assert [row.season for row in seasons] == list(range(1, current + 1))
    constants = json.loads(seasons[-1].constants)
    assert constants["arena"]["record_bond"] == ring.world.season.arena.recordBond
    assert constants["schedule"]["epoch_windows"] == ring.world.season.schedule.epochWindows
    assert [row.status for row in found[-3:]] == [
        ProposalStatus.EXECUTED,
        ProposalStatus.CANCELLED,
        ProposalStatus.SCHEDULED,
    ]
    assert [row.salt for row in found[-3:]] == [b"\1" * 32, b"\2" * 32, ZERO32]
    operation = ring.world.timelock.functions.hashOperation(*waiting).call()
    ready = ring.world.timelock.functions.getTimestamp(operation).call()
    assert (found[-1].operation, found[-1].unlock_at) == (bytes(operation), ready)
    assert json.loads(found[-1].constants or "") == constants
    with sqlite.session() as session:
        (pending,) = queries.pending_operations(session)
    assert (pending.id, pending.ready_at, len(pending.calls)) == (bytes(operation), ready, 1)
    life.reorg(1)
    assert indexer.sync().rolled_back == 1
    assert facts(sqlite) == life.fresh()
    with sqlite.session() as session:
        assert len(queries.proposals(session)) == len(found) - 1
        assert queries.pending_operations(session) == []


def test_what_the_timelock_takes_stops_no_index(life: Life, ring: Ring, sqlite: Database) -> None:
    """It takes any bytes for anybody, and any delay that is not beyond its own numbers."""
    timelock, deployer = ring.world.timelock, ring.world.accounts[0]
    add = bytes.fromhex(ring.world.seasons.encode_abi("addSeason", [ring.world.season])[2:])
    no_season = add[:4] + bytes(len(add) - 4)
    for number, (data, delay) in enumerate([(no_season, 1), (b"", 2**63), (b"", 2**255)]):
        call = (ring.world.accounts[1], 0, data, ZERO32, number.to_bytes(32))
        ring.send(timelock.functions.schedule(*call, delay), deployer)
    Indexer(life.chain(), sqlite).sync()
    with sqlite.session() as session:
        found = queries.pending_operations(session)[-3:]
        constants = {row.operation: row.constants for row in queries.proposals(session)}
    assert [constants[one.id] for one in found] == [None] * 3
    assert sorted(one.ready_at == LAST_SECOND for one in found) == [False, True, True]


def test_random_matches_and_reorgs_end_as_a_fresh_index(
    life: Life, ring: Ring, database: Database, nightly: bool
) -> None:
    rng = random.Random(SEED)
    indexer = Indexer(life.chain(), database)
    life.world.mine(6)
    match = ring.agree()
    ring.seed(match)
    for _ in range(2):
        ring.record(match)
        ring.disprove(match)
    ring.propose(match.to_bytes(32))
    life.world.mine(6)
    deepest = 0
    for turn in range(80 if nightly else 4):
        for _ in range(rng.randrange(2, 7)):
            ring.act(rng)
        if rng.random() < 0.8:
            indexer.sync()
        life.reorg(rng.randrange(1, 6))
        if rng.random() < 0.5:
            ring.act(rng)
        deepest = max(deepest, indexer.sync().rolled_back)
        assert facts(database) == life.fresh(), f"seed {SEED}, turn {turn}"
    assert deepest >= 3
    with database.session() as session:
        names = set(session.scalars(select(EventRow.name).distinct()))
        known = {bytes(row.word) for row in session.scalars(select(WordRow))}
    assert {"MatchRecorded", "MatchDisproved", "CallScheduled"} <= names  # worth the test
    assert known == {word_bytes(word) for word in LOG}
