"""Submission: checks of a payload, money locked, growth, batches, epochs, seasons in flight."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.protocol import (
    BATTLE,
    ETHER,
    MAX_WINDOW_LOSS,
    PRIVATE,
    SELF_PLAY,
    Schedule,
    Season,
    World,
    fresh_hash,
    window_price,
)

COMMITTED = (b"\x01" * 32, b"\x02" * 32, 500, b"\x03" * 32)
AWAKE = 0xFF


@pytest.fixture
def beast(world: World, owner: str) -> int:
    """A beast whose owner has a stake on it."""
    found = world.hatch(owner)
    world.stake(found, owner)
    return found


def price(world: World, beast: int, mask: int) -> int:
    return window_price(world.season, world.head(beast).activeMask, mask)


def test_submit_locksEnergyAndBond(world: World, beast: int, owner: str) -> None:
    """P9"""
    before = world.escrow(owner)
    checkpoint = world.submit(beast, owner)
    burn = price(world, beast, checkpoint.payload.activeMask)
    assert checkpoint.payload.energyBurn == burn
    assert checkpoint.bond == world.season.economics.trainerBondMultiple * burn
    assert checkpoint.lockedSum == checkpoint.locked == before - world.escrow(owner)


def test_submit_recordsWhatTheNextOneIsCheckedAgainst(world: World, beast: int, owner: str) -> None:
    first = world.head(beast)
    assert first.h128 == bytes(world.beasts.functions.birthOf(beast).call()[0])
    checkpoint = world.submit(beast, owner)
    head = world.head(beast)
    assert (checkpoint.index, checkpoint.generation, checkpoint.parent) == (0, 0, first.h128)
    assert (checkpoint.season, checkpoint.trainer) == (1, owner)
    assert checkpoint.submittedAt == world.now()
    assert (head.h128, head.headCount) == (checkpoint.payload.h128, 1)
    assert head.windowLoss == checkpoint.payload.windowLoss
    assert head.lockedSum == checkpoint.lockedSum
    assert world.is_live(beast, checkpoint)


def test_submit_byTrainer_paysFromTheTrainersEscrow(
    world: World, beast: int, owner: str, trainer: str
) -> None:
    world.send(world.beasts.functions.setTrainer(beast, trainer, True), owner)
    owners = world.escrow(owner)
    checkpoint = world.submit(beast, trainer)
    assert checkpoint.trainer == trainer
    assert world.escrow(owner) == owners


def test_submit_byStranger_reverts(world: World, beast: int, stranger: str) -> None:
    world.reverts(world.submit_call(beast), stranger, "NotTrainer", beast, stranger)


def test_submit_unknownBeast_reverts(world: World, beast: int, owner: str) -> None:
    call = world.ledger.functions.submit(
        beast + 7, bytes(32), bytes(32), world.payload(beast), False
    )
    world.reverts(call, owner, "NotTrainer", beast + 7, owner)


def test_submit_staleParent_reverts(world: World, beast: int, owner: str) -> None:
    """P7"""
    head = world.head(beast)
    payload, seed = world.payload(beast), world.epoch_seed(beast, 0)
    world.submit(beast, owner)
    call = world.ledger.functions.submit(beast, head.h128, seed, payload, False)
    world.reverts(call, owner, "StaleParent", world.head(beast).h128, head.h128)


def test_submit_wrongEpochSeed_reverts(world: World, beast: int, owner: str) -> None:
    """P7"""
    head = world.head(beast)
    seed = bytes(world.epoch_seed(beast, 0)[:-1]) + bytes([world.epoch_seed(beast, 0)[-1] ^ 1])
    call = world.ledger.functions.submit(beast, head.h128, seed, world.payload(beast), False)
    world.reverts(call, owner, "WrongEpochSeed", head.epochSeedTag, seed)


@pytest.mark.parametrize(
    ("field", "change", "error"),
    [
        ("epoch", 1, "WrongEpoch"),
        ("globalStep", 1, "WrongStep"),
        ("globalStep", 128, "WrongStep"),
        ("lrShift", 1, "WrongLrShift"),
        ("energyBurn", 1, "WrongPrice"),
        ("energyBurn", -1, "WrongPrice"),
    ],
)
def test_submit_fieldOffBy_reverts(
    world: World, beast: int, owner: str, field: str, change: int, error: str
) -> None:
    """P10"""
    honest = world.payload(beast)
    right = getattr(honest, field)
    call = world.submit_call(beast, honest._replace(**{field: right + change}))
    world.reverts(call, owner, error, right, right + change)


def test_submit_lossBeyondAnyWindow_reverts(world: World, beast: int, owner: str) -> None:
    world.call(world.submit_call(beast, world.payload(beast, windowLoss=MAX_WINDOW_LOSS)), owner)
    call = world.submit_call(beast, world.payload(beast, windowLoss=MAX_WINDOW_LOSS + 1))
    world.reverts(call, owner, "LossTooLarge", MAX_WINDOW_LOSS, MAX_WINDOW_LOSS + 1)


@pytest.mark.parametrize(
    ("source", "source_id", "error"),
    [
        (BATTLE, 7, "NoRecordedMatch"),
        (4, 0, "UnknownSource"),
        (255, 0, "UnknownSource"),
        (0, 1, "UnexpectedSourceId"),
        (SELF_PLAY, 1, "UnexpectedSourceId"),
        (PRIVATE, 0, "NoPrivateDataset"),
    ],
)
def test_submit_source_reverts(
    world: World, beast: int, owner: str, source: int, source_id: int, error: str
) -> None:
    payload = world.payload(beast, source=source, sourceId=source_id)
    world.reverts(world.submit_call(beast, payload), owner, error)


def test_submit_privateWithCommitment_works(world: World, owner: str) -> None:
    beast = world.hatch(owner, COMMITTED)
    assert (
        world.submit(beast, owner, world.payload(beast, source=PRIVATE)).payload.source == PRIVATE
    )


def test_submit_shrinkingMask_reverts(world: World, beast: int, owner: str) -> None:
    mask = world.head(beast).activeMask
    shrunk = mask & (mask - 1)
    call = world.submit_call(beast, world.payload(beast)._replace(activeMask=shrunk))
    world.reverts(call, owner, "MaskShrinks", mask, shrunk)


def test_submit_growth_costsEachNewSlotOnce(world: World, beast: int, owner: str) -> None:
    """Woken slots cost growthCost once, their parameters every step from then on."""
    asleep = (~world.head(beast).activeMask & AWAKE).bit_count()
    if asleep:  # the price without the growth
        skipped = world.payload(beast)._replace(activeMask=AWAKE)
        world.reverts(world.submit_call(beast, skipped), owner, "WrongPrice")
    grown = world.submit(beast, owner, world.payload(beast, activeMask=AWAKE))
    steady = world.submit(beast, owner)
    full = 128 * world.season.economics.baseCost
    assert grown.payload.energyBurn == full + asleep * world.season.economics.growthCost
    assert steady.payload.energyBurn == full


def test_quote_isWhatSubmitCosts(world: World, beast: int, owner: str, stranger: str) -> None:
    for mask in (world.head(beast).activeMask, AWAKE):
        burn, bond = world.ledger.functions.quote(beast, mask).call()
        checkpoint = world.submit(beast, owner, world.payload(beast, activeMask=mask))
        assert (checkpoint.payload.energyBurn, checkpoint.bond) == (burn, bond)
    call = world.ledger.functions.quote(beast, 0x11)
    world.reverts(call, stranger, "MaskShrinks", AWAKE, 0x11)


def test_submit_roundsTheStepUp_neverDown(world: World, beast: int) -> None:
    """Dust: with a base cost that the slab does not divide, the protocol never loses a wei."""
    mask = world.head(beast).activeMask
    params = 3072 * (mask & 15).bit_count() + 1152 * (mask >> 4).bit_count()
    burn, _ = world.ledger.functions.quote(beast, mask).call()
    exact = 128 * world.season.economics.baseCost * params
    assert 0 <= burn * 16_896 - exact < 128 * 16_896


def test_submit_withoutFunds_reverts(world: World, beast: int, owner: str) -> None:
    balance = world.escrow(owner)
    world.send(world.ledger.functions.withdraw(balance, owner), owner)
    need = 5 * world.payload(beast).energyBurn
    world.reverts(world.submit_call(beast), owner, "InsufficientEscrow", owner, 0, need)
    assert world.head(beast).headCount == 0


# --- batches ----------------------------------------------------------------------------------


def batch(world: World, beast: int, count: int) -> list[Any]:
    first = world.payload(beast)
    return [
        first._replace(
            h128=fresh_hash("batch", beast, i),
            globalStep=first.globalStep + 128 * i,
            windowLoss=first.windowLoss - i,
        )
        for i in range(count)
    ]


def batch_call(world: World, beast: int, payloads: list[Any], *, foreign: bool = False) -> Any:
    head = world.head(beast)
    seed = world.epoch_seed(beast, head.epoch)
    return world.ledger.functions.submitBatch(beast, head.h128, seed, payloads, foreign)


def test_submitBatch_chainsItsWindows(world: World, beast: int, owner: str) -> None:
    before = world.escrow(owner)
    receipt = world.send(batch_call(world, beast, batch(world, beast, 3)), owner)
    records = world.submitted(receipt)
    assert [record.index for record in records] == [0, 1, 2]
    assert [record.parent for record in records[1:]] == [r.payload.h128 for r in records[:2]]
    assert [record.lockedSum for record in records] == [records[0].locked * n for n in (1, 2, 3)]
    assert world.escrow(owner) == before - records[2].lockedSum
    assert all(world.is_live(beast, record) for record in records)


def test_submitBatch_oneBadWindow_revertsAll(world: World, beast: int, owner: str) -> None:
    payloads = batch(world, beast, 3)
    payloads[2] = payloads[2]._replace(energyBurn=payloads[2].energyBurn + 1)
    world.reverts(batch_call(world, beast, payloads), owner, "WrongPrice")


def test_submitBatch_upToTheEpochsEnd_startsTheNext(world: World, beast: int, owner: str) -> None:
    world.send(batch_call(world, beast, batch(world, beast, 4)), owner)
    assert world.head(beast).epoch == 1


def test_submitBatch_acrossAnEpoch_reverts(world: World, beast: int, owner: str) -> None:
    """P8"""
    world.submit(beast, owner)
    call = batch_call(world, beast, batch(world, beast, 4))
    world.reverts(call, owner, "BatchCrossesEpoch", 3, 4)


def test_submitBatch_empty_reverts(world: World, beast: int, owner: str) -> None:
    world.reverts(batch_call(world, beast, []), owner, "EmptyBatch")


def test_submitBatch_byStranger_reverts(world: World, beast: int, stranger: str) -> None:
    world.reverts(batch_call(world, beast, batch(world, beast, 1)), stranger, "NotTrainer")


# --- on another trainer's pending window ------------------------------------------------------


@pytest.fixture
def other(world: World, beast: int, owner: str, trainer: str) -> str:
    """A second trainer of the beast, with a stake."""
    world.send(world.beasts.functions.setTrainer(beast, trainer, True), owner)
    world.stake(beast, trainer)
    return trainer


def tag(account: str) -> int:
    return int(account, 16) % 2**64


def test_submit_onAForeignPendingWindow_reverts(
    world: World, beast: int, owner: str, other: str
) -> None:
    """P48: unless it is accepted; onto one's own, never a question."""
    world.submit(beast, owner)
    assert world.head(beast).trainerTag == tag(owner)
    world.submit(beast, owner)
    world.reverts(world.submit_call(beast), other, "ForeignPendingParent", 1)
    batch_ = batch(world, beast, 2)
    world.reverts(batch_call(world, beast, batch_), other, "ForeignPendingParent", 1)
    world.submit(beast, other, accept_foreign=True)
    assert world.head(beast).trainerTag == tag(other)
    world.submit(beast, other)  # its own now
    world.reverts(world.submit_call(beast), owner, "ForeignPendingParent", 3)
    world.submit(beast, owner, accept_foreign=True)


