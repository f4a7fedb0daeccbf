"""``chainbeasts battle gauntlet``: everybody against everybody, off chain."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text

from chainbeasts.backend.battle.gauntlet import Pairing, Score, gauntlet, standings
from chainbeasts.backend.battle.sides import HELP, Side, read_side
from chainbeasts.backend.battle.tournament import seeds_from
from chainbeasts.backend.battle.workspace import ArenaWorkspace, MissingStateError
from chainbeasts.backend.cli.battle_simulate import (
    SEED_BITS,
    LazyWorkspace,
    ProfileOption,
    parse_seed,
)
from chainbeasts.backend.cli.options import PlacesOption
from chainbeasts.backend.cli.output import note, progress, table
from chainbeasts.backend.cli.session import Session, command
from chainbeasts.backend.errors import ChainBeastsError

EVERYBODY = "all"
WIDEST = 10
"""Fighters whose results against one another still make a table that can be read."""


def _entrants(named: Sequence[str], lazy: LazyWorkspace) -> list[Side]:
    """Who fights, each body with the same brain once."""
    sides: list[Side] = []
    for text in named:
        if text == EVERYBODY:
            sides += _everybody(lazy.workspace())
        else:
            sides.append(read_side(text, lazy.workspace))
    found: dict[tuple[bytes, bytes], Side] = {}
    for one in sides:
        found.setdefault((one.fighter.dna, one.h), one)
    return list(found.values())


def _everybody(workspace: ArenaWorkspace) -> list[Side]:
    """Every beast of the chain that has a final checkpoint whose state is at hand."""
    sides, left_out = [], []
    for beast_id in workspace.final_beasts():
        try:
            sides.append(read_side(str(beast_id), lambda: workspace))
        except MissingStateError:
            left_out.append(str(beast_id))
    if left_out:
        note(
            f"Left out, for their states are not at hand: {', '.join(left_out)}. "
            "Name a place where they are published: --snapshots PLACE"
        )
    return sides


def _score(score: Score) -> dict[str, Any]:
    return asdict(score) | {"points": score.points, "margin": score.margin}


def _facts(
    sides: Sequence[Side], pairings: Sequence[Pairing], first: int, seeds: int
) -> dict[str, Any]:
    return {
        "first": f"0x{first:016x}",
        "seeds": seeds,
        "matches": sum(one.score.matches for one in pairings),
        "standings": [
            {
                "fighter": place,
                "name": sides[place].name,
                "beast": sides[place].beast_id,
                "dna": sides[place].fighter.dna,
                "state": sides[place].h,
                **_score(score),
            }
            for place, score in standings(len(sides), pairings)
        ],
        "pairings": [
            {
                "fighter": one.one,
                "against": one.other,
                **_score(one.score),
                "as_a": asdict(one.as_a),
                "as_b": asdict(one.as_b),
            }
            for one in pairings
        ],
    }


def _view(sides: Sequence[Side], pairings: Sequence[Pairing], seeds: int) -> RenderableType:
    ranked = standings(len(sides), pairings)
    against: dict[tuple[int, int], Score] = {}
    for one in pairings:
        against[one.one, one.other] = one.score
        against[one.other, one.one] = one.score.reversed
    shown = [place for place, _ in ranked] if len(sides) <= WIDEST else []
    columns = ("", "fighter", "points", "won", "drawn", "lost", *(f"vs {p + 1}" for p in shown))
    rows = []
    for place, score in ranked:
        met = (against.get((place, other)) for other in shown)
        rows.append(
            (
                place + 1,
                sides[place].name,
                f"{score.points:.1%} ± {score.margin:.1%}",
                f"{score.won_share:.1%}",
                f"{score.drawn / score.matches:.1%}",
                f"{score.lost / score.matches:.1%}",
                *("" if one is None else f"{one.points:.0%}" for one in met),
            )
        )
    count = sum(one.score.matches for one in pairings)
    title = escape(f"{len(sides)} fighters, {seeds} seeds from both sides, {count:,} matches")
    said = "Points: a win is 1, a draw ½; ± is a 95 % interval."
    return Group(table(title, columns, rows), Text(said))


def gauntlet_(
    session: Session,
    fighters: Annotated[list[str], typer.Argument(metavar="A…", help=HELP)],
    against: Annotated[
        list[str] | None,
        typer.Option(
            metavar="all|FILE…",
            help="Whom to fight besides: fighters, written as A is, or `all` beasts of the chain "
            "that have a final checkpoint.",
        ),
    ] = None,
    seeds: Annotated[
        int, typer.Option(min=1, max=100_000, help="Battle seeds; each is played from both sides.")
    ] = 256,
    first: Annotated[
        str | None,
        typer.Option(help="Number that all battle seeds are drawn from; any if not given."),
    ] = None,
    snapshots: PlacesOption = None,
    profile: ProfileOption = None,
) -> None:
    """Let everybody fight everybody, on the same boards and from both sides. Spends nothing."""
    start = secrets.randbits(SEED_BITS) if first is None else parse_seed(first)
    lazy = LazyWorkspace(session, snapshots)
    sides = _entrants([*fighters, *(against or ())], lazy)
    if len(sides) < 2:
        raise ChainBeastsError(
            "A gauntlet takes two fighters at least, and equal ones count once.",
            "Name others with --against, or `--against all` for every beast of the chain.",
        )
    rules = lazy.rules(profile, sides)
    matches = len(sides) * (len(sides) - 1) * seeds
    with progress() as bar:
        task = bar.add_task("fighting", total=matches)
        pairings = gauntlet(
            [one.fighter for one in sides],
            rules,
            list(seeds_from(start, seeds)),
            lambda count: bar.advance(task, count),
        )
    session.show(_facts(sides, pairings, start, seeds), lambda: _view(sides, pairings, seeds))


def register(app: typer.Typer) -> None:
    """Add the verb to its noun."""
    command(app, "gauntlet", example="chainbeasts battle gauntlet 1 --against *.json")(gauntlet_)
