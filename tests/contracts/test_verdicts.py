"""Verdicts by re-execution, `prove` and `advance`: real windows, the real referee.

Who is paid for them is in test_provers.py.
"""

from __future__ import annotations

from typing import Any

import pytest

from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.samples import random_position
from chainbeasts.backend.kernel.state import state_hash
from tests.support.protocol import (
    ADVANCE,
    CURRICULUM,
    HEADER,
    NO_OPENING,
    PRIVATE,
    PROVEN,
    PROVEN_RIGHT,
    SEGMENT,
    SELF_PLAY,
    UPHELD,
    StateHeader,
    World,
    fresh_hash,
)
from tests.support.training import (
    Dataset,
    Tamper,
    Trainee,
    add_one,
    growable,
    opening,
)

WORDS = [random_position(7919 * n, None, Rules()) for n in range(5)]
DATA = Dataset.of(WORDS)


# --- honest windows ---------------------------------------------------------------------------


@pytest.mark.parametrize("source", [CURRICULUM, SELF_PLAY, PRIVATE])
def test_attack_onOffChainDivergence_honestWindowsAreProven(
    world: World, owner: str, challenger: str, stranger: str, source: int
) -> None:
    """What the NumPy kernel trained, the EVM finds right, step by step: the first window from the
    genesis the contract makes itself, the second with a woken slot from its parent's state."""
    trainee = Trainee.hatch(world, owner, DATA)
    trainee.train(source)
    trainee.train(source, mask=growable(trainee.dna))
    for window in trainee.windows:
        if source == PRIVATE:
            call = world.court.functions.filePrivate(
                trainee.beast, window.checkpoint, DATA.blob, DATA.secret
            )
            world.send(call, challenger, world.opening_value(trainee.beast, window.checkpoint))
        else:
            world.file(trainee.beast, window.checkpoint, challenger)
        dispute = int(world.court.functions.disputeCount().call())
        escrow = world.escrow(challenger)
        last = trainee.advance_all(dispute, window, stranger)[-1]
        assert world.logs("court", "DisputeProven", last)[0]["disputeId"] == dispute
        assert world.dispute(dispute).status == PROVEN_RIGHT
        assert world.status(trainee.beast, window.checkpoint) == PROVEN
        assert world.escrow(challenger) == escrow  # the bond is burned
    world.finalize(trainee.beast, *(window.checkpoint for window in trainee.windows))


def test_file_proven_reverts(world: World, trainee: Trainee, challenger: str) -> None:
    """P12: what has been re-executed is beyond dispute."""
    window = trainee.train()
    dispute = world.file(trainee.beast, window.checkpoint, challenger)
    trainee.advance_all(dispute, window, challenger)
    call = world.court.functions.file(trainee.beast, window.checkpoint)
    digest = world.dispute(dispute).digest
    world.reverts(call, challenger, "AlreadyProven", digest, value=10**18)
    world.reverts(trainee.header_call(window), challenger, "NoContradiction")


# --- prove ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("earlier", "step"), [(0, 3), (0, 77), (1, 1), (1, 128)])
def test_prove_wrongSegment_slashes(
    world: World, trainee: Trainee, challenger: str, prover: str, earlier: int, step: int
) -> None:
    """P24: one weight, off by one: in the genesis window, after a parent, in the middle."""
    for _ in range(earlier):
        trainee.train()
    window = trainee.train(tamper=(step, add_one))
    dispute = trainee.dispute(window, challenger)
    k = (step - 1) // 8
    receipt = world.send(trainee.prove_call(dispute, window, k), prover)
    upheld = world.logs("court", "DisputeUpheld", receipt)[0]
    assert (upheld["how"], upheld["segment"]) == (SEGMENT, k)
    assert world.dispute(dispute).status == UPHELD
    assert world.head(trainee.beast).headCount == earlier


def test_prove_correctSegment_reverts(world: World, trainee: Trainee, challenger: str) -> None:
    window = trainee.train(tamper=(30, add_one))
    dispute = trainee.dispute(window, challenger)
    for k in (0, 1, 4, 15):  # before the lie, and after it, consistent with it
        world.reverts(trainee.prove_call(dispute, window, k), challenger, "SegmentCorrect", k)


