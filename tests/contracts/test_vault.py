"""Coin on its way out: rewards that are held, receivers with code, credits, and who moves them."""

from __future__ import annotations

from typing import Any

import pytest
from web3.contract import Contract

from tests.support.protocol import (
    NO_CHECKPOINT,
    World,
    garbage_segments,
)
from tests.support.stakes import (
    finalize,
    stake_of,
    withdraw_call,
)

# --- while a reward is held -------------------------------------------------------------------


def test_stake_whileARewardIsHeld_reverts(
    world: World, beast: int, owner: str, trainer: str, stranger: str
) -> None:
    """P40 to P42: one reward at a time for each trainer and beast, whoever pays in."""
    parent, bad = (world.submit(beast, owner) for _ in range(2))
    other = world.hatch(owner)
    world.slash_by_timeout(beast, bad, parent)
    f = world.ledger.functions
    for call, sender in ((f.stake(beast), owner), (f.stakeFor(beast, owner), stranger)):
        world.reverts(call, sender, "StakeRewardHeld", beast, owner, value=5)
    world.send(f.stake(other), owner, 5)
    world.send(f.stake(beast), trainer, 5)
    settle = world.vault.functions.settleReward(beast, owner)
    world.reverts(settle, stranger, "RewardNotDue", beast, 0, 1)
    finalize(world, beast, parent)
    world.settle_reward(beast, owner)
    world.submit(beast, owner)


