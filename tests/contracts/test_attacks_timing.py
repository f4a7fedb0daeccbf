"""Attacks with time and order: decoys, freezing, last seconds, several moves in one transaction."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.hostile import HostileAccount, step
from tests.support.money import (
    Money,
    energy_bond,
    money,
    opening_fee,
    shares,
    state_gas,
)
from tests.support.onchain import mined
from tests.support.protocol import (
    BURN,
    DAY,
    ETHER,
    FINAL,
    GWEI,
    OPENED,
    PRIVATE,
    SEGMENTS,
    UPHELD,
    World,
    garbage_segments,
)
from tests.support.snapshots import go_back, nothing_mined, set_base_fee
from tests.support.training import SALT, Dataset, Trainee, add_one, opening

LIE = (20, add_one)


# --- 3: decoys --------------------------------------------------------------------------------


def test_attack_decoy_shieldsNothing_andPaysTheHonestProver(
    world: World, trainee: Trainee, owner: str, trainer: str, prover: str
) -> None:
    """The cheat files the one possible dispute from its other account and answers it in the last
    second. The honest filer goes on with it; committed, he has the proof share after the head
    start, at the latest. The cheat loses more than an honest window costs, in each currency half
    of what he had at stake."""
    window = trainee.train(tamper=LIE)
    place = trainee.beast, window.checkpoint
    stake = world.staked(trainee.beast, owner)
    before = {a: money(world, a) for a in (owner, trainer, prover)}
    decoy = world.file(*place, trainer)
    again = world.court.functions.file(*place)
    ignored = world.send(again, prover, world.opening_value(*place))
    assert world.logs("court", "FilingIgnored", ignored)[0]["disputeId"] == decoy
    trainee.commit_proof(prover, window, 2)
    deadline = world.dispute(decoy).responseDeadline
    world.rpc("evm_setNextBlockTimestamp", hex(deadline))
    trainee.open_segments(decoy, window)
    debt = world.opening_bond(decoy).paid
    assert world.dispute(decoy).proofStart == deadline
    world.travel_to(deadline + world.season.economics.proofWindow // 4 + 1)
    world.send(trainee.prove_call(decoy, window, 2, salt=SALT), prover)
    world.send(world.vault.functions.settleReward(trainee.beast, owner), prover)
    economics, locked = world.season.economics, window.checkpoint.locked
    energy, coin = shares(locked, economics), shares(stake - debt, economics)
    change = {a: money(world, a).since(before[a]) for a in before}
    assert change[prover] == Money(energy.proof, coin.proof)
    cheat = Money(*(sum(pair) for pair in zip(change[owner], change[trainer], strict=True)))
    # Before the first of these his lock was gone already.
    assert cheat == Money(energy.filing, debt + coin.filing)
    assert locked - cheat.energy > window.checkpoint.payload.energyBurn
    assert 2 * (stake - cheat.coin) >= stake


def test_attack_decoy_inItsHeadStart_oneProofEndsIt(
    world: World, trainee: Trainee, owner: str, trainer: str, prover: str
) -> None:
    """Convicting himself through his own decoy, as fast as can be, the cheat still loses the burn:
    half of the stake and at least the window's price."""
    window = trainee.train(tamper=LIE)
    stake = world.staked(trainee.beast, owner)
    before = [money(world, a) for a in (owner, trainer)]
    dispute = trainee.dispute(window, trainer)
    world.send(trainee.prove_call(dispute, window, 2), owner)
    world.send(world.vault.functions.settleReward(trainee.beast, owner), trainer)
    gained = [money(world, a).since(b) for a, b in zip((owner, trainer), before, strict=True)]
    locked = window.checkpoint.locked
    assert locked - sum(g.energy for g in gained) == shares(locked, world.season.economics).burned
    assert 2 * (stake - sum(g.coin for g in gained)) >= stake
    assert world.coin(BURN) >= stake // 2


# --- 4: freezing ------------------------------------------------------------------------------


