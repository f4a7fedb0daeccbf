"""Money over whole stories, one for each end of a dispute: nothing is made, nothing is lost.

Coin: all accounts, gas, ledger, vault and the burn address together never change. ENERGY: the
supply is what it was, less what the story's end must burn. Long random histories are in
test_campaign.py; that every pot is what events say is checked after every test (conftest.py).
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support import books
from tests.support.money import energy_bond, shares, step_pay
from tests.support.protocol import BURN, NO_CHECKPOINT, World
from tests.support.training import SALT, Trainee, add_one

LIE = (20, add_one)
Story = Callable[[World, Trainee], int]
"""Plays and returns the ENERGY that must have burned."""


def all_coin(world: World) -> int:
    places = [*world.accounts, world.ledger.address, world.vault.address, BURN]
    return sum(world.coin(place) for place in places) + sum(world.gas_spent.values())


def burned_share(world: World, locked: int, steps: int | None = None) -> int:
    return shares(locked, world.season.economics, steps).burned


def silence(world: World, trainee: Trainee) -> int:
    window = trainee.train()
    world.slash_by_timeout(trainee.beast, window.checkpoint)
    return burned_share(world, window.checkpoint.locked)


def silence_below_others(world: World, trainee: Trainee) -> int:
    """The descendants' locks burn whole."""
    first, *rest = (trainee.train() for _ in range(3))
    world.slash_by_timeout(trainee.beast, first.checkpoint)
    descendants = sum(window.checkpoint.locked for window in rest)
    return burned_share(world, first.checkpoint.locked) + descendants


def proof(world: World, trainee: Trainee) -> int:
    window = trainee.train(tamper=LIE)
    dispute = trainee.dispute(window, world.accounts[3])
    world.send(trainee.prove_call(dispute, window, 2), world.accounts[4])
    return burned_share(world, window.checkpoint.locked)


def copied_proof(world: World, trainee: Trainee) -> int:
    """After the head start and without a commitment the proof share burns, too."""
    window = trainee.train(tamper=LIE)
    dispute = trainee.dispute(window, world.accounts[3])
    world.travel(world.season.economics.proofWindow // 2)
    world.send(trainee.prove_call(dispute, window, 2), world.accounts[4])
    return burned_share(world, window.checkpoint.locked, steps=0)


def advance(world: World, trainee: Trainee) -> int:
    """Paid to three quarters; the claims are pulled."""
    window, prover = trainee.train(tamper=LIE), world.accounts[4]
    dispute = world.file(trainee.beast, window.checkpoint, world.accounts[3])
    for done, steps, salt in ((0, 64, SALT), (64, 32, SALT), (96, 32, bytes(32))):
        if salt == SALT:
            trainee.commit_steps(prover, window, done, steps)
        world.send(trainee.advance_call(dispute, window, done, steps, salt=salt), prover)
    world.send(world.vault.functions.settleReward(trainee.beast, trainee.trainer), prover)
    world.send(world.vault.functions.claimSteps(dispute), prover)
    return burned_share(world, window.checkpoint.locked, steps=96)


def header(world: World, trainee: Trainee) -> int:
    window = trainee.train(windowLoss=5)
    trainee.commit_header(world.accounts[4], window)
    world.send(trainee.header_call(window, salt=SALT), world.accounts[4])
    return burned_share(world, window.checkpoint.locked)


def dismissal(world: World, trainee: Trainee) -> int:
    window = trainee.train()
    dispute = trainee.dispute(window, world.accounts[3])
    world.travel(world.season.economics.proofWindow + 1)
    place = dispute, trainee.beast, window.checkpoint
    world.send(world.court.functions.dismiss(*place), world.accounts[5])
    return energy_bond(world, window.checkpoint)


def proven(world: World, trainee: Trainee) -> int:
    window, prover = trainee.train(), world.accounts[4]
    dispute = trainee.dispute(window, world.accounts[3])
    last = trainee.advance_all(dispute, window, prover, 64, committed=True)[-1]
    world.send(world.vault.functions.claimSteps(dispute), prover)
    pay = step_pay(world, window.checkpoint, 128, last["blockNumber"])
    return energy_bond(world, window.checkpoint) - pay


def void(world: World, trainee: Trainee) -> int:
    first, second = trainee.train(), trainee.train()
    dispute = trainee.dispute(second, world.accounts[4])
    world.slash_by_timeout(trainee.beast, first.checkpoint)
    place = dispute, trainee.beast, second.checkpoint
    world.send(world.court.functions.dismiss(*place), world.accounts[5])
    return burned_share(world, first.checkpoint.locked) + second.checkpoint.locked


def taken_over(world: World, trainee: Trainee) -> int:
    first, second = trainee.train(), trainee.train()
    filer = world.accounts[4]
    world.slash_by_timeout(trainee.beast, second.checkpoint, first.checkpoint, filer)
    world.slash_by_timeout(trainee.beast, first.checkpoint, NO_CHECKPOINT)
    world.send(world.vault.functions.settleReward(trainee.beast, trainee.trainer), filer)
    return sum(burned_share(world, w.checkpoint.locked) for w in (first, second))


def life(world: World, trainee: Trainee) -> int:
    """Nobody disputes; at the end the stake leaves."""
    window, ledger = trainee.train(), world.ledger.functions
    world.send(ledger.announceWithdrawal(trainee.beast), trainee.trainer)
    world.travel(10 * world.season.economics.challengePeriod)
    world.finalize(trainee.beast, window.checkpoint)
    world.send(ledger.withdrawStake(trainee.beast, trainee.trainer), trainee.trainer)
    return window.checkpoint.payload.energyBurn


STORIES: list[Story] = [
    silence,
    silence_below_others,
    proof,
    copied_proof,
    advance,
    header,
    dismissal,
    proven,
    void,
    taken_over,
    life,
]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: str(story.__name__))
def test_money_isConserved_toTheWei(world: World, trainee: Trainee, story: Story) -> None:
    """P13, P16, P17, P21, P28 and the solvency of ledger and vault; and once all credits are pulled
    the vault holds nothing but rewards that wait and the dust of shares."""
    coin, supply = all_coin(world), world.energy.functions.totalSupply().call()
    burned = story(world, trainee)
    assert supply - world.energy.functions.totalSupply().call() == burned
    assert all_coin(world) == coin
    for account in world.accounts:
        if world.credit(account):
            world.send(world.vault.functions.withdrawCredit(account), account)
    assert all_coin(world) == coin
    found = books.check(world)
    waiting = sum(found.rewards.values())
    assert world.coin(world.vault.address) - waiting < 3
