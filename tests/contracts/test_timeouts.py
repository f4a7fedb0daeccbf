"""Ends of a dispute without re-execution: silence, dismissal, the fall of an ancestor."""

from __future__ import annotations

import pytest

from tests.support.money import (
    SEGMENTS_GAS,
    Money,
    energy_bond,
    gas_owed,
    money,
    opening_bond,
    opening_fee,
    shares,
)
from tests.support.protocol import (
    BURN,
    DISMISSED,
    NO_CHECKPOINT,
    SEGMENTS,
    STATE,
    TIMEOUT,
    UPHELD,
    VOIDED,
    Checkpoint,
    World,
    garbage_segments,
)
from tests.support.snapshots import set_base_fee
from tests.support.training import Trainee

# --- silence ----------------------------------------------------------------------------------


def test_claimTimeout_paysTheFiler_whoeverCalls(
    world: World,
    beast: int,
    checkpoint: Checkpoint,
    owner: str,
    challenger: str,
    prover: str,
) -> None:
    """P27, P30: both shares of both currencies go to who filed; the rest burns, to the wei."""
    economics = world.season.economics
    stake, burned = world.staked(beast, owner), world.coin(BURN)
    before = {a: money(world, a) for a in (owner, challenger, prover)}
    supply = world.energy.functions.totalSupply().call()
    dispute = world.file(beast, checkpoint, challenger)
    world.travel(economics.responseWindow + 1)
    receipt = world.claim_timeout(dispute, beast, checkpoint, NO_CHECKPOINT, prover)
    upheld = world.logs("court", "DisputeUpheld", receipt)[0]
    assert (upheld["how"], upheld["filer"], upheld["prover"]) == (TIMEOUT, challenger, challenger)
    assert world.dispute(dispute).status == UPHELD

    energy, coin = shares(checkpoint.locked, economics), shares(stake, economics)
    held = world.reward(beast, owner)
    assert (held.filing, held.proof) == (coin.filing, coin.proof)
    assert (held.filer, held.prover) == (challenger, challenger)
    world.send(world.vault.functions.settleReward(beast, owner), prover)  # nothing stands below
    assert world.reward(beast, owner).filing == 0
    assert {a: money(world, a).since(before[a]) for a in before} == {
        owner: Money(0, 0),
        prover: Money(0, 0),
        challenger: Money(energy.filing + energy.proof, coin.filing + coin.proof),
    }
    assert supply - world.energy.functions.totalSupply().call() == energy.burned
    assert world.coin(BURN) - burned == coin.burned
    assert world.staked(beast, owner) == 0
    assert 2 * coin.burned >= stake  # at least half of each currency
    assert 2 * energy.burned >= checkpoint.locked


def test_claimTimeout_early_reverts(
    world: World, beast: int, checkpoint: Checkpoint, challenger: str
) -> None:
    """P27: not before the last second has passed."""
    dispute = world.file(beast, checkpoint, challenger)
    deadline = world.dispute(dispute).responseDeadline
    call = world.court.functions.claimTimeout((dispute, beast, checkpoint, NO_CHECKPOINT))
    world.travel_to(deadline)
    world.reverts(call, challenger, "ResponseWindowOpen", deadline)
    world.travel_to(deadline + 1)
    world.call(call, challenger)


def test_claimTimeout_afterTheOpenings_reverts(
    world: World, beast: int, checkpoint: Checkpoint, challenger: str
) -> None:
    dispute = world.file(beast, checkpoint, challenger)
    world.open_segments(dispute, beast, checkpoint, garbage_segments(checkpoint.payload.h128))
    world.travel(10 * world.season.economics.proofWindow)
    call = world.court.functions.claimTimeout((dispute, beast, checkpoint, NO_CHECKPOINT))
    world.reverts(call, challenger, "NothingMissing", dispute)


def test_claimTimeout_badInput_reverts(
    world: World, beast: int, checkpoint: Checkpoint, owner: str, challenger: str
) -> None:
    child = world.submit(beast, owner)
    court = world.court.functions
    call = court.claimTimeout((1, beast, child, checkpoint))
    world.reverts(call, challenger, "NoSuchDispute", 1)
    world.file(beast, child, challenger)
    world.travel(world.season.economics.responseWindow + 1)
    wrong = court.claimTimeout((1, beast, checkpoint, NO_CHECKPOINT))
    world.reverts(wrong, challenger, "WrongRecord")
    for forged in (NO_CHECKPOINT, checkpoint._replace(bond=1)):
        parent = court.claimTimeout((1, beast, child, forged))
        world.reverts(parent, challenger, "WrongParentRecord", 1)
    world.send(call, challenger)
    world.reverts(call, challenger, "DisputeEnded", 1)


