"""BATTLE windows: which match they may name, and that they are judged by its log."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.arena import Bout
from tests.support.protocol import (
    ADVANCE,
    BATTLE,
    CURRICULUM,
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


def unbound(world: World) -> Any:
    """A ledger that has no arena yet, deployed by accounts[0]."""
    parts = (world.energy, world.beasts, world.seasons, world.referee, world.stage)
    return world.create("CheckpointLedger", *(part.address for part in parts))


def arena_of(world: World, ledger: Any) -> Any:
    parts = (world.energy, world.beasts, world.seasons, ledger, world.match_referee)
    return world.create("Arena", *(part.address for part in parts))


def test_bindArena_once(world: World, bout: Bout) -> None:
    """P35"""
    deployer, ledger = world.accounts[0], unbound(world)
    arena = arena_of(world, ledger)
    call = ledger.functions.bindArena(arena.address)
    world.reverts(call, bout.stranger, "OnlyDeployer", bout.stranger)
    receipt = world.send(call, deployer)
    bound = ledger.events.ArenaBound().process_receipt(receipt)
    assert [event["args"]["arena"] for event in bound] == [arena.address]
    assert ledger.functions.arena().call() == arena.address
    world.reverts(call, deployer, "ArenaAlreadyBound", arena.address)
    again = ledger.functions.bindArena(arena_of(world, ledger).address)
    world.reverts(again, deployer, "ArenaAlreadyBound", arena.address)


def test_bindArena_ofAnotherLedger_reverts(world: World, bout: Bout) -> None:
    """P35: no account without code, no other contract, not the arena of another ledger."""
    ledger = unbound(world)
    for address in (bout.stranger, world.arena.address):
        call = ledger.functions.bindArena(address)
        world.reverts(call, world.accounts[0], "NotItsArena", address)
    assert ledger.functions.arena().call() == ZERO_ADDRESS


def test_submit_battleBeforeTheArena_reverts(world: World, bout: Bout) -> None:
    """P36: without an arena there is no match."""
    bout.conclude(bout.reporter)
    beast, ledger = world.hatch(bout.a.owner), unbound(world)
    payload = world.payload(beast, source=BATTLE, sourceId=bout.number)
    seed = world.epoch_seed(beast, 0)
    call = ledger.functions.submit(beast, world.head(beast).h128, seed, payload)
    world.reverts(call, bout.a.owner, "NoRecordedMatch", bout.number)


# --- submission -------------------------------------------------------------------------------


def test_submit_battle_onlyOfAFinalMatch(world: World, bout: Bout) -> None:
    """P36: not of one that is unknown, seeded or still open to disproof."""
    beast = world.hatch(bout.a.owner)

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


def test_windowContext_battle_isTheMatchsLog(world: World, bout: Bout, trainee: Trainee) -> None:
    window = trainee.train(BATTLE, sourceId=bout.number)
    context = world.court.functions.windowContext(trainee.beast, window.checkpoint).call()
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
    world.respond(dispute, trainee.beast, window.checkpoint, window.segments)
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
    world.respond(dispute, trainee.beast, window.checkpoint, window.segments)
    trainee.log = bout.truth.words
    window.context = trainee.context(BATTLE, 0, 1, window.checkpoint.payload.lrShift)
    right = trainee.witnesses(window, 0, 8)
    forged = right[:40] + bytes([right[40] ^ 1]) + right[41:]
    for witnesses, error in ((b"", "WitnessLength"), (forged, "WrongWitness")):
        call = trainee.prove_call(dispute, window, 0, witnesses=witnesses)
        world.reverts(call, bout.challenger, error)
    receipt = world.send(trainee.prove_call(dispute, window, 0), bout.challenger)
    assert world.logs("court", "DisputeUpheld", receipt)[0]["how"] == SEGMENT
