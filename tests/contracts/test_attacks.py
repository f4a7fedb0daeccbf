"""The attacks the protocol must survive, each played by its attacker: replays, reorgs, transfers,
reentrancy, dust.

Others by subject: lies that nobody else could judge (test_attacks_lies.py), time and order
(test_attacks_timing.py), stakes and rewards (test_attacks_stakes.py), receivers of coin
(test_attacks_receivers.py), who is paid for a proof (test_provers.py), openings
(test_openings.py), malformed states and witnesses (test_verdicts.py, test_private_windows.py).
"""

from __future__ import annotations

import random

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.samples import random_position
from tests.support import books
from tests.support.money import Money, money, shares
from tests.support.protocol import (
    BURN,
    ETHER,
    NO_CHECKPOINT,
    NO_OPENING,
    PRIVATE,
    PROVEN_RIGHT,
    UPHELD,
    Checkpoint,
    World,
    garbage_segments,
)
from tests.support.snapshots import go_back
from tests.support.training import Dataset, Trainee, Window, add_one

WORDS = [random_position(104_729 * n, None, Rules()) for n in range(6)]


def cheat(trainee: Trainee, step: int = 20) -> Window:
    """A window with one weight off by one after `step` steps."""
    return trainee.train(tamper=(step, add_one))


# --- silence, many windows, many validators -----------------------------------------------------


def test_attack_silentDefender_isSlashedAtOnceByAdvance(
    world: World, trainee: Trainee, challenger: str
) -> None:
    """No answer is waited for: a few transactions after filing the fraud is gone."""
    window = cheat(trainee)
    dispute = world.file(trainee.beast, window.checkpoint, challenger)
    deadline = world.dispute(dispute).responseDeadline
    trainee.advance_all(dispute, window, challenger, end=NO_OPENING)
    assert world.dispute(dispute).status == UPHELD
    assert world.now() < deadline


def test_attack_bondExhaustion_oneBondTakesDownTheWholeChain(
    world: World, beast: int, owner: str, challenger: str
) -> None:
    """Many false windows to drain a challenger: one dispute voids all of them, and bonds over the
    children come back."""
    first = world.submit(beast, owner)
    rest = [world.submit(beast, owner) for _ in range(5)]
    before, stake = money(world, challenger), world.staked(beast, owner)
    disputes = [world.file(beast, child, challenger) for child in rest[:3]]
    world.slash_by_timeout(beast, first, filer=challenger)
    for dispute, child in zip(disputes, rest, strict=False):
        world.send(world.court.functions.dismiss(dispute, beast, child), owner)
    world.send(world.vault.functions.settleReward(beast, owner), owner)
    economics = world.season.economics
    energy, coin = shares(first.locked, economics), shares(stake, economics)
    assert money(world, challenger).since(before) == Money(
        energy.filing + energy.proof, coin.filing + coin.proof
    )
    assert world.head(beast).headCount == 0


def test_attack_childrenOfASlashedParent_areWorthNothing(
    world: World, beast: int, owner: str, challenger: str
) -> None:
    """Old enough and undisputed, they are neither final nor disputable, nor built on again."""
    parent, child, grandchild = (world.submit(beast, owner) for _ in range(3))
    stale = world.submit_call(beast, world.payload(beast))
    world.slash_by_timeout(beast, parent, filer=challenger)
    world.send(world.vault.functions.settleReward(beast, owner), owner)
    world.travel(world.season.economics.challengePeriod)
    finalize, file = world.ledger.functions.finalize, world.court.functions.file
    world.reverts(finalize(beast, [parent]), owner, "NotLive", beast, 0)
    world.reverts(finalize(beast, [child]), owner, "OutOfOrder", 0, 1)
    for dead in (child, grandchild):
        call = file(beast, dead)
        world.reverts(call, challenger, "NotLive", beast, dead.index, value=ETHER)
    world.reverts(stale, owner, "StaleParent")
    again = world.submit(beast, owner)
    world.travel(world.season.economics.challengePeriod)
    world.reverts(finalize(beast, [again, child]), owner, "NotLive", beast, 1)
    world.finalize(beast, again)
    assert (world.head(beast).finalCount, world.head(beast).headCount) == (1, 1)


