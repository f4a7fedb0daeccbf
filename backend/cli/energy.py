"""``chainbeasts energy``: balances, the devnet's faucet, and the escrow that pays for training."""

from __future__ import annotations

from typing import Annotated

import typer
from web3 import Web3

from backend.chain.amounts import show_coin
from backend.chain.errors import Reverted
from backend.chain.escrow import deposit_energy
from backend.chain.seasons import parse_energy
from backend.cli.output import energy, fields
from backend.cli.session import Session, command
from backend.errors import ChainBeastsError

app = typer.Typer(help="ENERGY: balances, faucet, escrow.", no_args_is_help=True)

Amount = Annotated[str, typer.Argument(help="Amount of ENERGY, such as 12.5.")]
ArenaOption = Annotated[
    bool,
    typer.Option(
        "--arena", help="The arena's escrow, for bonds of match records; else the ledger's."
    ),
]
Address = Annotated[str | None, typer.Option("--to", help="Another account than the acting one.")]


def _address(session: Session, given: str | None) -> str:
    if given is None:
        return str(session.account.address)
    if not Web3.is_address(given):
        raise ChainBeastsError(f"{given} is not an address.", "It has 40 hex digits after 0x.")
    return str(Web3.to_checksum_address(given))


def _show_balance(session: Session, address: str) -> None:
    chain = session.chain
    balance, escrow = chain.energy_of(address), chain.escrow_of(address)
    arena = chain.escrow_of(address, chain.arena)
    coin = chain.read(lambda: chain.w3.eth.get_balance(Web3.to_checksum_address(address)))
    values = {
        "address": address,
        "balance": balance,
        "escrow": escrow,
        "arena_escrow": arena,
        "native": int(coin),
    }
    view = {
        "address": address,
        "balance": energy(balance),
        "escrow": energy(escrow),
        "arena's escrow": energy(arena),
        "native coin": show_coin(int(coin)),
    }
    session.show(values, lambda: fields("ENERGY", view))


@command(app, "balance", signs=True, example="chainbeasts energy balance --account devnet:1")
def balance(
    session: Session,
    of: Annotated[str | None, typer.Option(help="Address; the acting account's otherwise.")] = None,
) -> None:
    """Show what an account has, in its wallet and in the escrows of ledger and arena."""
    _show_balance(session, _address(session, of))


@command(app, "faucet", signs=True, example="chainbeasts energy faucet 100 --to 0x…")
def faucet(session: Session, amount: Amount, to: Address = None) -> None:
    """Mint ENERGY. Needs the faucet's account, on a devnet the deployer's."""
    target = _address(session, to)
    wei = parse_energy(amount)
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
    session: Session, amount: Amount, to: Address = None, arena: ArenaOption = False
) -> None:
    """Pay ENERGY out of escrow: returned bonds, rewards, what was not used."""
    target = _address(session, to)
    escrow = session.chain.arena if arena else session.chain.ledger
    function = escrow.functions.withdraw(parse_energy(amount), target)
    session.sender.send(function, label="withdraw ENERGY")
    _show_balance(session, target)
