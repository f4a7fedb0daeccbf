"""Who is paid for a proof: the filer's head start, commitments, copies, and steps."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.money import (
    Money,
    Shares,
    energy_bond,
    money,
    shares,
    step_pay,
)
from tests.support.onchain import mined
from tests.support.protocol import (
    BURN,
    HEADER,
    NO_OPENING,
    PROVEN,
    SEGMENT,
    ZERO_ADDRESS,
    Season,
    World,
)
from tests.support.snapshots import go_back, nothing_mined
from tests.support.training import SALT, Trainee, Window, add_one

LIE = (20, add_one)
"""In segment 2 of 0 to 15."""


def settled(world: World, trainee: Trainee) -> None:
    world.send(world.vault.functions.settleReward(trainee.beast, trainee.trainer), trainee.trainer)


def rewards(world: World, window: Window, stake: int) -> tuple[Shares, Shares]:
    """ENERGY and coin of a conviction whose proof share goes to one prover."""
    economics = world.season.economics
    return shares(window.checkpoint.locked, economics), shares(stake, economics)


# --- the head start ---------------------------------------------------------------------------


def test_attack_proofFrontRunning_duringTheHeadStart_paysTheFiler(
    world: World, trainee: Trainee, challenger: str, stranger: str
) -> None:
    """P30: who copies the filer's proof from the mempool convicts for nothing."""
    window, stake = trainee.train(tamper=LIE), world.staked(trainee.beast, trainee.trainer)
    before = {a: money(world, a) for a in (challenger, stranger)}
    dispute = trainee.dispute(window, challenger)
    debt = world.opening_bond(dispute).paid
    receipt = world.send(trainee.prove_call(dispute, window, 2), stranger)
    upheld = world.logs("court", "DisputeUpheld", receipt)[0]
    assert (upheld["how"], upheld["segment"], upheld["prover"]) == (SEGMENT, 2, challenger)
    settled(world, trainee)
    energy, coin = rewards(world, window, stake - debt)
    assert money(world, challenger).since(before[challenger]) == Money(
        energy.filing + energy.proof, coin.filing + coin.proof
    )
    assert money(world, stranger).since(before[stranger]) == Money(0, 0)


@pytest.mark.parametrize("late", [0, 1])
def test_prove_theHeadStartEndsToTheSecond(
    world: World, trainee: Trainee, challenger: str, prover: str, late: int
) -> None:
    """P30: a quarter of the proof window, its last second included; committed in time, the sender
    is paid from the next second on."""
    window = trainee.train(tamper=LIE)
    dispute = trainee.dispute(window, challenger)
    trainee.commit_proof(prover, window, 2)
    ends = world.dispute(dispute).proofStart + world.season.economics.proofWindow // 4
    world.rpc("evm_setNextBlockTimestamp", hex(ends + late))
    receipt = world.send(trainee.prove_call(dispute, window, 2, salt=SALT), prover)
    paid = prover if late else challenger
    assert world.logs("court", "DisputeUpheld", receipt)[0]["prover"] == paid


def after_head_start(world: World, dispute: int) -> None:
    ends = world.dispute(dispute).proofStart + world.season.economics.proofWindow // 4
    world.travel_to(ends + 1)


def test_attack_copiedProof_afterTheHeadStart_burnsTheShare(
    world: World, trainee: Trainee, challenger: str, prover: str, stranger: str
) -> None:
    """A bot copies the proof and its salt: the commitment was another's, so the share burns. The
    filing share is the filer's all the same."""
    window, stake = trainee.train(tamper=LIE), world.staked(trainee.beast, trainee.trainer)
    dispute = trainee.dispute(window, challenger)
    trainee.commit_proof(prover, window, 2)
    after_head_start(world, dispute)
    before = {a: money(world, a) for a in (challenger, stranger, prover)}
    burned, supply = world.coin(BURN), world.energy.functions.totalSupply().call()
    refund = world.opening_bond(dispute)
    receipt = world.send(trainee.prove_call(dispute, window, 2, salt=SALT), stranger)
    assert world.logs("court", "DisputeUpheld", receipt)[0]["prover"] == ZERO_ADDRESS
    settled(world, trainee)
    energy, coin = rewards(world, window, stake - refund.paid)
    change = {a: money(world, a).since(before[a]) for a in before}
    bond = energy_bond(world, window.checkpoint)
    assert change == {
        challenger: Money(bond + energy.filing, refund.base + coin.filing),
        stranger: Money(0, 0),
        prover: Money(0, 0),
    }
    assert world.coin(BURN) - burned == coin.burned + coin.proof
    total = supply - world.energy.functions.totalSupply().call()
    assert total == energy.burned + energy.proof


