"""Disputes, publications, stakes and credits in the index, whatever reorgs do to them."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from eth_hash.auto import keccak
from sqlalchemy import select

from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.openings import records_opening
from chainbeasts.backend.chain.types import Opening, StakeReward, opening_bit
from chainbeasts.backend.indexer import queries
from chainbeasts.backend.indexer.published import published_state
from chainbeasts.backend.indexer.records import checkpoint_of, opening_of
from chainbeasts.backend.indexer.sync import Indexer
from chainbeasts.backend.kernel.merkle import Tree
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.state import State, serialize_weights, state_hash, weights_root
from chainbeasts.backend.kernel.window import genesis_state, open_window, run_window
from chainbeasts.backend.store.facts import (
    CheckpointRow,
    DisputeRow,
    EventRow,
    PublishedStateRow,
    RevealedDatasetRow,
    StakeRewardRow,
    StakeRow,
    VaultCreditRow,
)
from chainbeasts.backend.store.private import PrivateDataset
from chainbeasts.backend.store.session import Database
from tests.indexer.conftest import Life, facts
from tests.support.protocol import (
    DAY,
    NO_CHECKPOINT,
    NO_OPENING,
    NO_SALT,
    PRIVATE,
    Checkpoint,
    RevertedError,
    StateHeader,
    World,
    garbage_segments,
)
from tests.support.training import header_of

SEED = 20_261_128
FILER, PROVER, PUBLISHER = 3, 4, 5
SECRET = b"\x07" * 32
DATASET = PrivateDataset(tuple(range(1, 201)), SECRET, b"compressed")


@dataclass
class Quarrel:
    """A private beast, and every move that trainers, filers and provers know."""

    world: World
    beast: int = 0
    owner: str = ""
    windows: list[Checkpoint] = field(default_factory=list)

    @classmethod
    def begin(cls, world: World) -> Quarrel:
        owner = world.accounts[1]
        root = Tree(DATASET.words).root
        committed = (keccak(DATASET.compressed), root, len(DATASET.words), keccak(SECRET))
        return cls(world, world.hatch(owner, committed), owner)

    @property
    def dna(self) -> bytes:
        return bytes(self.world.beasts.functions.birthOf(self.beast).call()[0])

    def account(self, who: int) -> str:
        return self.world.accounts[who]

    def submit(self, source: int = 0) -> Checkpoint:
        payload = self.world.payload(self.beast, source=source)
        made = self.world.submit(self.beast, self.owner, payload)
        self.windows = [*self.windows[: made.index], made]
        return made

    def parent(self, window: Checkpoint) -> Checkpoint:
        return self.windows[window.index - 1] if window.index else NO_CHECKPOINT

    def file(self, window: Checkpoint) -> int:
        return self.world.file(self.beast, window, self.account(FILER))

    def open_segments(self, dispute: int, window: Checkpoint) -> None:
        segments = garbage_segments(window.payload.h128)
        self.world.open_segments(dispute, self.beast, window, segments)

    def publish_state(self, state: State) -> bytes:
        weights = serialize_weights(state.weights)
        self.world.publish_state(header_of(state.header), weights, self.account(PUBLISHER))
        return state_hash(state)

    def publish_records(self, index: int) -> None:
        opening = records_opening(DATASET, self.dna, index).arguments()
        call = self.world.records.functions.publish(self.beast, index, *opening)
        self.world.send(call, self.account(PUBLISHER))

    def accept(self, dispute: int, window: Checkpoint) -> None:
        self.world.accept_openings(dispute, self.beast, window)

    def advance(self, dispute: int, window: Checkpoint, steps: int = 2) -> None:
        """The first steps of the first window, committed to by nobody."""
        claim = (dispute, self.beast, window, NO_CHECKPOINT)
        call = self.world.court.functions.advance(
            claim, steps, StateHeader(), b"", b"", NO_OPENING, NO_SALT
        )
        self.world.send(call, self.account(PROVER))

    def prove(self, dispute: int, window: Checkpoint) -> None:
        """The first segment of the first window is rubbish."""
        claim = (dispute, self.beast, window, NO_CHECKPOINT)
        segments = garbage_segments(window.payload.h128)
        call = self.world.court.functions.prove(
            claim, segments, 0, StateHeader(), b"", b"", NO_SALT
        )
        self.world.send(call, self.account(PROVER))

    def claim_timeout(self, dispute: int, window: Checkpoint) -> None:
        self.world.travel(self.world.season.economics.responseWindow + 1)
        parent, who = self.parent(window), self.account(PROVER)
        self.world.claim_timeout(dispute, self.beast, window, parent, who)

    def dismiss(self, dispute: int, window: Checkpoint) -> None:
        call = self.world.court.functions.dismiss(dispute, self.beast, window)
        self.world.send(call, self.account(PROVER))

    def settle(self) -> None:
        self.world.send(
            self.world.vault.functions.settleReward(self.beast, self.owner), self.account(PROVER)
        )

    def withdraw_credit(self, who: int) -> None:
        account = self.account(who)
        self.world.send(self.world.vault.functions.withdrawCredit(account), account)

    def ledger(self, move: str, *arguments: Any, value: int = 0) -> None:
        """A move of the trainer's about its stake."""
        call = self.world.ledger.functions[move](self.beast, *arguments)
        self.world.send(call, self.owner, value)

    def leave(self) -> None:
        e = self.world.season.economics
        self.world.travel(e.challengePeriod + e.responseWindow + e.proofWindow)
        self.world.finalize(self.beast, *self.windows[self.world.head(self.beast).finalCount :])
        self.ledger("withdrawStake", self.owner)

    def act(self, rng: random.Random) -> None:
        """One move; what the chain does not allow now is left."""
        disputes = int(self.world.court.functions.disputeCount().call())
        dispute = rng.randrange(1, disputes + 1) if disputes else 0
        window = rng.choice(self.windows) if self.windows else self.submit()
        moves: list[Callable[[], Any]] = [
            self.submit,
            lambda: self.submit(PRIVATE),
            lambda: self.file(self.submit(rng.choice((0, PRIVATE)))),
            lambda: self.file(window),
            lambda: self.open_segments(dispute, window),
            lambda: self.publish_records(rng.randrange(4)),
            lambda: self.publish_state(genesis_state(rng.randrange(2**70), bytes(32))),
            lambda: self.accept(dispute, window),
            lambda: self.advance(dispute, window),
            lambda: self.claim_timeout(dispute, window),
            lambda: self.dismiss(dispute, window),
            self.settle,
            lambda: self.withdraw_credit(rng.choice((1, FILER))),
            lambda: self.ledger("stake", value=rng.randrange(100)),
            lambda: self.ledger("announceWithdrawal"),
            lambda: self.ledger("cancelWithdrawal"),
            self.leave,
        ]
        with suppress(RevertedError, IndexError):  # filed over an open dispute: it has no new id
            rng.choice(moves)()


