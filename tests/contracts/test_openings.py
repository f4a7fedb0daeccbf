"""Openings: by whom, until when, what they pay, and that none stands in another's way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.samples import random_position
from tests.support.hostile import HostileAccount, step
from tests.support.money import (
    SEGMENTS_GAS,
    Money,
    money,
    opening_fee,
    records_gas,
    state_gas,
)
from tests.support.protocol import (
    DAY,
    FILED,
    GWEI,
    NO_CHECKPOINT,
    OPENED,
    PRIVATE,
    RECORDS,
    SEGMENTS,
    STATE,
    ZERO_ADDRESS,
    Checkpoint,
    World,
    fresh_hash,
    garbage_segments,
)
from tests.support.snapshots import go_back, set_base_fee
from tests.support.training import Dataset, Trainee, Window, opening

WORDS = [random_position(7919 * n, None, Rules()) for n in range(11)]
DATA = Dataset.of(WORDS)


def segments_call(world: World, dispute: int, beast: int, c: Checkpoint, last: bytes = b"") -> Any:
    segments = garbage_segments(last or c.payload.h128)
    return world.court.functions.openSegments(dispute, beast, c, segments)


@pytest.fixture
def whole(world: World, owner: str, challenger: str) -> tuple[Trainee, Window]:
    """A private window after a public one, under dispute 1: everything is owed."""
    trainee = Trainee.hatch(world, owner, DATA)
    trainee.train()
    window = trainee.train(PRIVATE)
    world.file(trainee.beast, window.checkpoint, challenger)
    return trainee, window


# --- segments ---------------------------------------------------------------------------------


def test_openSegments_startsAWholeProofWindow(
    world: World, beast: int, checkpoint: Checkpoint, challenger: str
) -> None:
    """P23, at the last second of the response window."""
    dispute = world.file(beast, checkpoint, challenger)
    deadline = world.dispute(dispute).responseDeadline
    world.rpc("evm_setNextBlockTimestamp", hex(deadline))
    segments = garbage_segments(checkpoint.payload.h128)
    receipt = world.open_segments(dispute, beast, checkpoint, segments)
    state, window = world.dispute(dispute), world.season.economics.proofWindow
    assert (state.status, state.missing) == (OPENED, 0)
    assert (state.proofStart, state.proofDeadline) == (deadline, deadline + window)
    assert state.segmentsHash == keccak(encode(["bytes32[16]"], [segments]))
    opened = world.logs("court", "ProofWindowOpened", receipt)[0]
    assert opened["headStartEnd"] == deadline + window // 4
    assert opened["proofDeadline"] == deadline + window
    assert world.logs("court", "SegmentsOpened", receipt)[0]["segments"] == segments


def test_openSegments_late_reverts(
    world: World, beast: int, checkpoint: Checkpoint, challenger: str, owner: str
) -> None:
    dispute = world.file(beast, checkpoint, challenger)
    deadline = world.dispute(dispute).responseDeadline
    world.travel_to(deadline + 1)
    call = segments_call(world, dispute, beast, checkpoint)
    world.reverts(call, owner, "ResponseWindowClosed", deadline)


def test_openSegments_twice_changesNothing(
    world: World, beast: int, checkpoint: Checkpoint, challenger: str, owner: str
) -> None:
    """A copy that comes first makes no transaction of several openings fail; it pays nobody."""
    dispute = world.file(beast, checkpoint, challenger)
    world.open_segments(dispute, beast, checkpoint, garbage_segments(checkpoint.payload.h128))
    before, state, bond = money(world, owner), world.dispute(dispute), world.opening_bond(dispute)
    others = [fresh_hash("other"), *garbage_segments(checkpoint.payload.h128)[1:]]
    receipt = world.open_segments(dispute, beast, checkpoint, others)
    assert list(receipt["logs"]) == []
    assert (world.dispute(dispute), world.opening_bond(dispute)) == (state, bond)
    assert money(world, owner) == before


def test_openSegments_byStranger_reverts(
    world: World, beast: int, checkpoint: Checkpoint, challenger: str, stranger: str
) -> None:
    """P22: nobody answers an honest trainer's dispute with rubbish to have it slashed."""
    dispute = world.file(beast, checkpoint, challenger)
    call = segments_call(world, dispute, beast, checkpoint)
    for sender in (stranger, challenger):
        world.reverts(call, sender, "NotDefender", sender, checkpoint.trainer)


