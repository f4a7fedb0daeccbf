"""Records of matches: what is accepted, the bond, finality, rewards, and where the money is."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from chainbeasts.backend.kernel.merkle import Tree
from tests.conftest import NIGHTLY
from tests.support.arena import (
    DRAW,
    FINISHED,
    RECORDED,
    SEEDED,
    A,
    B,
    Bout,
    Fighter,
    Match,
    Record,
    challenge,
    match_of,
)
from tests.support.protocol import ETHER, MINTER_ROLE, ZERO_ADDRESS, World
from tests.support.snapshots import go_back

ACTIONS = 36


@pytest.fixture
def world(bout: Bout) -> World:
    return bout.world


def lie(bout: Bout) -> Record:
    """The truth but for who won."""
    return replace(bout.truth, result=(bout.truth.result + 1) % 3)


# --- record -----------------------------------------------------------------------------------


def test_record_locksTheBondAndPublishesTheLog(bout: Bout, world: World) -> None:
    """P59, P61"""
    before, truth = world.escrow(bout.reporter, "arena"), bout.truth
    receipt = bout.report(truth, bout.reporter)
    terms, final_at = world.season.arena, world.now() + world.season.arena.disproofPeriod
    assert world.escrow(bout.reporter, "arena") == before - terms.recordBond
    state = bout.state
    assert (state.status, state.reporter, state.bond) == (
        RECORDED,
        bout.reporter,
        terms.recordBond,
    )
    assert (state.result, state.turns, state.finalAt) == (
        truth.result,
        len(truth.words),
        final_at,
    )
    assert state.logRoot == bout.played.log_root
    assert world.logs("arena", "MatchRecorded", receipt) == [
        {
            "matchId": bout.number,
            "reporter": bout.reporter,
            "result": truth.result,
            "turns": len(truth.words),
            "logRoot": bout.played.log_root,
            "bond": terms.recordBond,
            "finalAt": final_at,
            "log": list(truth.words),
        }
    ]


@pytest.mark.parametrize("length", [1, 2, 3, 5, 8, 33, 60])
def test_record_rootOfAnyLength(bout: Bout, world: World, length: int) -> None:
    """P59: the contract's tree is the kernel's, padding included."""
    record = Record(A, tuple(range(7, 7 + length)))
    bout.report(record, bout.reporter)
    assert bout.state.logRoot == Tree(record.words).root


@pytest.mark.parametrize("turns", [0, 61, 255])
def test_record_wrongTurns_reverts(bout: Bout, world: World, turns: int) -> None:
    words = [1] * turns
    call = bout.record_call(bout.truth, turns=turns, log=words)
    world.reverts(call, bout.reporter, "WrongTurns", 60, turns)


def test_record_wrongLogLength_reverts(bout: Bout, world: World) -> None:
    """P59: not a word less than the turns stated, nor one more."""
    words, turns = list(bout.truth.words), bout.played.turns
    for log in ([], words[:-1], [*words, words[-1]]):
        call = bout.record_call(bout.truth, log=log)
        world.reverts(call, bout.reporter, "WrongLogLength", turns, len(log))


def test_record_wrongRoot_reverts(bout: Bout, world: World) -> None:
    """P59: no log is withheld behind a root of its own."""
    other = bout.truth.with_word(3, 5).tree.root
    call = bout.record_call(bout.truth, logRoot=other)
    world.reverts(call, bout.reporter, "WrongLogRoot", bout.played.log_root, other)


def test_record_unknownResult_reverts(bout: Bout, world: World) -> None:
    call = bout.record_call(bout.truth, result=3)
    world.reverts(call, bout.reporter, "UnknownResult", 3)


def test_record_withoutFunds_reverts(bout: Bout, world: World) -> None:
    """P61: ENERGY in the ledger's escrow does not count here."""
    poor = world.accounts[7]
    assert world.escrow(poor) > world.season.arena.recordBond
    call = bout.record_call(bout.truth)
    world.reverts(call, poor, "InsufficientEscrow", poor, 0, world.season.arena.recordBond)


