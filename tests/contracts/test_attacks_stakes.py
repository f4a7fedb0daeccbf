"""Attacks on stakes and rewards: rescue, draining, early withdrawal, profit from one's own fall."""

from __future__ import annotations

import pytest

from tests.support.money import (
    CHEAP_GAS,
    MAX_BPS,
    PROOF_GAS,
    SEGMENTS_GAS,
    Money,
    bond_fee,
    energy_bond,
    money,
    opening_fee,
    shares,
)
from tests.support.protocol import (
    BURN,
    ETHER,
    GWEI,
    NO_CHECKPOINT,
    Checkpoint,
    Economics,
    Season,
    World,
    garbage_segments,
)
from tests.support.snapshots import go_back, set_base_fee
from tests.support.training import SALT, Trainee, add_one

LIE = (20, add_one)


def convict(world: World, beast: int, c: Checkpoint, parent: Checkpoint, filer: str) -> Money:
    """By silence; what the filer has in ENERGY out of it."""
    before = money(world, filer)
    world.slash_by_timeout(beast, c, parent, filer)
    return money(world, filer).since(before)


def settle(world: World, beast: int, trainer: str, sender: str) -> None:
    world.send(world.vault.functions.settleReward(beast, trainer), sender)


# --- rescue -----------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["timeout", "proof"])
def test_attack_stakeRescuedByConvictingALaterWindow_isTakenOver(
    world: World, owner: str, trainer: str, prover: str, how: str
) -> None:
    """The cheat sees window 0 under dispute and convicts window 1 of his own through a friend, to
    have the reward out of his stake. It is held while window 0 is pending; its conviction takes it
    over, less the capped gas of the first."""
    trainee = Trainee.hatch(world, owner)
    first = trainee.train(tamper=LIE)
    second = trainee.train(tamper=LIE if how == "proof" else None)
    beast, stake = trainee.beast, world.staked(trainee.beast, owner)
    economics = world.season.economics
    honest = world.file(beast, first.checkpoint, prover)
    friend = world.file(beast, second.checkpoint, trainer)
    burned, debt = world.coin(BURN), 0
    if how == "proof":
        trainee.open_segments(friend, second)
        debt = world.opening_bond(friend).paid
        world.send(trainee.prove_call(friend, second, 2), trainer)
    else:
        world.travel(economics.responseWindow + 1)
        world.claim_timeout(friend, beast, second.checkpoint, first.checkpoint, trainer)
    reward = world.reward(beast, owner)
    assert (reward.filing, reward.proof) == shares(stake - debt, economics)[:2]
    settlement = world.vault.functions.settleReward(beast, owner)
    world.reverts(settlement, trainer, "RewardNotDue", beast, 0, 1)
    staking = world.ledger.functions.stake(beast)
    world.reverts(staking, owner, "StakeRewardHeld", beast, owner, value=1)

    friends = world.credit(trainer)
    if world.now() <= world.dispute(honest).responseDeadline:
        world.travel_to(world.dispute(honest).responseDeadline + 1)
    set_base_fee(world.rpc, 3 * GWEI)
    taken = world.claim_timeout(honest, beast, first.checkpoint, NO_CHECKPOINT, prover)
    gas = CHEAP_GAS if how == "timeout" else PROOF_GAS
    gas_paid = min(gas * bond_fee(world, taken["blockNumber"]), reward.proof)
    assert world.credit(trainer) - friends == gas_paid
    settle(world, beast, owner, prover)
    paid = world.logs("vault", "RewardTakenOver", taken)[0]
    assert (paid["to"], paid["gasPaid"]) == (trainer, gas_paid)
    carried = reward.filing + reward.proof - gas_paid
    world.reverts(settlement, trainer, "NoReward", beast, owner)
    held = world.logs("vault", "StakeTaken", taken)[0]["held"]
    assert (held["filing"] + held["proof"], held["filer"]) == (carried, prover)
    # Of the stake the friend has the gas, the honest one the rest of the shares, the burn is whole.
    assert world.coin(BURN) - burned == stake - debt - reward.filing - reward.proof