def test_attack_manyValidators_oneFraudIsPaidOnce(
    world: World, trainee: Trainee, challenger: str, prover: str, stranger: str
) -> None:
    """The second filer loses nothing but gas, the second proof fails, the second header too."""
    window = cheat(trainee)
    dispute = world.file(trainee.beast, window.checkpoint, challenger)
    before = money(world, stranger)
    call = world.court.functions.file(trainee.beast, window.checkpoint)
    world.send(call, stranger, ETHER)
    assert money(world, stranger).since(before) == Money(0, 0)
    trainee.open_segments(dispute, window)
    world.send(trainee.prove_call(dispute, window, 2), prover)
    world.reverts(trainee.prove_call(dispute, window, 2), stranger, "DisputeEnded", dispute)
    world.reverts(call, stranger, "NotLive", trainee.beast, 0, value=ETHER)
    world.reverts(trainee.header_call(window), stranger, "NotPending", trainee.beast, 0)


# --- reorgs --------------------------------------------------------------------------------------


def test_attack_reorgRetarget_isRefused(
    world: World, beast: int, owner: str, challenger: str
) -> None:
    """P7: work and disputes made on one branch fail on another, though the head's hash is equal."""
    records = [world.submit(beast, owner) for _ in range(3)]
    last = world.payload(beast)
    fork = world.rpc("evm_snapshot")
    here = world.submit(beast, owner, last)  # completes epoch 0
    work = world.submit_call(beast)
    filing = world.court.functions.file(beast, here)
    world.call(work, owner)
    world.call(filing, challenger, ETHER)
    go_back(world.rpc, fork)
    world.travel(7)  # another branch: another block before the epoch's first
    there = world.submit(beast, owner, last)
    assert there.payload == here.payload
    assert world.head(beast).h128 == here.payload.h128
    world.reverts(work, owner, "WrongEpochSeed")
    world.reverts(filing, challenger, "NotLive", beast, here.index, value=ETHER)
    assert world.is_live(beast, records[2])


# --- replay -----------------------------------------------------------------------------------


def test_attack_proofReplay_onAnotherBeastWindowOrSegment_reverts(
    world: World, owner: str, challenger: str
) -> None:
    """P19, P24: a proof is bound to chain, ledger, beast, record, dispute and segment."""
    guilty = Trainee.hatch(world, owner)
    other = Trainee.hatch(world, owner)
    guilty.train()
    bad = cheat(guilty)
    honest = [other.train(), other.train()]
    dispute = guilty.dispute(bad, challenger)
    innocent = other.dispute(honest[1], challenger)
    world.call(guilty.prove_call(dispute, bad, 2), challenger)

    claim = other.claim(innocent, honest[1])
    for change, error in (
        ({"claim": claim}, "WrongSegments"),
        ({"claim": claim, "segments": honest[1].segments}, "StateMismatch"),
        ({"claim": (innocent, *guilty.claim(dispute, bad)[1:])}, "WrongRecord"),
        ({"claim": (dispute, *claim[1:])}, "WrongRecord"),
        ({"claim": (dispute, other.beast, *guilty.claim(dispute, bad)[2:])}, "WrongRecord"),
        ({"k": 3}, "StateMismatch"),
        ({"k": 1}, "StateMismatch"),
    ):
        world.reverts(guilty.prove_call(dispute, bad, 2, **change), challenger, error)
    for change in ({"claim": claim}, {"claim": other.claim(innocent, honest[0])}):
        call = guilty.advance_call(dispute, bad, 0, 8, **change)
        expected = "StateMismatch" if change["claim"] == claim else "WrongRecord"
        world.reverts(call, challenger, expected)


def test_attack_parentOfAnotherClaim_cannotMoveTheHead(
    world: World, trainee: Trainee, challenger: str
) -> None:
    """A true conviction with a false parent record would restore a false head: refused."""
    trainee.train()
    window = cheat(trainee)
    dispute = trainee.dispute(window, challenger)
    forged = window.parent._replace(payload=window.parent.payload._replace(windowLoss=1))
    claim = (dispute, trainee.beast, window.checkpoint, forged)
    call = trainee.prove_call(dispute, window, 2, claim=claim)
    world.reverts(call, challenger, "WrongParentRecord", 1)


# --- who can be slashed -----------------------------------------------------------------------


