"""What the protocol stands on, on chains as they are found: each that lacks something is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chainbeasts.backend.chain.anvil import Anvil, rpc
from chainbeasts.backend.chain.chunks import MAX_WHOLE
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.gas_figures import heaviest_transaction
from chainbeasts.backend.chain.providers import make_web3
from chainbeasts.backend.chain.seasons import load_profile
from chainbeasts.backend.doctor.chain_facts import (
    HISTORY,
    TX_GAS_CAP,
    ChainFacts,
    Kind,
    Needs,
    gather,
)
from chainbeasts.backend.doctor.chain_facts import opcodes_in as opcodes
from chainbeasts.backend.doctor.chain_rules import RESPONSE_BLOCKS, judge
from chainbeasts.backend.doctor.examine import chain_deadlines
from chainbeasts.backend.doctor.report import Result
from tests.support.rpc_proxy import Answer, RpcProxy
from tests.support.steady import tick

MAINNET = load_profile("mainnet").season.economics
CLZ, MCOPY = 0x1E, 0x5E
HASH, OTHER = b"\x11" * 32, b"\x22" * 32
STUB = "0x" + "6308c379a060e01b60005260246000fd"
"""Reverts with data, as Hardhat's node does at the history's address."""

NEEDS = Needs(frozenset({CLZ, MCOPY}), 24_538, 25_472, 16_188_891)
GOOD = ChainFacts(
    chain_id=1,
    local=False,
    kind=Kind.PLAIN,
    number=20_000_000,
    gas_limit=60_000_000,
    base_fee=10**9,
    called_number=20_000_000,
    called_hash=HASH,
    true_hash=HASH,
    simulates=True,
    opcodes={CLZ: True, MCOPY: True},
    creates=True,
    carries=True,
    estimate=16_188_834,
    due=16_188_834,
    history_code=True,
    history={1: (HASH, HASH), 257: (HASH, HASH), 8_190: (HASH, HASH)},
    future=b"",
    seconds=12.0,
    backwards=False,
    logs="",
)


def results(facts: ChainFacts) -> dict[str, Result]:
    """What is not well, by name."""
    found = list(judge(facts, NEEDS, MAINNET))
    for check in found:
        assert (check.result is Result.OK) == (check.do == "")
        assert "\n" not in check.found + check.do
    return {check.name: check.result for check in found if check.result is not Result.OK}


def said(facts: ChainFacts, name: str) -> str:
    (check,) = [check for check in judge(facts, NEEDS, MAINNET) if check.name == name]
    return f"{check.found} {check.do}"


def test_a_chain_with_everything_is_well() -> None:
    assert results(GOOD) == {}
    # Half of the nodes run a call in the block after the head.
    assert results(replace(GOOD, called_number=GOOD.number + 1)) == {}


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("opcodes", {"opcodes": {CLZ: False, MCOPY: True}}, "does not run CLZ (Osaka)"),
        ("block number", {"called_number": 22_000_000}, "block.number is 22000000 in block"),
        ("block hash", {"called_hash": OTHER}, "is not the hash of the block before"),
        ("block hash history", {"history_code": False}, "no history of block hashes (EIP-2935)"),
        ("block hash history", {"history": {1: (bytes(32), HASH)}}, "no history of block hashes"),
        ("block hash history", {"history": {1: (OTHER, HASH)}}, "wrong hash, 1 blocks back"),
        ("block hash history", {"future": b"\x08\xc3"}, "a block that does not exist"),
        ("gas", {"gas_limit": 15_000_000}, "A block has 15,000,000 gas"),
        ("gas", {"estimate": None}, "its cap may be lower"),
        ("sizes", {"creates": False}, "24,538 bytes"),
        ("base fee", {"base_fee": None}, "no base fee (EIP-1559)"),
        ("block time", {"backwards": True}, "older than the one before it"),
        ("old logs", {"logs": "it refuses the logs of block 5"}, "refuses the logs of block 5"),
    ],
)
def test_what_the_protocol_does_not_stand_on_fails(
    name: str, change: dict[str, Any], words: str
) -> None:
    facts = replace(GOOD, **change)
    assert results(facts) == {name: Result.FAILED}
    assert words in said(facts, name)


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("opcodes", {"simulates": False}, "were not tried"),
        ("gas", {"estimate": 40_000_000}, "16,188,834 gas by Ethereum's rules are 40,000,000"),
        ("gas", {"gas_limit": TX_GAS_CAP}, "hardly more than one transaction"),
        ("sizes", {"carries": False}, "120,000 bytes of calldata"),
        ("base fee", {"base_fee": 0}, "The base fee is 0"),
        (
            "block hash history",
            {"history": {1: (HASH, HASH), 257: (bytes(32), HASH)}},
            "does not reach 257 blocks back yet",
        ),
        ("response window", {"seconds": 1_000.0}, "86 blocks at 1000.0 s each"),
    ],
)
def test_what_makes_it_tight_is_a_warning(name: str, change: dict[str, Any], words: str) -> None:
    facts = replace(GOOD, **change)
    assert results(facts) == {name: Result.WARNING}
    assert words in said(facts, name)


def test_a_node_that_simulates_nothing_is_doubted_and_not_condemned() -> None:
    facts = replace(
        GOOD,
        simulates=False,
        opcodes={CLZ: False},
        creates=False,
        estimate=None,
        called_number=None,
        called_hash=None,
        true_hash=None,
    )
    assert set(results(facts).values()) == {Result.WARNING}


def test_a_response_outlasts_a_sequencer_that_is_away() -> None:
    """Twice the time after which a rollup includes what was sent by way of its parent chain."""
    rollup = replace(GOOD, kind=Kind.OP, seconds=2.0)
    assert results(rollup) == {}
    short = replace(MAINNET, response_window=86_399)
    (check,) = [c for c in judge(rollup, NEEDS, short) if c.name == "response window"]
    assert check.result is Result.WARNING
    assert "less than 1 d on an OP Stack rollup" in check.found


def test_an_arbitrum_chain_counts_another_chains_blocks() -> None:
    facts = replace(GOOD, kind=Kind.ARBITRUM, called_number=22_000_000, called_hash=OTHER)
    assert results(facts) == {
        "block number": Result.FAILED,
        "block hash": Result.FAILED,
        "response window": Result.WARNING,
    }
    assert "an Arbitrum chain" in said(facts, "block number")


def test_a_local_chain_may_lack_the_history_and_is_told_what_follows() -> None:
    facts = replace(GOOD, local=True, history={1: (b"", HASH)}, future=b"\x08\xc3", seconds=0.0)
    assert results(facts) == {"block hash history": Result.WARNING}
    assert "within 256 blocks" in said(facts, "block hash history")
    assert RESPONSE_BLOCKS > 15  # a devnet's response of 15 s would be short where blocks tick


def test_opcodes_are_read_from_code_and_not_from_data() -> None:
    assert opcodes(bytes.fromhex("60011e00")) == {CLZ}
    assert opcodes(bytes.fromhex("611e5e00")) == frozenset()  # pushed, not run
    assert opcodes(bytes.fromhex("00" + "1e5e")) == frozenset()  # after an end
    assert opcodes(bytes.fromhex("00" + "5b1e")) == {CLZ}  # a jump's target


def test_the_contracts_needs_are_their_own() -> None:
    needs = Needs.of_contracts()
    assert {CLZ, MCOPY} < needs.opcodes  # the referees'
    assert 23_000 < needs.code <= 24_576
    assert needs.code < needs.creation <= 2 * 24_576
    assert 16_000_000 < heaviest_transaction() == needs.heaviest < TX_GAS_CAP
    assert needs.calldata == MAX_WHOLE


def facts_of(url: str, start_block: int | None = None) -> ChainFacts:
    return gather(make_web3(url), url, Needs.of_contracts(), start_block)


def test_what_anvil_shows_is_well(anvil: Anvil) -> None:
    rpc(anvil.url, "anvil_mine", hex(300))
    facts = facts_of(anvil.url)
    assert [c for c in judge(facts, NEEDS, MAINNET) if c.result is not Result.OK] == []
    assert facts.estimate == facts.due
    assert facts.called_number in (facts.number, facts.number + 1)
    assert {1, 257} <= set(facts.history)
    assert facts.true_hash is not None
    # A contract that answers with an error's data would seed what OpenZeppelin asks it for.
    rpc(anvil.url, "anvil_setCode", HISTORY, STUB)
    assert facts_of(anvil.url).future.startswith(bytes.fromhex("08c379a0"))
    rpc(anvil.url, "anvil_setCode", HISTORY, "0x")
    assert not facts_of(anvil.url).history_code


def test_a_node_without_old_logs_is_told(anvil: Anvil) -> None:
    proxy = RpcProxy(anvil.url)
    block = hex(int(str(rpc(anvil.url, "eth_blockNumber")), 16))

    def blooming(method: str, params: list[Any]) -> Answer | None:
        if method == "eth_getLogs":
            return {"result": []}
        if method != "eth_getBlockByNumber" or params[0] != block:
            return None
        found = rpc(anvil.url, method, *params)
        assert isinstance(found, dict)
        return {"result": found | {"logsBloom": "0x01" + "00" * 255}}

    proxy.rule = blooming
    with proxy:
        assert "whose bloom says" in facts_of(proxy.url, int(block, 16)).logs
        proxy.rule = lambda method, params: (
            {"error": {"code": -32000, "message": "history has been pruned"}}
            if method == "eth_getLogs"
            else blooming(method, params)
        )
        assert "refuses the logs" in facts_of(proxy.url, int(block, 16)).logs


def test_a_season_with_a_short_response_is_warned_of_on_its_own_chain(chain: Chain) -> None:
    tick(chain.rpc_url, 12)
    rpc(chain.rpc_url, "anvil_mine", hex(300))
    tick(chain.rpc_url)
    assert chain_deadlines(chain, MAINNET) == []
    short = replace(MAINNET, response_window=600)
    assert chain_deadlines(chain, short) == []  # on this machine blocks come when they are wanted

    def public(method: str, params: list[Any]) -> Answer | None:
        return {"result": "0x5"} if method == "eth_chainId" else None

    with RpcProxy(chain.rpc_url, public) as proxy:
        away = Chain(make_web3(proxy.url), proxy.url, chain.deployment)
        assert chain_deadlines(away, MAINNET) == []
        (check,) = chain_deadlines(away, short)
    assert check.found == "A response has 10 min, 50 blocks at 12.0 s each."


def test_a_chain_whose_calls_tell_another_number_is_told(anvil: Anvil) -> None:
    def other(method: str, params: list[Any]) -> Answer | None:
        number = method == "eth_call" and params[0]["data"].startswith("0x43")
        return {"result": "0x" + (22_000_000).to_bytes(32).hex()} if number else None

    with RpcProxy(anvil.url, other) as proxy:
        facts = facts_of(proxy.url)
    assert facts.called_number == 22_000_000
    wrong = {check.name for check in judge(facts, NEEDS, None) if check.result is Result.FAILED}
    assert "block number" in wrong
