"""The sale of ENERGY: what it gives, when it is closed, where the proceeds go."""

from __future__ import annotations

from typing import Any

import pytest
from eth_utils.crypto import keccak
from web3.contract import Contract
from web3.logs import DISCARD
from web3.types import Wei

from tests.support import supply
from tests.support.protocol import ETHER, TREASURY, ZERO_ADDRESS, World
from tests.support.snapshots import nothing_mined

PRICE = 10**15 + 3
"""Wei of native coin for one ENERGY, in the first season."""


def buy(world: World, to: str, min_out: int = 0) -> Any:
    return world.sale.functions.buy(to, min_out)


def reprice(world: World, price: int) -> None:
    """A season with another price, in force from the next block on."""
    economics = world.season.economics._replace(energyPrice=price)
    season = world.season._replace(economics=economics)
    world.send(world.seasons.functions.addSeason(season), world.accounts[0])


def balance(world: World, account: str) -> int:
    return int(world.energy.functions.balanceOf(account).call())


@pytest.mark.parametrize("paid", [1, PRICE - 1, PRICE, 12_345_678_901_234_567])
def test_buy_givesWhatThePriceSays_roundedDown(world: World, stranger: str, paid: int) -> None:
    """P70"""
    out, held = paid * ETHER // PRICE, balance(world, stranger)
    assert world.sale.functions.price().call() == PRICE
    assert world.sale.functions.quote(paid).call() == out
    receipt = world.send(buy(world, stranger, out), stranger, paid)
    assert balance(world, stranger) == held + out
    assert (world.coin(TREASURY), world.coin(world.sale.address)) == (paid, 0)
    assert world.sale.functions.sold().call() == out
    assert world.logs("sale", "EnergyBought", receipt) == [
        {"buyer": stranger, "to": stranger, "paid": paid, "out": out, "season": 1}
    ]


def test_buy_forSomebodyElse(world: World, owner: str, stranger: str) -> None:
    held = balance(world, owner), balance(world, stranger)
    world.send(buy(world, owner), stranger, PRICE)
    assert (balance(world, owner), balance(world, stranger)) == (held[0] + ETHER, held[1])


def test_buy_forNobody_reverts(world: World, stranger: str) -> None:
    world.reverts(buy(world, ZERO_ADDRESS), stranger, "ZeroReceiver", value=ETHER)


