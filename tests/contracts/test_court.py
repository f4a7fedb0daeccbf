"""The court's procedure: filing, answering, deadlines, dismissal, demands for records.

Verdicts by re-execution are in test_verdicts.py.
"""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from tests.support.protocol import (
    DISMISSED,
    DISPUTED,
    FILED,
    NO_CHECKPOINT,
    PENDING,
    PRIVATE,
    RECORDS,
    RESPONDED,
    TIMEOUT,
    UPHELD,
    VOIDED,
    ZERO_ADDRESS,
    Checkpoint,
    World,
    fresh_hash,
    garbage_segments,
)
from tests.support.training import Dataset, Trainee

DATA = Dataset.of([n * 3 + 1 for n in range(11)], blob=b"not even zstd")


@pytest.fixture
def checkpoint(world: World, beast: int, owner: str) -> Checkpoint:
    return world.submit(beast, owner)


@pytest.fixture
def private_beast(world: World, owner: str) -> int:
    return world.hatch(owner, DATA.commitments)


@pytest.fixture
def private(world: World, private_beast: int, owner: str) -> Checkpoint:
    return world.submit(private_beast, owner, world.payload(private_beast, source=PRIVATE))


def file_private(world: World, beast: int, checkpoint: Checkpoint, **changes: Any) -> Any:
    values = {"dataset": DATA.blob, "secret": DATA.secret} | changes
    return world.court.functions.filePrivate(beast, checkpoint, values["dataset"], values["secret"])


def respond_call(world: World, dispute: int, beast: int, c: Checkpoint, last: bytes = b"") -> Any:
    segments = garbage_segments(last or c.payload.h128)
    return world.court.functions.respond(dispute, beast, c, segments)


# --- file -------------------------------------------------------------------------------------


def test_file_locksTheBond(
    world: World, beast: int, checkpoint: Checkpoint, challenger: str
) -> None:
    """P21"""
    before = world.escrow(challenger)
    dispute = world.file(beast, checkpoint, challenger)
    bond = world.season.economics.disputeBondMultiple * checkpoint.payload.energyBurn
    assert world.escrow(challenger) == before - bond
    state = world.dispute(dispute)
    assert (state.status, state.challenger) == (FILED, challenger)
    assert state.deadline == world.now() + world.season.economics.responseWindow
    assert state.digest == bytes(world.ledger.functions.digestOf(beast, checkpoint).call())
    standing = world.ledger.functions.standingOf(state.digest).call()
    assert tuple(standing) == (dispute, bond, False)
    assert world.status(beast, checkpoint) == DISPUTED
    assert world.court.functions.disputeCount().call() == dispute


def test_file_withoutFunds_reverts(
    world: World, beast: int, checkpoint: Checkpoint, challenger: str
) -> None:
    balance = world.escrow(challenger)
    world.send(world.ledger.functions.withdraw(balance, challenger), challenger)
    bond = 2 * checkpoint.payload.energyBurn
    call = world.court.functions.file(beast, checkpoint)
    world.reverts(call, challenger, "InsufficientEscrow", challenger, 0, bond)


def test_file_forgedRecord_reverts(
    world: World, beast: int, checkpoint: Checkpoint, challenger: str
) -> None:
    """P15: not on another h128, trainer, index or beast."""
    payload = checkpoint.payload._replace(h128=fresh_hash("other"))
    for forged in (
        checkpoint._replace(payload=payload),
        checkpoint._replace(trainer=challenger),
        checkpoint._replace(index=1),
    ):
        call = world.court.functions.file(beast, forged)
        world.reverts(call, challenger, "NotLive", beast, forged.index)
    call = world.court.functions.file(beast + 1, checkpoint)
    world.reverts(call, challenger, "NotLive", beast + 1, 0)