def test_attack_honestTrainer_survivesEverythingAChallengerCanSend(
    world: World, trainee: Trainee, challenger: str
) -> None:
    """No segment, no state and no header of an honest window convicts it; the bond burns."""
    window = trainee.train()
    dispute = trainee.dispute(window, challenger)
    for k in (0, 7, 15):
        world.reverts(trainee.prove_call(dispute, window, k), challenger, "SegmentCorrect", k)
    world.reverts(trainee.header_call(window), challenger, "NoContradiction")
    receipts = trainee.advance_all(dispute, window, challenger)
    assert world.logs("court", "DisputeUpheld", receipts[-1]) == []
    assert world.dispute(dispute).status == PROVEN_RIGHT
    assert world.head(trainee.beast).headCount == 1


def test_attack_transferMidDispute_liabilityStaysWithWhoPaid(
    world: World, trainee: Trainee, owner: str, stranger: str, challenger: str
) -> None:
    """The beast is sold during a dispute: the seller still answers, and pays."""
    window = cheat(trainee)
    dispute = world.file(trainee.beast, window.checkpoint, challenger)
    world.send(world.beasts.functions.transferFrom(owner, stranger, trainee.beast), owner)
    segments = garbage_segments(window.checkpoint.payload.h128)
    place = (dispute, trainee.beast, window.checkpoint, segments)
    world.reverts(
        world.court.functions.openSegments(*place), stranger, "NotDefender", stranger, owner
    )
    sellers, buyers = world.escrow(owner), world.escrow(stranger)
    trainee.open_segments(dispute, window)
    world.send(trainee.prove_call(dispute, window, 2), challenger)
    assert (world.escrow(owner), world.escrow(stranger)) == (sellers, buyers)
    # the new owner trains on from the last honest state
    again = world.submit(trainee.beast, stranger)
    assert (again.index, again.trainer) == (0, stranger)


def test_attack_transfer_returnsTheBondToWhoPaid(
    world: World, beast: int, owner: str, stranger: str
) -> None:
    checkpoint = world.submit(beast, owner)
    world.send(world.beasts.functions.transferFrom(owner, stranger, beast), owner)
    before = world.escrow(owner)
    world.travel(world.season.economics.challengePeriod)
    world.finalize(beast, checkpoint)
    assert world.escrow(owner) == before + checkpoint.bond


def test_attack_stagedRevealFrontRunning_theCopycatFilesNothing(
    world: World, owner: str, challenger: str, stranger: str
) -> None:
    """A rival copies every chunk, and the secret out of the pending filing. Its own stage is sealed
    with a secret it did not know, or begun too late; the whole dataset at once, which a contract
    could put together from the chunks on chain, is refused; another's stage serves nobody else."""
    data = Dataset.of(WORDS, blob=random.Random(3).randbytes(120_001))
    digest = keccak(data.blob)
    beast = world.hatch(owner, data.commitments)
    window = world.submit(beast, owner, world.payload(beast, source=PRIVATE))
    f, court = world.stage.functions, world.court.functions
    chunks = [data.blob[i : i + 24_575] for i in range(0, len(data.blob), 24_575)]
    filing = court.fileStaged(beast, window, data.secret)

    honest = keccak(encode(["address", "bytes32"], [challenger, data.secret]))
    world.send(f.begin(digest, honest), challenger)
    world.reverts(filing, stranger, "NoStage", stranger, digest, value=ETHER)
    world.send(f.begin(digest, honest), stranger)  # all that it has seen
    for first in (0, 3):
        part = f.stage(digest, first, chunks[first : first + 3])
        world.send(part, challenger)
        world.send(part, stranger)
    # the honest filing is pending: its secret is known now
    needed = keccak(encode(["address", "bytes32"], [stranger, data.secret]))
    world.reverts(filing, stranger, "WrongSeal", honest, needed, value=ETHER)
    world.reverts(f.begin(digest, needed), stranger, "StageExists", digest)
    whole = court.filePrivate(beast, window, data.blob, data.secret)
    world.reverts(whole, stranger, "DatasetTooLarge", 120_000, 120_001, value=ETHER)

    world.send(filing, challenger, world.opening_value(beast, window))
    assert world.dispute(1).filer == challenger


# --- reentrancy -------------------------------------------------------------------------------


