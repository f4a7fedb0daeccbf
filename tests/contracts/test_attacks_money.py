"""Attacks on the soundness of ENERGY: farms, stockpiles, stolen cooldowns, ground DNA."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.support import supply
from tests.support.arena import EXPIRED, A, B, Bout, Fighter, idle, match_of
from tests.support.protocol import DAY, ETHER, NO_COMMITMENTS, World

RICH = {"winnerReward": 5 * ETHER, "loserReward": ETHER, "rewardCooldown": DAY}
"""What the farm found: rewards far beyond what a throwaway beast burns."""


@pytest.fixture
def world(bout: Bout) -> World:
    return bout.world


def reseason(world: World, **terms: int) -> None:
    """A season with other terms of the arena, in force from the next block on."""
    season = world.season._replace(arena=world.season.arena._replace(**terms))
    world.send(world.seasons.functions.addSeason(season), world.accounts[0])
    world.mine()


def credits(bout: Bout, result: int) -> tuple[int, int]:
    """Let a match become final with that result, true or not; what it credits to A and to B."""
    world = bout.world
    bout.report(replace(bout.truth, result=result), bout.reporter)
    world.travel_to(bout.state.finalAt)
    receipt = world.send(world.arena.functions.finalize(bout.number), bout.stranger)
    (logged,) = world.logs("arena", "MatchFinalized", receipt)
    return logged["rewardA"], logged["rewardB"]


def cap_of(fighter: Fighter) -> int:
    """Half of what the fighter's only window burned."""
    return fighter.checkpoint.payload.energyBurn // 2


def ever(world: World, fighter: Fighter) -> tuple[int, int]:
    """What was credited for a beast, and what still may be."""
    arena = world.arena.functions
    return (
        arena.rewardedOf(fighter.beast).call(),
        arena.rewardAllowanceOf(fighter.beast).call(),
    )


# --- the farm ---------------------------------------------------------------------------------


def test_attack_farmOfThrowawayBeasts_earnsHalfOfWhatItBurns(bout: Bout, world: World) -> None:
    """P69, P72: beasts are free, what their training burned is not. Two accounts of one person let
    three beasts with one window each win, day after day."""
    reseason(world, **RICH)
    farm = [bout.a, bout.b, Fighter.train(world, bout.a.owner, idle())]
    before = supply.check(world)
    for _ in range(2):
        for challenger in (farm[0], farm[2]):
            credits(Bout.arrange(world, challenger, bout.b), A)
            credits(Bout.arrange(world, challenger, bout.b), B)
        world.travel(DAY)
    for owner in {fighter.owner for fighter in farm}:
        world.send(world.arena.functions.claimRewards(owner), owner)
    for fighter in farm:
        assert ever(world, fighter) == (cap_of(fighter), 0)
    after = supply.check(world)
    burned = sum(fighter.checkpoint.payload.energyBurn for fighter in farm)
    assert after.claimed - before.claimed == sum(map(cap_of, farm)) <= burned // 2


