"""Options that the validator's commands share, and the desk they open."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backend.cli.session import Session
from backend.errors import ChainBeastsError
from validator.daemon import check_kernel
from validator.setup import Desk, open_desk

DatasetsOption = Annotated[
    Path | None,
    typer.Option(
        help="Folder with private datasets and secrets, known by their hashes; HOME/beasts if not "
        "given.",
        envvar="CHAINBEASTS_DATASETS",
    ),
]
SnapshotsOption = Annotated[
    Path | None,
    typer.Option(
        help="Folder of published states; HOME/snapshots if not given.",
        envvar="CHAINBEASTS_SNAPSHOTS",
    ),
]


def _folder(path: Path | None, option: str) -> Path | None:
    if path is not None and not path.is_dir():
        raise ChainBeastsError(f"{path} is not a folder.", f"Give {option} an existing one.")
    return path


def desk_of(
    session: Session,
    *,
    datasets: Path | None = None,
    snapshots: Path | None = None,
    confirmations: int = 0,
) -> Desk:
    """The desk of a command, with the deployment's kernel checked.

    Raises:
        ChainBeastsError: no node, another kernel, or a folder that is not there.
    """
    datasets, snapshots = _folder(datasets, "--datasets"), _folder(snapshots, "--snapshots")
    check_kernel(session.chain)
    return open_desk(
        session.settings,
        session.chain,
        datasets=datasets,
        snapshots=snapshots,
        confirmations=confirmations,
    )
