"""The archive of states: what it takes, when it counts from, and what it cost."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from chainbeasts.backend.kernel.constants import WEIGHTS
from chainbeasts.backend.kernel.genesis import genesis_weights
from chainbeasts.backend.kernel.network import Weights
from chainbeasts.backend.kernel.state import Header, State, serialize_weights, state_hash
from tests.support.archives import ACCEPTANCE, NEVER, RENEWAL
from tests.support.hostile import HostileAccount, step
from tests.support.onchain import mined
from tests.support.protocol import GWEI, World
from tests.support.snapshots import set_base_fee
from tests.support.states import dense_weights
from tests.support.training import header_of, opening


def state_of(weights: Weights, beast: int = 7) -> State:
    return State(Header(beast, b"\x05" * 32, 256, 0xFF, 1_000, 3), weights)


@pytest.fixture
def state() -> State:
    """A state that belongs to no beast: whose it is, courts and arenas ask, not the archive."""
    return state_of(genesis_weights(b"\x09" * 32))


def test_publishState_isThereInFull(world: World, state: State, stranger: str) -> None:
    """P35: by anybody; the hash is the kernel's, the event has all that re-execution needs."""
    header, weights = opening(state)
    call = world.states.functions.publish(header, weights)
    assert bytes(world.call(call, stranger)) == state_hash(state)
    receipt = world.send(call, stranger)
    event = world.logs("states", "StatePublished", receipt)[0]
    assert (event["state"], event["beastId"]) == (state_hash(state), 7)
    assert (tuple(event["header"].values()), event["weights"]) == (tuple(header), weights)
    found = world.state_publication(state_hash(state))
    block = (world.now(), 0, receipt["blockNumber"])
    assert (found.time, found.timeBefore, found.blockNumber) == block


def test_publishState_another_isAnotherPublication(
    world: World, state: State, stranger: str
) -> None:
    header, weights = opening(state)
    world.publish_state(header, weights, stranger)
    others = [
        opening(State(replace(state.header, arena=4), state.weights)),
        opening(State(state.header, dense_weights())),
    ]
    for other in others:
        found = bytes(world.call(world.states.functions.publish(*other), stranger))
        assert found != state_hash(state)
        assert world.state_publication(found) == NEVER


@pytest.mark.parametrize("length", [0, 32, 33_760, 33_791, 33_793, 33_824])
def test_publishState_ofAnotherLength_reverts(
    world: World, state: State, stranger: str, length: int
) -> None:
    """P35"""
    header, weights = opening(state)
    call = world.states.functions.publish(header, (weights + bytes(32))[:length])
    world.reverts(call, stranger, "MalformedLength", 33_792, length)