@pytest.fixture
def quarrel(life: Life) -> Quarrel:
    return Quarrel.begin(life.world)


@dataclass
class Index:
    """An index that follows the chain, looked into by row."""

    life: Life
    database: Database

    def __post_init__(self) -> None:
        self.indexer = Indexer(self.life.chain(), self.database)

    @property
    def chain(self) -> Chain:
        return self.life.chain()

    def dispute(self, dispute: int) -> DisputeRow:
        self.indexer.sync()
        with self.database.session() as session:
            return session.get_one(DisputeRow, dispute)

    def rows(self, table: Any) -> list[Any]:
        self.indexer.sync()
        with self.database.session() as session:
            return list(session.scalars(select(table)))

    def is_fresh(self) -> None:
        self.indexer.sync()
        assert facts(self.database) == self.life.fresh()

    def credits_agree(self) -> None:
        self.indexer.sync()
        with self.database.session() as session:
            for account in self.life.world.accounts[:6]:
                assert queries.credit_of(session, account) == self.chain.credit_of(account)


@pytest.fixture
def index(life: Life, sqlite: Database) -> Index:
    return Index(life, sqlite)


def test_a_dispute_from_filing_to_dismissal(index: Index, quarrel: Quarrel) -> None:
    quarrel.submit(PRIVATE)
    window = quarrel.submit(PRIVATE)
    dispute = quarrel.file(window)
    row, chain = index.dispute(dispute), index.chain
    bond = chain.opening_bond_of(dispute)
    assert (row.status, row.missing, row.filer) == ("filed", 0b111, quarrel.account(FILER))
    assert row.response_deadline == chain.dispute(dispute).response_deadline
    assert (row.opening_bond, row.opening_surplus) == (bond.base, bond.surplus)
    assert (row.segments, row.proof_start, row.head_start_end) == (None, None, None)

    quarrel.publish_records(1)
    quarrel.accept(dispute, window)
    assert index.dispute(dispute).missing == 0b011
    quarrel.open_segments(dispute, window)
    row = index.dispute(dispute)
    assert (row.status, row.missing) == ("filed", opening_bit(Opening.STATE))
    assert row.segment_hashes == garbage_segments(window.payload.h128)
    bond = chain.opening_bond_of(dispute)
    assert (row.opening_paid, row.opening_waiting) == (bond.paid, bond.waiting)
    assert bond.paid + bond.waiting > 0
    index.is_fresh()
    quarrel.claim_timeout(dispute, window)  # nobody has a state of that hash
    row = index.dispute(dispute)
    assert (row.status, row.conviction, row.prover) == ("upheld", "timeout", row.filer)
    assert (row.opening_end, row.bond_outcome) == ("return", "refund")
    assert row.opening_returned == row.opening_bond + row.opening_surplus
    index.credits_agree()
    index.is_fresh()


