"""``chainbeasts abi``: what a contract can be asked and answers, for other programs."""

from __future__ import annotations

from typing import Annotated

import typer

from chainbeasts.backend.chain.compile import artifact, published
from chainbeasts.backend.chain.selectors import entries
from chainbeasts.backend.cli.compiling import compile_contracts
from chainbeasts.backend.cli.output import table
from chainbeasts.backend.cli.session import Session, command

app = typer.Typer(help="ABI, selectors and topics of a contract.")


@command(app, "abi", example="chainbeasts abi CheckpointLedger --json > CheckpointLedger.json")
def abi(
    session: Session,
    name: Annotated[
        str | None, typer.Argument(help="A contract's; the contracts there are if not given.")
    ] = None,
) -> None:
    """Show a contract's functions, events and errors; with --json, its ABI as compilers write it.

    It is the ABI of the code that `deploy` deploys; no node is asked.
    """
    if name is None:
        names = sorted(published())
        session.show(names, "\n".join(names))
        return
    compile_contracts([name])
    found = artifact(name).abi
    session.show(found, lambda: table(name, ("kind", "identifier", "signature"), entries(found)))