def test_openSegments_byDefender_paysTheTrainer(
    world: World, beast: int, checkpoint: Checkpoint, challenger: str, owner: str, stranger: str
) -> None:
    dispute = world.file(beast, checkpoint, challenger)
    world.send(world.court.functions.setDefender(stranger), owner)
    assert world.court.functions.defenderOf(owner).call() == stranger
    call = segments_call(world, dispute, beast, checkpoint)
    snapshot = world.rpc("evm_snapshot")
    world.send(world.court.functions.setDefender(ZERO_ADDRESS), owner)
    world.reverts(call, stranger, "NotDefender", stranger, owner)
    go_back(world.rpc, snapshot)
    credits = world.credit(owner), world.credit(stranger)
    receipt = world.send(call, stranger)
    pay = SEGMENTS_GAS * opening_fee(world, receipt)
    assert (world.credit(owner), world.credit(stranger)) == (credits[0] + pay, credits[1])


def test_openSegments_badInput_reverts(
    world: World, beast: int, checkpoint: Checkpoint, challenger: str, owner: str
) -> None:
    """P19: of no dispute, an ended one, another window, or not ending in h128."""
    call = segments_call(world, 1, beast, checkpoint)
    world.reverts(call, owner, "NoSuchDispute", 1)
    second = world.submit(beast, owner)
    dispute = world.file(beast, checkpoint, challenger)
    digests = [
        bytes(world.ledger.functions.digestOf(beast, c).call()) for c in (checkpoint, second)
    ]
    other = segments_call(world, dispute, beast, second)
    world.reverts(other, owner, "WrongRecord", *digests)
    wrong = segments_call(world, dispute, beast, checkpoint, fresh_hash("other"))
    h128 = checkpoint.payload.h128
    world.reverts(wrong, owner, "WrongLastSegment", h128, fresh_hash("other"))
    world.travel(world.season.economics.responseWindow + 1)
    world.claim_timeout(dispute, beast, checkpoint, NO_CHECKPOINT, challenger)
    world.reverts(call, owner, "DisputeEnded", dispute)


# --- state and records ------------------------------------------------------------------------


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_openings_inAnyOrder_byAnybody(
    world: World, whole: tuple[Trainee, Window], owner: str, stranger: str, order: tuple[int, ...]
) -> None:
    """P44: three openings of their own; the last one, whichever it is, starts the proof window. Who
    sent them does not matter: the trainer is paid, from the bytes that they really have."""
    trainee, window = whole
    place, opened = (1, trainee.beast, window.checkpoint), trainee.records_opening(window)
    world.send(world.court.functions.setDefender(stranger), owner)
    before = money(world, owner)
    makes: tuple[tuple[int, int, Callable[[], Any]], ...] = (
        (SEGMENTS, SEGMENTS_GAS, lambda: world.open_segments(*place, window.segments, stranger)),
        (
            STATE,
            state_gas(opening(window.parent_state)[1]),
            lambda: trainee.publish_parent(window, stranger),
        ),
        (
            RECORDS,
            records_gas(len(opened.words), len(opened.siblings)),
            lambda: trainee.publish_records(window, stranger),
        ),
    )
    missing, pay, paid = SEGMENTS | STATE | RECORDS, 0, 0
    assert world.dispute(1).missing == missing
    for at in order:
        bit, gas, make = makes[at]
        receipt = make()
        made_at = world.now()
        pay += gas * opening_fee(world, receipt)
        missing &= ~bit
        if bit != SEGMENTS:
            assert money(world, owner).since(before).coin == paid  # not noted yet
            receipt = world.accept_openings(*place)
        accepted = world.logs("court", "OpeningAccepted", receipt)
        assert accepted == [{"disputeId": 1, "opening": bit.bit_length() - 1, "missing": missing}]
        paid = pay
        assert money(world, owner).since(before) == Money(0, paid)
        state = world.dispute(1)
        assert (state.missing, state.status) == (missing, FILED if missing else OPENED)
    assert state.proofStart == made_at
    assert state.proofDeadline == made_at + world.season.economics.proofWindow
    assert world.opening_bond(1).paid == world.vault.functions.debtOf(trainee.beast, owner).call()


def test_acceptOpenings_withNothingNew_reverts(
    world: World, whole: tuple[Trainee, Window], stranger: str, challenger: str
) -> None:
    trainee, window = whole
    call = world.court.functions.acceptOpenings(1, trainee.beast, window.checkpoint)
    world.reverts(call, stranger, "NothingToAccept", 1)
    trainee.publish_parent(window)
    world.send(call, stranger)
    world.reverts(call, stranger, "NothingToAccept", 1)
    world.slash_by_timeout(trainee.beast, window.parent, filer=challenger)
    world.reverts(call, stranger, "NotPending", trainee.beast, 1)