def test_rewards_growWithWhatTheBeastBurns(bout: Bout, world: World) -> None:
    """P72: each final window lets its beast earn half of its price more; a pending one does not."""
    reseason(world, **RICH)
    first, second = (Bout.arrange(world, bout.a, bout.b) for _ in range(2))
    assert credits(first, A)[0] == cap_of(bout.a)
    more = world.submit(bout.a.beast, bout.a.owner)
    assert ever(world, bout.a) == (cap_of(bout.a), 0)
    world.travel(world.season.economics.challengePeriod)
    world.finalize(bout.a.beast, more)
    burned = bout.a.checkpoint.payload.energyBurn + more.payload.energyBurn
    assert world.ledger.functions.burnedOf(bout.a.beast).call() == burned
    assert ever(world, bout.a) == (cap_of(bout.a), more.payload.energyBurn // 2)
    # Within the same cooldown: the reward is topped up as far as the new window lets it be.
    assert credits(second, A)[0] == more.payload.energyBurn // 2


@pytest.mark.parametrize("cap", [0, 1, 50])
def test_rewards_aCapBelowWhatWasPaid_paysNothing(bout: Bout, world: World, cap: int) -> None:
    """P72: a lower cap takes nothing back and pays no more; nothing underflows."""
    won, _ = world.season.arena[:2]
    agreed = Bout.arrange(world, bout.a, bout.b)
    assert credits(bout, A)[0] == won
    burned = bout.a.checkpoint.payload.energyBurn
    assert burned * cap // 10_000 < won
    reseason(world, rewardCapBps=cap)
    world.travel(world.season.arena.rewardCooldown - world.season.arena.disproofPeriod)
    assert ever(world, bout.a) == (won, 0)
    assert credits(agreed, A)[0] == 0
    assert ever(world, bout.a) == (won, 0)
    world.send(world.arena.functions.claimRewards(bout.a.owner), bout.a.owner)


# --- the stockpile ----------------------------------------------------------------------------


def test_attack_stockpile_ofSeededMatches_expires(bout: Bout, world: World) -> None:
    """P76: matches that are kept back for a better day are over when it comes."""
    kept = Bout.arrange(world, bout.a, bout.b)
    world.rpc("evm_setNextBlockTimestamp", hex(bout.state.recordUntil - 1))
    bout.report(bout.truth, bout.reporter)  # in the last second in which it can be
    arena, until = world.arena.functions, kept.state.recordUntil
    world.travel_to(until)
    late = kept.record_call(kept.truth)
    world.reverts(late, bout.reporter, "RecordWindowOver", kept.number, until)
    receipt = world.send(arena.expire(kept.number), bout.stranger)
    assert world.logs("arena", "MatchExpired", receipt) == [
        {"matchId": kept.number, "previousStatus": 3}
    ]
    assert match_of(world, kept.number).status == EXPIRED
    for move in (arena.expire(kept.number), late, arena.finalize(kept.number)):
        world.reverts(move, bout.reporter, "WrongMatchStatus", kept.number, EXPIRED)


def test_attack_stockpile_afterRewardsFell_isPaidByThem(bout: Bout, world: World) -> None:
    """P73: field by field the lesser of the season that was agreed on and the one in force, also
    for matches that were recorded before it."""
    won, lost = world.season.arena[:2]
    seeded = Bout.arrange(world, bout.a, bout.b)
    bout.report(replace(bout.truth, result=A), bout.reporter)
    reseason(world, winnerReward=won // 3, loserReward=won // 4)
    world.travel_to(bout.state.finalAt)
    world.send(world.arena.functions.finalize(bout.number), bout.stranger)
    assert (ever(world, bout.a)[0], ever(world, bout.b)[0]) == (won // 3, min(lost, won // 4))
    reseason(world, winnerReward=0, loserReward=0)
    world.travel(10)
    assert credits(seeded, B) == (0, 0)


def test_rewards_thatRose_payWhatWasAgreed(bout: Bout, world: World) -> None:
    """P73: nobody waits for a better season: the lesser counts, and of cooldowns the longer."""
    won, lost = world.season.arena[:2]
    cooldown = world.season.arena.rewardCooldown
    second, third = (Bout.arrange(world, bout.a, bout.b) for _ in range(2))
    reseason(world, winnerReward=3 * won, loserReward=2 * lost, rewardCooldown=1)
    assert credits(bout, A) == (won, lost)
    assert credits(second, A) == (0, 0)  # the old cooldown runs
    reseason(world, winnerReward=3 * won, loserReward=2 * lost, rewardCooldown=2 * cooldown)
    world.travel(cooldown)
    assert credits(third, A) == (0, 0)  # the new one is longer


def test_attack_disproof_startsTheRecordWindowAnew(bout: Bout, world: World) -> None:
    """P76: who lets a lie stand and disproves it late takes no time from the truth."""
    lie = replace(bout.truth, result=(bout.truth.result + 1) % 3)
    world.travel_to(bout.state.recordUntil - 2)
    bout.report(lie, bout.reporter)
    world.travel_to(bout.state.finalAt - 2)
    call = bout.turn_call(lie, len(lie.words) - 1)
    receipt = world.send(call, bout.challenger)
    until = world.now() + world.season.arena.recordWindow
    assert world.logs("arena", "MatchDisproved", receipt)[0]["recordUntil"] == until
    assert bout.state.recordUntil == until
    expire = world.arena.functions.expire(bout.number)
    world.reverts(expire, bout.stranger, "RecordWindowOpen", bout.number, until)
    bout.report(bout.truth, bout.stranger)


# --- the cooldown -----------------------------------------------------------------------------


def test_attack_cooldownTheft_paysTheBestMatchAllTheSame(bout: Bout, world: World) -> None:
    """P64: who makes a match final in which the other beast lost takes no reward from it: its win
    is credited when it becomes final, as if it had been first."""
    won, lost = world.season.arena[:2]
    wins = Bout.arrange(world, bout.a, bout.b)
    assert credits(bout, B) == (lost, won)  # the thief's one win comes first
    assert credits(wins, A) == (won - lost, 0)
    assert ever(world, bout.a)[0] == ever(world, bout.b)[0] == won


# --- ground DNA -------------------------------------------------------------------------------


def test_attack_groundDna_costsTheHatchEachTime(bout: Bout, world: World) -> None:
    """P74: requests in one transaction, most of which are left to lapse, burn the cost each."""
    grinder, sender = world.create("HostileAccount"), bout.stranger
    cost, throws = world.season.economics.hatchCost, 5
    world.send(world.energy.functions.mint(grinder.address, throws * cost), world.accounts[0])
    request = world.beasts.functions.requestHatch(*NO_COMMITMENTS)._encode_transaction_data()
    throw = (world.beasts.address, 0, request)

    def batch(count: int, allowed: int) -> Any:
        approve = world.energy.functions.approve(world.beasts.address, allowed)
        allow = (world.energy.address, 0, approve._encode_transaction_data())
        return grinder.functions.execute([allow, *[throw] * count])

    # The allowance is the bound that the owner set, to the unit; the balance is the other one.
    short = (world.beasts.address, cost - 1, cost)
    bad = batch(throws, throws * cost - 1)
    world.reverts(bad, sender, "ERC20InsufficientAllowance", *short)
    more = batch(throws + 1, (throws + 1) * cost)
    world.reverts(more, sender, "ERC20InsufficientBalance", grinder.address, 0, cost)
    count = world.beasts.functions.lastBeastId().call()
    before = supply.read(world).burned
    receipt = world.send(batch(throws, throws * cost), sender)
    logged = world.logs("beasts", "HatchRequested", receipt)
    assert [(log["beastId"], log["cost"]) for log in logged] == [
        (count + 1 + throw, cost) for throw in range(throws)
    ]
    assert supply.read(world).burned - before == throws * cost
    assert world.energy.functions.balanceOf(grinder.address).call() == 0


def test_requestHatch_atAPriceThatRose_burnsNothing(bout: Bout, world: World) -> None:
    """P74: a season that comes between approval and request does not take more than was allowed."""
    owner, cost = bout.stranger, world.season.economics.hatchCost
    world.pay_hatch(owner)
    dearer = world.season.economics._replace(hatchCost=cost + 1)
    season = world.season._replace(economics=dearer)
    world.send(world.seasons.functions.addSeason(season), world.accounts[0])
    world.mine()
    request = world.beasts.functions.requestHatch(*NO_COMMITMENTS)
    short = (world.beasts.address, cost, cost + 1)
    world.reverts(request, owner, "ERC20InsufficientAllowance", *short)


def test_requestHatch_whereItIsFree_needsNoAllowance(bout: Bout, world: World) -> None:
    free = world.season.economics._replace(hatchCost=0)
    season = world.season._replace(economics=free)
    world.send(world.seasons.functions.addSeason(season), world.accounts[0])
    world.mine()
    request = world.beasts.functions.requestHatch(*NO_COMMITMENTS)
    world.send(request, world.accounts[7])
