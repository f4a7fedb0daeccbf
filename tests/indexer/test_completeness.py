"""Events that a node left out of old answers are missed, read again, and meanwhile told of."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import Any

import pytest
import structlog.testing

from chainbeasts.backend.indexer import completeness
from chainbeasts.backend.indexer.errors import IncompleteLogsError
from chainbeasts.backend.indexer.sync import Indexer
from chainbeasts.backend.store.session import Database
from scripts.lib.faulty_logs import LogFault
from scripts.lib.faulty_node import FaultyNode
from tests.indexer.conftest import Facts, Life, facts
from tests.support.rpc_proxy import Answer, RpcProxy
from tests.support.snapshots import go_back


@pytest.fixture(scope="module")
def told(life: Life) -> Facts:
    """Lives in which everything happened, and quiet blocks that make all of it old."""
    rng = random.Random(11)
    for _ in range(30):
        life.act(rng)
    life.world.mine(200)
    return life.fresh()


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counters are looked at in every pass, and events that are missing looked for."""
    monkeypatch.setattr(completeness, "SHORTEST_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(completeness, "LOOKS_PER_PERIOD", 10**9)
    monkeypatch.setattr(completeness, "FIRST_AUDIT_SECONDS", 0.0)


class Forgetful:
    """A node without the logs of one event, until it is mended."""

    def __init__(self, life: Life, topic: str) -> None:
        self.life = life
        self.topic = topic
        self.lacks = True
        self.left_out = 0
        self.calls: list[str] = []

    def __call__(self, method: str, params: list[Any]) -> Answer | None:
        self.calls.append(method)
        if method != "eth_getLogs" or not self.lacks:
            return None
        logs = self.life.world.rpc(method, *params)
        kept = [log for log in logs if log["topics"][0] != self.topic]
        self.left_out += len(logs) - len(kept)
        return {"result": kept}


def test_a_hatch_that_is_only_asked_for_is_no_gap(
    life: Life, sqlite: Database, eager: None
) -> None:
    """Its beast is unknown to the contracts, which is no failure of a look."""
    before = life.world.rpc("evm_snapshot")
    life.world.request_hatch(life.world.accounts[1])
    indexer = Indexer(life.chain(), sqlite)
    with structlog.testing.capture_logs() as logs:
        indexer.sync()
        indexer.sync()
    assert [entry for entry in logs if entry["log_level"] == "warning"] == []
    assert facts(sqlite) == life.fresh()
    go_back(life.world.rpc, before)


ONCE = ("DisputeFiled",)
"""Other events of the same block need these: a block without one is not written down at all."""

EVENTS = [
    ("beasts", "HatchRequested"),
    ("beasts", "Hatched"),
    ("ledger", "CheckpointSubmitted"),
    ("ledger", "CheckpointFinalized"),
    ("ledger", "CheckpointSlashed"),
    ("court", "DisputeFiled"),
    ("court", "DisputeUpheld"),
    ("seasons", "SeasonAdded"),
]


@pytest.mark.parametrize(("contract", "event"), EVENTS)
def test_what_old_answers_left_out_is_read_again(
    life: Life, told: Facts, sqlite: Database, eager: None, contract: str, event: str
) -> None:
    node = Forgetful(life, life.world.contracts[contract].events[event]().topic)
    with RpcProxy(life.url, node) as proxy:
        indexer = Indexer(life.chain(proxy.url), sqlite)
        with suppress(IncompleteLogsError):  # where the next event needs it
            assert indexer.sync().gaps > 0
        assert node.left_out > 0
        node.lacks = False
        report = indexer.sync()
    assert facts(sqlite) == told
    assert (report.gaps, report.mended > 0) == (0, event not in ONCE)


@pytest.mark.parametrize("fault", [one for one in LogFault if one is not LogFault.LEFT_OUT])
def test_wrong_logs_over_a_socket_do_not_get_into_the_index(
    life: Life, told: Facts, sqlite: Database, eager: None, fault: LogFault
) -> None:
    """Answers that are empty are told of and read again; the rest is sorted out at once."""
    with FaultyNode(life.url, seed=5) as node:
        node.misreport_logs(1.0, [fault])
        indexer = Indexer(life.chain(node.ws_url), sqlite, largest_range=64)
        assert (indexer.sync().gaps > 0) == (fault is LogFault.NONE_AT_ALL)
        assert (facts(sqlite) == life.fresh()) == (fault is not LogFault.NONE_AT_ALL)
        assert node.log_faults[fault] == node.log_faults.total() > 0
        node.behave()
        assert indexer.sync().gaps == 0
    assert facts(sqlite) == life.fresh()


def test_the_newest_window_alone_is_missed_and_told_of(
    life: Life, told: Facts, sqlite: Database, eager: None
) -> None:
    """All other answers fit together, so nothing but the ledger's count shows it."""
    beast = life.world.hatch(life.world.accounts[1])
    life.world.submit(beast, life.world.accounts[1])
    life.world.submit(beast, life.world.accounts[1])
    newest = hex(life.head())
    life.world.mine(70)
    lacks = True

    def rule(method: str, params: list[Any]) -> Answer | None:
        if method != "eth_getLogs" or not lacks:
            return None
        logs = life.world.rpc(method, *params)
        return {"result": [log for log in logs if log["blockNumber"] != newest]}

    with RpcProxy(life.url, rule) as proxy:
        indexer = Indexer(life.chain(proxy.url), sqlite)
        with structlog.testing.capture_logs() as logs:
            report = indexer.sync()
        assert (report.gaps, report.mended) == (1, 0)
        said = [one for one in logs if one["event"] == "events are missing"]
        assert [one["of"] for one in said] == [f"beast {beast}"]
        assert "1 windows" in said[0]["what"]
        assert "2 windows" in said[0]["what"]
        lacks = False
        # Another daemon of the same database, started later, which has nothing to read.
        report = Indexer(life.chain(proxy.url), sqlite).sync()
        assert report.mended == 0
        report = indexer.sync()
    assert (report.gaps, report.mended) == (0, 1)
    assert facts(sqlite) == life.fresh()


def test_counters_are_looked_at_now_and_then(
    life: Life, told: Facts, sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RpcProxy(life.url, node := Forgetful(life, "")) as proxy:
        indexer = Indexer(life.chain(proxy.url), sqlite)
        indexer.sync()
        assert "eth_call" in node.calls  # after the backfill
        monkeypatch.setattr(completeness, "SHORTEST_PAUSE_SECONDS", 1e9)
        node.calls.clear()
        indexer.sync()
        assert "eth_call" not in node.calls
        monkeypatch.setattr(completeness, "SHORTEST_PAUSE_SECONDS", 0.0)
        monkeypatch.setattr(completeness, "LONGEST_PAUSE_SECONDS", 0.0)
        indexer.sync()
        assert "eth_call" in node.calls


def test_counters_that_cannot_be_read_stop_nothing(
    life: Life, told: Facts, sqlite: Database, eager: None
) -> None:
    def rule(method: str, _: list[Any]) -> Answer | None:
        refused = {"code": -32000, "message": "missing trie node"}
        return {"error": refused} if method == "eth_call" else None

    with RpcProxy(life.url, rule) as proxy, structlog.testing.capture_logs() as logs:
        indexer = Indexer(life.chain(proxy.url), sqlite)
        assert indexer.sync().indexed_to == life.head()
        indexer.sync()
    assert facts(sqlite) == life.fresh()
    said = [one["event"] for one in logs]
    assert said.count("the contracts' counters cannot be read") == 1
