"""``chainbeasts season``: the game's constants, and all that goes through the timelock."""

from __future__ import annotations

import secrets
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from chainbeasts.backend.chain.amounts import show_moment
from chainbeasts.backend.chain.errors import Reverted
from chainbeasts.backend.chain.fees import show_gwei
from chainbeasts.backend.chain.games import play
from chainbeasts.backend.chain.seasons import (
    add_season_call,
    load_profile,
    season_from_file,
    season_table,
    season_with,
    show_constant,
)
from chainbeasts.backend.chain.timelock import (
    Operation,
    cancellation,
    execution,
    find_operation,
    only_seasons,
    pending_operations,
)
from chainbeasts.backend.chain.types import ZERO32, Season
from chainbeasts.backend.cli.confirm import Cost, YesOption, confirm
from chainbeasts.backend.cli.output import fields, note, table
from chainbeasts.backend.cli.season_economics import as_tables, as_values, chosen_prices, warnings
from chainbeasts.backend.cli.season_operations import described, show_operations
from chainbeasts.backend.cli.session import Session, command
from chainbeasts.backend.doctor.examine import chain_deadlines
from chainbeasts.backend.errors import ChainBeastsError

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
        (prices, play(season, fee, prices))
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
    shown = {name: show_constant(name, value) for name, value in values.items()}
    shown["reference_fee"] = f"{show_gwei(values['reference_fee'])} a gas"
    rows = list(shown.items())
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
    for warning in warnings(season, chain.limits().reference_fee):
        note(f"Warning: {warning}")
    for check in chain_deadlines(chain, season.economics):
        note(f"Warning: {check.found} {check.do}")
    salt = secrets.token_bytes(32)
    delay = int(chain.call(chain.timelock.functions.getMinDelay()))
    call = (chain.seasons.address, 0, add_season_call(chain, season), ZERO32, salt)
    session.sender.send(chain.timelock.functions.schedule(*call, delay), label="propose a season")
    operation = bytes(chain.call(chain.timelock.functions.hashOperation(*call)))
    show_operations(session, [one for one in pending_operations(chain) if one.id == operation])


@command(app, "pending", example="chainbeasts season pending")
def pending(session: Session) -> None:
    """List everything that waits in the timelock: what it does, from when on, and whose it is.

    A call that is not to a function of the deployment's contracts is shown raw and marked UNKNOWN.
    """
    show_operations(session, pending_operations(session.chain))


OperationId = Annotated[
    str, typer.Argument(metavar="OPERATION", help="Its id, or enough of its beginning.")
]


@command(app, "execute", signs=True, example="chainbeasts season execute")
def execute(
    session: Session,
    operation: Annotated[
        str | None,
        typer.Argument(help="Operation; the oldest that only adds a season if none is given."),
    ] = None,
    yes: YesOption = False,
) -> None:
    """Execute an operation whose delay has passed; anyone may.

    One that does more than add a season is shown, and asked about, first.
    """
    chain = session.chain
    addresses, waiting = chain.deployment.addresses, pending_operations(chain)
    if operation is None:
        waiting = [one for one in waiting if only_seasons(addresses, one)]
        if not waiting:
            raise ChainBeastsError(
                "There is no such proposal to execute.", "See: chainbeasts season pending"
            )
        chosen = waiting[0]
    else:
        chosen = find_operation(waiting, operation)
    now = chain.now()
    if chosen.ready_at > now:
        raise ChainBeastsError(
            f"The operation unlocks at {show_moment(chosen.ready_at, now)}.",
            "Try again after that.",
        )
    call = execution(chain, chosen)
    gas = _gas_of_execution(session, chosen, call)
    known = only_seasons(addresses, chosen)
    if not known:
        note(f"Operation {chosen.name}:")
        for line in described(chain, chosen):
            note(line)
    confirm(session, "Executing it", Cost(gas=gas), yes=yes, always=not known)
    receipt = session.sender.send(call, label="execute the operation")
    if not known:
        value = {"operation": chosen.id, "transaction": receipt.hash, "gas_used": receipt.gas_used}
        shown = value | {"operation": chosen.name, "transaction": "0x" + receipt.hash.hex()}
        session.show(value, lambda: fields("Executed", shown))
        return
    number = chain.current_season()
    season = chain.season(number)
    session.show(
        {"season": number, **season_table(season)},
        lambda: _view(f"Season {number} begins with each beast's next epoch", season),
    )


def _gas_of_execution(session: Session, chosen: Operation, call: Any) -> int:
    """Gas that it takes.

    Raises:
        ChainBeastsError: what the operation calls is refused, whoever executes it.
    """
    timelock = session.address("TimelockController")
    try:
        return session.sender.estimate(call)
    except Reverted as error:
        if error.args_by_name.get("account") != timelock:
            raise
        # The timelock itself lacks the role, which no account of the reader's can give it.
        raise ChainBeastsError(
            f"Operation {chosen.name} cannot be executed: the timelock itself does not have the "
            "role that its call needs.",
            f"Take it back: chainbeasts season cancel {chosen.name}",
        ) from None


@command(app, "cancel", signs=True, example="chainbeasts season cancel 0x5f2a…")
def cancel(session: Session, operation: OperationId, yes: YesOption = False) -> None:
    """Take an operation back before it is executed; proposers may, for ever."""
    chain = session.chain
    chosen = find_operation(pending_operations(chain), operation)
    call = cancellation(chain, chosen)
    gas = session.sender.estimate(call)
    for line in described(chain, chosen):
        note(line)
    confirm(session, f"Cancelling {chosen.name}", Cost(gas=gas), yes=yes, always=True)
    receipt = session.sender.send(call, label="cancel the operation")
    value = {"operation": chosen.id, "transaction": receipt.hash, "gas_used": receipt.gas_used}
    shown = value | {"operation": chosen.name, "transaction": "0x" + receipt.hash.hex()}
    session.show(value, lambda: fields("Cancelled", shown))
