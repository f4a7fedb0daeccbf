"""Stakes: what a submission asks for, what bars it, and when a stake may leave."""

from __future__ import annotations

from typing import Any

from tests.support.protocol import (
    GWEI,
    NO_CHECKPOINT,
    World,
    garbage_segments,
)
from tests.support.snapshots import set_base_fee
from tests.support.stakes import (
    announce,
    authorise,
    finalize,
    mine_at,
    stake_of,
    transfer,
    withdraw_call,
)

STAKE_GAS = 60_000_000
AT_REFERENCE = STAKE_GAS * GWEI
"""What the season asks for where a gas costs no more than the reference fee."""


def batch_call(world: World, beast: int, count: int) -> Any:
    head = world.head(beast)
    first = world.payload(beast)
    payloads = [
        first._replace(
            h128=bytes([i + 1]) * 32,
            globalStep=first.globalStep + 128 * i,
            windowLoss=first.windowLoss - i,
        )
        for i in range(count)
    ]
    seed = world.epoch_seed(beast, head.epoch)
    return world.ledger.functions.submitBatch(beast, head.h128, seed, payloads, False)


# --- staking ----------------------------------------------------------------------------------


def test_stake_addsUp(world: World, beast: int, owner: str, stranger: str) -> None:
    """By the trainer or by anybody for it; never for a beast that is not born."""
    receipt = world.send(world.ledger.functions.stake(beast), owner, 5)
    told = {"beastId": beast, "trainer": owner, "amount": 5, "total": 5}
    assert world.logs("ledger", "Staked", receipt) == [told]
    receipt = world.send(world.ledger.functions.stakeFor(beast, owner), stranger, 7)
    told = {"beastId": beast, "trainer": owner, "amount": 7, "total": 12}
    assert world.logs("ledger", "Staked", receipt) == [told]
    assert stake_of(world, beast, owner) == (12, 0, 0)
    assert stake_of(world, beast, stranger) == (0, 0, 0)
    assert world.coin(world.ledger.address) == 12
    unborn = world.ledger.functions.stake(beast + 1)
    world.reverts(unborn, owner, "UnknownBeast", beast + 1, value=5)


def test_stake_moreThanFits_reverts(world: World, beast: int, owner: str) -> None:
    world.rpc("anvil_setBalance", owner, hex(2**129))
    world.send(world.ledger.functions.stake(beast), owner, 1)
    most = 2**128 - 1
    call = world.ledger.functions.stake(beast)
    world.reverts(call, owner, "StakeTooLarge", most, most + 1, value=most)
    world.call(call, owner, most - 1)


# --- what a submission asks for ---------------------------------------------------------------


def test_submit_withoutStake_reverts(world: World, beast: int, owner: str, stranger: str) -> None:
    """P49: nor with one on another beast, or of another account."""
    other = world.hatch(owner)
    world.stake(other, owner)
    world.stake(beast, stranger)
    mine_at(world, 1)
    call = world.submit_call(beast)
    world.reverts(call, owner, "StakeTooSmall", AT_REFERENCE, 0)
    assert world.head(beast).headCount == 0


