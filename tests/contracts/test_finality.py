"""Finalizing, and rolling back: order, age, money, and what a slashing takes down with it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.protocol import (
    FINAL,
    NO_CHECKPOINT,
    PENDING,
    UNKNOWN_OR_VOID,
    Checkpoint,
    World,
    garbage_segments,
)


def submit_many(world: World, beast: int, owner: str, count: int) -> list[Checkpoint]:
    return [world.submit(beast, owner) for _ in range(count)]


def settle(world: World, beast: int, owner: str, *below: Checkpoint) -> None:
    """Finalize what is left of a slashed trainer's windows, which lets it stake again."""
    if below:
        world.travel(world.season.economics.challengePeriod)
        world.finalize(beast, *below)
    world.settle_reward(beast, owner)


# --- finalize ---------------------------------------------------------------------------------


def test_finalize_burnsTheEnergyAndReturnsTheBond(world: World, beast: int, owner: str) -> None:
    first, second = submit_many(world, beast, owner, 2)
    escrow, supply = world.escrow(owner), world.energy.functions.totalSupply().call()
    world.travel(world.season.economics.challengePeriod)
    receipt = world.finalize(beast, first, second)
    burned = first.payload.energyBurn + second.payload.energyBurn
    assert world.energy.functions.totalSupply().call() == supply - burned
    assert world.escrow(owner) == escrow + first.bond + second.bond
    assert world.head(beast).finalCount == 2
    assert world.status(beast, first) == world.status(beast, second) == FINAL
    logged = world.logs("ledger", "CheckpointFinalized", receipt)
    assert [(log["index"], log["h128"]) for log in logged] == [
        (c.index, c.payload.h128) for c in (first, second)
    ]


def test_finalize_young_reverts(world: World, beast: int, owner: str) -> None:
    """P11: to the second."""
    checkpoint = world.submit(beast, owner)
    ends = checkpoint.submittedAt + world.season.economics.challengePeriod
    call = world.ledger.functions.finalize(beast, [checkpoint])
    world.travel_to(ends - 1)
    world.reverts(call, owner, "ChallengePeriodOpen", 0, ends)
    world.travel_to(ends)
    world.call(call, owner)


def test_finalize_outOfOrder_reverts(world: World, beast: int, owner: str) -> None:
    """P11"""
    first, second = submit_many(world, beast, owner, 2)
    world.travel(world.season.economics.challengePeriod)
    call = world.ledger.functions.finalize
    world.reverts(call(beast, [second]), owner, "OutOfOrder", 0, 1)
    world.reverts(call(beast, [first, first]), owner, "OutOfOrder", 1, 0)
    world.finalize(beast, first)
    world.reverts(call(beast, [first]), owner, "OutOfOrder", 1, 0)


def test_finalize_nothing_reverts(world: World, beast: int, owner: str) -> None:
    world.reverts(world.ledger.functions.finalize(beast, []), owner, "EmptyBatch")


@pytest.mark.parametrize("field", ["bond", "trainer", "submittedAt", "lockedSum", "generation"])
def test_finalize_forgedRecord_reverts(
    world: World, beast: int, owner: str, stranger: str, field: str
) -> None:
    """P15: not one field of a record can be changed."""
    checkpoint = world.submit(beast, owner)
    world.travel(world.season.economics.challengePeriod)
    value: Any = stranger if field == "trainer" else getattr(checkpoint, field) + 1
    forged = checkpoint._replace(**{field: value})
    call = world.ledger.functions.finalize(beast, [forged])
    world.reverts(call, stranger, "NotLive", beast, 0)


def test_finalize_anotherBeastsRecord_reverts(world: World, beast: int, owner: str) -> None:
    other = world.hatch(owner)
    checkpoint = world.submit(beast, owner)
    world.submit(other, owner)
    world.travel(world.season.economics.challengePeriod)
    call = world.ledger.functions.finalize(other, [checkpoint])
    world.reverts(call, owner, "NotLive", other, 0)


def test_finalize_disputed_reverts(world: World, beast: int, owner: str, challenger: str) -> None:
    """P11: neither the disputed checkpoint nor its child, however old."""
    first, second = submit_many(world, beast, owner, 2)
    dispute = world.file(beast, first, challenger)
    world.travel(world.season.economics.challengePeriod)
    call = world.ledger.functions.finalize
    world.reverts(call(beast, [first]), owner, "DisputeIsOpen", dispute)
    world.reverts(call(beast, [second]), owner, "OutOfOrder", 0, 1)


def test_finalize_afterADismissal_works(
    world: World, beast: int, owner: str, challenger: str
) -> None:
    checkpoint = world.submit(beast, owner)
    dispute = world.file(beast, checkpoint, challenger)
    world.open_segments(dispute, beast, checkpoint, garbage_segments(checkpoint.payload.h128))
    world.travel(world.season.economics.challengePeriod)
    world.send(world.court.functions.dismiss(dispute, beast, checkpoint), owner)
    world.finalize(beast, checkpoint)
    assert world.status(beast, checkpoint) == FINAL


# --- rollback ---------------------------------------------------------------------------------