def test_record_again_reverts(bout: Bout, world: World) -> None:
    bout.report(bout.truth, bout.reporter)
    call = bout.record_call(bout.truth)
    world.reverts(call, bout.challenger, "WrongMatchStatus", bout.number, RECORDED)
    world.reverts(replace(bout, number=5).record_call(bout.truth), bout.reporter, "NoSuchMatch", 5)


def test_record_afterADisproof_startsAnew(bout: Bout, world: World) -> None:
    """The field is clean: the truth can be recorded, by anybody, and becomes final."""
    bout.report(lie(bout), bout.reporter)
    world.send(bout.turn_call(lie(bout), bout.played.turns - 1), bout.challenger)
    state = bout.state
    assert state == state._replace(
        status=SEEDED,
        reporter=ZERO_ADDRESS,
        bond=0,
        finalAt=0,
        turns=0,
        result=0,
        logRoot=bytes(32),
    )
    assert state.battleSeed == bout.seed
    bout.conclude(bout.challenger)
    assert (bout.state.status, bout.state.result) == (FINISHED, bout.truth.result)


# --- finalize ---------------------------------------------------------------------------------


def test_finalize_young_reverts(bout: Bout, world: World) -> None:
    """P62: to the second; until then it can be disproved, and from then on no more."""
    bout.report(lie(bout), bout.reporter)
    ends = bout.state.finalAt
    call = world.arena.functions.finalize(bout.number)
    disproof = bout.turn_call(lie(bout), bout.played.turns - 1)
    world.travel_to(ends - 1)
    world.reverts(call, bout.stranger, "DisproofPeriodOpen", bout.number, ends)
    world.call(disproof, bout.challenger)
    world.travel_to(ends)
    world.call(call, bout.stranger)
    world.reverts(disproof, bout.challenger, "DisproofPeriodClosed", bout.number, ends)


def test_finalize_returnsTheBondAndRewardsBoth(bout: Bout, world: World) -> None:
    before = world.escrow(bout.reporter, "arena")
    bout.report(bout.truth, bout.reporter)
    recorded = world.now()
    world.travel(world.season.arena.disproofPeriod)
    receipt = world.send(world.arena.functions.finalize(bout.number), bout.stranger)
    for_a, for_b = earned(bout)
    assert world.logs("arena", "MatchFinalized", receipt) == [
        {
            "matchId": bout.number,
            "result": bout.truth.result,
            "rewardA": for_a,
            "rewardB": for_b,
        }
    ]
    assert world.escrow(bout.reporter, "arena") == before
    assert rewards(bout) == (for_a, for_b)
    root, turns, final_at = world.arena.functions.finalLog(bout.number).call()
    assert (bytes(root), turns) == (bout.played.log_root, bout.played.turns)
    assert final_at == bout.state.finalAt == recorded + world.season.arena.disproofPeriod


@pytest.mark.parametrize("result", [A, B, DRAW])
def test_finalize_paysByTheResult(bout: Bout, world: World, result: int) -> None:
    """A record that nobody disproves is final, whatever it says; a draw pays as a defeat does."""
    bout.report(replace(bout.truth, result=result), bout.reporter)
    world.travel(world.season.arena.disproofPeriod)
    world.send(world.arena.functions.finalize(bout.number), bout.stranger)
    won, lost = world.season.arena[:2]
    assert rewards(bout) == {A: (won, lost), B: (lost, won), DRAW: (lost, lost)}[result]


def test_finalize_elsewhere_reverts(bout: Bout, world: World) -> None:
    call = world.arena.functions.finalize(bout.number)
    world.reverts(call, bout.stranger, "WrongMatchStatus", bout.number, SEEDED)
    world.reverts(world.arena.functions.finalize(4), bout.stranger, "NoSuchMatch", 4)
    bout.conclude(bout.reporter)
    world.reverts(call, bout.stranger, "WrongMatchStatus", bout.number, FINISHED)


