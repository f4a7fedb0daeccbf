"""Publishing states before a match: what it costs is said, and agreed to, first."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Annotated

import typer

from backend.battle.publication import Entry, publication, unpublished
from backend.battle.workspace import ArenaWorkspace
from backend.chain.amounts import show_coin
from backend.cli.output import note
from backend.cli.session import Session
from backend.errors import ChainBeastsError

YesOption = Annotated[
    bool, typer.Option("--yes", help="Pay for publishing a state without being asked.")
]


def published(
    session: Session, workspace: ArenaWorkspace, entries: Iterable[Entry], *, yes: bool
) -> list[int]:
    """Put the states into the archive that are not there, or have been for too long.

    Returns:
        The beasts whose states were published.

    Raises:
        ChainBeastsError: a state is not at hand, or it was not agreed to.
    """
    wanted = unpublished(workspace, entries)
    calls = [publication(workspace, entry) for entry in wanted]
    for entry, call in zip(wanted, calls, strict=True):
        gas = session.sender.estimate(call)
        price = int(workspace.chain.read(lambda: workspace.chain.w3.eth.gas_price))
        note(
            f"The state of beast {entry.beast_id} must be on chain before it fights: {gas:,} gas, "
            f"{show_coin(gas * price)} at present. It shows the brain, not the dataset."
        )
        if not yes:
            _agree()
        session.sender.send(call, label="publish the state")
    return [entry.beast_id for entry in wanted]


def _agree() -> None:
    if not sys.stdin.isatty():
        raise ChainBeastsError(
            "A state has to be published, and there is no terminal to ask on.",
            "Say --yes to pay for it.",
        )
    if not typer.confirm("Publish it?", err=True):
        raise ChainBeastsError("Nothing was published, and nothing sent.")
