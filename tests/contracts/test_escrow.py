"""Energy, and the escrows of ledger and arena: minting, depositing, permits, withdrawing."""

from __future__ import annotations

from typing import Any

import pytest
from eth_account import Account
from eth_utils.crypto import keccak
from web3.contract import Contract

from tests.support.protocol import ETHER, ZERO_ADDRESS, World

SIGNER = Account.from_key(keccak(text="a test's own key"))


def test_mint_byStranger_reverts(world: World, stranger: str) -> None:
    call = world.energy.functions.mint(stranger, 1)
    role = keccak(text="MINTER_ROLE")
    world.reverts(call, stranger, "AccessControlUnauthorizedAccount", stranger, role)


def test_burn_destroysOwnBalance(world: World, stranger: str) -> None:
    world.send(world.energy.functions.mint(stranger, 10), world.accounts[0])
    supply = world.energy.functions.totalSupply().call()
    world.send(world.energy.functions.burn(4), stranger)
    assert world.energy.functions.totalSupply().call() == supply - 4
    assert world.energy.functions.balanceOf(stranger).call() == 6


@pytest.fixture(params=["ledger", "arena"])
def place(request: pytest.FixtureRequest, world: World, owner: str) -> str:
    """Which escrow; the owner has something in each."""
    world.fund(owner, 10 * ETHER, request.param)
    return str(request.param)


@pytest.fixture
def holder(world: World, place: str) -> Contract:
    """The contract whose escrow it is."""
    return world.contracts[place]


def test_deposit_creditsEscrow(world: World, stranger: str, place: str) -> None:
    before = world.escrow(stranger, place)
    world.fund(stranger, 123, place)
    assert world.escrow(stranger, place) == before + 123


def test_deposit_withoutAllowance_reverts(world: World, stranger: str, holder: Contract) -> None:
    world.send(world.energy.functions.mint(stranger, 10), world.accounts[0])
    call = holder.functions.deposit(10)
    world.reverts(call, stranger, "ERC20InsufficientAllowance", holder.address, 0, 10)


def test_withdraw_paysOut(
    world: World, owner: str, stranger: str, holder: Contract, place: str
) -> None:
    before = world.energy.functions.balanceOf(stranger).call()
    escrow = world.escrow(owner, place)
    receipt = world.send(holder.functions.withdraw(5 * ETHER, stranger), owner)
    assert world.energy.functions.balanceOf(stranger).call() == before + 5 * ETHER
    assert world.escrow(owner, place) == escrow - 5 * ETHER
    logged = world.logs(place, "Withdrawn", receipt)[0]
    assert logged == {"account": owner, "to": stranger, "amount": 5 * ETHER}


def test_withdraw_moreThanEscrow_reverts(
    world: World, owner: str, holder: Contract, place: str
) -> None:
    have = world.escrow(owner, place)
    call = holder.functions.withdraw(have + 1, owner)
    world.reverts(call, owner, "InsufficientEscrow", owner, have, have + 1)


def test_withdraw_toNobody_reverts(world: World, owner: str, holder: Contract) -> None:
    call = holder.functions.withdraw(1, ZERO_ADDRESS)
    world.reverts(call, owner, "ERC20InvalidReceiver", ZERO_ADDRESS)


def permit(world: World, holder: Contract, amount: int, deadline: int) -> tuple[int, bytes, bytes]:
    """SIGNER's ERC-2612 signature for an escrow."""
    message: dict[str, Any] = {
        "owner": SIGNER.address,
        "spender": holder.address,
        "value": amount,
        "nonce": world.energy.functions.nonces(SIGNER.address).call(),
        "deadline": deadline,
    }
    kinds = [("owner", "address"), ("spender", "address")]
    kinds += [(name, "uint256") for name in ("value", "nonce", "deadline")]
    domain = {
        "name": "ChainBeasts Energy",
        "version": "1",
        "chainId": world.w3.eth.chain_id,
        "verifyingContract": world.energy.address,
    }
    types = {"Permit": [{"name": name, "type": kind} for name, kind in kinds]}
    signed = Account.sign_typed_data(SIGNER.key, domain, types, message)
    return signed.v, signed.r.to_bytes(32), signed.s.to_bytes(32)


def signer_with(world: World, amount: int) -> str:
    world.rpc("anvil_impersonateAccount", SIGNER.address)
    world.rpc("anvil_setBalance", SIGNER.address, hex(100 * ETHER))
    world.send(world.energy.functions.mint(SIGNER.address, amount), world.accounts[0])
    return str(SIGNER.address)


def test_depositWithPermit_needsNoApproval(world: World, holder: Contract, place: str) -> None:
    signer = signer_with(world, 100)
    deadline = world.now() + 1_000
    call = holder.functions.depositWithPermit(100, deadline, *permit(world, holder, 100, deadline))
    world.send(call, signer)
    assert world.escrow(signer, place) == 100


def test_depositWithPermit_usedBySomebodyElse_stillDeposits(
    world: World, stranger: str, holder: Contract, place: str
) -> None:
    """A front-runner who spends the permit alone stops nobody."""
    signer = signer_with(world, 100)
    deadline = world.now() + 1_000
    signature = permit(world, holder, 100, deadline)
    spent = world.energy.functions.permit(signer, holder.address, 100, deadline, *signature)
    world.send(spent, stranger)
    world.send(holder.functions.depositWithPermit(100, deadline, *signature), signer)
    assert world.escrow(signer, place) == 100


def test_depositWithPermit_wrongSignature_reverts(world: World, holder: Contract) -> None:
    signer = signer_with(world, 100)
    deadline = world.now() + 1_000
    signature = permit(world, holder, 99, deadline)
    call = holder.functions.depositWithPermit(100, deadline, *signature)
    world.reverts(call, signer, "ERC20InsufficientAllowance", holder.address, 0, 100)