def test_attack_reentrancy_throughTheNftHook(world: World, stranger: str) -> None:
    """A receiver that hatches again on arrival gets one beast, not two."""
    hostile = world.create("HostileReceiver")
    cost = world.season.economics.hatchCost
    world.send(world.energy.functions.mint(hostile.address, cost), world.accounts[0])
    world.send(hostile.functions.requestHatch(world.beasts.address), stranger)
    beast = int(world.beasts.functions.lastBeastId().call())
    world.send(world.beasts.functions.hatch(beast), stranger)
    assert world.beasts.functions.ownerOf(beast).call() == hostile.address
    assert world.beasts.functions.balanceOf(hostile.address).call() == 1
    refusal = bytes(hostile.functions.refusal().call())
    assert refusal[:4] == keccak(text="NoHatchRequest(uint256)")[:4]
    assert hostile.functions.trainerAtArrival().call()


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("CheckpointLedger", ("beasts", "seasons")),
        ("Arena", ("beasts", "seasons", "ledger", "match_referee", "states")),
    ],
)
def test_attack_reentrancy_throughTheToken(
    world: World, stranger: str, name: str, parts: tuple[str, ...]
) -> None:
    """A token that re-enters withdraw and deposit takes out what it put in, once (P16, P17)."""
    token = world.create("HostileToken")
    others = (world.contracts[part].address for part in parts)
    escrow = world.create(name, token.address, *others)
    # somebody else's money is in the same pot
    world.send(token.functions.mint(stranger, 10 * ETHER), stranger)
    world.send(token.functions.approve(escrow.address, 10 * ETHER), stranger)
    world.send(escrow.functions.deposit(10 * ETHER), stranger)
    world.send(token.functions.aim(escrow.address), stranger)

    world.send(token.functions.stake(3 * ETHER), stranger)
    refused = keccak(text="InsufficientEscrow(address,uint256,uint256)")[:4]
    assert bytes(token.functions.refusal().call())[:4] == refused  # nothing was credited yet
    world.send(token.functions.unstake(2 * ETHER), stranger)
    assert bytes(token.functions.refusal().call())[:4] == refused  # and only 1 was left
    assert escrow.functions.escrowOf(token.address).call() == 1 * ETHER
    assert token.functions.balanceOf(escrow.address).call() == 11 * ETHER


# --- dust -------------------------------------------------------------------------------------


@pytest.mark.parametrize("base_cost", [1, 3, 10**15 + 7, 2**61 - 1])
def test_attack_dustAndRounding_neverPaysOutMoreThanWasLocked(world: World, base_cost: int) -> None:
    """Every division rounds against whoever would gain; challenger, prover and burn add up."""
    season = world.season._replace(
        economics=world.season.economics._replace(
            baseCost=base_cost, growthCost=0, filingBps=1_111, proofBps=3_333
        )
    )
    own = World.deploy(world.w3, world.artifacts, season)
    owner, challenger, prover = own.accounts[1], own.accounts[3], own.accounts[4]
    beast = own.hatch(owner)
    stake = own.stake(beast, owner, own.required_stake(beast) + 7)
    before, burned = money(own, challenger), own.coin(BURN)
    c: Checkpoint = own.submit(beast, owner)
    dispute = own.file(beast, c, challenger)
    own.travel(season.economics.responseWindow + 1)
    supply = own.energy.functions.totalSupply().call()
    own.claim_timeout(dispute, beast, c, NO_CHECKPOINT, prover)
    own.send(own.vault.functions.settleReward(beast, owner), prover)
    gained = money(own, challenger).since(before)
    assert gained.energy == c.locked * 1_111 // 10_000 + c.locked * 3_333 // 10_000
    assert gained.coin == stake * 1_111 // 10_000 + stake * 3_333 // 10_000
    assert gained.energy + supply - own.energy.functions.totalSupply().call() == c.locked
    assert gained.coin + own.coin(BURN) - burned == stake
    assert own.coin(own.ledger.address) == 0
    books.check(own)


def test_attack_advanceFrontRunning_onlyHelps(
    world: World, trainee: Trainee, challenger: str, stranger: str
) -> None:
    """One-step advances against somebody's long one: each is progress, none changes the verdict."""
    window = cheat(trainee, 100)
    dispute = world.file(trainee.beast, window.checkpoint, challenger)
    for done in range(3):
        call = trainee.advance_call(dispute, window, done, 1, end=NO_OPENING)
        world.send(call, stranger)
    for done, steps in ((3, 29), (32, 32), (64, 32), (96, 32)):
        world.send(trainee.advance_call(dispute, window, done, steps), challenger)
    assert world.dispute(dispute).status == UPHELD
