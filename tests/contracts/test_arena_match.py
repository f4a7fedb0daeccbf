"""The arena before a record: open challenges, challenges, acceptance, cancelling, the seed."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from chainbeasts.backend.kernel.rng import fold64
from chainbeasts.backend.kernel.state import serialize_weights
from tests.support.arena import (
    ACCEPTED,
    CANCELLED,
    CHALLENGED,
    EXPIRED,
    RECORDED,
    SEEDED,
    Bout,
    Fighter,
    challenge,
    hunter,
    idle,
    match_of,
)
from tests.support.history import BLOCK_HASHES
from tests.support.protocol import ZERO32, ZERO_ADDRESS, World
from tests.support.snapshots import go_back, nothing_mined
from tests.support.training import opening


@pytest.fixture
def world(bout: Bout) -> World:
    return bout.world


@pytest.fixture
def challenged(bout: Bout) -> int:
    """A second match of the two, not yet accepted."""
    return challenge(bout.world, bout.a, bout.b)


def accept_call(bout: Bout, number: int, **changes: Any) -> Any:
    values = {
        "matchId": number,
        "expectedStateA": bout.a.checkpoint.payload.h128,
        "checkpointB": bout.b.checkpoint,
    }
    return bout.world.arena.functions.accept(*(values | changes).values())


def transfer(world: World, fighter: Fighter, to: str) -> None:
    call = world.beasts.functions.transferFrom(fighter.owner, to, fighter.beast)
    world.send(call, fighter.owner)


def give_back(world: World, fighter: Fighter, holder: str) -> None:
    call = world.beasts.functions.transferFrom(holder, fighter.owner, fighter.beast)
    world.send(call, holder)


def open_call(world: World, fighter: Fighter) -> Any:
    return world.arena.functions.openChallenge(fighter.beast, fighter.checkpoint)


# --- challenge --------------------------------------------------------------------------------


def test_challenge_waitsForTheOpponent(bout: Bout, world: World) -> None:
    call = world.arena.functions.challenge(bout.a.beast, bout.a.checkpoint, bout.b.beast)
    receipt = world.send(call, bout.a.owner)
    number = world.arena.functions.matchCount().call()
    assert number == 2
    state = match_of(world, number)
    assert (state.beastA, state.beastB) == (bout.a.beast, bout.b.beast)
    assert (state.ownerA, state.ownerB) == (bout.a.owner, ZERO_ADDRESS)
    assert (state.stateA, state.stateB) == (bout.a.checkpoint.payload.h128, ZERO32)
    assert (state.status, state.seedBlock, state.battleSeed) == (CHALLENGED, 0, 0)
    assert world.logs("arena", "MatchChallenged", receipt) == [
        {
            "matchId": number,
            "beastA": bout.a.beast,
            "beastB": bout.b.beast,
            "ownerA": bout.a.owner,
            "stateA": bout.a.checkpoint.payload.h128,
        }
    ]
    assert world.logs("arena", "MatchAccepted", receipt) == []


def test_challenge_byStranger_reverts(bout: Bout, world: World) -> None:
    """P56: a beast fights only if its owner asks for it."""
    call = world.arena.functions.challenge(bout.a.beast, bout.a.checkpoint, bout.b.beast)
    world.reverts(call, bout.b.owner, "NotBeastOwner", bout.a.beast, bout.b.owner)


def test_challenge_oneself_reverts(bout: Bout, world: World) -> None:
    """P55: not the same beast, and not another one of the same owner."""
    other = world.hatch(bout.a.owner)
    for opponent in (bout.a.beast, other):
        call = world.arena.functions.challenge(bout.a.beast, bout.a.checkpoint, opponent)
        world.reverts(call, bout.a.owner, "SelfChallenge", bout.a.beast, opponent)


def test_challenge_unknownBeast_reverts(bout: Bout, world: World) -> None:
    call = world.arena.functions.challenge(bout.a.beast, bout.a.checkpoint, 99)
    world.reverts(call, bout.a.owner, "ERC721NonexistentToken", 99)
    call = world.arena.functions.challenge(99, bout.a.checkpoint, bout.b.beast)
    world.reverts(call, bout.a.owner, "ERC721NonexistentToken", 99)


def test_challenge_notFinal_reverts(bout: Bout, world: World) -> None:
    """P57: no pending checkpoint, no forged one, none of another beast."""
    pending = Fighter.submit(world, bout.a.owner, hunter(), bout.a.beast).checkpoint
    final = bout.a.checkpoint
    forged = final._replace(payload=final.payload._replace(h128=b"\x01" * 32))
    for checkpoint in (pending, forged, bout.b.checkpoint):
        call = world.arena.functions.challenge(bout.a.beast, checkpoint, bout.b.beast)
        world.reverts(call, bout.a.owner, "NotFinal", bout.a.beast, checkpoint.index)


# --- states that only their owner knows --------------------------------------------------------


@pytest.fixture
def private(bout: Bout, world: World) -> Fighter:
    """A beast of A's owner that may train on a dataset nobody else has."""
    beast = world.hatch(bout.a.owner, (b"\x01" * 32, b"\x02" * 32, 5, b"\x03" * 32))
    fighter = Fighter.submit(world, bout.a.owner, hunter(), beast)
    world.travel(world.season.economics.challengePeriod)
    world.finalize(beast, fighter.checkpoint)
    return fighter


