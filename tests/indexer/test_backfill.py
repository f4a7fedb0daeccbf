"""Backfill against difficult nodes, kills and rivals: every event once, and none left out."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

import pytest

from chainbeasts.backend.chain.errors import ChainError
from chainbeasts.backend.indexer.errors import IncompleteLogsError
from chainbeasts.backend.indexer.ranges import PROBE_AFTER, RangeSizer
from chainbeasts.backend.indexer.reader import in_bloom
from chainbeasts.backend.indexer.rollback import forget_everything
from chainbeasts.backend.indexer.source import LOCK
from chainbeasts.backend.indexer.sync import Indexer
from chainbeasts.backend.store.session import Database
from tests.indexer.conftest import Facts, Life, facts
from tests.support.forked import Program
from tests.support.rpc_proxy import RpcProxy

Refusal = dict[str, Any] | int


def error(code: int, message: str) -> Refusal:
    return {"error": {"code": code, "message": message}}


REFUSALS = [
    error(-32005, "query returned more than 10000 results"),
    error(-32602, "block range too large"),
    error(-32000, "exceed maximum block range: 5"),
    error(-32008, "response size exceeded"),
    503,
    0,  # the connection is dropped
]


@pytest.fixture(scope="module")
def told(life: Life) -> Iterator[Facts]:
    """Some lives, 200 quiet blocks, and what an index from scratch has of them."""
    rng = random.Random(7)
    for _ in range(25):
        life.act(rng)
    life.world.mine(200)
    return life.fresh()


def span(params: list[Any]) -> int:
    wanted = params[0]
    if "blockHash" in wanted:
        return 1
    return int(wanted["toBlock"], 16) - int(wanted["fromBlock"], 16) + 1


@pytest.mark.parametrize("refusal", REFUSALS, ids=str)
def test_ranges_shrink_until_the_node_answers(
    life: Life, told: Facts, sqlite: Database, refusal: Refusal
) -> None:
    answered = []

    def rule(method: str, params: list[Any]) -> Refusal | None:
        if method != "eth_getLogs":
            return None
        if span(params) > 50:
            return refusal
        answered.append(span(params))
        return None

    with RpcProxy(life.url, rule) as proxy:
        Indexer(life.chain(proxy.url), sqlite).sync()
    assert facts(sqlite) == life.fresh()
    assert 25 < max(answered) <= 50


def test_a_node_that_refuses_every_range_is_reported(life: Life, sqlite: Database) -> None:
    def rule(method: str, _: list[Any]) -> Refusal | None:
        return error(-32601, "no logs here") if method == "eth_getLogs" else None

    with RpcProxy(life.url, rule) as proxy, pytest.raises(ChainError, match="no logs here"):
        Indexer(life.chain(proxy.url), sqlite).sync()


def test_every_twentieth_answer_is_lost(life: Life, told: Facts, sqlite: Database) -> None:
    asked, lock = 0, threading.Lock()

    def rule(_: str, __: list[Any]) -> Refusal | None:
        nonlocal asked
        with lock:
            asked += 1
            return 0 if asked % 20 == 0 else None

    with RpcProxy(life.url, rule) as proxy:
        Indexer(life.chain(proxy.url), sqlite, largest_range=32).sync()
    assert facts(sqlite) == life.fresh()


def test_events_that_a_node_leaves_out_are_asked_for_by_block(life: Life, sqlite: Database) -> None:
    """It has the newest header and not yet its logs: the bloom tells."""
    indexer = Indexer(life.chain(), sqlite)
    indexer.sync()
    beast = life.world.hatch(life.world.accounts[1])
    life.world.submit(beast, life.world.accounts[1])

    def rule(method: str, params: list[Any]) -> Refusal | None:
        return {"result": []} if method == "eth_getLogs" and "fromBlock" in params[0] else None

    with RpcProxy(life.url, rule) as proxy:
        report = Indexer(life.chain(proxy.url), sqlite).sync()
    assert report.events >= 3
    assert facts(sqlite) == life.fresh()


def test_a_gap_in_old_logs_is_said_and_reading_again_mends_it(
    life: Life, told: Facts, sqlite: Database
) -> None:
    hatched = life.world.beasts.events.Hatched().topic
    node = life.world.w3

    def rule(method: str, params: list[Any]) -> Refusal | None:
        if method != "eth_getLogs":
            return None
        logs = node.provider.make_request("eth_getLogs", params)["result"]  # type: ignore[arg-type]
        return {"result": [log for log in logs if log["topics"][0] != hatched]}

    with RpcProxy(life.url, rule) as proxy, pytest.raises(IncompleteLogsError, match="gap"):
        Indexer(life.chain(proxy.url), sqlite).sync()
    assert facts(sqlite)["checkpoints"] == []
    # The births were passed over: what follows is refused until they are read.
    assert Indexer(life.chain(), sqlite).sync().mended == 1
    assert facts(sqlite) == life.fresh()
    with sqlite.exclusive(LOCK) as session:
        forget_everything(session)
    assert Indexer(life.chain(), sqlite).sync().mended == 0
    assert facts(sqlite) == life.fresh()


def test_a_killed_backfill_goes_on(
    life: Life, told: Facts, database_url: str, program: Program
) -> None:
    record = json.dumps(asdict(life.deployment))
    for ranges in (0, 3, 7):
        given = [life.url, record, database_url, str(ranges)]
        done = program.run(given, os.environ, module="tests.indexer.killed")
        assert done.returncode == -signal.SIGKILL
    database = Database(database_url)
    Indexer(life.chain(), database).sync()
    assert facts(database) == life.fresh()
    database.close()


def test_rivals_share_one_database(life: Life, told: Facts, database_url: str) -> None:
    databases = [Database(database_url) for _ in range(3)]
    indexers = [Indexer(life.chain(), database, largest_range=4) for database in databases]
    with ThreadPoolExecutor(3) as pool:
        reports = list(pool.map(Indexer.sync, indexers))
    found = facts(databases[0])
    assert found == life.fresh()
    # Each event was applied by one of them.
    assert sum(report.events for report in reports) == len(found["events"])
    for database in databases:
        database.close()


def test_sizes_shrink_at_once_and_grow_again_with_care() -> None:
    sizer = RangeSizer(1000)
    assert sizer.refused(1000)
    assert sizer.size == 500
    for _ in range(PROBE_AFTER - 1):
        sizer.answered(sizer.size, 0)
    assert sizer.size == 999
    sizer.answered(sizer.size, 0)
    assert sizer.size == 1000
    sizer.answered(3, 0)  # the chain's end
    assert sizer.size == 1000
    sizer.answered(1000, 50_000)  # too much for one transaction
    assert sizer.size == 500
    assert not sizer.refused(1)


def test_blooms_tell_contracts(life: Life) -> None:
    receipt = life.world.send(
        life.world.energy.functions.mint(life.world.accounts[1], 1), life.world.accounts[0]
    )
    bloom = bytes(life.world.w3.eth.get_block(receipt["blockNumber"])["logsBloom"])
    assert in_bloom(bloom, str(life.world.energy.address))
    assert not in_bloom(bloom, str(life.world.court.address))
    assert not in_bloom(b"", str(life.world.energy.address))


Logs = list[dict[str, Any]]


def _repeated(logs: Logs) -> Logs:
    return logs + logs[::2]


def _removed(logs: Logs) -> Logs:
    gone = {"blockHash": "0x" + "66" * 32, "removed": True}
    return [log | gone | {"logIndex": "0x63"} for log in logs] + logs


def _pending(logs: Logs) -> Logs:
    nothing = dict.fromkeys(("blockNumber", "blockHash", "transactionHash", "logIndex"))
    return logs + [log | nothing for log in logs]


def _shuffled(logs: Logs) -> Logs:
    return random.Random(3).sample(logs, len(logs))


def _of_a_branch_that_is_gone(logs: Logs) -> Logs:
    gone = {"blockHash": "0x" + "66" * 32}
    return [log | gone if int(log["blockNumber"], 16) % 8 == 0 else log for log in logs]


def _from_elsewhere(logs: Logs) -> Logs:
    number, block_hash = "0xffffff", "0x" + "66" * 32
    later = [log | {"blockNumber": number, "blockHash": block_hash} for log in logs]
    return later + [log | {"address": "0x" + "77" * 20} for log in logs] + logs


@pytest.mark.parametrize(
    "spoil",
    [_repeated, _removed, _pending, _shuffled, _of_a_branch_that_is_gone, _from_elsewhere],
)
def test_logs_that_are_not_the_ranges_are_sorted_out(
    life: Life, told: Facts, sqlite: Database, spoil: Callable[[Logs], Logs]
) -> None:
    def rule(method: str, params: list[Any]) -> Refusal | None:
        if method != "eth_getLogs" or "blockHash" in params[0]:
            return None
        return {"result": spoil(logs_of(life, params))}

    with RpcProxy(life.url, rule) as proxy:
        Indexer(life.chain(proxy.url), sqlite, largest_range=64).sync()
    assert facts(sqlite) == life.fresh()


def logs_of(life: Life, params: list[Any]) -> Logs:
    """What the node itself answers."""
    made: Logs = life.world.rpc("eth_getLogs", *params)
    return made


def test_logs_that_contradict_each_other_or_do_not_decode_are_refused(
    life: Life, told: Facts, sqlite: Database
) -> None:
    def twice(logs: Logs) -> Logs:
        return logs + [log | {"transactionHash": "0x" + "55" * 32} for log in logs]

    def cut(logs: Logs) -> Logs:
        return [log | {"data": log["data"][:-2]} if len(log["data"]) > 2 else log for log in logs]

    submitted = life.world.ledger.events.CheckpointSubmitted().topic

    def again(logs: Logs) -> Logs:
        known = [log for log in logs if log["topics"][0] == submitted]
        return logs + [log | {"logIndex": hex(99 + n)} for n, log in enumerate(known)]

    spoilt = (
        (twice, "two logs with number"),
        (cut, "The node's log"),
        (again, "contradicts it"),
    )
    for spoil, said in spoilt:

        def rule(
            method: str, params: list[Any], spoil: Callable[[Logs], Logs] = spoil
        ) -> Refusal | None:
            return {"result": spoil(logs_of(life, params))} if method == "eth_getLogs" else None

        with RpcProxy(life.url, rule) as proxy, pytest.raises(ChainError, match=said):
            Indexer(life.chain(proxy.url), sqlite).sync()


def test_receipts_tell_what_the_index_of_logs_lacks(life: Life, sqlite: Database) -> None:
    """Nothing of the newest blocks, neither by range nor by block: their blooms say otherwise."""
    indexer = Indexer(life.chain(), sqlite)
    indexer.sync()
    beast = life.world.hatch(life.world.accounts[1])
    life.world.submit(beast, life.world.accounts[1])
    new = life.head()

    def rule(method: str, _: list[Any]) -> Refusal | None:
        return {"result": []} if method == "eth_getLogs" else None

    with RpcProxy(life.url, rule) as proxy:
        report = Indexer(life.chain(proxy.url), sqlite).sync()
    assert (report.indexed_to, report.events >= 3) == (new, True)
    assert facts(sqlite) == life.fresh()