def test_an_opened_dispute_and_its_proof_window(life: Life, index: Index, quarrel: Quarrel) -> None:
    window = quarrel.submit()
    dispute = quarrel.file(window)
    quarrel.open_segments(dispute, window)
    row, standing = index.dispute(dispute), index.chain.dispute(dispute)
    assert (row.status, row.missing) == ("opened", 0)
    assert (row.proof_start, row.head_start_end, row.proof_deadline) == (
        standing.proof_start,
        standing.head_start_end,
        standing.proof_deadline,
    )
    quarrel.advance(dispute, window, 3)
    row = index.dispute(dispute)
    with index.database.session() as session:
        (step,) = queries.advances(session, dispute)
        assert [open_.dispute_id for open_ in queries.open_disputes(session)][-1:] == [dispute]
    state = open_window(genesis_state(quarrel.beast, quarrel.dna), window.payload.activeMask)
    run_window(
        index.chain.window_context(quarrel.beast, epoch=0, source=Source.CURRICULUM), state, 3
    )
    assert (row.steps_done, row.state_hash) == (3, state_hash(state))
    assert (step.steps, step.count, step.state_hash) == (3, 3, state_hash(state))
    assert (step.account, step.counted) == (quarrel.account(PROVER), False)
    life.reorg(1)
    assert index.dispute(dispute).steps_done == 0
    index.is_fresh()

    life.world.travel(life.world.season.economics.proofWindow + 1)
    quarrel.dismiss(dispute, window)
    row = index.dispute(dispute)
    assert (row.status, row.bond_outcome, row.opening_end) == ("dismissed", "burn", "keep")
    assert row.opening_returned == row.opening_bond - row.opening_paid - row.opening_waiting
    index.credits_agree()
    life.reorg(1)  # the dismissal is taken back
    row = index.dispute(dispute)
    assert (row.status, row.bond_outcome, row.opening_end) == ("opened", None, None)
    index.is_fresh()


def test_a_proof_slashes_the_stake_and_its_reward_is_held(
    life: Life, index: Index, quarrel: Quarrel
) -> None:
    window = quarrel.submit()
    staked = index.chain.stake_of(quarrel.beast, quarrel.owner)

    def mine(table: Any) -> list[Any]:
        return [row for row in index.rows(table) if row.beast_id == quarrel.beast]

    assert [row.amount for row in mine(StakeRow)] == [staked.amount]
    dispute = quarrel.file(window)
    quarrel.open_segments(dispute, window)
    life.world.mine(2)
    quarrel.prove(dispute, window)
    row = index.dispute(dispute)
    assert (row.status, row.conviction, row.segment) == ("upheld", "segment", 0)
    assert row.prover == quarrel.account(FILER)  # within the head start
    assert mine(StakeRow) == []
    (held,) = mine(StakeRewardRow)
    on_chain = index.chain.stake_reward_of(quarrel.beast, quarrel.owner)
    assert on_chain == StakeReward(
        held.filing, held.proof, held.filer, held.index, held.dispute_id, held.prover, held.gas_cap
    )
    assert held.filing + held.proof > 0
    quarrel.settle()
    assert mine(StakeRewardRow) == []
    quarrel.withdraw_credit(FILER)
    index.credits_agree()
    assert index.rows(VaultCreditRow)[-1].withdrawn
    life.reorg(1)  # the withdrawal is taken back, then the settlement, then the proof
    index.credits_agree()
    life.reorg(2)
    assert [row.proof for row in mine(StakeRewardRow)] == [held.proof]
    life.reorg(3)
    assert [row.amount for row in mine(StakeRow)] == [staked.amount]
    assert index.dispute(dispute).status == "opened"
    index.credits_agree()
    index.is_fresh()


