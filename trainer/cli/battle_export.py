"""``chainbeasts battle export``: the words of matches as a dataset that a hatch takes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chainbeasts.backend.battle.recording import expect
from chainbeasts.backend.battle.workspace import open_workspace
from chainbeasts.backend.chain.types import MatchStatus
from chainbeasts.backend.cli.session import Session, command
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.board import invalid_reason
from chainbeasts.backend.kernel.constants import MAX_RECORDS
from chainbeasts.trainer.datasets.formats import FORMATS, write_words

app = typer.Typer()


@command(app, "export", example="chainbeasts battle export 1 2 3 -o battles.csv")
def export(
    session: Session,
    matches: Annotated[
        list[int], typer.Argument(min=1, metavar="MATCH...", help="Numbers of final matches.")
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help=f"Its suffix is the format: {', '.join(FORMATS)}."),
    ],
) -> None:
    """Write the words of final matches as a dataset, one log after another.

    Hatch with it: chainbeasts beast hatch --dataset FILE. Words that are no samples are refused;
    a final match has none unless nobody looked.
    """
    workspace = open_workspace(session.settings, session.chain)
    workspace.sync()
    words: list[int] = []
    for match in matches:
        expect(workspace, match, MatchStatus.FINAL)
        logged = workspace.logs.words(match)
        for turn, word in enumerate(logged):
            reason = invalid_reason(word)
            if reason is not None:
                raise ChainBeastsError(
                    f"Turn {turn} of match {match} cannot be trained on: {reason}.",
                    "Leave this match out.",
                )
        words += logged
    if len(words) > MAX_RECORDS:
        raise ChainBeastsError(
            f"The matches have {len(words):,} words; a dataset has at most {MAX_RECORDS:,}.",
            "Name fewer matches.",
        )
    size = write_words(output, words)
    facts = {"output": output, "matches": matches, "records": len(words), "bytes": size}
    session.show(facts, f"{len(words)} records of {len(matches)} matches in {output}.")