def test_buy_withTooLittle_reverts(world: World, stranger: str) -> None:
    """Nothing is taken for nothing: without coin, or with less than a wei of ENERGY costs."""
    world.reverts(buy(world, stranger), stranger, "NothingBought")
    reprice(world, 2**80)
    world.mine()
    world.reverts(buy(world, stranger), stranger, "NothingBought", value=2**80 // ETHER)
    world.call(buy(world, stranger), stranger, 2**80 // ETHER + 1)


def test_buy_atAPriceThatRose_reverts(world: World, stranger: str) -> None:
    """P70: who agreed to a price pays no other one, whichever season its transaction meets."""
    agreed = world.sale.functions.quote(ETHER).call()
    reprice(world, PRICE + 1)
    world.mine()
    out = ETHER * ETHER // (PRICE + 1)
    world.reverts(
        buy(world, stranger, agreed), stranger, "TooLittleEnergy", agreed, out, value=ETHER
    )
    world.send(buy(world, stranger, out), stranger, ETHER)
    assert world.sale.functions.sold().call() == out


def test_buy_inTheBlockOfANewPrice_paysTheOldOne(world: World, stranger: str) -> None:
    """A season is in force from the next block on, for the sale as for everything."""
    economics = world.season.economics._replace(energyPrice=2 * PRICE)
    add = world.seasons.functions.addSeason(world.season._replace(economics=economics))
    with nothing_mined(world.rpc):
        fees = {"gas": 1_000_000, "gasPrice": Wei(2 * 10**11)}
        add.transact({"from": world.accounts[0], **fees})
        bought = buy(world, stranger).transact(
            {"from": stranger, "gas": 1_000_000, "gasPrice": Wei(10**11), "value": Wei(PRICE)}
        )
        world.mine()
    receipt = world.w3.eth.get_transaction_receipt(bought)
    (logged,) = world.logs("sale", "EnergyBought", receipt)
    assert (logged["out"], logged["season"]) == (ETHER, 1)


def test_buy_whereTheSaleIsClosed_reverts(world: World, stranger: str) -> None:
    reprice(world, 0)
    world.mine()
    assert world.sale.functions.price().call() == 0
    assert world.sale.functions.quote(ETHER).call() == 0
    world.reverts(buy(world, stranger), stranger, "SaleClosed", 2, value=ETHER)
    # Also for who sends nothing, so that the reason given is the one that counts.
    world.reverts(buy(world, stranger), stranger, "SaleClosed", 2)


def hostile_sale(world: World) -> tuple[Contract, Contract]:
    """A sale whose treasury is a contract of tests, and that treasury."""
    treasury = world.create("HostileAccount")
    parts = world.addresses("energy", "seasons")
    sale = world.create("EnergySale", *parts, treasury.address)
    role = keccak(text="MINTER_ROLE")
    world.send(world.energy.functions.grantRole(role, sale.address), world.accounts[0])
    return sale, treasury


def test_buy_proceedsRefused_reverts(world: World, stranger: str) -> None:
    sale, treasury = hostile_sale(world)
    world.send(treasury.functions.setRefuses(True), stranger)
    call, held = sale.functions.buy(stranger, 0), balance(world, stranger)
    world.reverts(call, stranger, "ProceedsRefused", treasury.address, ETHER, value=ETHER)
    assert (balance(world, stranger), sale.functions.sold().call()) == (held, 0)


def test_attack_reentrancy_ofTheTreasury_paysForBoth(world: World, stranger: str) -> None:
    """P70: who is called with the proceeds and buys again gets what it pays for, no more."""
    sale, treasury = hostile_sale(world)
    again = sale.functions.buy(treasury.address, 0)._encode_transaction_data()
    world.send(treasury.functions.fund(), stranger, PRICE)
    world.send(treasury.functions.setAnswer((sale.address, PRICE, again)), stranger)
    held = balance(world, stranger)
    world.send(sale.functions.buy(stranger, 0), stranger, 2 * PRICE)
    assert bytes(treasury.functions.refusal().call()) == b""
    assert balance(world, stranger) == held + 2 * ETHER
    assert balance(world, treasury.address) == ETHER
    assert world.coin(treasury.address) == 3 * PRICE
    assert sale.functions.sold().call() == 3 * ETHER


def test_attack_treasuryBuysFromItself_countsAsSold(world: World, stranger: str) -> None:
    """P69, P70: the treasury's coin comes back to it, so it buys with the same coin three times.
    What it gets is on the sale's books like everybody's, under its name."""
    sale, treasury = hostile_sale(world)
    world.send(treasury.functions.fund(), stranger, PRICE)
    once = (sale.address, PRICE, sale.functions.buy(stranger, ETHER)._encode_transaction_data())
    held, supply_before = balance(world, stranger), world.energy.functions.totalSupply().call()
    receipt = world.send(treasury.functions.execute([once] * 3), stranger)
    assert world.coin(treasury.address) == PRICE
    assert balance(world, stranger) == held + 3 * ETHER
    assert sale.functions.sold().call() == 3 * ETHER
    assert world.energy.functions.totalSupply().call() == supply_before + 3 * ETHER
    bought = sale.events.EnergyBought().process_receipt(receipt, errors=DISCARD)
    assert [log["args"]["buyer"] for log in bought] == [treasury.address] * 3


def test_attack_reentrancy_ofTheBuyer_isNeverCalled(world: World, stranger: str) -> None:
    """A buyer with code gets its ENERGY without being called: there is no way in."""
    buyer = world.create("HostileAccount")
    again = buy(world, buyer.address)._encode_transaction_data()
    world.send(buyer.functions.setAnswer((world.sale.address, 0, again)), stranger)
    world.send(buyer.functions.fund(), stranger, PRICE)
    first = (world.sale.address, PRICE, again)
    world.send(buyer.functions.execute([first]), stranger)
    assert balance(world, buyer.address) == ETHER
    assert world.coin(buyer.address) == 0


def test_sale_takesNoCoinWithoutSelling(world: World, stranger: str) -> None:
    """Coin that is merely sent would be nobody's."""
    with pytest.raises(Exception, match="revert"):
        world.w3.eth.call({"from": stranger, "to": world.sale.address, "value": Wei(1)})


def test_supply_isAtMostWhatWasSoldAndGranted(world: World, owner: str, stranger: str) -> None:
    """P69, while ENERGY is bought, spent on hatches and windows, and burned."""
    before = supply.read(world)
    world.send(buy(world, stranger), stranger, 7 * PRICE)
    beast = world.hatch(owner)
    checkpoint = world.submit(beast, owner)
    world.travel(world.season.economics.challengePeriod)
    world.finalize(beast, checkpoint)
    after = supply.read(world)
    assert after.sold - before.sold == 7 * ETHER
    cost = world.season.economics.hatchCost
    assert after.burned - before.burned == cost + checkpoint.payload.energyBurn
    supply.check(world)
