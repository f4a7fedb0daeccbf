"""``chainbeasts energy``: balances, sending, the devnet's faucet, and the escrow for training."""

from __future__ import annotations

from typing import Annotated

import typer

from chainbeasts.backend.chain.amounts import show_coin
from chainbeasts.backend.chain.errors import Reverted
from chainbeasts.backend.chain.escrow import deposit_energy
from chainbeasts.backend.chain.seasons import parse_energy
from chainbeasts.backend.cli import energy_sale
from chainbeasts.backend.cli.confirm import Cost, YesOption, confirm
from chainbeasts.backend.cli.output import energy, fields
from chainbeasts.backend.cli.sending import refuse_contracts, show_sent
from chainbeasts.backend.cli.session import Session, command
from chainbeasts.backend.errors import ChainBeastsError

app = typer.Typer(help="ENERGY: balances, sale, sending, faucet, escrow.", no_args_is_help=True)
energy_sale.register(app)

Amount = Annotated[str, typer.Argument(help="Amount of ENERGY, such as 12.5.")]
ArenaOption = Annotated[
    bool,
    typer.Option(
        "--arena", help="The arena's escrow, for bonds of match records; else the ledger's."
    ),
]
To = Annotated[
    str | None,
    typer.Option("--to", metavar="WHO", help="Another account than the acting one, by its name."),
]
Who = Annotated[str, typer.Argument(metavar="WHO", help="Address, or a name that it has here.")]


def _account(session: Session, given: str | None) -> str:
    return session.me if given is None else session.resolve(given)


def _show_balance(session: Session, address: str) -> None:
    chain = session.chain
    balance, escrow = chain.energy_of(address), chain.escrow_of(address)
    arena = chain.escrow_of(address, chain.arena)
    coin = chain.coin_of(address)
    values = {
        "address": address,
        "name": session.names.of(address),
        "balance": balance,
        "escrow": escrow,
        "arena_escrow": arena,
        "native": coin,
    }
    view = {
        "address": address,
        "balance": energy(balance),
        "escrow": energy(escrow),
        "arena's escrow": energy(arena),
        "native coin": show_coin(coin),
    }
    session.show(values, lambda: fields("ENERGY", view))


@command(app, "balance", signs=True, example="chainbeasts energy balance alice")
def balance(
    session: Session,
    who: Annotated[
        str | None,
        typer.Argument(
            metavar="[WHO]", help="Address, or a name that it has here; the acting account if none."
        ),
    ] = None,
) -> None:
    """Show what an account has, in its wallet and in the escrows of ledger and arena.

    Signs nothing, so it asks for no password.
    """
    _show_balance(session, _account(session, who))


@command(app, "send", signs=True, example="chainbeasts energy send alice 12.5")
def send(session: Session, who: Who, amount: Amount, yes: YesOption = False) -> None:
    """Send ENERGY from the acting account's wallet to somebody."""
    target, wei = session.resolve(who), parse_energy(amount)
    chain, sender = session.chain, session.sender
    refuse_contracts(session, target)
    if not wei:
        raise ChainBeastsError("There is nothing to send.", "Name an amount above zero.")
    if (held := chain.energy_of(sender.address)) < wei:
        raise ChainBeastsError(
            f"{sender.address} has {energy(held)} in its wallet; {energy(wei)} are needed.",
            "What is in escrow comes back with: chainbeasts energy withdraw AMOUNT",
        )
    call = chain.energy.functions.transfer(target, wei)
    cost = Cost(energy=wei, gas=sender.estimate(call))
    confirm(session, f"Sending to {session.names.show(target)}", cost, yes=yes)
    receipt = sender.send(call, label="send ENERGY")
    show_sent(session, receipt, target, wei, chain.energy_of(sender.address), energy)


@command(app, "faucet", signs=True, example="chainbeasts energy faucet 100 --to 0x…")
def faucet(session: Session, amount: Amount, to: To = None) -> None:
    """Mint ENERGY. Needs the faucet's account, on a devnet the deployer's."""
    target, wei = _account(session, to), parse_energy(amount)
    refuse_contracts(session, target)
    try:
        session.sender.send(session.chain.energy.functions.mint(target, wei), label="mint ENERGY")
    except Reverted as error:
        if error.name != "AccessControlUnauthorizedAccount":
            raise
        raise ChainBeastsError(
            f"{session.account.address} may not mint ENERGY on this chain.",
            "On a devnet use the account that deployed (--account devnet:0).",
        ) from None
    _show_balance(session, target)


@command(app, "deposit", signs=True, example="chainbeasts energy deposit 50")
def deposit(session: Session, amount: Amount, arena: ArenaOption = False) -> None:
    """Move ENERGY from the wallet into escrow, where prices and bonds are taken from."""
    escrow = session.chain.arena if arena else None
    deposit_energy(session.chain, session.sender, parse_energy(amount), escrow)
    _show_balance(session, session.account.address)


@command(app, "withdraw", signs=True, example="chainbeasts energy withdraw 50")
def withdraw(
    session: Session,
    amount: Amount,
    to: To = None,
    arena: ArenaOption = False,
    yes: YesOption = False,
) -> None:
    """Pay ENERGY out of escrow: returned bonds, rewards, what was not used."""
    target, wei = _account(session, to), parse_energy(amount)
    escrow = session.chain.arena if arena else session.chain.ledger
    function = escrow.functions.withdraw(wei, target)
    try:
        if target != session.account.address:
            refuse_contracts(session, target)
            cost = Cost(energy=wei, gas=session.sender.estimate(function))
            confirm(session, f"Paying out to {session.names.show(target)}", cost, yes=yes)
        session.sender.send(function, label="withdraw ENERGY")
    except Reverted as error:
        if error.name != "InsufficientEscrow":
            raise
        raise ChainBeastsError(
            error.message, "Withdraw less; bonds come back when their windows are final."
        ) from None
    _show_balance(session, target)
