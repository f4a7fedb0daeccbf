"""BATTLE windows: which match they may name, and that they are judged by its log."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chainbeasts.backend.kernel.state import state_hash
from tests.support.arena import Bout
from tests.support.protocol import (
    ADVANCE,
    BATTLE,
    CURRICULUM,
    ETHER,
    PROVEN,
    SEGMENT,
    UPHELD,
    ZERO_ADDRESS,
    World,
)
from tests.support.training import Trainee, add_one


@pytest.fixture
def world(bout: Bout) -> World:
    return bout.world


@pytest.fixture
def trainee(bout: Bout, world: World) -> Trainee:
    """A beast that trains on the match, which is final."""
    bout.conclude(bout.reporter)
    found = Trainee.hatch(world, bout.a.owner)
    found.log = bout.truth.words
    return found


# --- the ledger's arena -----------------------------------------------------------------------


def unbound(world: World) -> World:
    """The same deployment with a ledger that has no court and no arena yet."""
    fresh = replace(world)
    fresh.create_training()
    return fresh


def bind_call(fresh: World, **changes: str) -> Any:
    values = {"court": fresh.court.address, "arena": fresh.arena.address} | changes
    return fresh.ledger.functions.bind(values["court"], values["arena"])


def stake_for(fresh: World, beast: int, trainer: str) -> Any:
    return fresh.ledger.functions.stakeFor(beast, trainer)


def test_bind_once(world: World, bout: Bout) -> None:
    """P6, P6"""
    deployer, fresh = world.accounts[0], unbound(world)
    court, arena = fresh.court.address, fresh.arena.address
    call = bind_call(fresh)
    world.reverts(call, bout.stranger, "OnlyDeployer", bout.stranger)
    receipt = world.send(call, deployer)
    assert fresh.logs("ledger", "Bound", receipt) == [{"court": court, "arena": arena}]
    assert fresh.ledger.functions.court().call() == court
    assert fresh.ledger.functions.arena().call() == arena
    world.reverts(call, deployer, "AlreadyBound", court, arena)
    again = bind_call(fresh, arena=fresh.create_arena().address)
    world.reverts(again, deployer, "AlreadyBound", court, arena)


@pytest.mark.parametrize("part", ["court", "arena"])
def test_bind_ofAnotherLedger_reverts(world: World, bout: Bout, part: str) -> None:
    """P6, P6: no account without code, and neither court nor arena of another ledger."""
    fresh = unbound(world)
    for address in (bout.stranger, world.contracts[part].address):
        call = bind_call(fresh, **{part: address})
        world.reverts(call, world.accounts[0], "NotOfThisLedger", address)
    assert fresh.ledger.functions.arena().call() == ZERO_ADDRESS
    assert fresh.ledger.functions.court().call() == ZERO_ADDRESS


@pytest.mark.parametrize("source", [CURRICULUM, BATTLE])
def test_attack_windowsBeforeTheCourt_areRefused(world: World, bout: Bout, source: int) -> None:
    """P6, P34: a deployer that binds late has no windows by then which nobody could dispute, nor
    any of a match that no arena has."""
    bout.conclude(bout.reporter)
    owner, fresh = bout.a.owner, unbound(world)
    beast, required = world.hatch(owner), fresh.ledger.functions.stakeAt(1).call()
    number = bout.number if source == BATTLE else 0
    submit = fresh.submit_call(beast, fresh.payload(beast, source=source, sourceId=number))
    for staking in (fresh.ledger.functions.stake(beast), stake_for(fresh, beast, owner)):
        fresh.reverts(staking, owner, "NotBound", value=required)
    world.reverts(submit, owner, "StakeTooSmall")
    # Once it is bound, the same submission goes in.
    world.send(bind_call(fresh), world.accounts[0])
    fresh.fund(owner, 1_000 * ETHER)
    fresh.stake(beast, owner)
    if source == CURRICULUM:
        fresh.send(submit, owner)
    else:  # this ledger's arena has no match yet
        fresh.reverts(submit, owner, "NoRecordedMatch", number)


# --- submission -------------------------------------------------------------------------------


def test_submit_battle_onlyOfAFinalMatch(world: World, bout: Bout) -> None:
    """P34: not of one that is unknown, seeded or still open to disproof."""
    beast = world.hatch(bout.a.owner)
    world.stake(beast, bout.a.owner)

    def call(number: int) -> Any:
        return world.submit_call(beast, world.payload(beast, source=BATTLE, sourceId=number))

    for number in (0, bout.number, 99):
        world.reverts(call(number), bout.a.owner, "NoRecordedMatch", number)
    bout.report(bout.truth, bout.reporter)
    world.reverts(call(bout.number), bout.a.owner, "NoRecordedMatch", bout.number)
    world.travel(world.season.arena.disproofPeriod)
    world.send(world.arena.functions.finalize(bout.number), bout.stranger)
    record = world.submitted(world.send(call(bout.number), bout.a.owner))[0]
    assert (record.payload.source, record.payload.sourceId) == (BATTLE, bout.number)
    other = world.payload(beast, source=CURRICULUM, sourceId=bout.number)
    world.reverts(world.submit_call(beast, other), bout.a.owner, "UnexpectedSourceId", bout.number)


def test_submit_battle_ofAnOldMatch_reverts(world: World, bout: Bout) -> None:
    """P34: its log is served by nodes for the age of a publication, to the second."""
    bout.conclude(bout.reporter)
    beast = world.hatch(bout.a.owner)
    world.stake(beast, bout.a.owner)
    payload = world.payload(beast, source=BATTLE, sourceId=bout.number)
    last = bout.state.finalAt + world.season.economics.publicationAge
    world.travel_to(last)
    world.call(world.submit_call(beast, payload), bout.a.owner)
    world.travel(1)
    call = world.submit_call(beast, payload)
    world.reverts(call, bout.a.owner, "MatchTooOld", bout.number, last)


def test_windowContext_battle_isTheMatchsLog(world: World, bout: Bout, trainee: Trainee) -> None:
    window = trainee.train(BATTLE, sourceId=bout.number)
    context = world.windows.functions.contextOf(trainee.beast, window.checkpoint).call()
    assert (bytes(context[6]), context[7]) == (bout.played.log_root, bout.played.turns)
    assert bytes(context[0]) == trainee.dna


# --- judgement --------------------------------------------------------------------------------


def test_advance_battle_honestWindowsAreProven(world: World, bout: Bout, trainee: Trainee) -> None:
    """From the genesis, and from a parent's state, with the log's words as witnesses."""
    for _ in range(2):
        trainee.train(BATTLE, sourceId=bout.number)
    for window in trainee.windows:
        dispute = world.file(trainee.beast, window.checkpoint, bout.challenger)
        trainee.advance_all(dispute, window, bout.stranger)
        assert world.status(trainee.beast, window.checkpoint) == PROVEN


@pytest.mark.parametrize(("earlier", "step"), [(0, 5), (1, 60)])
def test_prove_battle_cheatIsSlashed(
    world: World, bout: Bout, trainee: Trainee, earlier: int, step: int
) -> None:
    for _ in range(earlier):
        trainee.train(BATTLE, sourceId=bout.number)
    window = trainee.train(BATTLE, tamper=(step, add_one), sourceId=bout.number)
    dispute = world.file(trainee.beast, window.checkpoint, bout.challenger)
    world.open_segments(dispute, trainee.beast, window.checkpoint, window.segments)
    k = (step - 1) // 8
    receipt = world.send(trainee.prove_call(dispute, window, k), bout.stranger)
    assert world.logs("court", "DisputeUpheld", receipt)[0]["how"] == SEGMENT
    assert world.head(trainee.beast).headCount == earlier


def test_advance_battle_cheatIsSlashed(world: World, bout: Bout, trainee: Trainee) -> None:
    window = trainee.train(BATTLE, tamper=(128, add_one), sourceId=bout.number)
    dispute = world.file(trainee.beast, window.checkpoint, bout.challenger)
    receipt = trainee.advance_all(dispute, window, bout.challenger)[-1]
    assert world.logs("court", "DisputeUpheld", receipt)[0]["how"] == ADVANCE
    assert world.dispute(dispute).status == UPHELD


def test_attack_trainedOnAnotherMatch_isSlashed(world: World, bout: Bout, trainee: Trainee) -> None:
    """The checkpoint names one match and was trained on another: that one's words open nothing, and
    those of the one it names convict it."""
    second = Bout.arrange(world, bout.a, bout.b)
    second.conclude(bout.reporter)
    trainee.log = second.truth.words
    window = trainee.train(BATTLE, sourceId=bout.number)
    dispute = world.file(trainee.beast, window.checkpoint, bout.challenger)
    world.open_segments(dispute, trainee.beast, window.checkpoint, window.segments)
    trainee.log = bout.truth.words
    window.context = trainee.context(BATTLE, 0, 1, window.checkpoint.payload.lrShift)
    right = trainee.witnesses(window, 0, 8)
    forged = right[:40] + bytes([right[40] ^ 1]) + right[41:]
    for witnesses, error in ((b"", "WitnessLength"), (forged, "WrongWitness")):
        call = trainee.prove_call(dispute, window, 0, witnesses=witnesses)
        world.reverts(call, bout.challenger, error)
    # Both logs may teach the same to an epoch's first heads for a segment or two.
    true = (state_hash(trainee.true_state(window, 8 * k + 8)) for k in range(16))
    wrong = next((k for k, end in enumerate(true) if end != window.segments[k]), None)
    assert wrong is not None
    receipt = world.send(trainee.prove_call(dispute, window, wrong), bout.challenger)
    assert world.logs("court", "DisputeUpheld", receipt)[0]["how"] == SEGMENT