def test_submit_atTheReferenceFee_needsExactlyThat(world: World, beast: int, owner: str) -> None:
    """P49: below it a gas is reckoned as if it cost as much."""
    world.stake(beast, owner, AT_REFERENCE - 1)
    for fee in (1, GWEI // 2, GWEI):
        mine_at(world, fee)
        assert world.ledger.functions.requiredStake(beast).call() == AT_REFERENCE
        call = world.submit_call(beast)
        world.reverts(call, owner, "StakeTooSmall", AT_REFERENCE, AT_REFERENCE - 1)
    world.stake(beast, owner, 1)
    set_base_fee(world.rpc, GWEI)
    world.send(world.submit_call(beast), owner)
    assert world.head(beast).headCount == 1


def test_submit_baseFeeLeaps_asksForMore(world: World, beast: int, owner: str) -> None:
    """P49: what has stood for one window does not stand for the next if gas has grown dearer."""
    world.stake(beast, owner, AT_REFERENCE)
    set_base_fee(world.rpc, GWEI)
    world.send(world.submit_call(beast), owner)
    fee = 5 * GWEI + 7
    mine_at(world, fee)
    needed = STAKE_GAS * fee
    assert world.ledger.functions.requiredStake(beast).call() == needed
    assert world.ledger.functions.stakeAt(1).call() == needed
    call = world.submit_call(beast)
    world.reverts(call, owner, "StakeTooSmall", needed, AT_REFERENCE)
    world.stake(beast, owner, needed - AT_REFERENCE)
    set_base_fee(world.rpc, fee)
    world.send(call, owner)
    # and the larger stake stands where gas is cheap again
    set_base_fee(world.rpc, 1)
    world.send(world.submit_call(beast), owner)
    assert world.head(beast).headCount == 3
    assert world.staked(beast, owner) == needed


def test_submit_newSeason_asksForItsStake(world: World, beast: int, owner: str) -> None:
    """From the epoch that it governs on."""
    economics = world.season.economics._replace(stakeGas=2 * STAKE_GAS)
    dearer = world.season._replace(economics=economics)
    world.stake(beast, owner, AT_REFERENCE)
    world.send(world.seasons.functions.addSeason(dearer), world.accounts[0])
    for _ in range(4):
        set_base_fee(world.rpc, GWEI)
        world.send(world.submit_call(beast), owner)
    assert world.head(beast).season == 2
    mine_at(world, GWEI)
    call = world.submit_call(beast)
    world.reverts(call, owner, "StakeTooSmall", 2 * AT_REFERENCE, AT_REFERENCE)
    world.stake(beast, owner, AT_REFERENCE)
    set_base_fee(world.rpc, GWEI)
    world.send(call, owner)


def test_submitBatch_needsAndIsBarredAsOneWindowIs(world: World, beast: int, owner: str) -> None:
    """One stake answers for all the windows of a trainer: what falls with one is all of it."""
    world.stake(beast, owner, AT_REFERENCE - 1)
    mine_at(world, GWEI)
    call = batch_call(world, beast, 3)
    world.reverts(call, owner, "StakeTooSmall", AT_REFERENCE, AT_REFERENCE - 1)
    world.stake(beast, owner, 1)
    announce(world, beast, owner)
    world.reverts(call, owner, "StakeIsLeaving", beast, owner)
    world.send(world.ledger.functions.cancelWithdrawal(beast), owner)
    set_base_fee(world.rpc, GWEI)
    records = world.submitted(world.send(call, owner))
    opens = announce(world, beast, owner)
    assert stake_of(world, beast, owner) == (AT_REFERENCE, 3, opens)
    finalize(world, beast, *records[:2])
    world.travel_to(opens)
    call = withdraw_call(world, beast, owner)
    world.reverts(call, owner, "StakeStillNeeded", opens, 2, 3)
    world.finalize(beast, records[2])
    world.send(call, owner)


# --- an announced withdrawal ------------------------------------------------------------------


def test_announceWithdrawal_barsSubmitting(world: World, beast: int, owner: str) -> None:
    """P50: what is submitted from now on would have no stake behind it."""
    world.submit(beast, owner)
    receipt = world.send(world.ledger.functions.announceWithdrawal(beast), owner)
    economics = world.season.economics
    periods = economics.challengePeriod + economics.responseWindow + economics.proofWindow
    told = world.logs("ledger", "StakeWithdrawalAnnounced", receipt)
    opens = world.now() + periods
    assert [tuple(event.values()) for event in told] == [(beast, owner, 1, opens)]
    assert stake_of(world, beast, owner)[1:] == (1, opens)
    call = world.submit_call(beast)
    world.reverts(call, owner, "StakeIsLeaving", beast, owner)
    world.stake(beast, owner)  # more of it does not lift the bar
    world.reverts(call, owner, "StakeIsLeaving", beast, owner)
    again = world.ledger.functions.announceWithdrawal(beast)
    world.reverts(again, owner, "StakeIsLeaving", beast, owner)
    receipt = world.send(world.ledger.functions.cancelWithdrawal(beast), owner)
    told = world.logs("ledger", "StakeWithdrawalCancelled", receipt)
    assert told == [{"beastId": beast, "trainer": owner}]
    assert stake_of(world, beast, owner)[1:] == (0, 0)
    world.send(call, owner)


def test_withdrawal_unannounced_reverts(
    world: World, beast: int, owner: str, stranger: str
) -> None:
    f = world.ledger.functions
    world.reverts(f.announceWithdrawal(beast), owner, "NoStake", beast, owner)
    world.stake(beast, owner)
    for call in (f.cancelWithdrawal(beast), withdraw_call(world, beast, owner)):
        world.reverts(call, owner, "WithdrawalNotAnnounced", beast, owner)
        world.reverts(call, stranger, "WithdrawalNotAnnounced", beast, stranger)
    # a cancelled announcement is none, and its time does not count for the next
    announce(world, beast, owner)
    world.travel(1_000)
    world.send(f.cancelWithdrawal(beast), owner)
    world.reverts(withdraw_call(world, beast, owner), owner, "WithdrawalNotAnnounced")
    assert announce(world, beast, owner) > world.now()


def test_withdrawStake_young_reverts(world: World, beast: int, owner: str) -> None:
    """P50: to the second, also where no window was ever submitted."""
    staked = world.stake(beast, owner)
    opens = announce(world, beast, owner)
    call = withdraw_call(world, beast, owner)
    world.travel_to(opens - 1)
    world.reverts(call, owner, "StakeStillNeeded", opens, 0, 0)
    world.travel(1)
    receiver = "0x" + "77" * 20
    receipt = world.send(withdraw_call(world, beast, receiver), owner)
    told = world.logs("ledger", "StakeWithdrawn", receipt)[0]
    assert (told["to"].lower(), told["amount"]) == (receiver, staked)
    assert (world.coin(receiver), world.coin(world.ledger.address)) == (staked, 0)
    assert stake_of(world, beast, owner) == (0, 0, 0)
    world.reverts(call, owner, "WithdrawalNotAnnounced", beast, owner)
    mine_at(world, 1)
    world.reverts(world.submit_call(beast), owner, "StakeTooSmall", AT_REFERENCE, 0)
    world.submit(beast, owner)  # with a new one


def test_withdrawStake_beforeFinality_reverts(world: World, beast: int, owner: str) -> None:
    """P50: however old the windows are, until somebody has made them final."""
    first, second = (world.submit(beast, owner) for _ in range(2))
    opens = announce(world, beast, owner)
    call = withdraw_call(world, beast, owner)
    world.travel_to(opens + 10_000)
    world.reverts(call, owner, "StakeStillNeeded", opens, 0, 2)
    world.finalize(beast, first)
    world.reverts(call, owner, "StakeStillNeeded", opens, 1, 2)
    world.finalize(beast, second)
    world.send(call, owner)


def test_withdrawStake_withADisputeOpen_reverts(
    world: World, beast: int, owner: str, challenger: str
) -> None:
    """P50: filed in the last second of the challenge period, answered in the last second of the
    response window: the stake still stands when the proof window ends."""
    checkpoint = world.submit(beast, owner)
    opens = announce(world, beast, owner)
    economics = world.season.economics
    world.travel_to(checkpoint.submittedAt + economics.challengePeriod - 3)
    dispute = world.file(beast, checkpoint, challenger)
    world.travel(economics.responseWindow - 3)
    h128 = checkpoint.payload.h128
    world.open_segments(dispute, beast, checkpoint, garbage_segments(h128))
    call = withdraw_call(world, beast, owner)
    deadline = world.dispute(dispute).proofDeadline
    assert deadline < opens
    world.travel_to(deadline)
    world.reverts(call, owner, "StakeStillNeeded", opens, 0, 1)
    world.travel_to(opens + 10_000)  # nobody has dismissed it: still open
    world.reverts(call, owner, "StakeStillNeeded", opens, 0, 1)
    world.send(world.court.functions.dismiss(dispute, beast, checkpoint), owner)
    world.reverts(call, owner, "StakeStillNeeded", opens, 0, 1)
    world.finalize(beast, checkpoint)
    world.send(call, owner)


def test_attack_announcedInTimeToEscape_isSlashedWhole(
    world: World, beast: int, owner: str, challenger: str
) -> None:
    """P50: announced in the second of the lie, and topped up besides."""
    lie = world.submit(beast, owner)
    announce(world, beast, owner)
    world.stake(beast, owner, 3)
    staked, vault = world.staked(beast, owner), world.coin(world.vault.address)
    world.slash_by_timeout(beast, lie, NO_CHECKPOINT, challenger)
    assert stake_of(world, beast, owner) == (0, 0, 0)
    assert world.coin(world.ledger.address) == 0
    reward = world.reward(beast, owner)
    assert (reward.filing, reward.proof) == (staked * 1_000 // 10_000, staked * 3_000 // 10_000)
    credited = world.credit(challenger)
    assert world.coin(world.vault.address) - vault == reward.filing + reward.proof + credited
    call = withdraw_call(world, beast, owner)
    world.travel(10_000)
    world.reverts(call, owner, "WithdrawalNotAnnounced", beast, owner)


# --- two trainers, transfers ------------------------------------------------------------------


def test_withdrawStake_isNotHeldByLaterTrainers(
    world: World, beast: int, owner: str, trainer: str
) -> None:
    """P50: only what stood when it was announced can be the leaver's."""
    authorise(world, beast, owner, trainer)
    first = world.submit(beast, trainer)
    opens = announce(world, beast, trainer)
    later = [world.submit(beast, owner, accept_foreign=True) for _ in range(2)]
    finalize(world, beast, first)
    world.travel_to(opens)
    assert world.head(beast).finalCount == 1
    world.send(withdraw_call(world, beast, trainer), trainer)
    assert world.staked(beast, owner) > 0
    assert [world.is_live(beast, c) for c in later] == [True, True]


def test_withdrawStake_waitsForEarlierTrainers(
    world: World, beast: int, owner: str, trainer: str
) -> None:
    """A window of somebody else below one's own can still take it down."""
    authorise(world, beast, owner, trainer)
    below = world.submit(beast, owner)
    own = world.submit(beast, trainer, accept_foreign=True)
    opens = announce(world, beast, trainer)
    call = withdraw_call(world, beast, trainer)
    world.travel_to(opens)
    world.reverts(call, trainer, "StakeStillNeeded", opens, 0, 2)
    world.finalize(beast, below)
    world.reverts(call, trainer, "StakeStillNeeded", opens, 1, 2)
    world.finalize(beast, own)
    world.send(call, trainer)


def test_withdrawStake_afterASlashing_needsNoMoreThanTheHead(
    world: World, beast: int, owner: str, trainer: str
) -> None:
    """P50: the windows that it answered for are gone, so it need not wait for their like."""
    authorise(world, beast, owner, trainer)
    below, bad = (world.submit(beast, owner) for _ in range(2))
    world.submit(beast, trainer, accept_foreign=True)
    opens = announce(world, beast, trainer)
    assert stake_of(world, beast, trainer)[1] == 3
    staked = world.staked(beast, trainer)
    world.slash_by_timeout(beast, bad, below)
    assert stake_of(world, beast, trainer) == (staked, 3, opens)
    assert world.staked(beast, owner) == 0
    call = withdraw_call(world, beast, trainer)
    world.travel_to(opens)
    world.reverts(call, trainer, "StakeStillNeeded", opens, 0, 1)
    world.finalize(beast, below)
    before = world.coin(world.ledger.address)
    world.send(call, trainer)
    assert world.coin(world.ledger.address) == before - staked


def test_withdrawStake_afterASlashingToBirth_isFreeOnceRipe(
    world: World, beast: int, owner: str, trainer: str
) -> None:
    authorise(world, beast, owner, trainer)
    bad = world.submit(beast, owner)
    world.submit(beast, trainer, accept_foreign=True)
    opens = announce(world, beast, trainer)
    world.slash_by_timeout(beast, bad)
    call = withdraw_call(world, beast, trainer)
    world.reverts(call, trainer, "StakeStillNeeded", opens, 0, 0)
    world.travel_to(opens)
    world.send(call, trainer)


def test_slash_takesTheOffendersStakeOnThatBeastAlone(
    world: World, beast: int, owner: str, trainer: str
) -> None:
    other = world.hatch(owner)
    authorise(world, beast, owner, trainer)
    world.submit(other, owner)
    bad = world.submit(beast, owner)
    world.submit(beast, trainer, accept_foreign=True)
    elsewhere, trainers = world.staked(other, owner), world.staked(beast, trainer)
    world.slash_by_timeout(beast, bad)
    assert world.staked(beast, owner) == 0
    assert (world.staked(other, owner), world.staked(beast, trainer)) == (elsewhere, trainers)
    world.submit(other, owner)


def test_transfer_leavesStakesWithWhoPutThemUp(
    world: World, beast: int, owner: str, stranger: str
) -> None:
    """The seller's stake answers for the seller's windows, the buyer needs one of its own."""
    sold = world.submit(beast, owner)
    staked = world.staked(beast, owner)
    opens = announce(world, beast, owner)
    transfer(world, beast, owner, stranger)
    mine_at(world, 1)
    call = world.submit_call(beast, accept_foreign=True)
    world.reverts(call, stranger, "StakeTooSmall", AT_REFERENCE, 0)
    world.submit(beast, stranger, accept_foreign=True)
    assert world.staked(beast, owner) == staked
    withdraw = withdraw_call(world, beast, owner)
    world.travel_to(opens)
    world.reverts(withdraw, owner, "StakeStillNeeded", opens, 0, 1)
    world.reverts(withdraw, stranger, "WithdrawalNotAnnounced", beast, stranger)
    world.finalize(beast, sold)
    world.send(withdraw, owner)
