"""``chainbeasts account``: keystores."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from eth_account import Account

from backend.accounts import (
    create_keystore,
    devnet_account,
    keystore_path,
    list_keystores,
    read_password,
)
from backend.chain.anvil import DEVNET_ACCOUNTS
from backend.cli.output import table
from backend.cli.session import Session, ask_password, command
from backend.devnet.record import running
from backend.errors import ChainBeastsError

app = typer.Typer(help="Keys, encrypted with a password (scrypt keystores).", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of the keystore.")]


def _new_password(session: Session, name: str) -> str:
    password = read_password(session.settings, ask_password, f"New password for {name}: ")
    if session.settings.password_file is None and ask_password("Again: ") != password:
        raise ChainBeastsError("The two passwords differ.", "Try again.")
    return password


@command(app, "new", signs=True, example="chainbeasts account new alice --password-file pw.txt")
def new(session: Session, name: Name) -> None:
    """Make a key and keep it in a new keystore."""
    folder = session.settings.keystore_dir
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
        found |= {f"devnet:{i}": devnet_account(i).address for i in range(DEVNET_ACCOUNTS)}
    rows = [{"name": name, "address": address} for name, address in found.items()]
    session.show(rows, lambda: table("Accounts", ("name", "address"), found.items()))