def test_a_dispute_over_a_fallen_window_is_void(index: Index, quarrel: Quarrel) -> None:
    first, second = quarrel.submit(), quarrel.submit()
    over_second, over_first = quarrel.file(second), quarrel.file(first)
    assert index.dispute(over_first).opening_surplus == index.chain.opening_bond_of(
        over_first
    ).surplus > 0  # fmt: skip
    quarrel.claim_timeout(over_first, first)
    quarrel.dismiss(over_second, second)
    row = index.dispute(over_second)
    assert (row.status, row.bond_outcome, row.opening_end) == ("voided", "refund", "return")
    index.is_fresh()


def test_a_window_that_was_run_to_its_end_is_proven(index: Index, quarrel: Quarrel) -> None:
    world, beast = quarrel.world, quarrel.beast
    context = index.chain.window_context(beast, epoch=0, source=Source.CURRICULUM)
    mask = world.head(beast).activeMask
    state, states = open_window(genesis_state(beast, quarrel.dna), mask), []
    for _ in range(4):
        run_window(context, state, 32)
        states.append(state.copy())
    payload = world.payload(beast, state_hash(state), windowLoss=state.header.window_loss)
    window = world.submit(beast, quarrel.owner, payload)
    dispute = quarrel.file(window)
    claim = (dispute, beast, window, NO_CHECKPOINT)
    end = (header_of(state.header), weights_root(state.weights))
    for done, before in enumerate([None, *states[:3]]):
        header = header_of(before.header) if before else StateHeader()
        weights = serialize_weights(before.weights) if before else b""
        result = state_hash(states[done])
        digest = world.ledger.functions.digestOf(beast, window).call()
        parts = ("bytes32", digest), ("uint8", 32 * done), ("uint8", 32), ("bytes32", result)
        if done < 2:  # committed to
            world.commit(quarrel.account(PROVER), *parts, ("bytes32", NO_SALT))
        call = world.court.functions.advance(claim, 32, header, weights, b"", end, NO_SALT)
        world.send(call, quarrel.account(PROVER))
    row = index.dispute(dispute)
    assert (row.status, row.bond_outcome, row.opening_end) == ("proven", "burn_and_prove", "keep")
    assert (row.steps_done, row.step_coin) == (128, 0)
    assert 0 < row.step_energy <= row.bond
    with index.database.session() as session:
        assert [step.counted for step in queries.advances(session, dispute)] == [
            True, True, False, False,
        ]  # fmt: skip
        checkpoint = queries.live_checkpoint(session, beast, 0)
        assert checkpoint is not None
        assert checkpoint.proven
    index.life.reorg(1)
    assert index.dispute(dispute).steps_done == 96
    with index.database.session() as session:
        proven = select(CheckpointRow.proven).where(CheckpointRow.beast_id == beast)
        assert session.scalars(proven).all() == [False]
    index.is_fresh()


def test_a_published_state_can_be_read_from_the_index(
    life: Life, index: Index, quarrel: Quarrel
) -> None:
    # Anybody's header may name any number as its beast.
    states = [genesis_state(number, b"\x05" * 32) for number in (quarrel.beast, 2**255)]
    hashes = [quarrel.publish_state(state) for state in states]
    rows = [row for row in index.rows(PublishedStateRow) if row.hash in hashes]
    assert [row.beast_id for row in rows] == [quarrel.beast, 2**255]
    times = [index.chain.block(row.block_number).timestamp for row in rows]
    assert [row.time for row in rows] == times
    with index.database.session() as session:
        for state, h in zip(states, hashes, strict=True):
            found = published_state(session, h)
            assert found is not None
            assert state_hash(found) == h
            assert found.header == state.header
        assert published_state(session, bytes(32)) is None
    quarrel.publish_state(states[0])  # changes nothing
    life.world.travel(30 * DAY)
    quarrel.publish_state(states[0])  # renews its time
    times = [row.time for row in index.rows(PublishedStateRow) if row.hash == hashes[0]]
    publication = index.chain.state_publication(hashes[0])
    assert times == [publication.time_before, publication.time]
    index.is_fresh()
    life.reorg(1)
    assert len([row for row in index.rows(PublishedStateRow) if row.hash == hashes[0]]) == 1
    index.is_fresh()