def test_submitBatch_ontoAForeignPendingWindow_isAcceptedOnce(
    world: World, beast: int, owner: str, other: str
) -> None:
    """P48: the windows of a batch stand on one another, only its first on somebody else's."""
    world.submit(beast, owner)
    call = batch_call(world, beast, batch(world, beast, 3), foreign=True)
    records = world.submitted(world.send(call, other))
    assert [record.trainer for record in records] == [other] * 3
    assert world.head(beast).trainerTag == tag(other)


def test_submit_accepting_whereNothingIsForeign_works(world: World, beast: int, owner: str) -> None:
    for _ in range(2):
        world.submit(beast, owner, accept_foreign=True)
    assert world.head(beast).headCount == 2


def test_submit_ontoAForeignFinalWindow_works(
    world: World, beast: int, owner: str, other: str
) -> None:
    """P48: what is final cannot fall; only of the last window is it asked."""
    first, second = (world.submit(beast, owner) for _ in range(2))
    call = world.submit_call(beast)
    world.travel(world.season.economics.challengePeriod)
    world.finalize(beast, first)
    world.reverts(call, other, "ForeignPendingParent", 1)
    world.finalize(beast, second)
    assert world.head(beast).trainerTag == tag(owner)
    world.send(call, other)


def test_submit_ontoAForeignAgedWindow_reverts(
    world: World, beast: int, owner: str, other: str
) -> None:
    """P48: old enough to be final is not final: a dispute can be open over it or below it."""
    world.submit(beast, owner)
    world.travel(10 * world.season.economics.challengePeriod)
    world.reverts(world.submit_call(beast), other, "ForeignPendingParent", 0)