def test_attack_openingAfterTheDeadline_doesNotCount(
    world: World, whole: tuple[Trainee, Window], stranger: str, challenger: str
) -> None:
    """P45: a publication one second late is none, and the window falls."""
    trainee, window = whole
    place = (1, trainee.beast, window.checkpoint)
    trainee.open_segments(1, window)
    trainee.publish_records(window)
    deadline = world.dispute(1).responseDeadline
    world.rpc("evm_setNextBlockTimestamp", hex(deadline + 1))
    trainee.publish_parent(window)
    world.accept_openings(*place)  # the records alone
    assert world.dispute(1).missing == STATE
    accept = world.court.functions.acceptOpenings(*place)
    world.reverts(accept, stranger, "NothingToAccept", 1)
    dismiss = world.court.functions.dismiss(*place)
    world.reverts(dismiss, stranger, "OpeningsMissing", 1, STATE)
    world.claim_timeout(*place, window.parent, stranger)
    assert not world.is_live(trainee.beast, window.checkpoint)


def test_attack_timelyOpeningNotedLate_counts(
    world: World, whole: tuple[Trainee, Window], stranger: str
) -> None:
    """P45: nobody told the court in time; it finds the publication itself. The proof window runs
    from the opening, not from its note, and the timeout is refused."""
    trainee, window = whole
    place = (1, trainee.beast, window.checkpoint)
    deadline = world.dispute(1).responseDeadline
    trainee.open_segments(1, window)
    trainee.publish_parent(window)
    world.rpc("evm_setNextBlockTimestamp", hex(deadline))
    trainee.publish_records(window)
    world.travel(50)
    claim = world.court.functions.claimTimeout((*place, window.parent))
    world.reverts(claim, stranger, "NothingMissing", 1)
    ends = deadline + world.season.economics.proofWindow
    dismiss = world.court.functions.dismiss(*place)
    world.travel_to(ends)
    world.reverts(dismiss, stranger, "ProofWindowOpen", ends)
    world.travel_to(ends + 1)
    receipt = world.send(dismiss, stranger)
    assert len(world.logs("court", "OpeningAccepted", receipt)) == 2
    assert world.dispute(1).proofDeadline == ends
    assert world.is_live(trainee.beast, window.checkpoint)


def test_attack_openingCopiedFromTheMempool_winsNothing(
    world: World, whole: tuple[Trainee, Window], owner: str, stranger: str, challenger: str
) -> None:
    """A copy pays the trainer, whoever sent it and however often; its own second costs only gas."""
    trainee, window = whole
    place = (1, trainee.beast, window.checkpoint)
    before = {a: money(world, a) for a in (owner, stranger, challenger)}
    copy = trainee.publish_parent(window, stranger)
    world.accept_openings(*place, sender=stranger)
    pay = state_gas(opening(window.parent_state)[1]) * opening_fee(world, copy)
    second = trainee.publish_parent(window, owner)
    assert list(second["logs"]) == []
    world.reverts(world.court.functions.acceptOpenings(*place), stranger, "NothingToAccept", 1)
    change = {a: money(world, a).since(before[a]) for a in before}
    assert change == {owner: Money(0, pay), stranger: Money(0, 0), challenger: Money(0, 0)}


def test_attack_openingCopiedThroughAContract_isRefused(
    world: World, owner: str, stranger: str, challenger: str
) -> None:
    """A contract copies what the trainer sends, in front of it, and has the court note it in the
    same transaction: it would count as a contract's, which puts openings together without calldata,
    and the trainer would be paid a part of what he spent. It is refused, and he is paid all."""
    trainee = Trainee.hatch(world, owner, Dataset.of([5, 6, 7]))
    trainee.train()
    window = trainee.train(PRIVATE)
    place = (world.file(trainee.beast, window.checkpoint, challenger), trainee.beast)
    contract = HostileAccount.create(world, stranger)
    state = world.states.functions.publish(*opening(window.parent_state))
    records = world.records.functions.publish(
        trainee.beast, 1, *trainee.records_opening(window).arguments
    )
    note = world.court.functions.acceptOpenings(*place, window.checkpoint)
    for archive, copy in ((world.states, state), (world.records, records)):
        call = contract.execute_call(step(archive, copy), step(world.court, note))
        world.reverts(call, stranger, "NotPlainAccount", contract.address)
    before = money(world, owner)
    receipts = [world.send(call, owner) for call in (state, records)]
    # Once they count, the same from a contract changes nothing, and makes nothing else revert.
    contract.execute(step(world.states, state), step(world.records, records))
    world.accept_openings(*place, window.checkpoint)
    paid = world.opening_bond(place[0]).paid
    assert money(world, owner).since(before) == Money(0, paid)
    assert paid > sum(r["gasUsed"] * opening_fee(world, r) for r in receipts)


