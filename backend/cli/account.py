"""``chainbeasts account``: keystores, the address book, and native coin sent to others."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Annotated

import typer
from eth_account import Account
from rich.table import Table

from chainbeasts.backend.accounts import (
    DEVNET_ADDRESSES,
    create_keystore,
    keystore_path,
    list_keystores,
    read_password,
)
from chainbeasts.backend.chain.amounts import parse_coin, show_coin
from chainbeasts.backend.chain.errors import Reverted
from chainbeasts.backend.cli.confirm import Cost, YesOption, confirm
from chainbeasts.backend.cli.output import note, table
from chainbeasts.backend.cli.sending import show_sent
from chainbeasts.backend.cli.session import Session, ask_password, command
from chainbeasts.backend.devnet.record import running
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.names import parse_address

app = typer.Typer(
    help="Keys, encrypted with a password (scrypt keystores); names of others; native coin.",
    no_args_is_help=True,
)
book = typer.Typer(help="Names that others have in this home.", no_args_is_help=True)
app.add_typer(book, name="book")

Name = Annotated[str, typer.Argument(help="Name of the keystore.")]


def _refuse_book_name(session: Session, name: str) -> None:
    """Keep a name from meaning two accounts.

    Raises:
        ChainBeastsError: the address book has it.
    """
    if name in (known := session.names.book.entries()):
        raise ChainBeastsError(
            f"{name} ({known[name]}) is in the address book.",
            f"Take another name, or: chainbeasts account book remove {name}",
        )


def _names(title: str, found: Mapping[str, str]) -> Table:
    return table(title, ("name", "address"), found.items(), named=False)


def _new_password(session: Session, name: str) -> str:
    password = read_password(session.settings, ask_password, f"New password for {name}: ")
    if session.settings.password_file is None and ask_password("Again: ") != password:
        raise ChainBeastsError("The two passwords differ.", "Try again.")
    return password


@command(app, "new", signs=True, example="chainbeasts account new alice --password-file pw.txt")
def new(session: Session, name: Name) -> None:
    """Make a key and keep it in a new keystore."""
    folder = session.settings.keystore_dir
    _refuse_book_name(session, name)
    made = create_keystore(folder, name, _new_password(session, name))
    path = keystore_path(folder, name)
    shown = {"name": name, "address": made.address, "file": path}
    session.show(shown, f"{made.address} is kept in {path}. Back it up.")


def _key() -> str:
    """The raw key: piped in, else asked for without echo."""
    if sys.stdin.isatty():
        return ask_password("Private key (hex): ")
    return sys.stdin.readline()


@command(
    app,
    "import",
    signs=True,
    example="chainbeasts account import alice --password-file pw.txt < key.txt",
)
def import_(session: Session, name: Name) -> None:
    """Keep an existing raw key, typed or piped in, in a new keystore."""
    _refuse_book_name(session, name)
    given = session.settings.private_key
    raw = given.get_secret_value() if given is not None else _key()
    try:
        account = Account.from_key(raw.strip())
    except (ValueError, TypeError):
        raise ChainBeastsError("That is not a 32-byte hex key.") from None
    create_keystore(session.settings.keystore_dir, name, _new_password(session, name), account)
    session.show(
        {"name": name, "address": account.address}, f"Imported {account.address} as {name}."
    )


@command(app, "list", example="chainbeasts account list --json")
def list_(session: Session) -> None:
    """List the keystores of this home, and on a running devnet its funded accounts."""
    found = list_keystores(session.settings.keystore_dir)
    if running(session.settings) is not None:
        found |= {f"devnet:{i}": address for i, address in enumerate(DEVNET_ADDRESSES)}
    rows = [{"name": name, "address": address} for name, address in found.items()]
    session.show(rows, lambda: _names("Accounts", found))


@command(app, "send", signs=True, example="chainbeasts account send alice 0.5")
def send(
    session: Session,
    who: Annotated[str, typer.Argument(metavar="WHO", help="Address, or a name that it has here.")],
    amount: Annotated[str, typer.Argument(help="Native coin, such as 0.5.")],
    yes: YesOption = False,
) -> None:
    """Send native coin from the acting account to somebody."""
    target, wei = session.resolve(who), parse_coin(amount)
    chain, sender = session.chain, session.sender
    if not wei:
        raise ChainBeastsError("There is nothing to send.", "Name an amount above zero.")
    held = chain.coin_of(sender.address)
    if held < wei:
        raise ChainBeastsError(
            f"{sender.address} has {show_coin(held)}; {show_coin(wei)} and the gas are needed."
        )
    try:
        gas = sender.estimate_payment(target, wei)
    except Reverted as error:
        raise ChainBeastsError(
            f"The contract at {target} does not take native coin ({error.name}).",
            "Name another receiver; nothing was sent.",
        ) from None
    confirm(session, f"Sending to {session.names.show(target)}", Cost(coin=wei, gas=gas), yes=yes)
    receipt = sender.pay(target, wei, label="send native coin")
    show_sent(session, receipt, target, wei, chain.coin_of(sender.address), show_coin)


@command(book, "add", example="chainbeasts account book add bob 0x…")
def add(
    session: Session,
    name: Annotated[str, typer.Argument(help="What the address is called in this home.")],
    address: Annotated[str, typer.Argument(help="40 hex digits after 0x.")],
) -> None:
    """Give an address a name, which then stands for it wherever an account is asked for."""
    given = parse_address(address)
    own = list_keystores(session.settings.keystore_dir)
    if own.get(name, given) != given:
        raise ChainBeastsError(
            f"{name} ({own[name]}) is a keystore of this home.", "Take another name."
        )
    before = session.names.book.entries().get(name)
    session.names.book.add(name, given)
    if before not in (None, given):
        note(f"It was {before} before.")
    session.show({"name": name, "address": given}, f"{name} ({given}) is in the address book.")


@command(book, "remove", example="chainbeasts account book remove bob")
def remove(
    session: Session, name: Annotated[str, typer.Argument(help="A name of the address book.")]
) -> None:
    """Forget a name."""
    address = session.names.book.remove(name)
    session.show({"name": name, "address": address}, f"{name} ({address}) is forgotten.")


@command(book, "list", example="chainbeasts account book list")
def list_book(session: Session) -> None:
    """List the names that others have in this home."""
    found = session.names.book.entries()
    rows = [{"name": name, "address": address} for name, address in found.items()]
    session.show(rows, lambda: _names("Address book", found))