def test_submit_afterASale_needsAcceptance(
    world: World, beast: int, owner: str, stranger: str
) -> None:
    """P48, the silent seller: the buyer builds on nothing that the seller can have slashed."""
    world.submit(beast, owner)
    world.send(world.beasts.functions.transferFrom(owner, stranger, beast), owner)
    world.stake(beast, stranger)
    world.reverts(world.submit_call(beast), stranger, "ForeignPendingParent", 0)
    world.submit(beast, stranger, accept_foreign=True)


def test_submit_afterASlashing_isOntoTheParentsTrainer(
    world: World, beast: int, owner: str, other: str
) -> None:
    """P48: the head is whose window is the last that stands."""
    parent = world.submit(beast, owner)
    bad = world.submit(beast, other, accept_foreign=True)
    world.slash_by_timeout(beast, bad, parent)
    assert world.head(beast).trainerTag == tag(owner)
    world.submit(beast, owner)
    world.reverts(world.submit_call(beast), other, "ForeignPendingParent", 1)


def test_submit_afterASlashingToFinality_isFree(
    world: World, beast: int, owner: str, other: str
) -> None:
    parent = world.submit(beast, owner)
    world.travel(world.season.economics.challengePeriod)
    world.finalize(beast, parent)
    bad = world.submit(beast, owner)
    world.reverts(world.submit_call(beast), other, "ForeignPendingParent", 1)
    world.slash_by_timeout(beast, bad, parent)
    world.submit(beast, other)