def test_attack_rescueByConvictingTheEarlierWindowOnesself_burnsIt(
    world: World, owner: str, trainer: str, prover: str
) -> None:
    """An honest conviction of window 1 is taken over by the cheat's own of window 0: he pays for it
    with half of nothing more, but the honest one is paid his gas, and the cheat's stake is gone
    but for what the honest shares were, of which a commitment-less one burns whole."""
    trainee = Trainee.hatch(world, owner)
    first = trainee.train(windowLoss=5)
    second = trainee.train(tamper=LIE)
    beast, stake, burned = trainee.beast, world.staked(trainee.beast, owner), world.coin(BURN)
    convict(world, beast, second.checkpoint, first.checkpoint, prover)
    credit = world.credit(prover)
    taken = world.send(trainee.header_call(first), trainer)
    gas_paid = CHEAP_GAS * bond_fee(world, taken["blockNumber"])
    assert world.credit(prover) - credit == gas_paid
    assert world.coin(BURN) - burned == stake - gas_paid
    assert world.credit(trainer) == 0


def test_reward_isDueWhenNothingStandsBelow(
    world: World, owner: str, challenger: str, stranger: str
) -> None:
    """P42: when the windows below are final; no new submission is needed for it. A fall further
    down lowers what is waited for."""
    beast = world.hatch(owner)
    chain = [world.submit(beast, owner) for _ in range(3)]
    stake = world.staked(beast, owner)
    convict(world, beast, chain[2], chain[1], challenger)
    call = world.vault.functions.settleReward(beast, owner)
    world.reverts(call, stranger, "RewardNotDue", beast, 0, 2)
    world.travel(world.season.economics.challengePeriod)
    world.finalize(beast, chain[0])
    world.reverts(call, stranger, "RewardNotDue", beast, 1, 2)
    world.finalize(beast, chain[1])
    before = world.credit(challenger)
    receipt = world.send(call, stranger)
    coin = shares(stake, world.season.economics)
    assert world.credit(challenger) - before == coin.filing + coin.proof
    assert world.logs("vault", "RewardSettled", receipt)[0]["trainer"] == owner
    world.reverts(call, stranger, "NoReward", beast, owner)
    world.stake(beast, owner)  # and he may train again


def test_reward_ofOneTrainer_isNotTouchedByAnother(
    world: World, owner: str, trainer: str, challenger: str, prover: str, stranger: str
) -> None:
    """Two trainers of one beast fall one after the other: each has his own stake and reward."""
    beast = world.hatch(owner)
    world.send(world.beasts.functions.setTrainer(beast, trainer, True), owner)
    first = world.submit(beast, owner)
    second = world.submit(beast, trainer, accept_foreign=True)
    stakes = world.staked(beast, owner), world.staked(beast, trainer)
    before = {a: money(world, a).coin for a in (challenger, prover)}
    convict(world, beast, second, first, challenger)
    convict(world, beast, first, NO_CHECKPOINT, prover)
    for who in (owner, trainer):
        settle(world, beast, who, stranger)
    economics = world.season.economics
    for account, stake in ((prover, stakes[0]), (challenger, stakes[1])):
        coin = shares(stake, economics)
        assert money(world, account).coin - before[account] == coin.filing + coin.proof


# --- draining ---------------------------------------------------------------------------------


@pytest.mark.parametrize("windows", [1, 3])
def test_attack_drainingOnesOwnStakeThroughOpenings_takesNothingFromTheBurn(
    world: World, owner: str, trainer: str, prover: str, windows: int
) -> None:
    """P39: a cheat files on himself through a friend and opens, to be paid out of bonds that his
    slashed stake repays. At once he gets only what he staked beyond the reserve; the reserve is
    shared and burned whole, and together the two are poorer by all of that."""
    set_base_fee(world.rpc, GWEI)
    trainee = Trainee.hatch(world, owner)
    extra = 10**14
    reserve = world.season.economics.stakeGas * GWEI
    world.stake(trainee.beast, owner, reserve + extra)
    chain = [trainee.train(tamper=LIE) for _ in range(windows)]
    before = [money(world, a) for a in (owner, trainer)]
    honest, burned = money(world, prover), world.coin(BURN)
    disputes = [world.file(trainee.beast, w.checkpoint, trainer) for w in chain]
    for dispute, window in zip(disputes, chain, strict=True):
        trainee.open_segments(dispute, window)
    bonds = [world.opening_bond(d) for d in disputes]
    assert sum(b.paid for b in bonds) == min(extra, sum(b.paid + b.waiting for b in bonds))
    assert sum(b.waiting for b in bonds) > 0
    trainee.commit_proof(prover, chain[0], 2)
    world.travel_to(world.dispute(disputes[0]).proofStart + 51)
    world.send(trainee.prove_call(disputes[0], chain[0], 2, salt=SALT), prover)
    for dispute, window in zip(disputes[1:], chain[1:], strict=True):
        world.send(
            world.court.functions.dismiss(dispute, trainee.beast, window.checkpoint), trainer
        )
    settle(world, trainee.beast, owner, prover)
    coin = shares(reserve, world.season.economics)
    assert money(world, prover).since(honest).coin == coin.proof
    assert world.coin(BURN) - burned == coin.burned
    pair = [money(world, a).since(b).coin for a, b in zip((owner, trainer), before, strict=True)]
    assert sum(pair) == extra + coin.filing  # the stake itself was his before
    assert reserve + extra - sum(pair) >= reserve * (MAX_BPS - 1_000) // MAX_BPS