def test_file_again_afterADismissal(
    world: World, beast: int, checkpoint: Checkpoint, challenger: str, stranger: str
) -> None:
    """A dismissed dispute settles nothing else."""
    dispute = world.file(beast, checkpoint, challenger)
    world.respond(dispute, beast, checkpoint, garbage_segments(checkpoint.payload.h128))
    world.travel(world.season.economics.proofWindow + 1)
    world.send(world.court.functions.dismiss(dispute, beast, checkpoint), stranger)
    assert world.status(beast, checkpoint) == PENDING
    assert world.file(beast, checkpoint, stranger) == dispute + 1


# --- filePrivate ------------------------------------------------------------------------------


def test_file_private_withoutDataset_reverts(
    world: World, private_beast: int, private: Checkpoint, challenger: str
) -> None:
    """P20"""
    call = world.court.functions.file(private_beast, private)
    world.reverts(call, challenger, "DatasetNotRevealed", private_beast)


def test_filePrivate_wrongDataset_reverts(
    world: World, private_beast: int, private: Checkpoint, challenger: str
) -> None:
    call = file_private(world, private_beast, private, dataset=DATA.blob + b"\x00")
    committed, actual = keccak(DATA.blob), keccak(DATA.blob + b"\x00")
    world.reverts(call, challenger, "WrongDataset", committed, actual)


def test_filePrivate_wrongSecret_reverts(
    world: World, private_beast: int, private: Checkpoint, challenger: str
) -> None:
    call = file_private(world, private_beast, private, secret=b"\x08" * 32)
    committed, actual = keccak(DATA.secret), keccak(b"\x08" * 32)
    world.reverts(call, challenger, "WrongOwnerSecret", committed, actual)


def test_filePrivate_onAPublicWindow_reverts(
    world: World, beast: int, checkpoint: Checkpoint, challenger: str
) -> None:
    world.reverts(file_private(world, beast, checkpoint), challenger, "NotPrivate", 0)


def test_filePrivate_revealsOnceForAll(
    world: World, private_beast: int, private: Checkpoint, owner: str, challenger: str
) -> None:
    """After the first reveal anyone may file without the dataset; the fold is the secret's."""
    receipt = world.send(file_private(world, private_beast, private), challenger)
    revealed = world.logs("court", "PrivateDatasetRevealed", receipt)[0]
    assert revealed == {"beastId": private_beast, "disputeId": 1, "ownerSecret": DATA.secret}
    fold = int.from_bytes(b"\x07" * 8) ^ int.from_bytes(b"\x07" * 8)
    assert world.court.functions.revealedFold(private_beast).call() == [True, fold]
    second = world.submit(private_beast, owner, world.payload(private_beast, source=PRIVATE))
    world.file(private_beast, second, challenger)


# --- respond ----------------------------------------------------------------------------------


def test_respond_opensAWholeProofWindow(
    world: World, beast: int, checkpoint: Checkpoint, challenger: str
) -> None:
    """P23, at the last second of the response window."""
    dispute = world.file(beast, checkpoint, challenger)
    deadline = world.dispute(dispute).deadline
    world.rpc("evm_setNextBlockTimestamp", hex(deadline))
    segments = garbage_segments(checkpoint.payload.h128)
    world.respond(dispute, beast, checkpoint, segments)
    state = world.dispute(dispute)
    assert state.status == RESPONDED
    assert state.deadline == deadline + world.season.economics.proofWindow
    assert state.segmentsHash == keccak(encode(["bytes32[16]"], [segments]))


def test_respond_late_reverts(
    world: World, beast: int, checkpoint: Checkpoint, challenger: str, owner: str
) -> None:
    dispute = world.file(beast, checkpoint, challenger)
    deadline = world.dispute(dispute).deadline
    world.travel_to(deadline + 1)
    call = respond_call(world, dispute, beast, checkpoint)
    world.reverts(call, owner, "ResponseWindowClosed", deadline)