def test_attack_withheldState_cannotFight(bout: Bout, world: World, private: Fighter) -> None:
    """P68: its turns could be replayed by nobody else, so no lie about them could be disproved."""
    challenges = world.arena.functions.challenge
    ask = challenges(private.beast, private.checkpoint, bout.b.beast)
    against = challenges(bout.b.beast, bout.b.checkpoint, private.beast)
    state = private.checkpoint.payload.h128
    world.send(against, bout.b.owner)
    answer = world.arena.functions.accept(2, bout.b.checkpoint.payload.h128, private.checkpoint)
    for call in (ask, open_call(world, private), answer):
        world.reverts(call, private.owner, "StateNotPublished", private.beast, state)
    receipt = world.publish_state(*opening(private.state), bout.stranger)
    assert world.state_publication(state).blockNumber == receipt["blockNumber"]
    for call in (ask, open_call(world, private), answer):
        world.call(call, private.owner)


def test_attack_anotherStatePublished_cannotFight(
    bout: Bout, world: World, private: Fighter
) -> None:
    """P68: another header or other weights are another state."""
    header, weights = opening(private.state)
    other = header._replace(windowLoss=header.windowLoss ^ 1)
    world.publish_state(other, weights, private.owner)
    world.publish_state(header, serialize_weights(idle()), private.owner)
    state = private.checkpoint.payload.h128
    error = ("StateNotPublished", private.beast, state)
    world.reverts(open_call(world, private), private.owner, *error)
    assert world.state_publication(state).time == 0


def test_attack_publicStateUnpublished_cannotFight(bout: Bout, world: World) -> None:
    """P68: of a beast that trains in public, too; a single window can have been withheld."""
    fighter = Fighter.submit(world, bout.a.owner, hunter(8), world.hatch(bout.a.owner))
    world.travel(world.season.economics.challengePeriod)
    world.finalize(fighter.beast, fighter.checkpoint)
    state = fighter.checkpoint.payload.h128
    error = ("StateNotPublished", fighter.beast, state)
    world.reverts(open_call(world, fighter), fighter.owner, *error)


# --- states published long ago ----------------------------------------------------------------


def expiry(world: World, fighter: Fighter) -> int:
    """Last second at which the publication of a fighter's state still counts."""
    published = world.state_publication(fighter.checkpoint.payload.h128).time
    return published + world.season.economics.publicationAge


def test_challenge_stateTooOld_reverts(bout: Bout, world: World) -> None:
    """P68: to the second; whoever publishes it again can fight on."""
    call = world.arena.functions.challenge(bout.a.beast, bout.a.checkpoint, bout.b.beast)
    world.travel_to(expiry(world, bout.a))
    world.call(call, bout.a.owner)
    world.call(open_call(world, bout.a), bout.a.owner)
    world.travel(1)
    error = ("StateNotPublished", bout.a.beast, bout.a.checkpoint.payload.h128)
    world.reverts(call, bout.a.owner, *error)
    world.reverts(open_call(world, bout.a), bout.a.owner, *error)
    world.publish_state(*opening(bout.a.state), bout.stranger)
    world.call(call, bout.a.owner)