def test_attack_dismissAndFileInOneTransaction_endsWithTheChallengePeriod(
    world: World, owner: str, stranger: str
) -> None:
    """A contract ends its dispute and files the next one at once, as often as it is let: a window
    is final at the latest its challenge period and one dispute after its submission, and every
    round costs the attacker a bond and what the openings cost."""
    account = HostileAccount.create(world, stranger)
    account.fund(10 * ETHER, 10 * ETHER)
    beast = world.hatch(owner)
    c = world.submit(beast, owner)
    economics, before = world.season.economics, money(world, owner)
    attacker = world.coin(account.address), world.escrow(account.address)
    period_ends = c.submittedAt + economics.challengePeriod
    bound = period_ends + economics.responseWindow + economics.proofWindow
    segments, court = garbage_segments(c.payload.h128), world.court.functions
    filing = step(world.court, court.file(beast, c), ETHER)
    account.execute(filing)
    rounds, paid = 1, 0
    while True:
        dispute = int(court.disputeCount().call())
        deadline = world.dispute(dispute).responseDeadline
        world.rpc("evm_setNextBlockTimestamp", hex(deadline))
        world.open_segments(dispute, beast, c, segments)
        paid += world.opening_bond(dispute).paid
        ends = world.dispute(dispute).proofDeadline
        assert ends <= bound
        world.travel_to(ends + 1)
        dismissal = step(world.court, court.dismiss(dispute, beast, c))
        both = account.execute_call(dismissal, filing)
        if world.now() >= period_ends:
            world.reverts(both, stranger, "ChallengePeriodOver", 0, period_ends)
            break
        account.execute(dismissal, filing)
        rounds += 1
    world.send(court.dismiss(dispute, beast, c), owner)
    world.finalize(beast, c)
    assert world.status(beast, c) == FINAL
    assert world.now() <= bound + 30
    assert money(world, owner).since(before) == Money(c.bond, paid)
    bonds = rounds * energy_bond(world, c)
    assert attacker[1] - world.escrow(account.address) == bonds
    credit = world.credit(account.address)
    assert attacker[0] - world.coin(account.address) - credit == paid


def test_attack_filingLate_isRefused(world: World, beast: int, owner: str, challenger: str) -> None:
    """A year after submission, not final because nobody finalised: no dispute freezes it."""
    chain = [world.submit(beast, owner) for _ in range(3)]
    world.travel(365 * DAY)
    for c in chain:
        ends = c.submittedAt + world.season.economics.challengePeriod
        call = world.court.functions.file(beast, c)
        world.reverts(call, challenger, "ChallengePeriodOver", c.index, ends, value=ETHER)
    world.finalize(beast, *chain)


def test_attack_nobodyStretchesADispute(
    world: World, owner: str, challenger: str, stranger: str
) -> None:
    """No move of anybody's moves a deadline: filings into the open dispute, reveals, second
    publications, commitments, single steps."""
    data = Dataset.of([5, 6, 7], blob=b"blob")
    trainee = Trainee.hatch(world, owner, data)
    window = trainee.train(PRIVATE)
    place = trainee.beast, window.checkpoint
    dispute = trainee.dispute(window, challenger)
    found = world.dispute(dispute)
    deadlines = found.responseDeadline, found.proofStart, found.proofDeadline
    for at in (40, 80, 150):
        world.travel_to(found.proofStart + at)
        world.send(world.court.functions.file(*place), stranger, ETHER)
        reveal = world.court.functions.filePrivate(*place, data.blob, data.secret)
        world.send(reveal, stranger, ETHER)
        trainee.publish_records(window, stranger)
        done = world.dispute(dispute).stepsDone
        world.send(trainee.advance_call(dispute, window, done, 1), stranger)
        now = world.dispute(dispute)
        assert (now.responseDeadline, now.proofStart, now.proofDeadline) == deadlines
    world.travel_to(found.proofDeadline + 1)
    world.send(world.court.functions.dismiss(dispute, *place), stranger)


# --- last seconds -----------------------------------------------------------------------------


def test_attack_lastSecondMoves_leaveTimeToAnswer(
    world: World, trainee: Trainee, challenger: str
) -> None:
    """The openings in their last second still open a whole proof window; the proof in its last
    second still counts, one second later it does not."""
    window = trainee.train(tamper=LIE)
    dispute = world.file(trainee.beast, window.checkpoint, challenger)
    world.rpc("evm_setNextBlockTimestamp", hex(world.dispute(dispute).responseDeadline))
    trainee.open_segments(dispute, window)
    deadline = world.dispute(dispute).proofDeadline
    assert deadline == world.now() + world.season.economics.proofWindow
    call = trainee.prove_call(dispute, window, 2)
    world.travel_to(deadline - 1)
    snapshot = world.rpc("evm_snapshot")
    world.travel_to(deadline + 1)
    world.reverts(call, challenger, "ProofWindowClosed", deadline)
    go_back(world.rpc, snapshot)
    world.rpc("evm_setNextBlockTimestamp", hex(deadline))
    world.send(call, challenger)
    assert world.dispute(dispute).status == UPHELD