def test_respond_twice_reverts(
    world: World, beast: int, checkpoint: Checkpoint, challenger: str, owner: str
) -> None:
    dispute = world.file(beast, checkpoint, challenger)
    world.respond(dispute, beast, checkpoint, garbage_segments(checkpoint.payload.h128))
    call = respond_call(world, dispute, beast, checkpoint)
    world.reverts(call, owner, "AlreadyResponded", dispute)


def test_respond_byStranger_reverts(
    world: World, beast: int, checkpoint: Checkpoint, challenger: str, stranger: str
) -> None:
    """P22: nobody answers an honest trainer's dispute with rubbish to have it slashed."""
    dispute = world.file(beast, checkpoint, challenger)
    call = respond_call(world, dispute, beast, checkpoint)
    for sender in (stranger, challenger):
        world.reverts(call, sender, "NotDefender", sender, checkpoint.trainer)


def test_respond_byDefender_works_untilReplaced(
    world: World, beast: int, checkpoint: Checkpoint, challenger: str, owner: str, stranger: str
) -> None:
    dispute = world.file(beast, checkpoint, challenger)
    world.send(world.court.functions.setDefender(stranger), owner)
    assert world.court.functions.defenderOf(owner).call() == stranger
    call = respond_call(world, dispute, beast, checkpoint)
    world.call(call, stranger)
    world.send(world.court.functions.setDefender(ZERO_ADDRESS), owner)
    world.reverts(call, stranger, "NotDefender", stranger, owner)


def test_respond_wrongLastSegment_reverts(
    world: World, beast: int, checkpoint: Checkpoint, challenger: str, owner: str
) -> None:
    dispute = world.file(beast, checkpoint, challenger)
    other = fresh_hash("other")
    call = respond_call(world, dispute, beast, checkpoint, other)
    world.reverts(call, owner, "WrongLastSegment", checkpoint.payload.h128, other)


def test_respond_unknownOrEndedDispute_reverts(
    world: World, beast: int, checkpoint: Checkpoint, challenger: str, owner: str
) -> None:
    call = respond_call(world, 1, beast, checkpoint)
    world.reverts(call, owner, "NoSuchDispute", 1)
    world.slash_by_timeout(beast, checkpoint)
    world.reverts(call, owner, "DisputeEnded", 1)


def test_respond_withAnotherRecord_reverts(
    world: World, beast: int, checkpoint: Checkpoint, challenger: str, owner: str
) -> None:
    """P19"""
    second = world.submit(beast, owner)
    dispute = world.file(beast, checkpoint, challenger)
    digests = [
        bytes(world.ledger.functions.digestOf(beast, c).call()) for c in (checkpoint, second)
    ]
    call = respond_call(world, dispute, beast, second)
    world.reverts(call, owner, "WrongRecord", *digests)


# --- timeouts and dismissal -------------------------------------------------------------------


def test_claimTimeout_slashesTheSilent(
    world: World, beast: int, checkpoint: Checkpoint, challenger: str, prover: str
) -> None:
    """P27; the payout to the unit, challenger and prover apart (P30)."""
    dispute = world.file(beast, checkpoint, challenger)
    before = world.escrow(challenger), world.escrow(prover)
    supply = world.energy.functions.totalSupply().call()
    world.travel(world.season.economics.responseWindow + 1)
    receipt = world.claim_timeout(dispute, beast, checkpoint, NO_CHECKPOINT, prover)
    locked, bond = checkpoint.locked, 2 * checkpoint.payload.energyBurn
    reward, share = locked * 5_000 // 10_000, locked * 500 // 10_000
    assert world.escrow(challenger) == before[0] + bond + reward
    assert world.escrow(prover) == before[1] + share
    burned = supply - world.energy.functions.totalSupply().call()
    assert burned == locked - reward - share
    upheld = world.logs("court", "DisputeUpheld", receipt)[0]
    assert (upheld["how"], upheld["challenger"], upheld["prover"]) == (TIMEOUT, challenger, prover)
    assert world.dispute(dispute).status == UPHELD