def test_slash_takesTheChildrenDown(world: World, beast: int, owner: str, challenger: str) -> None:
    """Children of a slashed parent are void and all they locked burns (P13)."""
    c = submit_many(world, beast, owner, 4)
    supply = world.energy.functions.totalSupply().call()
    paid = world.escrow(challenger)
    receipt = world.slash_by_timeout(beast, c[1], c[0], challenger)
    head = world.head(beast)
    assert (head.h128, head.headCount, head.generation) == (c[0].payload.h128, 1, 1)
    assert head.lockedSum == c[0].lockedSum
    assert [world.status(beast, x) for x in c] == [PENDING] + [UNKNOWN_OR_VOID] * 3
    # who files is paid as the prover, too, where nothing is left to prove
    reward = c[1].locked * 1_000 // 10_000 + c[1].locked * 3_000 // 10_000
    assert world.escrow(challenger) == paid + reward
    burned = sum(x.locked for x in c[1:]) - reward
    assert world.energy.functions.totalSupply().call() == supply - burned
    logged = world.logs("ledger", "CheckpointSlashed", receipt)[0]
    assert (logged["index"], logged["newHeadCount"], logged["burned"]) == (1, 1, burned)


def test_slash_ofTheFirst_goesBackToBirth(world: World, beast: int, owner: str) -> None:
    newborn = world.head(beast)
    first, _ = submit_many(world, beast, owner, 2)
    world.slash_by_timeout(beast, first)
    assert world.head(beast) == newborn._replace(generation=1)
    settle(world, beast, owner)
    again = world.submit(beast, owner)
    assert (again.index, again.generation, again.lockedSum) == (0, 1, again.locked)


def test_slash_intoAnEarlierEpoch_restoresIt(world: World, beast: int, owner: str) -> None:
    """The epoch is that of the parent's successor; a later one starts anew with a new seed."""
    c = submit_many(world, beast, owner, 3)
    before = world.head(beast)
    c += submit_many(world, beast, owner, 3)  # into epoch 1
    first_seed = world.epoch_seed(beast, 1)
    world.slash_by_timeout(beast, c[3], c[2])
    assert world.head(beast) == before._replace(generation=1)
    world.reverts(world.ledger.functions.epochOf(beast, 1), owner, "EpochNotStarted", 0, 1)
    settle(world, beast, owner, *c[:3])
    world.submit(beast, owner)
    assert world.head(beast).epoch == 1
    assert world.epoch_seed(beast, 1) != first_seed


def test_slash_atAnEpochsStart_keepsItsRecord(world: World, beast: int, owner: str) -> None:
    c = submit_many(world, beast, owner, 4)
    before, seed = world.head(beast), world.epoch_seed(beast, 1)
    c += submit_many(world, beast, owner, 2)
    world.slash_by_timeout(beast, c[4], c[3])
    assert world.head(beast) == before._replace(generation=1)
    assert world.epoch_seed(beast, 1) == seed


def test_slash_mask_isTheParentsAgain(world: World, beast: int, owner: str) -> None:
    parent = world.submit(beast, owner)
    grown = world.submit(beast, owner, world.payload(beast, activeMask=0xFF))
    world.slash_by_timeout(beast, grown, parent)
    assert world.head(beast).activeMask == parent.payload.activeMask


def test_slash_sameWorkAgain_isANewRecord(world: World, beast: int, owner: str) -> None:
    """P14: resubmitting the very payload gives another digest, and the old record stays dead."""
    parent = world.submit(beast, owner)
    payload = world.payload(beast)
    old = world.submit(beast, owner, payload)
    world.slash_by_timeout(beast, old, parent)
    settle(world, beast, owner, parent)
    new = world.submit(beast, owner, payload)
    assert new.payload == old.payload
    assert world.is_live(beast, new)
    assert not world.is_live(beast, old)


def test_slash_staleChildRecord_staysDeadAfterResubmission(
    world: World, beast: int, owner: str
) -> None:
    """P15: the void child's digest is still stored, but its index is beyond the head."""
    parent, bad, child = submit_many(world, beast, owner, 3)
    world.slash_by_timeout(beast, bad, parent)
    settle(world, beast, owner, parent)
    world.submit(beast, owner)
    assert world.head(beast).headCount == 2
    assert world.status(beast, child) == UNKNOWN_OR_VOID


def test_slash_withAWrongParentRecord_reverts(
    world: World, beast: int, owner: str, challenger: str
) -> None:
    first, second, third = submit_many(world, beast, owner, 3)
    dispute = world.file(beast, third, challenger)
    world.travel(world.season.economics.responseWindow + 1)
    for wrong in (first, NO_CHECKPOINT, second._replace(bond=0)):
        call = world.court.functions.claimTimeout((dispute, beast, third, wrong))
        world.reverts(call, challenger, "WrongParentRecord", 2)


def test_slash_afterFinality_isImpossible(
    world: World, beast: int, owner: str, challenger: str
) -> None:
    checkpoint = world.submit(beast, owner)
    world.travel(world.season.economics.challengePeriod)
    world.finalize(beast, checkpoint)
    call = world.court.functions.file(beast, checkpoint)
    world.reverts(call, challenger, "AlreadyFinal", beast, 0)


def test_ledger_courtOnly_reverts(world: World, beast: int, owner: str, stranger: str) -> None:
    """P6: nobody but the court, not even the deployer."""
    c = world.submit(beast, owner)
    digest = world.ledger.functions.digestOf(beast, c).call()
    calls = [
        world.ledger.functions.openDispute(beast, c, stranger, 1, 0),
        world.ledger.functions.closeDispute(digest, stranger, 2, 0),
        world.ledger.functions.slash(beast, c, NO_CHECKPOINT, (0, stranger, stranger, 0, 0)),
    ]
    for sender in (stranger, world.accounts[0], owner):
        for call in calls:
            world.reverts(call, sender, "OnlyCourt", sender)
    court = world.court.address
    world.reverts(calls[1], court, "NoOpenDispute", digest)  # nor the court without a dispute