def test_prove_refusals(world: World, trainee: Trainee, challenger: str) -> None:
    window = trainee.train(tamper=(30, add_one))
    dispute = world.file(trainee.beast, window.checkpoint, challenger)
    world.reverts(trainee.prove_call(dispute, window, 3), challenger, "SegmentsMissing", dispute)
    trainee.open_segments(dispute, window)
    call = trainee.prove_call(dispute, window, 15, k=16)
    world.reverts(call, challenger, "SegmentOutOfRange", 16)
    others = [fresh_hash("other"), *window.segments[1:]]
    call = trainee.prove_call(dispute, window, 3, segments=others)
    world.reverts(call, challenger, "WrongSegments")
    deadline = world.dispute(dispute).proofDeadline
    world.travel_to(deadline + 1)
    call = trainee.prove_call(dispute, window, 3)
    world.reverts(call, challenger, "ProofWindowClosed", deadline)


def test_attack_malformedState_reverts(world: World, trainee: Trainee, challenger: str) -> None:
    """Wrong length, a clear guard bit, another header, other weights: nothing but the preimage."""
    trainee.train()
    window = trainee.train(tamper=(30, add_one))
    dispute = trainee.dispute(window, challenger)
    header, weights = opening(window.segment_ends[2])
    no_guard = bytes([weights[0] & 0x7F]) + weights[1:]
    other = weights[:-1] + bytes([weights[-1] ^ 1])
    attempts: list[tuple[dict[str, Any], str]] = [
        ({"weights": weights[:-32]}, "MalformedLength"),
        ({"weights": weights + bytes(32)}, "MalformedLength"),
        ({"weights": b""}, "MalformedLength"),
        ({"weights": no_guard}, "MalformedGuard"),
        ({"weights": other}, "StateMismatch"),
        ({"header": header._replace(windowLoss=0)}, "StateMismatch"),
        ({"header": header._replace(beastId=header.beastId + 1)}, "StateMismatch"),
    ]
    for changes, error in attempts:
        world.reverts(trainee.prove_call(dispute, window, 3, **changes), challenger, error)
        if "header" not in changes:
            call = trainee.advance_call(dispute, window, 0, 1, **changes)
            world.reverts(call, challenger, error)
    world.call(trainee.prove_call(dispute, window, 3), challenger)


def test_attack_malformedWitness_reverts(world: World, owner: str, challenger: str) -> None:
    """A private window with a wrong record, sibling, length or order proves nothing."""
    trainee = Trainee.hatch(world, owner, DATA)
    window = trainee.train(PRIVATE, tamper=(4, add_one))
    trainee.dispute(window, challenger)
    good = trainee.witnesses(window, 0, 8)
    flipped = good[:32] + bytes([good[32] ^ 1]) + good[33:]
    sibling = good[:-1] + bytes([good[-1] ^ 1])
    for bad, error in (
        (flipped, "WrongWitness"),
        (sibling, "WrongWitness"),
        (good[:-32], "WitnessLength"),
        (good + bytes(32), "WitnessLength"),
        (good[:1], "WitnessLength"),
        (b"", "WitnessLength"),
        (b"\x02" + good[1:], "UnknownWitnessForm"),
    ):
        call = trainee.prove_call(1, window, 0, witnesses=bad)
        world.reverts(call, challenger, error)
    world.send(trainee.prove_call(1, window, 0), challenger)
    assert world.dispute(1).status == UPHELD


def test_prove_publicWindowWithWitnesses_reverts(
    world: World, trainee: Trainee, challenger: str
) -> None:
    window = trainee.train(tamper=(4, add_one))
    dispute = trainee.dispute(window, challenger)
    call = trainee.prove_call(dispute, window, 0, witnesses=bytes(32))
    world.reverts(call, challenger, "WitnessLength", 0, 32)


# --- advance ----------------------------------------------------------------------------------


def test_advance_wrongWindow_slashesWithoutAnyOpening(
    world: World, trainee: Trainee, challenger: str, prover: str
) -> None:
    """P25: different senders, uneven strides, no defender."""
    window = trainee.train(tamper=(128, add_one))
    dispute = world.file(trainee.beast, window.checkpoint, challenger)
    done = 0
    for sender, steps in (
        (challenger, 40),
        (prover, 40),
        (challenger, 40),
        (challenger, 7),
        (prover, 1),
    ):
        call = trainee.advance_call(dispute, window, done, steps, end=NO_OPENING)
        receipt = world.send(call, sender)
        done += steps
        advanced = world.logs("court", "DisputeAdvanced", receipt)[0]
        state = state_hash(trainee.true_state(window, done))
        assert (advanced["steps"], advanced["stateHash"]) == (done, state)
    upheld = world.logs("court", "DisputeUpheld", receipt)[0]
    assert (upheld["how"], upheld["filer"]) == (ADVANCE, challenger)


