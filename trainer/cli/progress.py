"""``chainbeasts beast progress``: what training has brought a beast, window by window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from chainbeasts.backend.battle.tournament import seeds_from
from chainbeasts.backend.cli.options import PlacesOption
from chainbeasts.backend.cli.output import progress as progress_bar
from chainbeasts.backend.cli.output import table
from chainbeasts.backend.cli.session import Session, command
from chainbeasts.backend.kernel.rng import fold64
from chainbeasts.backend.store.snapshots import reading_store
from chainbeasts.trainer.cli.options import BeastId
from chainbeasts.trainer.cli.report import learned_cells, learned_facts
from chainbeasts.trainer.train.progress import Standing, Terms, progress, spread
from chainbeasts.trainer.workspace import open_workspace

DASH = "–"


def _facts(one: Standing) -> dict[str, Any]:
    score, learned = one.score, one.learned
    return {
        "window": one.window,
        "steps": 0 if one.window is None else 128 * (one.window + 1),
        "loss": one.loss,
        "won": None if score is None else score.won_share,
        "drawn": None if score is None else score.drawn / score.matches,
        "points": None if score is None else score.points,
        "margin": None if score is None else score.margin,
        **({} if learned is None else learned_facts(learned)),
        "reason": one.reason,
    }


def _row(one: Standing) -> tuple[object, ...]:
    name: object = "newborn" if one.window is None else one.window
    loss = DASH if one.loss is None else f"{one.loss:.1f}"
    score, learned = one.score, one.learned
    fought = (DASH, DASH, DASH)
    if score is not None:
        drawn = score.drawn / score.matches
        points = f"{score.points:.1%} ± {score.margin:.1%}"
        fought = (f"{score.won_share:.1%}", f"{drawn:.1%}", points)
    knows = (DASH, DASH, DASH) if learned is None else learned_cells(learned)
    return (name, loss, *fought, *knows)


def _view(beast: int, found: Sequence[Standing], terms: Terms) -> RenderableType:
    title = (
        f"Beast {beast} against its newborn self: {2 * len(terms.seeds)} matches, and on "
        f"{terms.boards} boards it never saw"
    )
    columns = ("window", "loss", "won", "drawn", "points", "move", "attack", "block")
    parts: list[RenderableType] = [table(title, columns, [_row(one) for one in found])]
    parts += [Text(f"Window {one.window}: {one.reason}") for one in found if one.reason]
    parts.append(Text("Points: a win is 1, a draw ½. Loss: a micro-step's mean, 1024 is 1.0."))
    return Group(*parts)


def show_progress(
    session: Session,
    beast: BeastId,
    points: Annotated[
        int, typer.Option(min=1, max=1_000, help="How many windows to look at, evenly spaced.")
    ] = 8,
    seeds: Annotated[
        int, typer.Option(min=1, max=100_000, help="Battle seeds; each is fought from both sides.")
    ] = 128,
    boards: Annotated[int, typer.Option(min=1, help="Random boards to test it on.")] = 256,
    snapshots: PlacesOption = None,
) -> None:
    """Show what training has brought: fights won against its newborn self, accuracy, loss.

    States are read where they are published, and windows in between computed again; nothing is
    kept, sent or spent. The same beast gets the same boards and battle seeds each time.
    """
    chain, settings = session.chain, session.settings
    workspace = replace(
        open_workspace(settings, chain),
        snapshots=reading_store(settings.snapshots_dir, snapshots or ()),
    )
    dna = chain.birth(beast).dna
    workspace.sync()
    rows = workspace.live(beast)
    windows = spread(len(rows), points)
    season = chain.season(chain.current_season())
    terms = Terms(season.rules, tuple(seeds_from(fold64(dna), seeds)), boards)
    with progress_bar() as bar:
        task = bar.add_task("fighting", total=len(windows))
        told = progress(workspace, beast, rows, windows, terms, lambda: bar.advance(task))
        found = list(told)
    facts = {
        "beast": beast,
        "windows": len(rows),
        "matches": 2 * seeds,
        "boards": boards,
        "progress": [_facts(one) for one in found],
    }
    session.show(facts, lambda: _view(beast, found, terms))


def register(app: typer.Typer) -> None:
    """Add the verb to its noun."""
    command(app, "progress", example="chainbeasts beast progress 1 --points 20")(show_progress)