def test_submit_afterASlashingToBirth_isFree(
    world: World, beast: int, owner: str, other: str
) -> None:
    bad = world.submit(beast, owner)
    world.slash_by_timeout(beast, bad)
    assert world.head(beast).trainerTag == 0
    world.submit(beast, other)


# --- epochs, schedule, loss drop --------------------------------------------------------------


def test_epoch_seedIsThePreviousBlocksHash(world: World, beast: int, owner: str) -> None:
    for _ in range(3):
        world.submit(beast, owner)
    before = world.w3.eth.get_block("latest")
    receipt = world.send(world.submit_call(beast), owner)
    started = world.logs("ledger", "EpochStarted", receipt)[0]
    assert started["epochSeed"] == bytes(before["hash"])
    assert (started["epoch"], started["season"], started["startIndex"]) == (1, 1, 4)
    assert world.epoch_seed(beast, 1) == bytes(before["hash"])
    head = world.head(beast)
    assert (head.epoch, head.epochEnd) == (1, 8)
    assert head.epochSeedTag == int.from_bytes(bytes(before["hash"])[-8:])


def test_epochOf_notStarted_reverts(world: World, beast: int, stranger: str) -> None:
    world.reverts(world.ledger.functions.epochOf(beast, 1), stranger, "EpochNotStarted", 0, 1)