def test_openChallenge_stateGrownOld_takesOnNobody(bout: Bout, world: World) -> None:
    world.send(open_call(world, bout.b), bout.b.owner)
    world.travel_to(expiry(world, bout.b) + 1)
    world.publish_state(*opening(bout.a.state), bout.stranger)
    call = world.arena.functions.challenge(bout.a.beast, bout.a.checkpoint, bout.b.beast)
    error = ("StateNotPublished", bout.b.beast, bout.b.checkpoint.payload.h128)
    world.reverts(call, bout.a.owner, *error)
    world.publish_state(*opening(bout.b.state), bout.stranger)
    assert match_of(world, challenge(world, bout.a, bout.b)).status == ACCEPTED


def test_accept_stateGrownOld_reverts(bout: Bout, world: World, challenged: int) -> None:
    """Of the challenger's state, too, which was chosen when the challenge was made."""
    world.travel_to(expiry(world, bout.a) + 1)
    world.publish_state(*opening(bout.b.state), bout.stranger)
    error = ("StateNotPublished", bout.a.beast, bout.a.checkpoint.payload.h128)
    world.reverts(accept_call(bout, challenged), bout.b.owner, *error)
    world.publish_state(*opening(bout.a.state), bout.stranger)
    world.send(accept_call(bout, challenged), bout.b.owner)


# --- open challenges --------------------------------------------------------------------------


def test_openChallenge_acceptsAtOnce(bout: Bout, world: World) -> None:
    receipt = world.send(open_call(world, bout.b), bout.b.owner)
    state = bout.b.checkpoint.payload.h128
    assert world.logs("arena", "OpenChallengeSet", receipt) == [
        {"beastId": bout.b.beast, "owner": bout.b.owner, "state": state}
    ]
    call = world.arena.functions.openChallengeOf(bout.b.beast)
    assert tuple(call.call()) == (bout.b.owner, 0, state)
    call = world.arena.functions.challenge(bout.a.beast, bout.a.checkpoint, bout.b.beast)
    receipt = world.send(call, bout.a.owner)
    assert world.logs("arena", "MatchAccepted", receipt) == [
        {
            "matchId": 2,
            "ownerB": bout.b.owner,
            "stateB": state,
            "season": 1,
            "seedBlock": receipt["blockNumber"],
        }
    ]
    found = match_of(world, 2)
    assert (found.status, found.stateB, found.ownerB) == (ACCEPTED, state, bout.b.owner)
    assert found.seedBlock == receipt["blockNumber"]


def test_openChallenge_byStranger_reverts(bout: Bout, world: World) -> None:
    call = open_call(world, bout.b)
    world.reverts(call, bout.a.owner, "NotBeastOwner", bout.b.beast, bout.a.owner)


def test_openChallenge_notFinal_reverts(bout: Bout, world: World) -> None:
    """P57"""
    pending = Fighter.submit(world, bout.b.owner, hunter(), bout.b.beast)
    world.reverts(open_call(world, pending), bout.b.owner, "NotFinal", bout.b.beast, 1)


def test_openChallenge_afterATransfer_isVoid(bout: Bout, world: World) -> None:
    """P56: the new owner did not agree, so the challenge waits for his answer."""
    world.send(open_call(world, bout.b), bout.b.owner)
    transfer(world, bout.b, bout.stranger)
    assert match_of(world, challenge(world, bout.a, bout.b)).status == CHALLENGED
    world.reverts(open_call(world, bout.b), bout.b.owner, "NotBeastOwner")
    world.send(open_call(world, bout.b), bout.stranger)
    assert match_of(world, challenge(world, bout.a, bout.b)).ownerB == bout.stranger


def test_openChallenge_ofABeastThatCameBack_isVoid(bout: Bout, world: World) -> None:
    """P56, P70: sold and bought back, the beast is asked anew; to open it again is enough."""
    world.send(open_call(world, bout.b), bout.b.owner)
    transfer(world, bout.b, bout.stranger)
    give_back(world, bout.b, bout.stranger)
    assert match_of(world, challenge(world, bout.a, bout.b)).status == CHALLENGED
    world.send(open_call(world, bout.b), bout.b.owner)
    state = bout.b.checkpoint.payload.h128
    found = world.arena.functions.openChallengeOf(bout.b.beast).call()
    assert tuple(found) == (bout.b.owner, 2, state)
    assert match_of(world, challenge(world, bout.a, bout.b)).status == ACCEPTED