def test_published_records_are_rebuilt_with_their_siblings(
    life: Life, index: Index, quarrel: Quarrel
) -> None:
    quarrel.publish_records(2)
    index.indexer.sync()
    opening = records_opening(DATASET, quarrel.dna, 2)
    with index.database.session() as session:
        assert queries.revealed_secret(session, quarrel.beast) == SECRET
        row = queries.published_records(session, quarrel.beast, 2)
        assert queries.published_records(session, quarrel.beast, 3) is None
    assert row is not None
    assert opening_of(row) == opening
    assert opening_of(row).root(quarrel.dna, len(DATASET.words), 2) == Tree(DATASET.words).root
    assert row.time == index.chain.records_publication(quarrel.beast, 2)[1].time
    life.reorg(1)
    index.indexer.sync()
    with index.database.session() as session:
        assert queries.published_records(session, quarrel.beast, 2) is None
        assert queries.revealed_secret(session, quarrel.beast) is None
    index.is_fresh()


def test_revealed_datasets_say_where_their_bytes_are(
    life: Life, index: Index, quarrel: Quarrel
) -> None:
    world, who = quarrel.world, quarrel.account(FILER)
    reveal = world.records.functions.revealDataset(quarrel.beast, DATASET.compressed, SECRET)
    receipt = world.send(reveal, who)
    (row,) = index.rows(RevealedDatasetRow)
    assert (row.beast_id, row.c_dataset) == (quarrel.beast, keccak(DATASET.compressed))
    assert (row.chunk_addresses, row.tx_hash) == ([], bytes(receipt["transactionHash"]))
    index.is_fresh()


def test_a_stake_that_leaves(life: Life, index: Index, quarrel: Quarrel) -> None:
    def stake() -> StakeRow | None:
        index.indexer.sync()
        with index.database.session() as session:
            return queries.stake(session, quarrel.beast, quarrel.owner)

    assert stake() is None
    quarrel.submit()
    quarrel.ledger("stake", value=77)
    quarrel.ledger("announceWithdrawal")
    row, found = stake(), index.chain.stake_of(quarrel.beast, quarrel.owner)
    assert row is not None
    assert (row.amount, row.barred_at, row.withdrawable_at) == (
        found.amount,
        1,
        found.withdrawable_at,
    )
    quarrel.ledger("cancelWithdrawal")
    row = stake()
    assert row is not None
    assert (row.barred_at, row.withdrawable_at) == (0, 0)
    life.reorg(1)
    row = stake()
    assert row is not None
    assert row.withdrawable_at == found.withdrawable_at
    quarrel.leave()
    assert stake() is None
    index.is_fresh()


def test_random_quarrels_and_reorgs_end_as_a_fresh_index(
    life: Life, quarrel: Quarrel, database: Database, nightly: bool
) -> None:
    rng = random.Random(SEED)
    indexer = Indexer(life.chain(), database)
    # What chance alone may leave out.
    quarrel.publish_state(genesis_state(2**80, bytes(32)))
    quarrel.submit()
    window = quarrel.submit(PRIVATE)
    dispute = quarrel.file(window)
    quarrel.publish_records(window.index)
    quarrel.accept(dispute, window)
    life.world.mine(6)
    for turn in range(80 if nightly else 4):
        for _ in range(rng.randrange(3, 9)):
            quarrel.act(rng)
        if rng.random() < 0.8:
            indexer.sync()
        life.reorg(rng.randrange(1, 6))
        if rng.random() < 0.5:
            quarrel.act(rng)
        indexer.sync()
        assert facts(database) == life.fresh(), f"seed {SEED}, turn {turn}"
    with database.session() as session:
        names = set(session.scalars(select(EventRow.name).distinct()))
        rows = queries.live_checkpoints(session, quarrel.beast)
        records = [checkpoint_of(row) for row in rows]
    assert {"DisputeFiled", "OpeningAccepted", "Staked", "StatePublished"} <= names
    assert all(life.chain().is_live(quarrel.beast, record) for record in records)
