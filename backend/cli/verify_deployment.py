"""``chainbeasts verify-deployment``: is the code on chain what this build compiles?"""

from __future__ import annotations

import typer
from rich.console import Group
from rich.table import Table

from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.verification import Verified, verify_deployment
from chainbeasts.backend.cli.output import note, table
from chainbeasts.backend.cli.session import Session, command

app = typer.Typer(help="Compare the code on chain with this build's.")

WORD_DIGITS, ADDRESS_DIGITS = 64, 40


@command(app, "verify-deployment", example="chainbeasts verify-deployment --rpc-url https://…")
def verify(session: Session) -> None:
    """Compare every contract's code, and what created it, with what this build compiles.

    The values of immutables are shown, as they are not in the build. Exit code 1 if a contract is
    another one.
    """
    chain = session.chain
    found = list(verify_deployment(chain))
    session.show(found, lambda: _view(chain, found))
    wrong = [one.contract for one in found if not one.good]
    if wrong:
        note(f"Not this build's: {', '.join(wrong)}.")
        raise typer.Exit(1)


def _view(chain: Chain, found: list[Verified]) -> Group:
    names = {address.lower(): name for name, address in chain.deployment.addresses.items()}
    contracts: Table = table(
        f"Code on chain {chain.deployment.chain_id}",
        ("contract", "address", "code", "created"),
        [
            (one.contract, one.address, "as built" if one.matches else "OTHER", one.creation)
            for one in found
        ],
    )
    immutables: Table = table(
        "Immutables",
        ("contract", "value"),
        [(one.contract, _value(word, names)) for one in found for word in one.immutables],
    )
    return Group(contracts, immutables)


def _value(word: str, names: dict[str, str]) -> str:
    """A word as the contract that it names, if it is one's address."""
    digits = word.removeprefix("0x")
    return names.get("0x" + digits[WORD_DIGITS - ADDRESS_DIGITS :], word)