def test_claimTimeout_early_reverts(
    world: World, beast: int, checkpoint: Checkpoint, challenger: str
) -> None:
    """P27: not before the last second has passed."""
    dispute = world.file(beast, checkpoint, challenger)
    deadline = world.dispute(dispute).deadline
    call = world.court.functions.claimTimeout((dispute, beast, checkpoint, NO_CHECKPOINT))
    world.travel_to(deadline)
    world.reverts(call, challenger, "ResponseWindowOpen", deadline)


def test_claimTimeout_afterAResponse_reverts(
    world: World, beast: int, checkpoint: Checkpoint, challenger: str
) -> None:
    dispute = world.file(beast, checkpoint, challenger)
    world.respond(dispute, beast, checkpoint, garbage_segments(checkpoint.payload.h128))
    world.travel(10 * world.season.economics.proofWindow)
    call = world.court.functions.claimTimeout((dispute, beast, checkpoint, NO_CHECKPOINT))
    world.reverts(call, challenger, "NoDemand", dispute)


def test_claimTimeout_twice_reverts(
    world: World, beast: int, checkpoint: Checkpoint, challenger: str
) -> None:
    world.slash_by_timeout(beast, checkpoint)
    call = world.court.functions.claimTimeout((1, beast, checkpoint, NO_CHECKPOINT))
    world.reverts(call, challenger, "DisputeEnded", 1)


def test_dismiss_burnsTheBond(
    world: World, beast: int, checkpoint: Checkpoint, challenger: str, stranger: str
) -> None:
    dispute = world.file(beast, checkpoint, challenger)
    world.respond(dispute, beast, checkpoint, garbage_segments(checkpoint.payload.h128))
    escrow, supply = world.escrow(challenger), world.energy.functions.totalSupply().call()
    world.travel(world.season.economics.proofWindow + 1)
    receipt = world.send(world.court.functions.dismiss(dispute, beast, checkpoint), stranger)
    assert world.escrow(challenger) == escrow
    burned = 2 * checkpoint.payload.energyBurn
    assert world.energy.functions.totalSupply().call() == supply - burned
    assert world.dispute(dispute).status == DISMISSED
    assert world.logs("court", "DisputeDismissed", receipt)[0]["proven"] is False


def test_dismiss_early_reverts(
    world: World, beast: int, checkpoint: Checkpoint, challenger: str, owner: str
) -> None:
    dispute = world.file(beast, checkpoint, challenger)
    call = world.court.functions.dismiss(dispute, beast, checkpoint)
    world.travel(world.season.economics.responseWindow)
    world.reverts(call, owner, "NotResponded", dispute)


def test_dismiss_untilTheLastSecond_reverts(
    world: World, beast: int, checkpoint: Checkpoint, challenger: str, owner: str
) -> None:
    dispute = world.file(beast, checkpoint, challenger)
    world.respond(dispute, beast, checkpoint, garbage_segments(checkpoint.payload.h128))
    deadline = world.dispute(dispute).deadline
    call = world.court.functions.dismiss(dispute, beast, checkpoint)
    world.travel_to(deadline)
    world.reverts(call, owner, "ProofWindowOpen", deadline)
    world.travel_to(deadline + 1)
    world.call(call, owner)


def test_dismiss_afterAnAncestorsSlashing_returnsTheBond(
    world: World, beast: int, checkpoint: Checkpoint, owner: str, challenger: str, stranger: str
) -> None:
    """P28, and every other move over the void checkpoint is refused."""
    child = world.submit(beast, owner)
    before = world.escrow(stranger)
    dispute = world.file(beast, child, stranger)
    world.slash_by_timeout(beast, checkpoint, challenger=challenger)
    claim = (dispute, beast, child, checkpoint)
    world.reverts(world.court.functions.claimTimeout(claim), owner, "NotPending", beast, 1)
    world.reverts(respond_call(world, dispute, beast, child), owner, "NotPending", beast, 1)
    world.send(world.court.functions.dismiss(dispute, beast, child), owner)
    assert world.escrow(stranger) == before
    assert world.dispute(dispute).status == VOIDED
    call = world.court.functions.dismiss(dispute, beast, child)
    world.reverts(call, owner, "DisputeEnded", dispute)