def test_finalLog_notFinal_reverts(bout: Bout, world: World) -> None:
    call = world.arena.functions.finalLog
    world.reverts(call(bout.number), bout.stranger, "WrongMatchStatus", bout.number, SEEDED)
    bout.report(bout.truth, bout.reporter)
    world.reverts(call(bout.number), bout.stranger, "WrongMatchStatus", bout.number, RECORDED)
    world.reverts(call(0), bout.stranger, "NoSuchMatch", 0)


def test_matchOf_unknown_isEmpty(bout: Bout, world: World) -> None:
    empty = Match(0, 0, b"", b"", ZERO_ADDRESS, ZERO_ADDRESS, 0, 0, 0, 0, ZERO_ADDRESS, *[0] * 6)
    zeros = {"stateA": bytes(32), "stateB": bytes(32), "logRoot": bytes(32)}
    assert match_of(world, 77) == empty._replace(**zeros)


def test_finalize_paysWhoOwnedThemThen(bout: Bout, world: World) -> None:
    """The rewards are theirs who agreed on the match; a transfer since then changes nothing."""
    move = world.beasts.functions.transferFrom(bout.b.owner, bout.stranger, bout.b.beast)
    world.send(move, bout.b.owner)
    bout.conclude(bout.reporter)
    assert rewards(bout) == earned(bout)
    assert world.arena.functions.rewardsOf(bout.stranger).call() == 0


# --- rewards ----------------------------------------------------------------------------------


def rewards(bout: Bout) -> tuple[int, int]:
    call = bout.world.arena.functions.rewardsOf
    return call(bout.a.owner).call(), call(bout.b.owner).call()


def earned(bout: Bout) -> tuple[int, int]:
    """What a match that went its way pays its two owners."""
    won, lost = bout.world.season.arena[:2]
    return {A: (won, lost), B: (lost, won), DRAW: (lost, lost)}[bout.truth.result]


def credited(world: World, receipt: Any) -> tuple[int, int]:
    """What a finality credited to A's and to B's owner."""
    (logged,) = world.logs("arena", "MatchFinalized", receipt)
    return logged["rewardA"], logged["rewardB"]


def stated(bout: Bout, result: int) -> Record:
    """The match with another end than it has; nobody here disproves it."""
    return replace(bout.truth, result=result)


def conclude_as(bout: Bout, result: int) -> tuple[int, int]:
    """Let a match become final with that result; what it credited."""
    bout.report(stated(bout, result), bout.reporter)
    bout.world.travel_to(max(bout.world.now() + 1, bout.state.finalAt))
    finalize = bout.world.arena.functions.finalize(bout.number)
    return credited(bout.world, bout.world.send(finalize, bout.stranger))


def test_rewards_bestOfACooldown(bout: Bout, world: World) -> None:
    """P64: in a cooldown a beast earns its best reward once, to the second and in any order."""
    won, lost = world.season.arena[:2]
    second, third, fourth = (Bout.arrange(world, bout.a, bout.b) for _ in range(3))
    assert conclude_as(bout, B) == (lost, won)
    at = world.now()
    assert conclude_as(second, A) == (won - lost, 0)  # A is topped up to its win, B has had its own
    assert conclude_as(third, DRAW) == (0, 0)
    fourth.report(stated(fourth, B), bout.reporter)
    call = world.arena.functions.finalize(fourth.number)
    # The second match topped A up and began no cooldown of its own.
    cooldown = world.season.arena.rewardCooldown
    for wait, paid in ((cooldown - 1, (0, 0)), (cooldown, (lost, won))):
        snapshot = world.rpc("evm_snapshot")
        world.rpc("evm_setNextBlockTimestamp", hex(at + wait))
        assert credited(world, world.send(call, bout.stranger)) == paid
        go_back(world.rpc, snapshot)
    assert rewards(bout) == (won, won)


