"""Receivers that refuse coin, or call back when they get some: they harm nobody but themselves."""

from __future__ import annotations

import pytest
from eth_utils.crypto import keccak

from tests.support.hostile import HostileAccount, step
from tests.support.money import Money, money, shares
from tests.support.protocol import (
    ETHER,
    NO_CHECKPOINT,
    UPHELD,
    World,
    garbage_segments,
)


@pytest.fixture
def account(world: World, stranger: str) -> HostileAccount:
    made = HostileAccount.create(world, stranger)
    made.fund(10 * ETHER, 10 * ETHER)
    return made


def selector(signature: str) -> bytes:
    return keccak(text=signature)[:4]


def test_attack_filerRefusesCoin_nothingIsHeldUp(
    world: World, account: HostileAccount, beast: int, owner: str, stranger: str
) -> None:
    """A contract that takes no coin files and wins: filing, refund, verdict and settlement credit
    it without sending anything; only its own withdrawal fails, and to another address it works."""
    account.refuse()
    c, court, vault = world.submit(beast, owner), world.court.functions, world.vault.functions
    stake, before = world.staked(beast, owner), money(world, account.address)
    value = 2 * world.opening_value(beast, c)
    account.execute(step(world.court, court.file(beast, c), value))
    assert 0 < world.credit(account.address) < value
    world.travel(world.season.economics.responseWindow + 1)
    world.claim_timeout(1, beast, c, NO_CHECKPOINT, owner)
    assert world.dispute(1).status == UPHELD
    world.send(vault.settleReward(beast, owner), owner)
    coin = shares(stake, world.season.economics)
    gained = money(world, account.address).since(before)
    assert gained.coin == coin.filing + coin.proof
    credit = world.credit(account.address)
    assert credit == value + gained.coin
    own = step(world.vault, vault.withdrawCredit(account.address))
    call = account.execute_call(own)
    world.reverts(call, stranger, "TransferRefused", account.address)
    assert world.credit(account.address) == credit
    held = world.coin(stranger) + world.gas_spent.get(stranger, 0)
    account.execute(step(world.vault, vault.withdrawCredit(stranger)))
    assert world.credit(account.address) == 0
    assert world.coin(stranger) + world.gas_spent[stranger] - held == credit


def test_attack_trainerRefusesCoin_nothingIsHeldUp(
    world: World, account: HostileAccount, beast: int, owner: str, challenger: str, stranger: str
) -> None:
    """A trainer contract is paid for openings by credit, and its stake is slashed all the same."""
    account.refuse()
    world.send(world.beasts.functions.setTrainer(beast, account.address, True), owner)
    world.send(
        world.ledger.functions.stakeFor(beast, account.address),
        owner,
        world.required_stake(beast),
    )
    submit = step(world.ledger, world.submit_call(beast))
    c = world.submitted(account.execute(submit))[0]
    before = world.credit(account.address)
    dispute = world.file(beast, c, challenger)
    segments = garbage_segments(c.payload.h128)
    call = world.court.functions.openSegments(dispute, beast, c, segments)
    account.execute(step(world.court, call))
    paid = world.opening_bond(dispute).paid
    assert world.credit(account.address) - before == paid > 0
    world.travel(world.season.economics.proofWindow + 1)
    world.send(world.court.functions.dismiss(dispute, beast, c), stranger)
    world.travel(world.season.economics.challengePeriod)
    world.finalize(beast, c)


def test_withdrawCredit_badInput_reverts(world: World, stranger: str) -> None:
    call = world.vault.functions.withdrawCredit(stranger)
    world.reverts(call, stranger, "NoCredit", stranger)


def test_attack_reentrancy_withdrawingTheSameCreditTwice(
    world: World, account: HostileAccount, beast: int, owner: str, challenger: str
) -> None:
    """P43: while its coin arrives the receiver withdraws again; others' coin lies in the same
    vault, and stays there."""
    c, court = world.submit(beast, owner), world.court.functions
    world.file(beast, c, challenger)
    ignored = step(world.court, court.file(beast, c), ETHER)
    account.execute(ignored)
    assert world.credit(account.address) == ETHER
    withdraw = step(world.vault, world.vault.functions.withdrawCredit(account.address))
    account.answer(withdraw)
    before = world.coin(account.address), world.coin(world.vault.address)
    account.execute(withdraw)
    assert account.refusal[:4] == selector("NoCredit(address)")
    assert world.coin(account.address) - before[0] == ETHER
    assert before[1] - world.coin(world.vault.address) == ETHER


def test_attack_reentrancy_withdrawingTheSameStakeTwice(
    world: World, account: HostileAccount, beast: int, trainer: str
) -> None:
    """P50: the same with a stake, others' stakes beside it."""
    ledger = world.ledger.functions
    world.stake(beast, trainer, ETHER)
    before = money(world, account.address)
    account.execute(
        step(world.ledger, ledger.stake(beast), ETHER),
        step(world.ledger, ledger.announceWithdrawal(beast)),
    )
    economics = world.season.economics
    world.travel(economics.challengePeriod + economics.responseWindow + economics.proofWindow)
    withdraw = step(world.ledger, ledger.withdrawStake(beast, account.address))
    account.answer(withdraw)
    account.execute(withdraw)
    assert account.refusal[:4] == selector("WithdrawalNotAnnounced(uint256,address)")
    assert money(world, account.address).since(before) == Money(0, 0)
    assert world.coin(world.ledger.address) == ETHER


def test_attack_stakeReceiverRefuses_theStakeStands(
    world: World, account: HostileAccount, beast: int, stranger: str
) -> None:
    ledger = world.ledger.functions
    account.execute(
        step(world.ledger, ledger.stake(beast), ETHER),
        step(world.ledger, ledger.announceWithdrawal(beast)),
    )
    economics = world.season.economics
    world.travel(economics.challengePeriod + economics.responseWindow + economics.proofWindow)
    account.refuse()
    call = account.execute_call(step(world.ledger, ledger.withdrawStake(beast, account.address)))
    world.reverts(call, stranger, "TransferRefused", account.address)
    assert world.staked(beast, account.address) == ETHER
    account.execute(step(world.ledger, ledger.withdrawStake(beast, stranger)))


def test_vault_obeysCourtAndLedgerOnly(world: World, owner: str, stranger: str) -> None:
    """Nobody else moves coin: not an owner, not the deployer."""
    vault, payees = world.vault.functions, (1, stranger, stranger, 0, 0)
    for call in (
        vault.lock(1, 1, owner, stranger, 1),
        vault.pay(1, 1, owner, 1, 0),
        vault.release(1, 1, owner, stranger, 0),
        vault.countSteps(1, stranger, 1),
        vault.refund(stranger),
    ):
        for sender in (world.accounts[0], owner, stranger):
            world.reverts(call, sender, "OnlyCourt", sender)
    for call in (vault.takeStake(1, owner, 0, payees, 1, 1), vault.fillEnergy(1, 1)):
        for sender in (world.accounts[0], owner, stranger):
            world.reverts(call, sender, "OnlyLedger", sender)
    call = vault.settleReward(1, owner)
    world.reverts(call, stranger, "NoReward", 1, owner)
    call = vault.claimSteps(1)
    world.reverts(call, stranger, "NothingToClaim", 1, stranger)
