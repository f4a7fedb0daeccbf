"""Attacks on the seams between the parts: what one leaves behind for another to stumble on."""

from __future__ import annotations

import numpy as np
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from chainbeasts.backend.kernel.constants import WEIGHTS
from chainbeasts.backend.kernel.state import Header, State, state_hash, weights_root
from tests.support.arena import Bout
from tests.support.money import SEGMENTS_GAS, STATE_BYTES, state_gas
from tests.support.protocol import (
    DAY,
    GWEI,
    SEGMENTS,
    STATE,
    Checkpoint,
    StateHeader,
    World,
    garbage_segments,
)
from tests.support.snapshots import set_base_fee
from tests.support.training import HEADER_PROOF, SALT, header_of, opening


def authorise(world: World, beast: int, owner: str, trainer: str) -> None:
    world.send(world.beasts.functions.setTrainer(beast, trainer, True), owner)


def dismiss(world: World, dispute: int, beast: int, checkpoint: Checkpoint, sender: str) -> None:
    world.send(world.court.functions.dismiss(dispute, beast, checkpoint), sender)


def open_garbage(world: World, dispute: int, beast: int, checkpoint: Checkpoint) -> None:
    world.open_segments(dispute, beast, checkpoint, garbage_segments(checkpoint.payload.h128))


def made_up(world: World, beast: int, loss_in_header: int = 0) -> State:
    """A state for the beast's next window that nobody trained, but that can be opened."""
    p = world.payload(beast)
    facts = (p.globalStep, p.activeMask, p.windowLoss + loss_in_header)
    weights = np.full(WEIGHTS, 3, dtype=np.int16)
    return State(Header(beast, world.head(beast).h128, *facts, 0), weights)


def submit_state(world: World, beast: int, trainer: str, state: State) -> Checkpoint:
    return world.submit(beast, trainer, world.payload(beast, state_hash(state)))


def hashed(state: State) -> tuple[StateHeader, bytes]:
    return header_of(state.header), weights_root(state.weights)