def test_closeChallenge_endsIt(bout: Bout, world: World) -> None:
    close = world.arena.functions.closeChallenge(bout.b.beast)
    world.reverts(close, bout.b.owner, "NotOpen", bout.b.beast)
    world.send(open_call(world, bout.b), bout.b.owner)
    world.reverts(close, bout.stranger, "NotBeastOwner", bout.b.beast, bout.stranger)
    receipt = world.send(close, bout.b.owner)
    assert world.logs("arena", "OpenChallengeClosed", receipt) == [
        {"beastId": bout.b.beast, "owner": bout.b.owner}
    ]
    call = world.arena.functions.openChallengeOf(bout.b.beast)
    assert tuple(call.call()) == (ZERO_ADDRESS, 0, ZERO32)
    assert match_of(world, challenge(world, bout.a, bout.b)).status == CHALLENGED


# --- accept -----------------------------------------------------------------------------------


def test_accept_fixesStatesSeasonAndSeedBlock(bout: Bout, world: World, challenged: int) -> None:
    receipt = world.send(accept_call(bout, challenged), bout.b.owner)
    state = match_of(world, challenged)
    assert (state.status, state.season) == (ACCEPTED, 1)
    assert (state.ownerB, state.stateB) == (bout.b.owner, bout.b.checkpoint.payload.h128)
    assert state.seedBlock == receipt["blockNumber"]
    again = accept_call(bout, challenged)
    world.reverts(again, bout.b.owner, "WrongMatchStatus", challenged, ACCEPTED)


def test_accept_byStranger_reverts(bout: Bout, world: World, challenged: int) -> None:
    """P56"""
    for caller in (bout.a.owner, bout.stranger):
        world.reverts(accept_call(bout, challenged), caller, "NotBeastOwner", bout.b.beast, caller)


def test_accept_unknownMatch_reverts(bout: Bout, world: World) -> None:
    for number in (0, 2):
        world.reverts(accept_call(bout, number), bout.b.owner, "NoSuchMatch", number)


def test_accept_notFinal_reverts(bout: Bout, world: World, challenged: int) -> None:
    """P57"""
    pending = Fighter.submit(world, bout.b.owner, hunter(), bout.b.beast).checkpoint
    call = accept_call(bout, challenged, checkpointB=pending)
    world.reverts(call, bout.b.owner, "NotFinal", bout.b.beast, 1)


def test_accept_afterATransferOfA_reverts(bout: Bout, world: World, challenged: int) -> None:
    """P56, P70: the new owner of A did not ask for the match, and it stays dead if A comes back."""
    transfer(world, bout.a, bout.stranger)
    call = accept_call(bout, challenged)
    world.reverts(call, bout.b.owner, "ChallengeLapsed", challenged, bout.a.owner, bout.stranger)
    give_back(world, bout.a, bout.stranger)
    world.reverts(call, bout.b.owner, "ChallengeLapsed", challenged, bout.a.owner, bout.a.owner)
    world.send(world.arena.functions.cancel(challenged), bout.a.owner)
    again = challenge(world, bout.a, bout.b)
    world.send(accept_call(bout, again), bout.b.owner)


def test_accept_ofAChallengeToABeastThatCameBack_works(
    bout: Bout, world: World, challenged: int
) -> None:
    """Nobody has agreed for B yet, so nothing of an old owner's is revived."""
    transfer(world, bout.b, bout.stranger)
    give_back(world, bout.b, bout.stranger)
    world.send(accept_call(bout, challenged), bout.b.owner)


def test_accept_afterATransferOfB_isTheNewOwners(bout: Bout, world: World, challenged: int) -> None:
    transfer(world, bout.b, bout.stranger)
    world.reverts(accept_call(bout, challenged), bout.b.owner, "NotBeastOwner")
    world.send(accept_call(bout, challenged), bout.stranger)
    assert match_of(world, challenged).ownerB == bout.stranger