@pytest.mark.parametrize("opened", ["nothing", "segments", "state"])
def test_attack_timeoutAndDismissal_areNeverBothOpen(
    world: World, trainee: Trainee, challenger: str, stranger: str, opened: str
) -> None:
    """P29: at every second of a dispute's life at most one of the two succeeds, and of a dispute
    with a missing opening it is never the dismissal."""
    trainee.train()
    window = trainee.train()
    dispute = world.file(trainee.beast, window.checkpoint, challenger)
    place = (dispute, trainee.beast, window.checkpoint)
    if opened == "segments":
        trainee.open_segments(dispute, window)
    if opened == "state":
        trainee.publish_parent(window)
    timeout = world.court.functions.claimTimeout((*place, window.parent))
    dismiss = world.court.functions.dismiss(*place)
    economics, deadline = world.season.economics, world.dispute(dispute).responseDeadline
    missing = {"nothing": SEGMENTS | STATE, "segments": STATE, "state": SEGMENTS}[opened]
    for at in (deadline - 1, deadline):
        world.travel_to(at)
        world.reverts(timeout, stranger, "ResponseWindowOpen", deadline)
        world.reverts(dismiss, stranger, "OpeningsMissing", dispute, missing)
    for at in (deadline + 1, deadline + economics.proofWindow + 1, deadline + 10**6):
        world.travel_to(at)
        world.reverts(dismiss, stranger, "OpeningsMissing", dispute, missing)
        world.call(timeout, stranger)


# --- dismissal --------------------------------------------------------------------------------


def test_dismiss_burnsTheEnergyBond_andPaysTheOpenings(
    world: World,
    beast: int,
    checkpoint: Checkpoint,
    owner: str,
    challenger: str,
    stranger: str,
) -> None:
    """The filer pays exactly what the openings cost, the trainer gets exactly that."""
    before = {a: money(world, a) for a in (owner, challenger, stranger)}
    supply = world.energy.functions.totalSupply().call()
    dispute = world.file(beast, checkpoint, challenger)
    segments = garbage_segments(checkpoint.payload.h128)
    opened = world.open_segments(dispute, beast, checkpoint, segments)
    pay = SEGMENTS_GAS * opening_fee(world, opened)
    world.travel(world.season.economics.proofWindow + 1)
    receipt = world.send(world.court.functions.dismiss(dispute, beast, checkpoint), stranger)
    assert world.logs("court", "DisputeDismissed", receipt)
    assert world.dispute(dispute).status == DISMISSED
    bond = energy_bond(world, checkpoint)
    assert {a: money(world, a).since(before[a]) for a in before} == {
        owner: Money(0, pay),
        challenger: Money(-bond, -pay),
        stranger: Money(0, 0),
    }
    assert supply - world.energy.functions.totalSupply().call() == bond
    assert world.opening_bond(dispute) == (0, 0, 0, 0, 0)


def test_dismiss_burnsOfTheSurplusWhatOpeningsTook(
    world: World, trainee: Trainee, owner: str, challenger: str, stranger: str
) -> None:
    """The second dispute over one beast costs its filer the openings once more, if it was false."""
    first, second = trainee.train(), trainee.train()
    world.file(trainee.beast, first.checkpoint, challenger)
    before = {a: money(world, a) for a in (owner, stranger)}
    burned = world.coin(BURN)
    dispute = world.file(trainee.beast, second.checkpoint, stranger)
    base = opening_bond(world, world.dispute(dispute).filedIn, gas_owed(state=True))
    assert world.opening_bond(dispute).surplus == base
    trainee.open_all(dispute, second)
    pay = world.opening_bond(dispute).paid
    world.travel(world.season.economics.proofWindow + 1)
    place = (dispute, trainee.beast, second.checkpoint)
    world.send(world.court.functions.dismiss(*place), owner)
    bond = energy_bond(world, second.checkpoint)
    assert money(world, stranger).since(before[stranger]) == Money(-bond, -2 * pay)
    assert money(world, owner).since(before[owner]) == Money(0, pay)
    assert world.coin(BURN) - burned == pay < base


def test_dismiss_early_reverts(
    world: World, beast: int, checkpoint: Checkpoint, challenger: str, owner: str
) -> None:
    dispute = world.file(beast, checkpoint, challenger)
    call = world.court.functions.dismiss(dispute, beast, checkpoint)
    world.reverts(call, owner, "OpeningsMissing", dispute, SEGMENTS)
    world.open_segments(dispute, beast, checkpoint, garbage_segments(checkpoint.payload.h128))
    deadline = world.dispute(dispute).proofDeadline
    world.travel_to(deadline)
    world.reverts(call, owner, "ProofWindowOpen", deadline)
    world.travel_to(deadline + 1)
    world.call(call, owner)