def test_advance_steps_outOfRange_revert(world: World, trainee: Trainee, challenger: str) -> None:
    window = trainee.train()
    dispute = world.file(trainee.beast, window.checkpoint, challenger)
    world.reverts(
        trainee.advance_call(dispute, window, 0, 1, steps=0), challenger, "StepsOutOfRange", 128, 0
    )
    world.send(trainee.advance_call(dispute, window, 0, 10), challenger)
    call = trainee.advance_call(dispute, window, 10, 8, steps=119)
    world.reverts(call, challenger, "StepsOutOfRange", 118, 119)


def test_advance_fromAnotherState_reverts(world: World, trainee: Trainee, challenger: str) -> None:
    """A front-runner's one step makes the old opening stale, and is one step of progress."""
    window = trainee.train()
    dispute = world.file(trainee.beast, window.checkpoint, challenger)
    world.send(trainee.advance_call(dispute, window, 0, 1), challenger)
    world.reverts(trainee.advance_call(dispute, window, 8, 8), challenger, "StateMismatch")
    assert world.dispute(dispute).stepsDone == 1


def test_advance_forgedLoss_slashesByHeader(
    world: World, trainee: Trainee, challenger: str
) -> None:
    """P26: a right h128 under a forged payload is not proven but slashed, so nobody can launder a
    lie through a dispute of its own."""
    window = trainee.train(windowLoss=5)
    dispute = world.file(trainee.beast, window.checkpoint, challenger)
    for done in (0, 32, 64):
        world.send(trainee.advance_call(dispute, window, done, 32), challenger)
    wrong_end = (StateHeader(), bytes(32))
    call = trainee.advance_call(dispute, window, 96, 32, end=wrong_end)
    world.reverts(call, challenger, "StateMismatch")
    receipt = world.send(trainee.advance_call(dispute, window, 96, 32), challenger)
    assert world.logs("court", "DisputeUpheld", receipt)[0]["how"] == HEADER


# --- deadlines --------------------------------------------------------------------------------


def test_prove_afterAMissedOpening_reverts(world: World, trainee: Trainee, challenger: str) -> None:
    """P46: then the filer claims the timeout, or somebody convicts by `advance`."""
    trainee.train()
    window = trainee.train(tamper=(30, add_one))
    dispute = world.file(trainee.beast, window.checkpoint, challenger)
    trainee.open_segments(dispute, window)
    deadline = world.dispute(dispute).responseDeadline
    call = trainee.prove_call(dispute, window, 3)
    world.travel_to(deadline - 1)
    world.call(call, challenger)
    world.travel_to(deadline + 1)
    world.reverts(call, challenger, "ResponseWindowClosed", deadline)


@pytest.mark.parametrize("lie", [None, (30, add_one)], ids=["right", "wrong"])
def test_attack_advanceAfterAMissedOpening_actsOnlyIfItConvicts(
    world: World,
    trainee: Trainee,
    challenger: str,
    owner: str,
    lie: tuple[int, Tamper] | None,
) -> None:
    """P46: a cheat who ran out of time cannot prove his window, nor keep the dispute busy."""
    window = trainee.train(tamper=lie)
    dispute = world.file(trainee.beast, window.checkpoint, challenger)
    for done in (0, 32, 64):
        world.send(trainee.advance_call(dispute, window, done, 32), owner)
    deadline = world.dispute(dispute).responseDeadline
    world.travel_to(deadline + 1)
    shorter = trainee.advance_call(dispute, window, 96, 31)
    world.reverts(shorter, owner, "ResponseWindowClosed", deadline)
    last = trainee.advance_call(dispute, window, 96, 32)
    if lie is None:
        world.reverts(last, owner, "ResponseWindowClosed", deadline)
        world.claim_timeout(dispute, trainee.beast, window.checkpoint, window.parent, challenger)
    else:
        world.send(last, challenger)
    assert world.dispute(dispute).status == UPHELD


def test_advance_afterTheProofWindow_untilSomebodyDismisses(
    world: World, trainee: Trainee, challenger: str, stranger: str
) -> None:
    """Both are open then, and whoever knows better is not held up by a deadline."""
    window = trainee.train(tamper=(30, add_one))
    dispute = trainee.dispute(window, challenger)
    world.travel_to(world.dispute(dispute).proofDeadline + 100)
    world.call(world.court.functions.dismiss(dispute, trainee.beast, window.checkpoint), stranger)
    trainee.advance_all(dispute, window, challenger, 64, end=NO_OPENING)
    assert world.dispute(dispute).status == UPHELD