def test_accept_bothOfOneOwner_reverts(bout: Bout, world: World, challenged: int) -> None:
    """P55: A's owner has bought B in the meantime."""
    transfer(world, bout.b, bout.a.owner)
    call = accept_call(bout, challenged)
    world.reverts(call, bout.a.owner, "SelfChallenge", bout.a.beast, bout.b.beast)


def test_attack_reorgRetarget_ofAMatch_isRefused(bout: Bout, world: World, challenged: int) -> None:
    """P56, P67: where a reorg has put another challenge or another seed, the move fails."""
    other = b"\x05" * 32
    call = accept_call(bout, challenged, expectedStateA=other)
    actual = bout.a.checkpoint.payload.h128
    world.reverts(call, bout.b.owner, "WrongOpponent", actual, other)
    call = bout.record_call(bout.truth, expectedSeed=bout.seed ^ 1)
    world.reverts(call, bout.reporter, "WrongBattleSeed", bout.seed, bout.seed ^ 1)


def test_accept_inTheBlockOfANewSeason_getsTheOldOne(
    bout: Bout, world: World, challenged: int
) -> None:
    """P3: what governs the match depends on nothing later than the blocks before its seed."""
    season = world.season._replace(rules=world.season.rules._replace(maxTurns=3))
    add = world.seasons.functions.addSeason(season)
    with nothing_mined(world.rpc):
        sent = [
            call.transact({"from": sender, "gas": 1_000_000, "gasPrice": price})
            for call, sender, price in (
                (add, world.accounts[0], 2 * 10**11),
                (accept_call(bout, challenged), bout.b.owner, 10**11),
            )
        ]
        world.mine()
    receipts = [world.w3.eth.get_transaction_receipt(tx) for tx in sent]
    assert [receipt["status"] for receipt in receipts] == [1, 1]
    assert receipts[0]["blockNumber"] == receipts[1]["blockNumber"]
    assert match_of(world, challenged).season == 1
    number = challenge(world, bout.a, bout.b)
    world.send(accept_call(bout, number), bout.b.owner)
    assert match_of(world, number).season == 2


# --- cancel -----------------------------------------------------------------------------------


def test_cancel_endsAChallenge(bout: Bout, world: World, challenged: int) -> None:
    cancel = world.arena.functions.cancel(challenged)
    world.reverts(cancel, bout.b.owner, "NotChallenger", challenged, bout.b.owner)
    receipt = world.send(cancel, bout.a.owner)
    assert world.logs("arena", "MatchCancelled", receipt) == [{"matchId": challenged}]
    assert match_of(world, challenged).status == CANCELLED
    call = accept_call(bout, challenged)
    world.reverts(call, bout.b.owner, "WrongMatchStatus", challenged, CANCELLED)
    world.reverts(cancel, bout.a.owner, "WrongMatchStatus", challenged, CANCELLED)


def test_cancel_accepted_reverts(bout: Bout, world: World) -> None:
    """Nobody walks away from a match that both have agreed on."""
    call = world.arena.functions.cancel(bout.number)
    world.reverts(call, bout.a.owner, "WrongMatchStatus", bout.number, SEEDED)
    world.reverts(world.arena.functions.cancel(9), bout.a.owner, "NoSuchMatch", 9)


# --- the seed ---------------------------------------------------------------------------------


def seed_of(world: World, block: int, number: int) -> int:
    """docs/spec/arena.md §2, written apart from the contract."""
    blockhash = bytes(world.w3.eth.get_block(block)["hash"])
    arena = world.arena.address
    return fold64(keccak(encode(["bytes32", "address", "uint256"], [blockhash, arena, number])))


def test_drawSeed_isTheHashOfTheAcceptance(bout: Bout, world: World, challenged: int) -> None:
    """P58"""
    world.send(accept_call(bout, challenged), bout.b.owner)
    block = match_of(world, challenged).seedBlock
    receipt = world.send(world.arena.functions.drawSeed(challenged), bout.stranger)
    seed, until = seed_of(world, block, challenged), world.now() + world.season.arena.recordWindow
    assert world.logs("arena", "MatchSeeded", receipt) == [
        {"matchId": challenged, "battleSeed": seed, "recordUntil": until}
    ]
    state = match_of(world, challenged)
    assert state.recordUntil == until
    assert (state.status, state.battleSeed) == (SEEDED, seed)
    again = world.arena.functions.drawSeed(challenged)
    world.reverts(again, bout.stranger, "WrongMatchStatus", challenged, SEEDED)


