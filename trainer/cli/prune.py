"""``chainbeasts trainer prune``: room on the disk."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from chainbeasts.backend.cli.session import Session
from chainbeasts.trainer.cli.options import SnapshotsOption
from chainbeasts.trainer.train.pruning import KEEP_SECONDS, SnapshotPruner
from chainbeasts.trainer.workspace import open_workspace

EXAMPLE = "chainbeasts trainer prune"


def prune(
    session: Session,
    older_than: Annotated[
        float, typer.Option(min=0.0, help="Keep states that are younger than that, in seconds.")
    ] = KEEP_SECONDS,
    snapshots: SnapshotsOption = None,
) -> None:
    """Remove published states that no pending window and no head needs; `defend` does so, too."""
    workspace = open_workspace(session.settings, session.chain, snapshots=snapshots or ())
    workspace.sync()
    done = SnapshotPruner(workspace).prune(older_than)
    folder = workspace.snapshots.folder
    session.show(
        {**asdict(done), "folder": folder},
        f"{done.removed} states removed from {folder}, {done.kept} are left.",
    )