def test_attack_openingDebts_areRepaidToStrangersFirst(
    world: World, owner: str, challenger: str, stranger: str, prover: str
) -> None:
    """P40: three filers paid the cheat's openings; when he falls each has his bond back whole, even
    who disputed windows that only void."""
    trainee = Trainee.hatch(world, owner)
    world.stake(trainee.beast, owner, 10 * ETHER)
    chain = [trainee.train(tamper=LIE) for _ in range(3)]
    filers = (challenger, stranger, prover)
    before = [money(world, a) for a in filers]
    disputes = []
    for window, filer in zip(chain, filers, strict=True):
        disputes.append(trainee.dispute(window, filer))
    assert all(world.opening_bond(d).waiting == 0 for d in disputes)
    debt = world.vault.functions.debtOf(trainee.beast, owner).call()
    assert debt == sum(world.opening_bond(d).paid for d in disputes) > 0
    world.send(trainee.prove_call(disputes[0], chain[0], 2), challenger)
    for dispute, window in zip(disputes[1:], chain[1:], strict=True):
        world.send(world.court.functions.dismiss(dispute, trainee.beast, window.checkpoint), owner)
    assert world.vault.functions.debtOf(trainee.beast, owner).call() == 0
    for filer, earlier in list(zip(filers, before, strict=True))[1:]:
        assert money(world, filer).since(earlier) == Money(0, 0)
    settle(world, trainee.beast, owner, stranger)
    coin = shares(10 * ETHER - debt, world.season.economics)
    gained = money(world, challenger).since(before[0]).coin
    assert gained == coin.filing + coin.proof


# --- withdrawal -------------------------------------------------------------------------------


def test_attack_stakeWithdrawnBeforeConviction_staysUntilAllIsSettled(
    world: World, beast: int, owner: str, challenger: str, stranger: str
) -> None:
    """P50: announced at once after the submission, with the beast sold on top: not paid before
    every window is final or void, and never before a dispute's bound; convicted before, it is
    slashed like any other."""
    chain = [world.submit(beast, owner) for _ in range(2)]
    stake = world.staked(beast, owner)
    ledger, economics = world.ledger.functions, world.season.economics
    world.send(ledger.announceWithdrawal(beast), owner)
    bound = economics.challengePeriod + economics.responseWindow + economics.proofWindow
    at = world.now() + bound
    world.send(world.beasts.functions.transferFrom(owner, stranger, beast), owner)
    call = ledger.withdrawStake(beast, owner)
    world.reverts(call, owner, "StakeStillNeeded", at, 0, 2)
    snapshot = world.rpc("evm_snapshot")
    world.travel_to(at)
    world.reverts(call, owner, "StakeStillNeeded", at, 0, 2)
    world.finalize(beast, *chain)
    before = money(world, owner)
    world.send(call, owner)
    assert money(world, owner).since(before) == Money(0, stake)
    go_back(world.rpc, snapshot)
    convict(world, beast, chain[1], chain[0], challenger)
    assert world.staked(beast, owner) == 0
    world.reverts(call, owner, "WithdrawalNotAnnounced", beast, owner)
    assert world.reward(beast, owner).filing == shares(stake, economics).filing


# --- profit from one's own fall ---------------------------------------------------------------


SELF = Season(
    economics=Economics(
        baseCost=1,
        growthCost=0,
        trainerBondMultiple=1,
        disputeBondMultiple=2,
        stakeGas=42_900_000,
        filingBps=1_265,
        proofBps=3_735,
    )
)
"""As far as the registry lets a governor go: half of all is shared, the bond is least."""