def test_claimRewards_mintsOnce(bout: Bout, world: World) -> None:
    """P65"""
    bout.conclude(bout.reporter)
    energy, to, reward = world.energy.functions, world.accounts[8], earned(bout)[1]
    held, supply = energy.balanceOf(to).call(), energy.totalSupply().call()
    call = world.arena.functions.claimRewards(to)
    receipt = world.send(call, bout.b.owner)
    assert world.logs("arena", "RewardsClaimed", receipt) == [
        {"account": bout.b.owner, "to": to, "amount": reward}
    ]
    assert energy.balanceOf(to).call() == held + reward
    assert energy.totalSupply().call() == supply + reward
    world.reverts(call, bout.b.owner, "NoRewards", bout.b.owner)
    world.reverts(call, bout.stranger, "NoRewards", bout.stranger)


def test_claimRewards_withoutTheRole_keepsThem(bout: Bout, world: World) -> None:
    """P65: without the right to mint a match becomes final all the same, and rewards wait."""
    admin, arena = world.accounts[0], world.arena.address
    world.send(world.energy.functions.revokeRole(MINTER_ROLE, arena), admin)
    bout.conclude(bout.reporter)
    call = world.arena.functions.claimRewards(bout.a.owner)
    world.reverts(call, bout.a.owner, "AccessControlUnauthorizedAccount", arena, MINTER_ROLE)
    world.send(world.energy.functions.grantRole(MINTER_ROLE, arena), admin)
    world.send(call, bout.a.owner)
    assert rewards(bout)[0] == 0


# --- the arena's money ------------------------------------------------------------------------


@dataclass
class Model:
    """What the arena's books should say, by docs/spec/arena.md, written apart from the contract."""

    bout: Bout
    chance: random.Random
    escrow: dict[str, int] = field(default_factory=dict)
    rewards: Counter[str] = field(default_factory=Counter)
    since: dict[int, int] = field(default_factory=dict)
    """When a beast's cooldown began."""
    in_cooldown: Counter[int] = field(default_factory=Counter)
    ever: Counter[int] = field(default_factory=Counter)
    seeded: list[Bout] = field(default_factory=list)
    recorded: list[tuple[Bout, Record, str]] = field(default_factory=list)
    supply: int = 0
    done: list[str] = field(default_factory=list)

    def someone(self) -> str:
        return self.chance.choice(list(self.escrow))

    def arrange(self) -> bool:
        self.seeded.append(Bout.arrange(self.bout.world, self.bout.a, self.bout.b))
        return True

    def record(self) -> bool:
        reporter, bond = self.someone(), self.bout.world.season.arena.recordBond
        if not self.seeded or self.escrow[reporter] < bond:
            return False
        found = self.seeded.pop(0)
        stated = self.chance.choice([found.truth, lie(found)])
        found.report(stated, reporter)
        self.escrow[reporter] -= bond
        self.recorded.append((found, stated, reporter))
        return True

    def disprove(self) -> bool:
        wrong = [item for item in self.recorded if item[1] != item[0].truth]
        if not wrong or self.bout.world.now() + 2 >= wrong[0][0].state.finalAt:
            return False
        found, stated, _ = wrong[0]
        challenger, bond = self.someone(), self.bout.world.season.arena.recordBond
        self.bout.world.send(found.turn_call(stated, found.played.turns - 1), challenger)
        economics = self.bout.world.season.economics
        reward = bond * (economics.filingBps + economics.proofBps) // 10_000
        self.escrow[challenger] += reward
        self.supply -= bond - reward
        self.recorded.remove(wrong[0])
        self.seeded.append(found)
        return True

    def finalize(self) -> bool:
        if not self.recorded:
            return False
        found, stated, reporter = self.recorded.pop(0)
        world, terms = self.bout.world, self.bout.world.season.arena
        at = found.state.finalAt
        if world.now() < at:
            world.travel_to(at)
        world.send(world.arena.functions.finalize(found.number), world.accounts[9])
        self.escrow[reporter] += terms.recordBond
        for side, fighter in ((A, found.a), (B, found.b)):
            won = stated.result == side
            self.reward(fighter, terms.winnerReward if won else terms.loserReward)
        return True

    def reward(self, fighter: Fighter, reward: int) -> None:
        world, beast = self.bout.world, fighter.beast
        if world.now() >= self.since.get(beast, 0) + world.season.arena.rewardCooldown:
            self.in_cooldown[beast] = 0
        burned = fighter.checkpoint.payload.energyBurn  # its only window
        left = burned * world.season.arena.rewardCapBps // 10_000 - self.ever[beast]
        paid = max(0, min(reward - self.in_cooldown[beast], left))
        if paid and not self.in_cooldown[beast]:
            self.since[beast] = world.now()
        self.in_cooldown[beast] += paid
        self.ever[beast] += paid
        self.rewards[fighter.owner] += paid

    def claim(self) -> bool:
        owed = [account for account, amount in self.rewards.items() if amount]
        if not owed:
            return False
        account = self.chance.choice(owed)
        self.bout.world.send(self.bout.world.arena.functions.claimRewards(account), account)
        self.supply += self.rewards.pop(account)
        return True

    def deposit(self) -> bool:
        account, amount = self.someone(), self.chance.randrange(1, 20 * ETHER)
        self.bout.world.fund(account, amount, "arena")
        self.escrow[account] += amount
        self.supply += amount
        return True

    def withdraw(self) -> bool:
        account = self.someone()
        amount = self.chance.randrange(1 + self.escrow[account])
        call = self.bout.world.arena.functions.withdraw(amount, account)
        self.bout.world.send(call, account)
        self.escrow[account] -= amount
        return True