def test_attack_stakeWithdrawnFromUnderOpeningDebts_isKept(
    world: World, beast: int, owner: str, trainer: str, challenger: str, prover: str
) -> None:
    """P39, P50: the trainer stakes more than it must, disputes its own window and is paid at once
    for opening it. The window falls with an accomplice's below it; nobody ends the dispute, so what
    was paid is still owed. With the stake withdrawn meanwhile, the next stake would repay it to the
    trainer's own filer before it rewards whoever convicts the next lie."""
    authorise(world, beast, owner, trainer)
    below = world.submit(beast, trainer)
    required = world.required_stake(beast)
    world.stake(beast, owner, 2 * required)
    window = world.submit(beast, owner, accept_foreign=True)
    dispute = world.file(beast, window, challenger)
    open_garbage(world, dispute, beast, window)
    debt = world.opening_bond(dispute).paid
    assert debt > 0
    world.slash_by_timeout(beast, below, filer=world.accounts[6])

    world.send(world.ledger.functions.announceWithdrawal(beast), owner)
    world.travel(world.season.economics.challengePeriod + 300)
    withdrawal = world.ledger.functions.withdrawStake(beast, owner)
    world.reverts(withdrawal, owner, "OpeningDebtsOpen", beast, owner, debt)
    dismiss(world, dispute, beast, window, prover)  # by anybody
    world.send(withdrawal, owner)

    lie = world.submit(beast, owner)
    staked = world.staked(beast, owner)
    receipt = world.slash_by_timeout(beast, lie, filer=prover)
    taken = world.logs("vault", "StakeTaken", receipt)[0]
    assert (taken["amount"], taken["debts"]) == (staked, 0)
    shares = world.season.economics.filingBps + world.season.economics.proofBps
    held = world.reward(beast, owner)
    assert abs(held.filing + held.proof - staked * shares // 10_000) <= 1


def test_attack_potOfOneFiler_isNotSpentOnAnother(
    world: World, beast: int, owner: str, challenger: str, stranger: str
) -> None:
    """P40: a cheat disputes its own lower window, convicts itself in between without a reward,
    stakes anew and opens more of the lower one. The pot out of the first stake is what both filers
    had paid until then: what the lower dispute pays later is no part of it."""
    world.stake(beast, owner, 3 * world.required_stake(beast))
    start = made_up(world, beast)
    first = submit_state(world, beast, owner, start)
    lower = world.submit(beast, owner)
    liar = made_up(world, beast, loss_in_header=-1)
    lie = submit_state(world, beast, owner, liar)
    upper = world.submit(beast, owner)

    own = world.file(beast, lower, stranger)
    before = world.credit(challenger) - 0
    value = world.opening_value(beast, upper)
    world.send(world.court.functions.file(beast, upper), challenger, value)
    victims = own + 1
    open_garbage(world, own, beast, lower)
    open_garbage(world, victims, beast, upper)
    assert world.opening_bond(victims).paid > 0
    assert world.dispute(own).missing == STATE

    call = world.court.functions.challengeHeader(beast, lie, lower, *hashed(liar), SALT)
    world.send(call, owner)
    world.stake(beast, owner, 3 * world.required_stake(beast))
    world.publish_state(*opening(start), owner)
    world.accept_openings(own, beast, lower)
    world.travel(world.season.economics.proofWindow + 1)
    dismiss(world, own, beast, lower, stranger)
    dismiss(world, victims, beast, upper, challenger)
    assert world.is_live(beast, first)
    assert world.credit(challenger) == before + value  # whole, as the trainer was slashed since


def test_attack_headerProofAfterTheHeadStart_withAnUnnotedOpening_paysWhoCommitted(
    world: World, beast: int, owner: str, challenger: str, prover: str
) -> None:
    """P30, P45: a decoy's filer leaves a publication unnoted, so that the dispute looks unopened
    and its head start endless."""
    start = made_up(world, beast)
    first = submit_state(world, beast, owner, start)
    liar = made_up(world, beast, loss_in_header=-1)
    lie = submit_state(world, beast, owner, liar)
    dispute = world.file(beast, lie, challenger)
    assert world.dispute(dispute).missing == SEGMENTS | STATE
    world.publish_state(*opening(start), owner)
    open_garbage(world, dispute, beast, lie)
    opened = keccak(encode(_OPENING, [tuple(hashed(liar)[0]), hashed(liar)[1]]))
    digest = bytes(world.ledger.functions.digestOf(beast, lie).call())
    world.commit(
        prover, ("bytes32", digest), ("uint8", HEADER_PROOF), ("bytes32", opened), ("bytes32", SALT)
    )
    world.travel(world.season.economics.proofWindow // 4 + 1)
    call = world.court.functions.challengeHeader(beast, lie, first, *hashed(liar), SALT)
    receipt = world.send(call, prover)
    upheld = world.logs("court", "DisputeUpheld", receipt)[0]
    assert (upheld["filer"], upheld["prover"]) == (challenger, prover)


_OPENING = ["(uint256,bytes32,uint32,uint8,uint32,uint256)", "bytes32"]


def test_attack_recordAfterTheStatesAreForgotten_isRefused(bout: Bout) -> None:
    """P68: who waits with a false record until nodes have forgotten the states could not be
    disproved. Whoever still has them publishes them again, and the match goes on."""
    world = bout.world
    age = world.season.economics.publicationAge
    # A match that is agreed on shortly before the publications are too old.
    world.travel(31 * DAY)
    for fighter in (bout.a, bout.b):
        world.publish_state(*opening(fighter.state), bout.stranger)
    world.travel(age - 100)
    late = Bout.arrange(world, bout.a, bout.b)
    world.travel(200)
    state = bout.a.checkpoint.payload.h128
    call = late.record_call(late.truth)
    world.reverts(call, bout.reporter, "StateNotPublished", bout.a.beast, state)
    world.publish_state(*opening(bout.a.state), bout.stranger)
    state = bout.b.checkpoint.payload.h128
    world.reverts(call, bout.reporter, "StateNotPublished", bout.b.beast, state)
    world.publish_state(*opening(bout.b.state), bout.stranger)
    world.send(call, bout.reporter)


def test_attack_openingsWhereDataCostsBesides_costTheTrainerNothing(
    world: World, beast: int, owner: str, challenger: str, stranger: str
) -> None:
    """P38: where calldata costs a data fee, the base fee is a part only of what a gas costs, and an
    honest trainer who is disputed again and again would lose the rest each time. The reference fee
    is the least that a gas costs there, so an opening is never paid as less."""
    start = made_up(world, beast)
    submit_state(world, beast, owner, start)
    window = world.submit(beast, owner)
    dispute = world.file(beast, window, challenger)
    set_base_fee(world.rpc, GWEI // 10)
    segments = garbage_segments(window.payload.h128)
    call = world.court.functions.openSegments(dispute, beast, window, segments)
    world.send(call, owner, price=GWEI // 10)
    header, weights = opening(start)
    set_base_fee(world.rpc, GWEI // 10)
    world.send(world.states.functions.publish(header, weights), stranger, price=GWEI // 10)
    set_base_fee(world.rpc, GWEI // 10)
    world.accept_openings(dispute, beast, window)
    bond = world.opening_bond(dispute)
    assert len(weights) == STATE_BYTES
    assert bond.paid + bond.waiting == (SEGMENTS_GAS + state_gas(weights)) * GWEI