def test_drawSeed_inTheBlockOfTheAcceptance_reverts(
    bout: Bout, world: World, challenged: int
) -> None:
    """P58: whoever accepts does not know the seed."""
    with nothing_mined(world.rpc):
        sent = [
            call.transact({"from": sender, "gas": 1_000_000, "gasPrice": price})
            for call, sender, price in (
                (accept_call(bout, challenged), bout.b.owner, 2 * 10**11),
                (world.arena.functions.drawSeed(challenged), bout.stranger, 10**11),
            )
        ]
        world.mine()
    receipts = [world.w3.eth.get_transaction_receipt(tx) for tx in sent]
    assert receipts[0]["blockNumber"] == receipts[1]["blockNumber"]
    assert [receipt["status"] for receipt in receipts] == [1, 0]
    assert match_of(world, challenged).status == ACCEPTED


def test_drawSeed_notAccepted_reverts(bout: Bout, world: World, challenged: int) -> None:
    call = world.arena.functions.drawSeed(challenged)
    world.reverts(call, bout.stranger, "WrongMatchStatus", challenged, CHALLENGED)
    world.reverts(world.arena.functions.drawSeed(0), bout.stranger, "NoSuchMatch", 0)


def test_attack_seedLeftForLater_isTheSameOne(bout: Bout, world: World, challenged: int) -> None:
    """P58, P75: whoever would lose by the seed and does not draw it finds it unchanged after the
    opcode's 256 blocks, to the 8,191st; after that there is none, and no other is thrown."""
    block = world.send(accept_call(bout, challenged), bout.b.owner)["blockNumber"]
    arena, seed = world.arena.functions, seed_of(world, block, challenged)
    draw, expire = arena.drawSeed(challenged), arena.expire(challenged)
    world.mine(257)
    last = block + BLOCK_HASHES
    world.call_in(last, draw, bout.stranger)
    refused = world.refused_in(last, expire, bout.stranger)
    assert (refused.name, refused.values) == ("SeedStillKnown", (challenged, last))
    world.call_in(last + 1, expire, bout.stranger)
    snapshot = world.rpc("evm_snapshot")
    receipt = world.send(draw, bout.stranger)
    assert world.logs("arena", "MatchSeeded", receipt)[0]["battleSeed"] == seed
    go_back(world.rpc, snapshot)
    world.forget(block)
    for move in (draw, expire):
        snapshot = world.rpc("evm_snapshot")
        receipt = world.send(move, bout.stranger)
        assert world.logs("arena", "MatchExpired", receipt) == [
            {"matchId": challenged, "previousStatus": ACCEPTED}
        ]
        assert match_of(world, challenged).status == EXPIRED
        for again in (draw, expire):
            world.reverts(again, bout.stranger, "WrongMatchStatus", challenged, EXPIRED)
        go_back(world.rpc, snapshot)


def test_expire_early_reverts(bout: Bout, world: World, challenged: int) -> None:
    """P76: not before it is accepted, nor in the acceptance's own block, nor while it can be
    recorded, nor once it is."""
    call = world.arena.functions.expire
    world.reverts(call(challenged), bout.stranger, "WrongMatchStatus", challenged, CHALLENGED)
    world.reverts(call(0), bout.stranger, "NoSuchMatch", 0)
    block = world.send(accept_call(bout, challenged), bout.b.owner)["blockNumber"]
    last = block + BLOCK_HASHES
    # eth_call at "latest" runs in the acceptance's own block, whose hash is not known yet
    world.reverts(call(challenged), bout.stranger, "SeedStillKnown", challenged, last)
    until = bout.state.recordUntil
    world.reverts(call(bout.number), bout.stranger, "RecordWindowOpen", bout.number, until)
    bout.report(bout.truth, bout.reporter)
    world.travel_to(until)
    world.reverts(call(bout.number), bout.stranger, "WrongMatchStatus", bout.number, RECORDED)