def test_dismiss_badInput_reverts(
    world: World, beast: int, checkpoint: Checkpoint, challenger: str, owner: str
) -> None:
    dispute = world.file(beast, checkpoint, challenger)
    other = world.submit(beast, owner)
    dismiss = world.court.functions.dismiss
    world.reverts(dismiss(2, beast, checkpoint), owner, "NoSuchDispute", 2)
    world.reverts(dismiss(dispute, beast, other), owner, "WrongRecord")
    world.reverts(dismiss(dispute, beast + 1, checkpoint), owner, "WrongRecord")


# --- the fall of an ancestor ------------------------------------------------------------------


@pytest.mark.parametrize("opened", [False, True])
@pytest.mark.parametrize("same", [True, False], ids=["sameTrainer", "otherTrainer"])
def test_void_returnsBothBonds_lessOpeningsOfAnInnocentTrainer(
    world: World,
    beast: int,
    checkpoint: Checkpoint,
    owner: str,
    trainer: str,
    challenger: str,
    stranger: str,
    same: bool,
    opened: bool,
) -> None:
    """P28: who disputed the child of a window that fell pays for its openings only if its trainer
    did nothing wrong; out of the cheat's own stake they are repaid."""
    world.send(world.beasts.functions.setTrainer(beast, trainer, True), owner)
    sender = owner if same else trainer
    child = world.submit(beast, sender, accept_foreign=not same)
    before = {a: money(world, a) for a in (sender, stranger)}
    stake, burned = world.staked(beast, owner), world.coin(BURN)
    dispute, pay = world.file(beast, child, stranger), 0
    if opened:
        segments = garbage_segments(child.payload.h128)
        pay = SEGMENTS_GAS * opening_fee(
            world, world.open_segments(dispute, beast, child, segments)
        )
    ancestor = world.file(beast, checkpoint, challenger)
    world.travel(world.season.economics.responseWindow + 1)
    world.claim_timeout(ancestor, beast, checkpoint, NO_CHECKPOINT, challenger)
    for call in (
        world.court.functions.claimTimeout((dispute, beast, child, checkpoint)),
        world.court.functions.acceptOpenings(dispute, beast, child),
        world.court.functions.openSegments(
            dispute, beast, child, garbage_segments(child.payload.h128)
        ),
    ):
        world.reverts(call, sender, "NotPending", beast, 1)
    receipt = world.send(world.court.functions.dismiss(dispute, beast, child), owner)
    assert world.logs("court", "DisputeVoided", receipt)
    assert world.dispute(dispute).status == VOIDED
    kept = 0 if same else pay
    change = {a: money(world, a).since(before[a]) for a in before}
    assert change[stranger] == Money(0, -kept)
    assert change[sender] == Money(0, pay)
    # Of the cheat's stake the debt comes first, the shares are taken from the rest.
    debt = pay if same else 0
    assert world.coin(BURN) - burned == shares(stake - debt, world.season.economics).burned
    call = world.court.functions.dismiss(dispute, beast, child)
    world.reverts(call, owner, "DisputeEnded", dispute)


def test_void_paysWhatWaited(
    world: World, beast: int, owner: str, trainer: str, challenger: str, stranger: str
) -> None:
    """An innocent trainer whose openings could not be paid at once is paid when the dispute is
    void."""
    checkpoint = world.submit(beast, owner)
    world.send(world.beasts.functions.setTrainer(beast, trainer, True), owner)
    world.stake(beast, trainer, int(world.ledger.functions.stakeAt(1).call()))
    child = world.submit(beast, trainer, accept_foreign=True)
    dispute = world.file(beast, child, stranger)
    set_base_fee(world.rpc, 30 * 10**9)
    segments = garbage_segments(child.payload.h128)
    world.open_segments(dispute, beast, child, segments)
    bond = world.opening_bond(dispute)
    assert bond.paid == 0
    assert bond.waiting > 0
    world.slash_by_timeout(beast, checkpoint, filer=challenger)
    before = world.credit(trainer), world.credit(stranger)
    world.send(world.court.functions.dismiss(dispute, beast, child), owner)
    assert world.credit(trainer) - before[0] == bond.waiting
    assert world.credit(stranger) - before[1] == bond.base + bond.surplus - bond.waiting