def test_slash_repaysDebtsFirst(
    world: World, beast: int, owner: str, challenger: str, prover: str
) -> None:
    """P40: who paid for the trainer's openings has every wei back before anybody is rewarded."""
    staked = world.stake(beast, owner, 5 * world.required_stake(beast))
    lie, child = (world.submit(beast, owner) for _ in range(2))
    value = world.opening_value(beast, child)
    world.send(world.court.functions.file(beast, child), challenger, value)
    segments = garbage_segments(child.payload.h128)
    receipt = world.open_segments(1, beast, child, segments)
    paid = world.logs("vault", "OpeningPaid", receipt)[0]["paid"]
    assert paid == world.credit(owner) == world.vault.functions.debtOf(beast, owner).call() > 0
    receipt = world.slash_by_timeout(beast, lie, NO_CHECKPOINT, prover)
    taken = world.logs("vault", "StakeTaken", receipt)[0]
    assert (taken["amount"], taken["debts"]) == (staked, paid)
    rest, reward = staked - paid, world.reward(beast, owner)
    assert (reward.filing, reward.proof) == (rest * 1_000 // 10_000, rest * 3_000 // 10_000)
    assert taken["burned"] == rest - reward.filing - reward.proof
    world.send(world.court.functions.dismiss(1, beast, child), challenger)
    assert world.credit(challenger) == value
    assert world.vault.functions.debtOf(beast, owner).call() == 0


def test_settleReward_early_reverts(
    world: World, beast: int, owner: str, challenger: str, stranger: str
) -> None:
    """P42: while a window below could fall, whose conviction takes the reward over."""
    settle = world.vault.functions.settleReward(beast, owner)
    world.reverts(settle, stranger, "NoReward", beast, owner)
    below, parent, bad = (world.submit(beast, owner) for _ in range(3))
    world.slash_by_timeout(beast, bad, parent, challenger)
    credit, reward = world.credit(challenger), world.reward(beast, owner)
    world.reverts(settle, stranger, "RewardNotDue", beast, 0, 2)
    finalize(world, beast, below)
    world.reverts(settle, stranger, "RewardNotDue", beast, 1, 2)
    world.finalize(beast, parent)
    world.send(settle, stranger)
    assert world.credit(challenger) == credit + reward.filing + reward.proof
    world.reverts(settle, stranger, "NoReward", beast, owner)


# --- receivers --------------------------------------------------------------------------------


@pytest.fixture
def payee(world: World) -> Contract:
    """A trainer with code."""
    return world.create("HostilePayee")


def data_of(call: Any) -> bytes:
    sent = call.build_transaction({"gas": 1, "gasPrice": 1, "nonce": 0, "chainId": 1})
    return bytes.fromhex(sent["data"].removeprefix("0x"))


def act_call(payee: Contract, call: Any) -> Any:
    """The call, made by the contract."""
    return payee.functions.act(call.address, data_of(call))


def act(world: World, payee: Contract, call: Any, value: int = 0) -> Any:
    return world.send(act_call(payee, call), world.accounts[0], value)


def leaving(world: World, beast: int, payee: Contract) -> int:
    """A stake of the contract that may leave at once; how much."""
    world.send(world.ledger.functions.stakeFor(beast, payee.address), world.accounts[0], 1_000)
    act(world, payee, world.ledger.functions.announceWithdrawal(beast))
    world.travel_to(stake_of(world, beast, payee.address)[2])
    return 1_000


def test_withdrawStake_refusedByTheReceiver_reverts(
    world: World, beast: int, payee: Contract, stranger: str
) -> None:
    """Nothing moves; another receiver gets it."""
    amount = leaving(world, beast, payee)
    before = stake_of(world, beast, payee.address)
    world.send(payee.functions.refuse(), stranger)
    call = withdraw_call(world, beast, payee.address)
    world.reverts(act_call(payee, call), stranger, "TransferRefused", payee.address)
    assert stake_of(world, beast, payee.address) == before
    coin = world.coin(world.accounts[6])
    act(world, payee, withdraw_call(world, beast, world.accounts[6]))
    assert world.coin(world.accounts[6]) == coin + amount


@pytest.mark.parametrize("again", ["withdrawStake", "announceWithdrawal", "cancelWithdrawal"])
def test_attack_withdrawStake_reentered_paysOnce(
    world: World, beast: int, payee: Contract, owner: str, again: str
) -> None:
    """P50: the books are closed before the coin leaves."""
    world.stake(beast, owner)
    amount, held = leaving(world, beast, payee), world.coin(world.ledger.address)
    arguments = (beast, payee.address) if again == "withdrawStake" else (beast,)
    call = world.ledger.functions[again](*arguments)
    data = data_of(call)
    world.send(payee.functions.aim(world.ledger.address, data, 0), owner)
    act(world, payee, withdraw_call(world, beast, payee.address))
    assert payee.functions.payments().call() == 1
    expected = "NoStake" if again == "announceWithdrawal" else "WithdrawalNotAnnounced"
    refusal = world.decode_error(payee.functions.refusal().call().hex())
    assert (refusal.name, refusal.values) == (expected, (beast, payee.address.lower()))
    assert world.coin(payee.address) == amount
    assert world.coin(world.ledger.address) == held - amount


def test_attack_stakeReturnedWhileItLeaves_isANewStake(
    world: World, beast: int, payee: Contract, owner: str
) -> None:
    """Coin that comes back in the middle of its own withdrawal is counted once, and not leaving."""
    amount = leaving(world, beast, payee)
    data = data_of(world.ledger.functions.stake(beast))
    world.send(payee.functions.aim(world.ledger.address, data, amount - 1), owner)
    act(world, payee, withdraw_call(world, beast, payee.address))
    assert payee.functions.refusal().call() == b""
    assert stake_of(world, beast, payee.address) == (amount - 1, 0, 0)
    assert (world.coin(payee.address), world.coin(world.ledger.address)) == (1, amount - 1)


@pytest.fixture
def credited(world: World, beast: int, owner: str, challenger: str, payee: Contract) -> int:
    """Wei that the vault owes the contract: it filed a dispute that was open."""
    checkpoint = world.submit(beast, owner)
    world.file(beast, checkpoint, challenger)
    act(world, payee, world.court.functions.file(beast, checkpoint), 1_000)
    assert world.credit(payee.address) == 1_000
    return 1_000


def test_withdrawCredit_reentrant_paysOnce(
    world: World, payee: Contract, credited: int, owner: str
) -> None:
    """P43"""
    call = world.vault.functions.withdrawCredit(payee.address)
    data = data_of(call)
    world.send(payee.functions.aim(world.vault.address, data, 0), owner)
    held = world.coin(world.vault.address)
    act(world, payee, call)
    assert payee.functions.payments().call() == 1
    refusal = world.decode_error(payee.functions.refusal().call().hex())
    assert (refusal.name, refusal.values) == ("NoCredit", (payee.address.lower(),))
    assert (world.coin(payee.address), world.credit(payee.address)) == (credited, 0)
    assert world.coin(world.vault.address) == held - credited


def test_withdrawCredit_refusedByTheReceiver_reverts(
    world: World, payee: Contract, credited: int, stranger: str
) -> None:
    """The credit stays; another receiver gets it."""
    world.send(payee.functions.refuse(), stranger)
    call = world.vault.functions.withdrawCredit(payee.address)
    world.reverts(act_call(payee, call), stranger, "TransferRefused", payee.address)
    assert world.credit(payee.address) == credited
    coin = world.coin(world.accounts[6])
    act(world, payee, world.vault.functions.withdrawCredit(world.accounts[6]))
    assert world.coin(world.accounts[6]) == coin + credited
    world.reverts(call, stranger, "NoCredit", stranger)


# --- who may move other people's coin ---------------------------------------------------------


def test_vault_courtAndLedgerOnly_reverts(
    world: World, beast: int, owner: str, stranger: str
) -> None:
    """P38 to P41: nobody but the court locks, pays and releases, nobody but the ledger brings what
    it has slashed; not even the deployer, and neither in the other's place."""
    f, payees = world.vault.functions, (1, owner, owner, 0, 0)
    of_court = [
        f.lock(1, beast, owner, stranger, 0),
        f.pay(1, beast, owner, 1, 0),
        f.release(1, beast, owner, stranger, 0),
        f.refund(stranger),
        f.countSteps(1, stranger, 1),
    ]
    of_ledger = [
        f.takeStake(beast, owner, 0, payees, 1_000, 3_000),
        f.fillEnergy(1, 1),
    ]
    for sender in (stranger, owner, world.accounts[0], world.arena.address):
        for call in of_court:
            world.reverts(call, sender, "OnlyCourt", sender)
        for call in of_ledger:
            world.reverts(call, sender, "OnlyLedger", sender)
    for call in of_court:
        world.reverts(call, world.ledger.address, "OnlyCourt", world.ledger.address)
    for call in of_ledger:
        world.reverts(call, world.court.address, "OnlyLedger", world.court.address)
