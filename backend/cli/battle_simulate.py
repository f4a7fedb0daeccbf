"""``chainbeasts battle simulate``: many matches between two fighters, off chain."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text

from chainbeasts.backend.battle.sides import HELP, Side, read_side
from chainbeasts.backend.battle.tournament import Bout, seeds_from, tallies, tournament
from chainbeasts.backend.battle.workspace import ArenaWorkspace, open_workspace
from chainbeasts.backend.chain.seasons import load_profile
from chainbeasts.backend.chain.types import MatchResult
from chainbeasts.backend.cli.options import PlacesOption
from chainbeasts.backend.cli.output import progress, table
from chainbeasts.backend.cli.session import Session, command
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.rules import Rules

SideArgument = Annotated[str, typer.Argument(help=HELP)]
ProfileOption = Annotated[
    str | None,
    typer.Option(
        help="Season of a match without any beast of the chain: devnet or mainnet; that of the "
        "fighters' files if not given, else devnet."
    ),
]
DEFAULT_PROFILE = "devnet"
SEED_BITS = 64


class LazyWorkspace:
    """The arena's workspace, opened and read up to the chain's head the first time it is needed."""

    def __init__(self, session: Session, snapshots: Sequence[str] | None) -> None:
        self._session, self._snapshots = session, snapshots or ()
        self._workspace: ArenaWorkspace | None = None

    def workspace(self) -> ArenaWorkspace:
        if self._workspace is None:
            self._workspace = open_workspace(
                self._session.settings, self._session.chain, self._snapshots
            )
            self._workspace.sync()
        return self._workspace

    def rules(self, profile: str | None, sides: Sequence[Side]) -> Rules:
        """What they fight by: the chain's present season where the chain was needed, else a
        profile's, else the season that the fighters' files tell of.

        Raises:
            ChainBeastsError: two files tell of different seasons, and no profile is named.
        """
        if self._workspace is not None:
            chain = self._workspace.chain
            return chain.season(chain.current_season()).rules
        told = {side.rules: side.name for side in sides if side.rules is not None}
        if profile is None and len(told) > 1:
            one, other = list(told.values())[:2]
            raise ChainBeastsError(
                f"{one} and {other} were trained by the rules of different seasons.",
                "Say by which they fight: --profile devnet or mainnet.",
            )
        if profile is None and told:
            return next(iter(told))
        return load_profile(profile or DEFAULT_PROFILE).season.rules


def parse_seed(text: str) -> int:
    """A battle seed: 64 bits, decimal or hex after 0x.

    Raises:
        ChainBeastsError: it is none.
    """
    try:
        seed = int(text, 0)
    except ValueError:
        seed = -1
    if not 0 <= seed < 1 << SEED_BITS:
        raise ChainBeastsError(
            f"{text!r} is no battle seed.", "It is a number of 64 bits, such as 7 or 0x9f…."
        )
    return seed


def _facts(a: Side, b: Side, first: int, bouts: Sequence[Bout]) -> dict[str, Any]:
    return {
        "a": {"name": a.name, "beast": a.beast_id, "dna": a.fighter.dna, "state": a.h},
        "b": {"name": b.name, "beast": b.beast_id, "dna": b.fighter.dna, "state": b.h},
        "first": f"0x{first:016x}",
        "tallies": [asdict(one) for one in tallies(bouts)],
        "matches": [asdict(one) | {"battle_seed": f"0x{one.battle_seed:016x}"} for one in bouts],
    }


def _view(a: Side, b: Side, bouts: Sequence[Bout]) -> RenderableType:
    names = {MatchResult.A: "A wins", MatchResult.B: "B wins", MatchResult.DRAW: "draw"}
    rows = []
    for one in tallies(bouts):
        seed = next((x.battle_seed for x in bouts if x.result is one.result), None)
        figures = (f"{one.turns:.1f}", f"{one.hp_a:.0f} : {one.hp_b:.0f}", f"0x{seed or 0:x}")
        share = f"{100 * one.matches / len(bouts):.1f} %"
        shown = figures if one.matches else ("", "", "")
        rows.append((names[one.result], one.matches, share, one.a_first, *shown))
    columns = ("", "count", "share", "A began", "turns", "hp A : B", "such as seed")
    title = escape(f"A: {a.name}\nB: {b.name}\n{len(bouts)} matches")
    made = table(title, columns, rows)
    return Group(made, Text("Watch one: chainbeasts battle replay A B --seed SEED"))


def simulate(
    session: Session,
    a: SideArgument,
    b: SideArgument,
    seeds: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many matches.")] = 1_000,
    first: Annotated[
        str | None,
        typer.Option(help="Number that all battle seeds are drawn from; any if not given."),
    ] = None,
    snapshots: PlacesOption = None,
    profile: ProfileOption = None,
) -> None:
    """Let two fighters fight many matches, on different boards. Spends nothing, signs nothing.

    On chain nobody can choose the battle seed; here each match has one drawn from --first, and the
    same --first gives the same matches.
    """
    start = secrets.randbits(SEED_BITS) if first is None else parse_seed(first)
    lazy = LazyWorkspace(session, snapshots)
    side_a, side_b = read_side(a, lazy.workspace), read_side(b, lazy.workspace)
    rules = lazy.rules(profile, (side_a, side_b))
    with progress() as bar:
        task = bar.add_task("fighting", total=seeds)
        bouts = tournament(
            side_a.fighter,
            side_b.fighter,
            rules,
            seeds_from(start, seeds),
            lambda: bar.advance(task),
        )
    session.show(_facts(side_a, side_b, start, bouts), lambda: _view(side_a, side_b, bouts))


def register(app: typer.Typer) -> None:
    """Add the verb to its noun."""
    command(app, "simulate", example="chainbeasts battle simulate 1 1@hatch --seeds 500")(simulate)
