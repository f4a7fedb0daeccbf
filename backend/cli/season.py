"""``chainbeasts season``: the game's constants, and their change through the timelock."""

from __future__ import annotations

import secrets
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from backend.chain.fees import show_gwei
from backend.chain.games import play
from backend.chain.seasons import (
    Proposal,
    add_season_call,
    load_profile,
    operation_id,
    proposals,
    season_from_file,
    season_table,
    season_with,
    show_constant,
)
from backend.chain.types import ZERO32, Season
from backend.cli.output import note, table
from backend.cli.season_economics import as_tables, as_values, chosen_prices, warnings
from backend.cli.session import Session, command
from backend.doctor.examine import chain_deadlines
from backend.errors import ChainBeastsError

app = typer.Typer(help="Seasons: constants that only the timelock changes.", no_args_is_help=True)


def _view(title: str, season: Season) -> Table:
    rows = [
        (part, name, show_constant(name, value))
        for part, values in season_table(season).items()
        for name, value in values.items()
    ]
    return table(title, ("part", "constant", "value"), rows)


@command(app, "show", example="chainbeasts season show 1 --json")
def show(
    session: Session,
    number: Annotated[int | None, typer.Argument(help="Season; the current one otherwise.")] = None,
) -> None:
    """Show a season's constants."""
    chosen, season = _season(session, number)
    values = {"season": chosen, **season_table(season)}
    session.show(values, lambda: _view(f"Season {chosen}", season))


@command(app, "economics", example="chainbeasts season economics --gas-price 2")
def economics(
    session: Session,
    number: Annotated[int | None, typer.Argument(help="Season; the current one otherwise.")] = None,
    gas_price: Annotated[
        str | None, typer.Option(metavar="GWEI", help="What a gas costs, in gwei.")
    ] = None,
    energy_price: Annotated[
        str | None, typer.Option(metavar="COIN", help="Native coin for one ENERGY.")
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option(help="Of a profile, built in or a file NAME.toml, instead of a deployment."),
    ] = None,
) -> None:
    """Show what each attack costs either side: the cost games of the season."""
    if profile is not None:
        chosen = load_profile(profile)
        season, fee = chosen.season, chosen.limits.reference_fee
    else:
        season, fee = _season(session, number)[1], session.chain.limits().reference_fee
    played = [
        (prices, play(season.economics, fee, prices))
        for prices in chosen_prices(season.economics, fee, gas_price, energy_price)
    ]
    session.show(as_values(played), lambda: as_tables(played))


def _season(session: Session, number: int | None) -> tuple[int, Season]:
    """A season with its number, the current one if none is given.

    Raises:
        ChainBeastsError: there is no such season.
    """
    chosen = session.chain.current_season() if number is None else number
    if not 1 <= chosen <= session.chain.current_season():
        raise ChainBeastsError(
            f"There is no season {chosen}; they go from 1 to {session.chain.current_season()}."
        )
    return chosen, session.chain.season(chosen)


@command(app, "limits", example="chainbeasts season limits")
def limits(session: Session) -> None:
    """Show what no season of this deployment may fall below; fixed when it was deployed."""
    values = asdict(session.chain.limits())
    fee = {"reference_fee": f"{show_gwei(values['reference_fee'])} a gas"}
    rows = list((values | fee).items())
    session.show(values, lambda: table("Limits of all seasons", ("limit", "value"), rows))


@command(app, "propose", signs=True, example="chainbeasts season propose --set block_gain=40")
def propose(
    session: Session,
    file: Annotated[Path | None, typer.Argument(help="TOML file with a whole season.")] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", help="name=value, changed in the current season.")
    ] = None,
) -> None:
    """Schedule a new season; it can be executed after the timelock's delay."""
    if (file is None) == (not changes):
        raise ChainBeastsError("Give either a TOML file or --set name=value.")
    chain = session.chain
    season = (
        season_from_file(file)
        if file is not None
        else season_with(chain.season(chain.current_season()), changes or [])
    )
    timelock = session.address("TimelockController")
    chain.read(
        lambda: chain.seasons.functions.addSeason(season.to_abi()).call({"from": timelock})
    )  # refused now rather than after the delay
    for warning in warnings(season.economics, chain.limits().reference_fee):
        note(f"Warning: {warning}")
    for check in chain_deadlines(chain, season.economics):
        note(f"Warning: {check.found} {check.do}")
    salt = secrets.token_bytes(32)
    delay = int(chain.call(chain.timelock.functions.getMinDelay()))
    session.sender.send(
        chain.timelock.functions.schedule(
            chain.seasons.address, 0, add_season_call(chain, season), ZERO32, salt, delay
        ),
        label="propose a season",
    )
    operation = operation_id(chain, season, salt)
    _show_proposals(session, [p for p in proposals(chain) if p.operation == operation])


@command(app, "pending", example="chainbeasts season pending")
def pending(session: Session) -> None:
    """List proposals that have not been executed, with the time they unlock."""
    _show_proposals(session, [p for p in proposals(session.chain) if not p.done])


def _show_proposals(session: Session, found: list[Proposal]) -> None:
    now = session.chain.now()
    current = season_table(session.chain.season(session.chain.current_season()))

    def changed(proposal: Proposal) -> dict[str, Any]:
        proposed = season_table(proposal.season)
        return {
            name: value
            for part, values in proposed.items()
            for name, value in values.items()
            if current[part][name] != value
        }

    values = [
        {
            "operation": p.operation,
            "ready_at": p.ready_at,
            "seconds_left": max(p.ready_at - now, 0),
            "changes": changed(p),
        }
        for p in found
    ]
    rows = [
        (
            f"0x{p.operation.hex()}",
            f"in {max(p.ready_at - now, 0)} s",
            "\n".join(f"{name} = {show_constant(name, v)}" for name, v in changed(p).items()),
        )
        for p in found
    ]
    session.show(values, lambda: table("Proposed seasons", ("operation", "ready", "changes"), rows))


@command(app, "execute", signs=True, example="chainbeasts season execute")
def execute(
    session: Session,
    operation: Annotated[
        str | None, typer.Argument(help="Operation; the oldest that is ready otherwise.")
    ] = None,
) -> None:
    """Execute a proposal whose delay has passed; anyone may."""
    chain = session.chain
    waiting = [p for p in proposals(chain) if not p.done]
    if operation is not None:
        waiting = [p for p in waiting if "0x" + p.operation.hex() == operation.lower()]
    if not waiting:
        raise ChainBeastsError(
            "There is no such proposal to execute.", "See: chainbeasts season pending"
        )
    chosen, now = waiting[0], chain.now()
    if chosen.ready_at > now:
        raise ChainBeastsError(
            f"The proposal unlocks in {chosen.ready_at - now} s.", "Try again after that."
        )
    session.sender.send(
        chain.timelock.functions.execute(
            chain.seasons.address, 0, add_season_call(chain, chosen.season), ZERO32, chosen.salt
        ),
        label="execute a season",
    )
    number = chain.current_season()
    session.show(
        {"season": number, **season_table(chosen.season)},
        lambda: _view(f"Season {number} begins with each beast's next epoch", chosen.season),
    )