def test_publishAgain_withinAMonth_movesNothing(
    world: World, trainee: Trainee, stranger: str
) -> None:
    """P36: a second publication neither fails nor moves the time of the first; after a month it
    does, and the time before is kept."""
    trainee.train()
    second = trainee.train()
    state, renewal = second.checkpoint.parent, 30 * DAY
    trainee.publish_parent(second)
    publication = world.states.functions.publicationOf(state).call
    first = publication()
    assert first[:3] == (world.now(), 0, world.w3.eth.block_number)
    world.rpc("evm_setNextBlockTimestamp", hex(first[0] + renewal - 1))
    assert list(trainee.publish_parent(second, stranger)["logs"]) == []
    assert publication() == first
    world.rpc("evm_setNextBlockTimestamp", hex(first[0] + renewal))
    assert world.logs("states", "StatePublished", trainee.publish_parent(second, stranger))
    assert publication()[:3] == (world.now(), first[0], world.w3.eth.block_number)


# --- what openings pay ------------------------------------------------------------------------


@pytest.mark.parametrize(("leap", "share"), [(4, 4), (5, 4), (16, 4), (3, 3)])
def test_attack_baseFeeLeap_theBondPaysFourfold_andNoMore(
    world: World,
    beast: int,
    checkpoint: Checkpoint,
    owner: str,
    challenger: str,
    leap: int,
    share: int,
) -> None:
    """The base fee leaps between filing and opening: up to four times the trainer bears nothing;
    beyond that the whole bond is his and no more, and he opens all the same."""
    set_base_fee(world.rpc, 2 * GWEI)
    dispute = world.file(beast, checkpoint, challenger)
    assert world.opening_bond(dispute).base == 4 * SEGMENTS_GAS * 2 * GWEI
    set_base_fee(world.rpc, 2 * leap * GWEI)
    world.send(segments_call(world, dispute, beast, checkpoint), owner, price=2 * leap * GWEI)
    bond = world.opening_bond(dispute)
    assert bond.paid + bond.waiting == SEGMENTS_GAS * 2 * share * GWEI
    assert world.dispute(dispute).status == OPENED


@pytest.mark.parametrize(("tip", "paid"), [(0, 0), (2, 2), (5, 5), (40, 5)])
def test_openings_payABaseFeeAndATipOfAQuarter(
    world: World,
    beast: int,
    checkpoint: Checkpoint,
    owner: str,
    challenger: str,
    tip: int,
    paid: int,
) -> None:
    """More of a tip could flow back to who sends it."""
    world.stake(beast, owner, 10**18)  # far beyond the reserve, so that all is paid at once
    dispute = world.file(beast, checkpoint, challenger)
    set_base_fee(world.rpc, 20 * 10**8)
    call = segments_call(world, dispute, beast, checkpoint)
    world.send(call, owner, price=(20 + tip) * 10**8)
    assert world.credit(owner) == SEGMENTS_GAS * (20 + paid) * 10**8


@pytest.mark.parametrize("extra", [0, 10**12, 10**18])
def test_openings_payAtOnceOnlyBeyondTheReserve(
    world: World, beast: int, owner: str, challenger: str, stranger: str, extra: int
) -> None:
    """P39: at once as far as the stake exceeds what a submission asks for; the rest waits until
    the dispute ends without a conviction."""
    set_base_fee(world.rpc, GWEI)  # it falls from here on: the reference fee counts
    required = world.season.economics.stakeGas * GWEI
    world.stake(beast, owner, required + extra)
    c = world.submit(beast, owner)
    before = money(world, owner)
    dispute = world.file(beast, c, challenger)
    receipt = world.open_segments(dispute, beast, c, garbage_segments(c.payload.h128))
    pay = SEGMENTS_GAS * opening_fee(world, receipt)
    paid, bond = min(pay, extra), world.opening_bond(dispute)
    assert (bond.paid, bond.waiting) == (paid, pay - paid)
    assert money(world, owner).since(before) == Money(0, paid)
    world.travel(world.season.economics.proofWindow + 1)
    world.send(world.court.functions.dismiss(dispute, beast, c), stranger)
    assert money(world, owner).since(before) == Money(0, pay)
    assert world.vault.functions.debtOf(beast, owner).call() == 0