@pytest.mark.parametrize("index", [0, 1, 17, 16_895])
def test_publishState_withoutAGuardBit_reverts(
    world: World, state: State, stranger: str, index: int
) -> None:
    """P35: bytes that no referee loads are no state, whatever they hash to."""
    header, weights = opening(state)
    bad = bytearray(weights)
    bad[2 * index] &= 0x7F
    call = world.states.functions.publish(header, bytes(bad))
    world.reverts(call, stranger, "MalformedGuard", index // 16)


def test_publishState_again_changesNothing(world: World, state: State, stranger: str) -> None:
    """P36: neither fails nor moves the time, until the very second before 30 days have passed."""
    header, weights = opening(state)
    world.publish_state(header, weights, stranger)
    found = world.state_publication(state_hash(state))
    for wait in (1, 3_600, RENEWAL - 3_605):
        world.travel(wait)
        assert world.publish_state(header, weights, stranger)["logs"] == []
        assert world.state_publication(state_hash(state)) == found
    assert world.now() == found.time + RENEWAL - 1


def test_publishState_after30Days_keepsTheTimeBefore(
    world: World, state: State, owner: str, stranger: str
) -> None:
    """P36: of the two last ones; who publishes again cannot make a timely opening late."""
    header, weights = opening(state)
    world.publish_state(header, weights, owner)
    times = [world.now()]
    for _ in range(2):
        world.rpc("evm_setNextBlockTimestamp", hex(times[-1] + RENEWAL))
        receipt = world.publish_state(header, weights, stranger)
        assert len(world.logs("states", "StatePublished", receipt)) == 1
        times.append(world.now())
        found = world.state_publication(state_hash(state))
        assert (found.time, found.timeBefore) == (times[-1], times[-2])
        assert found.blockNumber == receipt["blockNumber"]
    assert times[2] == times[0] + 2 * RENEWAL


@pytest.mark.parametrize(
    ("tip", "paid"),
    [(0, 0), (1, 1), (2 * GWEI, 2 * GWEI), (2 * GWEI + 1, 2 * GWEI), (50 * GWEI, 2 * GWEI)],
)
def test_publication_gasPrice_hasATipUpToAQuarter(
    world: World, state: State, stranger: str, tip: int, paid: int
) -> None:
    """More than that could flow back to whoever sends it."""
    base = 8 * GWEI + 3
    set_base_fee(world.rpc, base)
    call = world.states.functions.publish(*opening(state))
    how: Any = {"from": stranger, "gas": 3_000_000, "gasPrice": base + tip}
    receipt = mined(world.w3, call.transact(how))
    assert world.w3.eth.get_block(receipt["blockNumber"])["baseFeePerGas"] == base
    assert world.state_publication(state_hash(state)).gasPrice == base + paid


def empty_weights() -> Weights:
    return np.zeros(WEIGHTS, dtype=np.int16)


def mixed_weights() -> Weights:
    generator = np.random.default_rng(5)
    return (generator.integers(-900, 900, WEIGHTS) * (generator.random(WEIGHTS) < 0.4)).astype(
        np.int16
    )


@pytest.mark.parametrize(
    "weights",
    [
        lambda: dense_weights() | 1,
        dense_weights,
        mixed_weights,
        lambda: genesis_weights(b"\x09" * 32),
        empty_weights,
    ],
    ids=["dense", "half dense", "mixed", "newborn", "empty"],
)
def test_publication_gasUsed_isWhatItCost(
    world: World, stranger: str, weights: Callable[[], Weights]
) -> None:
    """Who opens little is paid little: the receipt, which is the calldata's floor price, and what
    it costs to tell the court.

    With every second byte zero, the most that a state can have, copying and hashing it takes a
    little more than its calldata.
    """
    state = state_of(weights())
    receipt = world.publish_state(*opening(state), stranger)
    sent = bytes(world.w3.eth.get_transaction(receipt["transactionHash"])["input"])
    floor = 21_000 + 40 * (len(sent) - sent.count(0)) + 10 * sent.count(0)
    gas = receipt["gasUsed"]
    if state.weights.any():
        assert gas == floor
    assert floor <= gas < 1.01 * floor
    reckoned = world.state_publication(state_hash(state)).gasUsed
    assert abs(reckoned - ACCEPTANCE - gas) < 0.01 * gas


def test_publication_gasUsed_countsEveryByte(world: World, stranger: str) -> None:
    """40 gas a byte, 10 a zero byte, whatever its bits and wherever in a word."""
    chance = random.Random(8)
    for _ in range(3):
        drawn = [chance.choice([0, chance.randrange(-16_384, 16_384)]) for _ in range(WEIGHTS)]
        state = state_of(np.array(drawn, dtype=np.int16))
        blob = serialize_weights(state.weights)
        world.publish_state(header_of(state.header), blob, stranger)
        zeros = blob.count(0)
        expected = 203_000 + 40 * (len(blob) - zeros) + 10 * zeros
        assert world.state_publication(state_hash(state)).gasUsed == expected


def test_attack_openingsBuiltByAContract_areRefused(
    world: World, state: State, stranger: str
) -> None:
    """A contract pays no calldata for what it has put together in memory: from it nothing counts,
    and what counts by a plain account's doing it leaves as it is."""
    contract = HostileAccount.create(world, stranger)
    call = world.states.functions.publish(*opening(state))
    whole = contract.execute_call(step(world.states, call))
    world.reverts(whole, stranger, "NotPlainAccount", contract.address)
    assert world.state_publication(state_hash(state)).time == 0
    world.send(call, stranger)
    published = world.state_publication(state_hash(state))
    contract.execute(step(world.states, call))
    assert world.state_publication(state_hash(state)) == published