def test_prove_committed_afterTheHeadStart_paysTheSender(
    world: World, trainee: Trainee, challenger: str, prover: str
) -> None:
    window, stake = trainee.train(tamper=LIE), world.staked(trainee.beast, trainee.trainer)
    before = {a: money(world, a) for a in (challenger, prover)}
    dispute = trainee.dispute(window, challenger)
    trainee.commit_proof(prover, window, 2)
    after_head_start(world, dispute)
    debt = world.opening_bond(dispute).paid
    world.send(trainee.prove_call(dispute, window, 2, salt=SALT), prover)
    settled(world, trainee)
    energy, coin = rewards(world, window, stake - debt)
    assert {a: money(world, a).since(before[a]) for a in before} == {
        challenger: Money(energy.filing, coin.filing),
        prover: Money(energy.proof, coin.proof),
    }


@pytest.mark.parametrize("change", ["salt", "segment", "none"])
def test_attack_proverWithoutCommitment_isNotPaid(
    world: World, trainee: Trainee, challenger: str, prover: str, change: str
) -> None:
    """Another salt, another segment, or no commitment at all: the share burns."""
    window = trainee.train(tamper=LIE)
    dispute = trainee.dispute(window, challenger)
    if change == "salt":
        trainee.commit_proof(prover, window, 2, salt=b"\x01" * 32)
    if change == "segment":
        trainee.commit_proof(prover, window, 3)
    after_head_start(world, dispute)
    receipt = world.send(trainee.prove_call(dispute, window, 2, salt=SALT), prover)
    assert world.logs("court", "DisputeUpheld", receipt)[0]["prover"] == ZERO_ADDRESS


def test_attack_commitmentInTheSameBlock_isNotPaid(
    world: World, trainee: Trainee, challenger: str, prover: str
) -> None:
    """Who reads a proof in the mempool cannot commit and send in the same block."""
    window = trainee.train(tamper=LIE)
    dispute = trainee.dispute(window, challenger)
    after_head_start(world, dispute)
    with nothing_mined(world.rpc):
        call = trainee.prove_call(dispute, window, 2, salt=SALT)
        calls = [commitment_call(world, trainee, window, prover), call]
        sent = [c.transact({"from": prover, "gas": 5_000_000, "gasPrice": 10**11}) for c in calls]
        world.mine()
    first, second = (mined(world.w3, tx) for tx in sent)
    assert first["blockNumber"] == second["blockNumber"]
    assert (first["status"], second["status"]) == (1, 1)
    assert world.logs("court", "DisputeUpheld", second)[0]["prover"] == ZERO_ADDRESS


def commitment_call(world: World, trainee: Trainee, window: Window, sender: str) -> Any:
    """The call of `commit_proof`, not sent."""
    snapshot = world.rpc("evm_snapshot")
    world.rpc("evm_setAutomine", True)
    receipt = trainee.commit_proof(sender, window, 2)
    commitment = world.logs("court", "Committed", receipt)[0]["commitment"]
    go_back(world.rpc, snapshot)
    world.rpc("evm_setAutomine", False)
    return world.court.functions.commit(commitment)


def test_commit_twice_reverts(world: World, challenger: str, stranger: str) -> None:
    """A copied commitment is the copier's in nothing: it names its sender."""
    world.send(world.court.functions.commit(SALT), challenger)
    block = world.w3.eth.block_number
    for sender in (challenger, stranger):
        world.reverts(world.court.functions.commit(SALT), sender, "AlreadyCommitted", SALT)
    assert world.court.functions.committedIn(SALT).call() == block


# --- front-running by filing ------------------------------------------------------------------


def test_attack_filingInFrontOfAProof_losesToAnEarlierCommitment(
    world: World, trainee: Trainee, prover: str, stranger: str
) -> None:
    """P30: a commitment in a block before the filing beats the head start: nobody gains the proof
    share by filing first once he sees that somebody knows."""
    window = trainee.train(tamper=LIE)
    trainee.commit_proof(prover, window, 2)
    dispute = trainee.dispute(window, stranger)
    receipt = world.send(trainee.prove_call(dispute, window, 2, salt=SALT), prover)
    upheld = world.logs("court", "DisputeUpheld", receipt)[0]
    assert (upheld["filer"], upheld["prover"]) == (stranger, prover)