def test_attack_openingThatMakesAnotherRevert_atTheDeadline(
    world: World, owner: str, challenger: str, stranger: str
) -> None:
    """The defender sends all openings in one transaction in the last second; somebody copies each
    of them in front of it, in the same block. Nothing reverts, and the trainer is paid once."""
    trainee = Trainee.hatch(world, owner, Dataset.of([5, 6, 7]))
    trainee.train()
    window = trainee.train(PRIVATE)
    account = HostileAccount.create(world, owner)
    world.send(world.court.functions.setDefender(account.address), owner)
    dispute = world.file(trainee.beast, window.checkpoint, challenger)
    place = (dispute, trainee.beast, window.checkpoint)
    records = world.records.functions.publish(
        trainee.beast, 1, *trainee.records_opening(window).arguments
    )
    state = world.states.functions.publish(*opening(window.parent_state))
    segments = world.court.functions.openSegments(*place, window.segments)
    whole = account.execute_call(
        step(world.court, segments),
        step(world.states, state),
        step(world.records, records),
        step(world.court, segments),
    )
    before = money(world, owner)
    deadline = world.dispute(dispute).responseDeadline
    calls: list[tuple[Any, str]] = [(state, stranger), (records, stranger), (whole, owner)]
    how = {"gas": 4_000_000, "gasPrice": 10**11}
    with nothing_mined(world.rpc):
        sent = [call.transact({"from": who, **how}) for call, who in calls]
        world.rpc("evm_setNextBlockTimestamp", hex(deadline))
        world.rpc("evm_mine")
    receipts = [mined(world.w3, tx) for tx in sent]
    assert [r["status"] for r in receipts] == [1, 1, 1]
    assert len({r["blockNumber"] for r in receipts}) == 1
    world.gas_spent[owner] += receipts[2]["gasUsed"] * receipts[2]["effectiveGasPrice"]
    world.accept_openings(*place)
    found = world.dispute(dispute)
    assert (found.status, found.missing, found.proofStart) == (OPENED, 0, deadline)
    bond = world.opening_bond(dispute)
    assert money(world, owner).since(before) == Money(0, bond.paid)
    fee = opening_fee(world, receipts[0])
    assert bond.paid > state_gas(opening(window.parent_state)[1]) * fee


@pytest.mark.parametrize("branch", ["refiled", "never"])
def test_attack_filingReorgedAway_afterTheSecretWasSent(
    world: World, owner: str, challenger: str, branch: str
) -> None:
    """The filing vanishes with its branch, and the opening, secret included, is mined on the other
    one: it stands by itself and counts for whoever files there."""
    trainee = Trainee.hatch(world, owner, Dataset.of([5, 6, 7]))
    window = trainee.train(PRIVATE)
    place = trainee.beast, window.checkpoint
    fork = world.rpc("evm_snapshot")
    world.file(*place, challenger)
    go_back(world.rpc, fork)
    trainee.publish_records(window)
    if branch == "refiled":
        dispute = world.file(*place, challenger)
        assert world.dispute(dispute).missing == SEGMENTS
        trainee.open_segments(dispute, window)
        assert world.dispute(dispute).status == OPENED
    else:
        world.travel(world.season.economics.challengePeriod)
        world.finalize(*place)


# --- 10: sixty-four windows -------------------------------------------------------------------


