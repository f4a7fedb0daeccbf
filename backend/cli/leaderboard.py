"""``chainbeasts leaderboard``: the beasts by rating, from final matches alone."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from chainbeasts.backend.battle.ratings import Rating, final_matches, ratings
from chainbeasts.backend.battle.workspace import open_workspace
from chainbeasts.backend.cli.output import table
from chainbeasts.backend.cli.session import Session, command
from chainbeasts.backend.indexer.queries import beasts

app = typer.Typer()


def _facts(rank: int, one: Rating, owner: str) -> dict[str, Any]:
    values = asdict(one)
    return {"rank": rank, "beast": values.pop("beast_id"), **values, "owner": owner}


@command(app, "leaderboard", example="chainbeasts leaderboard --limit 10")
def leaderboard(
    session: Session,
    limit: Annotated[int, typer.Option(min=1, help="No more than these many beasts.")] = 100,
) -> None:
    """Rank the beasts by the matches that are final, in the order in which they became so.

    The rating is mu − 3 sigma of Plackett-Luce (docs/guides/arena.md); whoever reads the same
    chain finds the same list.
    """
    workspace = open_workspace(session.settings, session.chain)
    workspace.sync()
    with workspace.database.session() as database:
        matches = final_matches(database)
        owners = {row.beast_id: row.owner for row in beasts(database)}
    found = ratings(matches)[:limit]
    facts = [_facts(rank, one, owners[one.beast_id]) for rank, one in enumerate(found, 1)]
    columns = ("rank", "beast", "rating", "mu ± sigma", "won", "lost", "drawn", "owner")
    rows = [
        (
            rank,
            one.beast_id,
            f"{one.rating:.2f}",
            f"{one.mu:.2f} ± {one.sigma:.2f}",
            *(one.won, one.lost, one.drawn),
            session.names.of(owners[one.beast_id]) or f"{owners[one.beast_id][:10]}…",
        )
        for rank, one in enumerate(found, 1)
    ]
    title = f"Leaderboard of {len(matches)} final matches"
    session.show(facts, lambda: table(title, columns, rows))
