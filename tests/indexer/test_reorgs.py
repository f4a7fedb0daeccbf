"""Reorgs of every kind: afterwards the database is what a fresh index from scratch would be."""

from __future__ import annotations

import random

import pytest
from sqlalchemy import func, select

from chainbeasts.backend.chain.errors import ChainError, WrongChainError
from chainbeasts.backend.indexer.sync import Indexer
from chainbeasts.backend.indexer.writing import KEPT_HEADERS
from chainbeasts.backend.store.facts import BlockRow, CheckpointRow, SourceRow
from chainbeasts.backend.store.session import Database
from tests.indexer.conftest import Life, facts
from tests.support.rpc_proxy import RpcProxy

SEED = 20_261_123


def test_a_reorg_deeper_than_the_kept_headers(life: Life, sqlite: Database) -> None:
    """The file's first test: where a reorg goes down to a block whose state Anvil has put on disk,
    as it does after some 500, the code of all contracts is lost."""
    assert life.head() < 400
    beast = life.world.hatch(life.world.accounts[1])
    life.world.mine(5)
    life.world.submit(beast, life.world.accounts[1])
    life.world.mine(KEPT_HEADERS + 10)
    indexer = Indexer(life.chain(), sqlite)
    indexer.sync()
    life.reorg(KEPT_HEADERS + 12)
    assert indexer.sync().rolled_back >= KEPT_HEADERS + 12
    assert facts(sqlite) == life.fresh()
    with sqlite.session() as session:
        gone = select(CheckpointRow).where(CheckpointRow.beast_id == beast)
        assert session.scalars(gone).all() == []


def test_random_lives_and_reorgs_end_as_a_fresh_index(
    life: Life, database: Database, nightly: bool
) -> None:
    rng = random.Random(SEED)
    indexer = Indexer(life.chain(), database)
    life.world.mine(6)
    deepest = 0
    for turn in range(60 if nightly else 4):
        for _ in range(rng.randrange(1, 5)):
            life.act(rng)
        if rng.random() < 0.8:
            indexer.sync()
        life.reorg(rng.randrange(1, 6))
        if rng.random() < 0.5:
            life.act(rng)
        deepest = max(deepest, indexer.sync().rolled_back)
        assert facts(database) == life.fresh(), f"seed {SEED}, turn {turn}"
    assert deepest >= 3
    assert indexer.sync().rolled_back == 0
    with database.session() as session:
        states = set(session.scalars(select(CheckpointRow.status)))
    assert len(states) >= 3  # the lives were worth the test


def test_a_chain_that_became_shorter(life: Life, sqlite: Database) -> None:
    beast = life.world.hatch(life.world.accounts[1])
    life.world.submit(beast, life.world.accounts[1])
    indexer = Indexer(life.chain(), sqlite)
    before = indexer.sync().indexed_to
    life.rollback(1)
    report = indexer.sync()
    assert (report.indexed_to, report.rolled_back) == (before - 1, 1)
    assert facts(sqlite) == life.fresh()


def test_a_distant_node_that_lags_is_given_time(life: Life, sqlite: Database) -> None:
    beast = life.world.hatch(life.world.accounts[1])
    life.world.submit(beast, life.world.accounts[1])
    indexer = Indexer(life.chain(), sqlite, patience=3600)
    ahead = indexer.sync()
    known = facts(sqlite)
    life.rollback(1)
    assert (indexer.sync().indexed_to, facts(sqlite)) == (ahead.indexed_to, known)
    life.world.mine(2)  # now other blocks stand where ours were: proof, and no more patience
    assert indexer.sync().rolled_back == 1
    assert facts(sqlite) == life.fresh()


@pytest.mark.parametrize("when", ["eth_getBlockByNumber", "eth_getLogs"])
def test_a_reorg_between_looking_and_reading(life: Life, sqlite: Database, when: str) -> None:
    """The block below the range changes after the database's end was compared with the chain."""
    life.world.hatch(life.world.accounts[1])
    with RpcProxy(life.url) as proxy:
        indexer = Indexer(life.chain(proxy.url), sqlite)
        indexer.sync()
        life.world.mine(1)
        armed, new = True, hex(life.head())

        def strike(method: str, params: list[object]) -> None:
            nonlocal armed
            reads_on = method == "eth_getLogs" or params[:1] == [new]
            if armed and method == when and reads_on:
                armed = False
                life.reorg(3)

        proxy.rule = strike
        assert indexer.sync().rolled_back >= 2
        assert not armed
    assert facts(sqlite) == life.fresh()


def test_a_node_that_never_agrees_with_itself_is_blamed(life: Life, sqlite: Database) -> None:
    def strike(method: str, _: list[object]) -> None:
        if method == "eth_getLogs":
            now = life.world.now()
            life.world.rpc("anvil_rollback", 1)
            life.world.travel_to(now + 1)  # another block at the same height

    with RpcProxy(life.url, strike) as proxy, pytest.raises(ChainError, match="do not fit"):
        Indexer(life.chain(proxy.url), sqlite).sync()


def test_confirmations_hold_back_the_newest_blocks(life: Life, sqlite: Database) -> None:
    life.world.mine(4)
    indexer = Indexer(life.chain(), sqlite, confirmations=3)
    assert indexer.sync().indexed_to == life.head() - 3
    life.reorg(3)
    assert indexer.sync().rolled_back == 0


def test_few_headers_are_kept_and_all_of_the_newest(life: Life, sqlite: Database) -> None:
    indexer = Indexer(life.chain(), sqlite)
    indexer.sync()
    for _ in range(3):
        life.world.mine(40)
        head = indexer.sync().indexed_to
    with sqlite.session() as session:
        newest = select(func.count()).where(BlockRow.number > head - KEPT_HEADERS)
        assert session.scalar(newest) == KEPT_HEADERS
        known = {number for number, *_ in facts(sqlite)["blocks"]}
        older = session.scalars(
            select(BlockRow.number).where(BlockRow.number <= head - KEPT_HEADERS)
        )
        assert set(older) <= known


def test_one_database_serves_one_deployment(life: Life, sqlite: Database) -> None:
    Indexer(life.chain(), sqlite).sync()
    with sqlite.session() as session:
        session.get_one(SourceRow, 1).ledger = "0x" + "22" * 20
    known = facts(sqlite)
    with pytest.raises(WrongChainError, match="another deployment"):
        Indexer(life.chain(), sqlite).sync()
    assert facts(sqlite) == known
