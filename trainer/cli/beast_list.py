"""``chainbeasts beast list``: apart, since the noun's other verbs load database and kernel.

``backend.cli.commands`` loads this module alone where no other verb is asked for.
"""

from __future__ import annotations

import typer

from chainbeasts.backend.chain.errors import Reverted
from chainbeasts.backend.cli.output import table
from chainbeasts.backend.cli.session import Session, command


def list_(session: Session) -> None:
    """List all beasts."""
    chain = session.chain
    rows = []
    for beast_id in range(1, chain.beast_count() + 1):
        try:
            owner, head = chain.owner_of(beast_id), chain.head(beast_id)
        except Reverted:  # asked for and not hatched
            continue
        rows.append(
            {
                "beast": beast_id,
                "owner": owner,
                "checkpoints": head.head_count,
                "final": head.final_count,
                "epoch": head.epoch,
                "slashings": head.generation,
            }
        )
    columns = ("beast", "owner", "checkpoints", "final", "epoch", "slashings")
    session.show(rows, lambda: table("Beasts", columns, [list(row.values()) for row in rows]))


def register(app: typer.Typer) -> None:
    """Add the verb to the noun."""
    command(app, "list", example="chainbeasts beast list")(list_)


alone = typer.Typer(help="Beasts: hatch, show, authorise, transfer.")
register(alone)