def test_submit_lrShift_followsTheSchedule(world: World, beast: int, owner: str) -> None:
    """lrBase 9, hold 1, a decay per epoch, at most 13."""
    shifts = []
    for _ in range(7):
        shifts.append(world.submit(beast, owner).payload.lrShift)
        for _ in range(3):
            world.submit(beast, owner)
    assert shifts == [9, 9, 10, 11, 12, 13, 13]


def loss_drop(world: World, beast: int, owner: str, **changes: Any) -> bool:
    call = world.submit_call(beast, world.payload(beast, **changes))
    receipt = world.send(call, owner)
    return bool(world.logs("ledger", "CheckpointSubmitted", receipt)[0]["lossDrop"])


def test_lossDrop_needsALowerLossOfALikeWindow(world: World, beast: int, owner: str) -> None:
    """protocol.md §5, window by window of two epochs with different heads."""
    assert not loss_drop(world, beast, owner, windowLoss=1_000)  # the first
    assert loss_drop(world, beast, owner, windowLoss=999)
    assert not loss_drop(world, beast, owner, windowLoss=999)  # equal
    assert not loss_drop(world, beast, owner, windowLoss=900, source=SELF_PLAY)  # other source
    # epoch 1 unlocks the attack head
    assert not loss_drop(world, beast, owner, windowLoss=800, source=SELF_PLAY)
    assert loss_drop(world, beast, owner, windowLoss=799, source=SELF_PLAY)


def test_lossDrop_acrossEpochsWithTheSameHeads(world: World, beast: int, owner: str) -> None:
    """Epochs 2 and 3 both train all heads, so their windows compare."""
    for _ in range(12):
        world.submit(beast, owner)
    assert world.head(beast).epoch == 3
    assert loss_drop(world, beast, owner, windowLoss=1)


def change_season(world: World) -> Season:
    economics = world.season.economics._replace(baseCost=3 * 10**15, growthCost=1)
    schedule = Schedule(epochWindows=2, lrBase=7, lrHoldEpochs=60)
    season = Season(world.season.rules._replace(damageK=99), schedule, economics)
    world.send(world.seasons.functions.addSeason(season), world.accounts[0])
    return season


def test_attack_seasonChangeInFlight_keepsTheEpochsSeason(
    world: World, beast: int, owner: str
) -> None:
    """Prices, schedule and rules of an epoch are those of its start, to its end."""
    world.submit(beast, owner)
    old = world.payload(beast)
    new = change_season(world)
    for i in range(3):  # the rest of epoch 0
        payload = old._replace(globalStep=old.globalStep + 128 * i, h128=fresh_hash(i))
        checkpoint = world.submit(beast, owner, payload)
        assert (checkpoint.season, checkpoint.payload.energyBurn) == (1, old.energyBurn)
    head = world.head(beast)
    assert (head.epoch, head.season, head.lrShift, head.epochEnd) == (1, 2, 7, 6)
    assert not head.comparable
    mask = head.activeMask
    stale = world.payload(beast)  # priced by season 1
    world.reverts(world.submit_call(beast, stale), owner, "WrongPrice")
    payload = stale._replace(energyBurn=window_price(new, mask, mask))
    checkpoint = world.submit(beast, owner, payload)
    assert checkpoint.season == 2
    context = world.windows.functions.contextOf(beast, checkpoint).call()
    assert tuple(context[-1]) == tuple(new.rules)


def test_submit_firstPricesOfAnExtremeSeason_doNotOverflow(world: World, owner: str) -> None:
    """P2: the dearest season there can be still prices and locks exactly."""
    economics = world.season.economics._replace(
        baseCost=2**80, growthCost=2**80, trainerBondMultiple=255
    )
    season = world.season._replace(economics=economics)
    world.send(world.seasons.functions.addSeason(season), world.accounts[0])
    world.mine()
    beast = world.hatch(owner)
    mask = world.head(beast).activeMask
    burn = window_price(season, mask, AWAKE)
    world.fund(owner, 256 * burn)
    checkpoint = world.submit(
        beast, owner, world.payload(beast, activeMask=AWAKE)._replace(energyBurn=burn)
    )
    assert checkpoint.lockedSum == 256 * burn
    assert 256 * burn * 2**32 < 2**128
    assert burn > ETHER