@pytest.mark.parametrize("filed", ["before", "after", "never"])
def test_attack_challengeHeader_frontRunByFile(
    world: World, trainee: Trainee, prover: str, stranger: str, filed: str
) -> None:
    """A bot files over the window in front of the challenge: with a commitment older than the
    filing the proof share stays with who knew; only the small filing share is the bot's."""
    window, stake = trainee.train(windowLoss=5), world.staked(trainee.beast, trainee.trainer)
    before = {a: money(world, a) for a in (prover, stranger)}
    if filed == "before":
        world.file(trainee.beast, window.checkpoint, stranger)
    trainee.commit_header(prover, window)
    if filed == "after":
        world.file(trainee.beast, window.checkpoint, stranger)
    receipt = world.send(trainee.header_call(window, salt=SALT), prover)
    assert world.logs("court", "DisputeUpheld", receipt)[0]["how"] == HEADER
    settled(world, trainee)
    energy, coin = rewards(world, window, stake)
    filing, proof = (Money(energy[i], coin[i]) for i in range(2))
    both = Money(filing.energy + proof.energy, filing.coin + proof.coin)
    nothing = Money(0, 0)
    paid = {"before": (nothing, both), "after": (proof, filing), "never": (both, nothing)}[filed]
    change = tuple(money(world, a).since(before[a]) for a in (prover, stranger))
    assert change == paid


@pytest.mark.parametrize("committed", ["nothing", "copy"])
def test_attack_challengeHeaderCopied_burnsBothShares(
    world: World, trainee: Trainee, prover: str, stranger: str, committed: str
) -> None:
    """Without a dispute and a commitment of the sender's own nobody is paid, nor is a cheat who
    convicts himself in a hurry; h128 alone, which everybody knows, is no commitment."""
    window, stake = trainee.train(windowLoss=5), world.staked(trainee.beast, trainee.trainer)
    trainee.commit_header(prover, window)
    before, burned = money(world, stranger), world.coin(BURN)
    if committed == "copy":
        digest, h128 = trainee.digest(window), window.checkpoint.payload.h128
        parts = (("bytes32", digest), ("uint8", 16), ("bytes32", h128), ("bytes32", SALT))
        world.commit(stranger, *parts)
    receipt = world.send(trainee.header_call(window, salt=SALT), stranger)
    upheld = world.logs("court", "DisputeUpheld", receipt)[0]
    assert (upheld["filer"], upheld["prover"]) == (ZERO_ADDRESS, ZERO_ADDRESS)
    assert money(world, stranger).since(before) == Money(0, 0)
    assert world.coin(BURN) - burned == stake
    held = world.vault.functions.settleReward(trainee.beast, trainee.trainer)
    world.reverts(held, stranger, "NoReward", trainee.beast, trainee.trainer)


# --- while openings are outstanding -----------------------------------------------------------


@pytest.mark.parametrize("known", ["proof", "header"])
def test_attack_halfOpenedDispute_doesNotShieldTheLie(
    world: World, trainee: Trainee, challenger: str, prover: str, known: str
) -> None:
    """The cheat opens the segments and holds the state back: whoever knows better need not wait for
    it, and the filer has his head start."""
    trainee.train()
    lies = {"windowLoss": 5} if known == "header" else {}
    window = trainee.train(tamper=LIE if known == "proof" else None, **lies)
    dispute = world.file(trainee.beast, window.checkpoint, challenger)
    trainee.open_segments(dispute, window)
    if known == "proof":
        call = trainee.prove_call(dispute, window, 2)
    else:
        call = trainee.header_call(window)
    receipt = world.send(call, prover)
    upheld = world.logs("court", "DisputeUpheld", receipt)[0]
    assert (upheld["filer"], upheld["prover"]) == (challenger, challenger)


# --- steps ------------------------------------------------------------------------------------