@pytest.mark.parametrize("season", [Season(), SELF], ids=["default", "hostile"])
def test_attack_selfConvictionForProfit_loses(world: World, season: Season) -> None:
    """Slashing oneself, as filer and prover too, burns half of the stake and no less ENERGY than an
    honest window costs, in a season at the edge of what is valid, too."""
    own = World.deploy(world.w3, world.artifacts, season)
    owner, friend = own.accounts[1], own.accounts[2]
    beast = own.hatch(owner)
    stake = own.stake(beast, owner, int(own.ledger.functions.requiredStake(beast).call()) * 2)
    before = [money(own, a) for a in (owner, friend)]
    c = own.submit(beast, owner)
    own.slash_by_timeout(beast, c, filer=friend)
    settle(own, beast, owner, friend)
    after = [money(own, a) for a in (owner, friend)]
    energy = sum(m.energy for m in before) - sum(m.energy for m in after)
    coin = stake + sum(m.coin for m in before) - sum(m.coin for m in after)
    assert energy >= c.payload.energyBurn
    assert 2 * energy >= c.locked
    assert 2 * coin >= stake


def test_attack_falseDisputeOfOnesOwnRightWindow_neverPays(
    world: World, owner: str, trainer: str
) -> None:
    """Filing on oneself, opening, proving all steps with commitments: the ENERGY bond is what the
    steps are paid from, so the two together gain nothing, and what exceeds the gas burns."""
    trainee = Trainee.hatch(world, owner)
    window = trainee.train()
    before = [money(world, a) for a in (owner, trainer)]
    dispute = trainee.dispute(window, trainer)
    trainee.advance_all(dispute, window, owner, 64, committed=True)
    world.send(world.vault.functions.claimSteps(dispute), owner)
    change = [money(world, a).since(b) for a, b in zip((owner, trainer), before, strict=True)]
    assert sum(m.coin for m in change) == 0
    assert -energy_bond(world, window.checkpoint) <= sum(m.energy for m in change) <= 0


# --- 8: the silent seller ---------------------------------------------------------------------


def test_attack_silentSeller_cannotTakeTheBuyerDown(
    world: World, beast: int, owner: str, trainer: str, stranger: str
) -> None:
    """A right window is left pending, the beast sold, the window disputed by a friend and left to
    fall in silence. The buyer could not build on it unawares; he waits, and loses nothing."""
    left = world.submit(beast, owner)
    stake = world.staked(beast, owner)
    world.send(world.beasts.functions.transferFrom(owner, stranger, beast), owner)
    before = money(world, stranger)
    world.stake(beast, stranger)
    world.reverts(world.submit_call(beast), stranger, "ForeignPendingParent", 0)
    sellers = [money(world, a) for a in (owner, trainer)]
    convict(world, beast, left, NO_CHECKPOINT, trainer)
    settle(world, beast, owner, trainer)
    own = world.submit(beast, stranger)
    assert own.index == 0
    staked = world.staked(beast, stranger)
    assert money(world, stranger).since(before) == Money(-own.locked, -staked)
    change = [money(world, a).since(b) for a, b in zip((owner, trainer), sellers, strict=True)]
    economics = world.season.economics
    lost = left.locked - sum(m.energy for m in change)
    assert lost == shares(left.locked, economics).burned
    assert stake - sum(m.coin for m in change) == shares(stake, economics).burned


def test_attack_silentSeller_whoAcceptsKnowsTheRisk(
    world: World, beast: int, owner: str, challenger: str, stranger: str
) -> None:
    """Accepted by an argument: the buyer's locks fall with the seller's window, his stake does not,
    and who disputed him meanwhile pays for his openings."""
    left = world.submit(beast, owner)
    world.send(world.beasts.functions.transferFrom(owner, stranger, beast), owner)
    mine = world.submit(beast, stranger, accept_foreign=True)
    stake, before = world.staked(beast, stranger), money(world, stranger)
    dispute = world.file(beast, mine, challenger)
    opened = world.open_segments(dispute, beast, mine, garbage_segments(mine.payload.h128))
    pay = SEGMENTS_GAS * opening_fee(world, opened)
    convict(world, beast, left, NO_CHECKPOINT, challenger)
    world.send(world.court.functions.dismiss(dispute, beast, mine), stranger)
    assert money(world, stranger).since(before) == Money(0, pay)
    assert world.staked(beast, stranger) == stake