# --- records ----------------------------------------------------------------------------------


@pytest.fixture
def responded(world: World, private_beast: int, private: Checkpoint, challenger: str) -> int:
    world.send(file_private(world, private_beast, private), challenger)
    dispute = int(world.court.functions.disputeCount().call())
    segments = garbage_segments(private.payload.h128)
    world.respond(dispute, private_beast, private, segments)
    return dispute


def demand(world: World, dispute: int, beast: int, c: Checkpoint, k: int) -> Any:
    return world.court.functions.demandRecords(dispute, beast, c, k)


def supply(world: World, dispute: int, beast: int, c: Checkpoint, witnesses: bytes) -> Any:
    return world.court.functions.supplyRecords(dispute, beast, c, witnesses)


def right_records(world: World, beast: int, owner: str, k: int) -> tuple[bytes, list[int]]:
    """The witnesses of segment k of the first window, and the words, by the Python kernel."""
    trainee = Trainee(world, beast, owner, DATA)
    head = world.head(beast)
    context = trainee.context(PRIVATE, 0, 1, head.lrShift)
    from backend.kernel.window import sample_index, witnesses

    words = [DATA.words[sample_index(context, 8 * k + j)] for j in range(8)]
    return witnesses(context, 8 * k, 8, DATA.words), words


def test_supplyRecords_opensTheSampledWords(
    world: World, private_beast: int, private: Checkpoint, responded: int, owner: str, stranger: str
) -> None:
    """P18: the court samples and opens as the Python kernel does; anyone may supply."""
    for k in (0, 15, 6):
        world.send(demand(world, responded, private_beast, private, k), stranger)
        witnesses, words = right_records(world, private_beast, owner, k)
        call = supply(world, responded, private_beast, private, witnesses)
        receipt = world.send(call, stranger)
        supplied = world.logs("court", "RecordsSupplied", receipt)[0]
        assert (supplied["segment"], list(supplied["words"])) == (k, words)
        proof_window = world.season.economics.proofWindow
        assert supplied["proofDeadline"] == world.now() + proof_window
        assert world.dispute(responded).deadline == supplied["proofDeadline"]


def test_supplyRecords_wrongWitness_reverts(
    world: World, private_beast: int, private: Checkpoint, responded: int, owner: str
) -> None:
    """P18: a flipped word, a flipped sibling, a swapped record, a short or long proof."""
    world.send(demand(world, responded, private_beast, private, 2), owner)
    good, _ = right_records(world, private_beast, owner, 2)
    size = len(good) // 8
    for at, step in ((0, 0), (size - 1, 0), (7 * size + 31, 7)):
        bad = bytes(b ^ (i == at) for i, b in enumerate(good))
        with pytest.raises(Exception, match="WrongWitness") as caught:
            world.call(supply(world, responded, private_beast, private, bad), owner)
        assert caught.value.values[0] == step  # type: ignore[attr-defined]
    for malformed in (good[:-32], good + bytes(32), b""):
        call = supply(world, responded, private_beast, private, malformed)
        world.reverts(call, owner, "WitnessLength", len(good), len(malformed))


def test_supplyRecords_ofAnotherSegment_reverts(
    world: World, private_beast: int, private: Checkpoint, responded: int, owner: str
) -> None:
    world.send(demand(world, responded, private_beast, private, 2), owner)
    other, _ = right_records(world, private_beast, owner, 3)
    call = supply(world, responded, private_beast, private, other)
    world.reverts(call, owner, "WrongWitness")