def test_attack_manyWindowsInADay_costTheAttackerTheirOpeningsTwice(
    world: World, trainee: Trainee, owner: str, stranger: str, nightly: bool
) -> None:
    """Many right windows of one beast disputed at once: the trainer opens all and ends with no loss
    but gas that he is paid for; the attacker pays the openings, burns as much again, and has tied
    up a multiple of it. Sixty-four by night, and else twice as many as the surplus grows for."""
    count = 64 if nightly else 16
    season_gas = world.season.economics.stakeGas
    world.stake(trainee.beast, owner, 100 * season_gas * GWEI)
    windows = [trainee.train() for _ in range(count)]
    world.fund(stranger, 1_000 * ETHER)
    before = {a: money(world, a) for a in (owner, stranger)}
    burned = world.coin(BURN)
    disputes = [world.file(trainee.beast, w.checkpoint, stranger) for w in windows]
    bonds = [world.opening_bond(d) for d in disputes]
    assert [round(b.surplus / b.base) for b in bonds] == [*range(7), *[7] * (count - 7)]
    for dispute, window in zip(disputes, windows, strict=True):
        trainee.open_segments(dispute, window)
        if window.checkpoint.index:
            trainee.publish_parent(window)
            world.accept_openings(dispute, trainee.beast, window.checkpoint)
    paid = [world.opening_bond(d).paid + world.opening_bond(d).waiting for d in disputes]
    world.travel(world.season.economics.proofWindow + 1)
    for dispute, window in zip(disputes, windows, strict=True):
        dismiss = world.court.functions.dismiss(dispute, trainee.beast, window.checkpoint)
        world.send(dismiss, owner)
    opened, again = sum(paid), sum(paid[1:])  # the first one had no surplus
    energy = sum(energy_bond(world, w.checkpoint) for w in windows)
    assert money(world, owner).since(before[owner]) == Money(0, opened)
    assert money(world, stranger).since(before[stranger]) == Money(-energy, -opened - again)
    assert world.coin(BURN) - burned == again
    assert sum(b.base + b.surplus for b in bonds) > 20 * opened


# --- 11: decoys before a doubt ----------------------------------------------------------------


@pytest.mark.parametrize("decoys", [1, 2, 8])
def test_attack_decoysBeforeADoubt_costItItsOpeningsTwice_atMost(
    world: World, trainee: Trainee, owner: str, challenger: str, stranger: str, decoys: int
) -> None:
    """The cheat disputes windows of its own, and answers, so that whoever doubts the next one files
    behind them: it has more tied up meanwhile, and loses no more than its openings twice."""
    windows = [trainee.train() for _ in range(decoys + 1)]
    world.stake(trainee.beast, owner, 2 * world.season.economics.stakeGas * GWEI)
    for window in windows[:-1]:
        world.file(trainee.beast, window.checkpoint, challenger)
    before, burned = money(world, stranger), world.coin(BURN)
    last = windows[-1]
    dispute = world.file(trainee.beast, last.checkpoint, stranger)
    bond = world.opening_bond(dispute)
    assert bond.surplus == bond.base * min(decoys, 7)
    trainee.open_all(dispute, last)
    opened = world.opening_bond(dispute).paid + world.opening_bond(dispute).waiting
    world.travel(world.season.economics.proofWindow + 1)
    place = (dispute, trainee.beast, last.checkpoint)
    receipt = world.send(world.court.functions.dismiss(*place), owner)
    lost = Money(-energy_bond(world, last.checkpoint), -2 * opened)
    assert money(world, stranger).since(before) == lost
    assert world.coin(BURN) - burned == opened
    [ended] = world.logs("vault", "OpeningBondReleased", receipt)
    assert (ended["kept"], ended["burned"]) == (opened, opened)
    assert ended["returned"] == bond.base + bond.surplus - 2 * opened


def test_attack_baseFeeLeapBehindADecoy_burnsNoMoreThanIsLeft(
    world: World, trainee: Trainee, owner: str, challenger: str, stranger: str
) -> None:
    """The base fee leaps until openings take more than the base: what is left of the surplus is
    less than they took, and all that burns."""
    first, second = trainee.train(), trainee.train()
    set_base_fee(world.rpc, 2 * GWEI)
    world.file(trainee.beast, first.checkpoint, challenger)
    before, burned = money(world, stranger), world.coin(BURN)
    dispute = world.file(trainee.beast, second.checkpoint, stranger)
    bond = world.opening_bond(dispute)
    leap = 12 * GWEI
    set_base_fee(world.rpc, leap)
    place = (dispute, trainee.beast, second.checkpoint)
    world.send(world.court.functions.openSegments(*place, list(second.segments)), owner, price=leap)
    set_base_fee(world.rpc, leap)
    world.send(world.states.functions.publish(*opening(second.parent_state)), owner, price=leap)
    world.accept_openings(*place)
    found = world.opening_bond(dispute)
    opened = found.paid + found.waiting
    assert bond.base < opened < bond.base + bond.surplus
    world.travel(world.season.economics.proofWindow + 1)
    world.send(world.court.functions.dismiss(*place), owner)
    lost = Money(-energy_bond(world, second.checkpoint), -bond.base - bond.surplus)
    assert money(world, stranger).since(before) == lost
    assert world.coin(BURN) - burned == bond.base + bond.surplus - opened