WEIGHTS = {
    "arrange": 8,
    "record": 12,
    "disprove": 8,
    "finalize": 6,
    "claim": 6,
    "deposit": 2,
    "withdraw": 2,
}


@pytest.mark.parametrize("seed", range(10 if NIGHTLY else 1))
def test_money_ofTheArena_isConserved_toTheUnit(bout: Bout, world: World, seed: int) -> None:
    """P61, P64, P65, P66, P72 and the solvency of the arena, over random histories."""
    model = Model(bout, random.Random(seed), seeded=[bout])
    model.escrow = {a: world.escrow(a, "arena") for a in world.accounts[1:6]}
    energy = world.energy.functions
    model.supply = energy.totalSupply().call()
    for _ in range(ACTIONS):
        name = model.chance.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        if not getattr(model, name)():
            continue
        model.done.append(name)
        assert energy.totalSupply().call() == model.supply, name
        assert {a: world.escrow(a, "arena") for a in model.escrow} == model.escrow, name
        bonds = len(model.recorded) * world.season.arena.recordBond
        held = energy.balanceOf(world.arena.address).call()
        assert held == sum(model.escrow.values()) + bonds, name
        owed = {a: world.arena.functions.rewardsOf(a).call() for a in model.escrow}
        assert owed == {a: model.rewards[a] for a in model.escrow}, name
        ever = {f.beast: world.arena.functions.rewardedOf(f.beast).call() for f in (bout.a, bout.b)}
        assert ever == {beast: model.ever[beast] for beast in ever}, name
    assert {"record", "disprove", "finalize", "claim"} <= set(model.done)


def test_challenge_costsNothing(bout: Bout, world: World) -> None:
    """Only a record is paid for."""
    before = {a: world.escrow(a, "arena") for a in world.accounts[1:6]}
    challenge(world, bout.a, bout.b)
    assert {a: world.escrow(a, "arena") for a in world.accounts[1:6]} == before