def test_supplyRecords_undemandedOrLate_reverts(
    world: World, private_beast: int, private: Checkpoint, responded: int, owner: str
) -> None:
    witnesses, _ = right_records(world, private_beast, owner, 0)
    call = supply(world, responded, private_beast, private, witnesses)
    world.reverts(call, owner, "NoDemand", responded)
    world.send(demand(world, responded, private_beast, private, 0), owner)
    deadline = world.dispute(responded).demandDeadline
    world.travel_to(deadline + 1)
    world.reverts(call, owner, "DemandExpired", deadline)


def test_demandRecords_unanswered_slashes(
    world: World, private_beast: int, private: Checkpoint, responded: int, challenger: str
) -> None:
    """A root that nobody can open loses, but not before the response window has passed."""
    world.send(demand(world, responded, private_beast, private, 9), challenger)
    deadline = world.dispute(responded).demandDeadline
    claim = (responded, private_beast, private, NO_CHECKPOINT)
    world.travel_to(deadline)
    call = world.court.functions.claimTimeout(claim)
    world.reverts(call, challenger, "ResponseWindowOpen", deadline)
    world.travel_to(deadline + 1)
    upheld = world.logs("court", "DisputeUpheld", world.send(call, challenger))[0]
    assert (upheld["how"], upheld["segment"]) == (RECORDS, 9)


def test_demandRecords_holdsTheDismissal(
    world: World, private_beast: int, private: Checkpoint, responded: int, owner: str
) -> None:
    """Demanded in the last second of the proof window: the dispute cannot be dismissed over it."""
    deadline = world.dispute(responded).deadline
    world.rpc("evm_setNextBlockTimestamp", hex(deadline))
    world.send(demand(world, responded, private_beast, private, 1), owner)
    due = world.dispute(responded).demandDeadline
    world.travel(1)
    call = world.court.functions.dismiss(responded, private_beast, private)
    world.reverts(call, owner, "DemandPending", 1, due)
    witnesses, _ = right_records(world, private_beast, owner, 1)
    world.send(supply(world, responded, private_beast, private, witnesses), owner)
    assert world.dispute(responded).deadline == world.now() + world.season.economics.proofWindow


def test_demandRecords_onceAndOneAtATime_reverts(
    world: World, private_beast: int, private: Checkpoint, responded: int, owner: str
) -> None:
    """P29: at most 16 demands, so no dispute lasts for ever."""
    world.send(demand(world, responded, private_beast, private, 4), owner)
    due = world.dispute(responded).demandDeadline
    again = demand(world, responded, private_beast, private, 5)
    world.reverts(again, owner, "DemandPending", 4, due)
    witnesses, _ = right_records(world, private_beast, owner, 4)
    world.send(supply(world, responded, private_beast, private, witnesses), owner)
    call = demand(world, responded, private_beast, private, 4)
    world.reverts(call, owner, "AlreadyDemanded", 4)
    call = demand(world, responded, private_beast, private, 16)
    world.reverts(call, owner, "SegmentOutOfRange", 16)


def test_demandRecords_outsideTheProofWindow_reverts(
    world: World, private_beast: int, private: Checkpoint, challenger: str, owner: str
) -> None:
    world.send(file_private(world, private_beast, private), challenger)
    call = demand(world, 1, private_beast, private, 0)
    world.reverts(call, challenger, "NotResponded", 1)
    world.respond(1, private_beast, private, garbage_segments(private.payload.h128))
    deadline = world.dispute(1).deadline
    world.travel_to(deadline + 1)
    world.reverts(call, challenger, "ProofWindowClosed", deadline)


def test_demandRecords_ofAPublicWindow_reverts(
    world: World, beast: int, checkpoint: Checkpoint, challenger: str
) -> None:
    dispute = world.file(beast, checkpoint, challenger)
    world.respond(dispute, beast, checkpoint, garbage_segments(checkpoint.payload.h128))
    call = demand(world, dispute, beast, checkpoint, 0)
    world.reverts(call, challenger, "NotPrivate", 0)