def test_advance_paysCommittedSteps_ofAConviction(
    world: World, trainee: Trainee, challenger: str, prover: str, stranger: str
) -> None:
    """P47: half of the steps were committed to by one, a quarter by another, a quarter by nobody:
    that quarter of the proof share burns."""
    window, stake = trainee.train(tamper=LIE), world.staked(trainee.beast, trainee.trainer)
    economics = world.season.economics
    before = {a: money(world, a) for a in (challenger, prover, stranger)}
    burned = world.coin(BURN)
    dispute = world.file(trainee.beast, window.checkpoint, challenger)
    for done, steps, sender, committed in (
        (0, 64, prover, True),
        (64, 32, stranger, True),
        (96, 32, prover, False),
    ):
        if committed:
            trainee.commit_steps(sender, window, done, steps)
        call = trainee.advance_call(dispute, window, done, steps, end=NO_OPENING, salt=SALT)
        receipt = world.send(call, sender)
        assert world.logs("court", "DisputeAdvanced", receipt)[0]["counted"] is committed
    vault = world.vault.functions
    assert vault.countedSteps(dispute).call() == 96
    claim = vault.claimSteps(dispute)
    settled(world, trainee)
    world.send(claim, prover)
    world.send(claim, stranger)
    for account in (prover, stranger, challenger):
        world.reverts(claim, account, "NothingToClaim", dispute, account)
    energy = shares(window.checkpoint.locked, economics, steps=96)
    coin = shares(stake, economics, steps=96)
    assert {a: money(world, a).since(before[a]) for a in before} == {
        challenger: Money(energy.filing, coin.filing),
        prover: Money(energy.proof * 64 // 96, coin.proof * 64 // 96),
        stranger: Money(energy.proof * 32 // 96, coin.proof * 32 // 96),
    }
    assert world.coin(BURN) - burned == coin.burned


def test_attack_ripeAdvanceFinishedBySomebodyElse_paysWhoDidTheWork(
    world: World, trainee: Trainee, challenger: str, prover: str, stranger: str
) -> None:
    """One step is left of a conviction; a stranger takes it. The proof share is the steps': 127 of
    128 to who re-executed them, the last burns."""
    window, stake = trainee.train(tamper=LIE), world.staked(trainee.beast, trainee.trainer)
    before = {a: money(world, a) for a in (prover, stranger)}
    dispute = world.file(trainee.beast, window.checkpoint, challenger)
    for done, steps in ((0, 64), (64, 63)):
        trainee.commit_steps(prover, window, done, steps)
        world.send(trainee.advance_call(dispute, window, done, steps, salt=SALT), prover)
    world.send(trainee.advance_call(dispute, window, 127, 1, salt=SALT), stranger)
    settled(world, trainee)
    world.send(world.vault.functions.claimSteps(dispute), prover)
    economics = world.season.economics
    energy = shares(window.checkpoint.locked, economics, steps=127).proof
    coin = shares(stake, economics, steps=127).proof
    assert money(world, prover).since(before[prover]) == Money(energy, coin)
    assert money(world, stranger).since(before[stranger]) == Money(0, 0)


@pytest.mark.parametrize("price", [0, 10**6 + 3, 10**15 + 3])
def test_proven_paysCommittedStepsOutOfTheBurningBond(
    world: World, owner: str, challenger: str, prover: str, price: int
) -> None:
    """A right window under a false dispute: who proves it is paid its gas in ENERGY at the sale's
    price, never more than the bond; without a sale its share of the bond. The rest burns."""
    economics = world.season.economics._replace(energyPrice=price)
    own = World.deploy(world.w3, world.artifacts, Season(economics=economics))
    trainee = Trainee.hatch(own, owner)
    window = trainee.train()
    before = {a: money(own, a) for a in (challenger, prover, owner)}
    dispute = own.file(trainee.beast, window.checkpoint, challenger)
    supply = own.energy.functions.totalSupply().call()
    last = trainee.advance_all(dispute, window, prover, 64, committed=True)[-1]
    assert own.status(trainee.beast, window.checkpoint) == PROVEN
    own.send(own.vault.functions.claimSteps(dispute), prover)
    bond = energy_bond(own, window.checkpoint)
    pay = step_pay(own, window.checkpoint, 128, last["blockNumber"])
    assert 0 < pay <= bond
    assert {a: money(own, a).since(before[a]) for a in before} == {
        challenger: Money(-bond, 0),
        prover: Money(pay, 0),
        owner: Money(0, 0),
    }
    assert supply - own.energy.functions.totalSupply().call() == bond - pay


def test_proven_byUncommittedSteps_burnsTheBond(
    world: World, trainee: Trainee, challenger: str, prover: str
) -> None:
    """No way for a cheat to get his own bond back by proving his own window in one go."""
    window = trainee.train()
    before = {a: money(world, a) for a in (challenger, prover)}
    dispute = world.file(trainee.beast, window.checkpoint, challenger)
    trainee.advance_all(dispute, window, prover)
    claim = world.vault.functions.claimSteps(dispute)
    world.reverts(claim, prover, "NothingToClaim", dispute, prover)
    bond = energy_bond(world, window.checkpoint)
    assert money(world, challenger).since(before[challenger]) == Money(-bond, 0)
    assert money(world, prover).since(before[prover]) == Money(0, 0)
