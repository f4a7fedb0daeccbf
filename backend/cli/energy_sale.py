"""``chainbeasts energy buy`` and ``price``: the sale of ENERGY for native coin."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

import typer
from web3.logs import DISCARD

from chainbeasts.backend.chain.amounts import parse_coin, show_coin
from chainbeasts.backend.chain.prices import BASIS_POINTS, coin_for
from chainbeasts.backend.chain.seasons import parse_energy
from chainbeasts.backend.chain.transactions import Receipt
from chainbeasts.backend.cli.confirm import Cost, YesOption, confirm
from chainbeasts.backend.cli.output import energy, fields, note
from chainbeasts.backend.cli.sending import refuse_contracts
from chainbeasts.backend.cli.session import Session, command
from chainbeasts.backend.errors import ChainBeastsError

CLOSED_HINT = "On a devnet the faucet gives ENERGY away: chainbeasts energy faucet AMOUNT"


def buy(
    session: Session,
    amount: Annotated[
        str | None,
        typer.Argument(metavar="[AMOUNT]", help="ENERGY to buy; or name the coin with --spend."),
    ] = None,
    spend: Annotated[
        str | None,
        typer.Option(metavar="COIN", help="Native coin to spend, all of it, such as 0.05."),
    ] = None,
    min_out: Annotated[
        str | None,
        typer.Option(metavar="ENERGY", help="Least ENERGY to accept; else nothing is bought."),
    ] = None,
    slippage: Annotated[
        str,
        typer.Option(
            metavar="PERCENT",
            help="How much less than the present price gives is accepted, where --min-out does not "
            "say; the price changes with a new season only.",
        ),
    ] = "0",
    to: Annotated[
        str | None,
        typer.Option(metavar="WHO", help="Who gets the ENERGY; the acting account if not given."),
    ] = None,
    yes: YesOption = False,
) -> None:
    """Buy ENERGY with the chain's native coin, at the season's price.

    A purchase of which an earlier run did not see the end is looked for first, and not made twice.
    """
    if (amount is None) == (spend is None):
        raise ChainBeastsError(
            "How much is to be bought?",
            "Name either the ENERGY, as in `energy buy 10`, or the coin: --spend 0.01",
        )
    chain, sender = session.chain, session.sender
    target = sender.address if to is None else session.resolve(to)
    refuse_contracts(session, target)
    label = purchase_label(amount, spend, target)
    # Before price and balance are looked at, which it has changed if it was mined.
    if (earlier := sender.finish(label)) is not None:
        note("An earlier run made this purchase and did not see its end; nothing more is bought.")
        _show_purchase(session, target, earlier)
        return
    price = _price(session)
    if spend is not None:
        paid = parse_coin(spend)
    else:
        paid = coin_for(parse_energy(amount or ""), price) or 0
    expected = chain.energy_for(paid)
    if not expected:
        raise ChainBeastsError(
            f"{show_coin(paid)} buys no ENERGY.", f"One ENERGY costs {show_coin(price)}."
        )
    least = _least(expected, min_out, slippage)
    _check_coin(session, paid)
    call = chain.sale.functions.buy(target, least)
    gas = sender.estimate(call, value=paid)
    whose = "" if to is None else f" for {session.names.show(target)}"
    confirm(session, f"Buying {energy(expected)}{whose}", Cost(coin=paid, gas=gas), yes=yes)
    _show_purchase(session, target, sender.send(call, label=label, value=paid))


def purchase_label(amount: str | None, spend: str | None, target: str) -> str:
    """Names a purchase by what was asked for: the call itself depends on the price."""
    if spend is not None:
        return f"buy ENERGY for {show_coin(parse_coin(spend))}, to {target}"
    return f"buy {energy(parse_energy(amount or ''))}, to {target}"


def _show_purchase(session: Session, target: str, receipt: Receipt) -> None:
    chain = session.chain
    events = chain.sale.events.EnergyBought().process_receipt(receipt.raw, errors=DISCARD)
    bought: dict[str, Any] = dict(events[0]["args"])
    paid = int(bought["paid"])
    facts = {
        "to": target,
        "paid": paid,
        "bought": bought["out"],
        "season": bought["season"],
        "balance": chain.energy_of(target),
        "transaction": receipt.hash,
        "gas_used": receipt.gas_used,
    }
    view = {
        "to": target,
        "paid": show_coin(paid),
        "bought": energy(bought["out"]),
        "in its wallet now": energy(chain.energy_of(target)),
        "transaction": "0x" + receipt.hash.hex(),
        "gas used": receipt.gas_used,
    }
    session.show(facts, lambda: fields("ENERGY bought", view))


def _price(session: Session) -> int:
    """Wei of native coin for one ENERGY.

    Raises:
        ChainBeastsError: the sale is closed.
    """
    price = session.chain.energy_price()
    if not price:
        season = session.chain.effective_season()
        raise ChainBeastsError(f"The sale is closed: season {season} sells no ENERGY.", CLOSED_HINT)
    return price


def _least(expected: int, min_out: str | None, slippage: str) -> int:
    """Least ENERGY to accept, wei.

    Raises:
        ChainBeastsError: more than the present price gives, or no percentage.
    """
    if min_out is not None:
        least = parse_energy(min_out)
        if least > expected:
            raise ChainBeastsError(
                f"That coin buys {energy(expected)} now, less than --min-out {min_out}.",
                "Spend more, or accept less.",
            )
        return least
    try:
        share = Decimal(slippage) * BASIS_POINTS / 100
    except InvalidOperation:
        share = Decimal(-1)
    if not 0 <= share <= BASIS_POINTS:
        raise ChainBeastsError(f"--slippage {slippage} is no percentage from 0 to 100.")
    return expected * (BASIS_POINTS - int(share)) // BASIS_POINTS


def _check_coin(session: Session, paid: int) -> None:
    held = session.chain.coin_of(session.account.address)
    if held < paid:
        raise ChainBeastsError(
            f"{session.account.address} has {show_coin(held)}; {show_coin(paid)} and the gas are "
            "needed.",
            "Send it some of the chain's native coin, or buy less.",
        )


def price(session: Session) -> None:
    """Show what ENERGY costs, how much there is, and what a hatch burns of it."""
    chain = session.chain
    found, season = chain.energy_price(), chain.effective_season()
    facts = {
        "season": season,
        "open": found != 0,
        "price": found,
        "sold": chain.energy_sold(),
        "supply": int(chain.call(chain.energy.functions.totalSupply())),
        "hatch_cost": chain.hatch_cost(),
    }
    cost = coin_for(facts["hatch_cost"], found)
    view = {
        "season": season,
        "one ENERGY costs": show_coin(found) if found else "the sale is closed",
        "sold so far": energy(facts["sold"]),
        "in being": energy(facts["supply"]),
        "a hatch burns": energy(facts["hatch_cost"])
        + ("" if cost is None else f" ({show_coin(cost)})"),
    }
    session.show(facts, lambda: fields("Sale of ENERGY", view))


def register(app: typer.Typer) -> None:
    """Add the verbs to their noun."""
    command(app, "buy", signs=True, example="chainbeasts energy buy 10")(buy)
    command(app, "price", example="chainbeasts energy price")(price)
