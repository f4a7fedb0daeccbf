"""``chainbeasts battle``: matches between beasts, off chain and on."""

from __future__ import annotations

import typer

from chainbeasts.backend.cli import (
    battle_gauntlet,
    battle_moves,
    battle_replay,
    battle_simulate,
    battle_views,
)

app = typer.Typer(
    help="Matches: simulate, gauntlet, challenge, record, watch. Guide: docs/guides/arena.md",
    no_args_is_help=True,
)

battle_simulate.register(app)
battle_gauntlet.register(app)
battle_moves.register(app)
battle_views.register(app)
battle_replay.register(app)
