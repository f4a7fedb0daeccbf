"""Options that the validator's commands share, and the desk they open."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from backend.cli.session import Session
from backend.errors import ChainBeastsError
from validator.daemon import check_kernel
from validator.setup import Desk, open_desk
from validator.strategy import Strategy

DatasetsOption = Annotated[
    Path | None,
    typer.Option(
        help="Folder with private datasets and secrets, known by their hashes; HOME/beasts if not "
        "given.",
        envvar="CHAINBEASTS_DATASETS",
    ),
]
SnapshotsOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PLACE",
        help="Where trainers publish states: a folder, https://host/path or s3://bucket/prefix; "
        "repeatable, read in this order. HOME/snapshots if not given. In the environment: several "
        "with spaces between.",
        envvar="CHAINBEASTS_SNAPSHOTS",
    ),
]

StrategyOption = Annotated[
    Strategy,
    typer.Option(
        help="fast re-executes the window at once; cheap proves one segment of the response.",
        envvar="CHAINBEASTS_STRATEGY",
    ),
]
OnceOption = Annotated[bool, typer.Option("--once", help="Do what can be done now, then end.")]
DryRunOption = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Judge and tell, but send nothing.", envvar="CHAINBEASTS_DRY_RUN"
    ),
]
WorkersOption = Annotated[
    int,
    typer.Option(
        min=0,
        help="Processes that replay; 0 replays in the daemon itself.",
        envvar="CHAINBEASTS_WORKERS",
    ),
]
SchedulerOption = Annotated[
    str | None,
    typer.Option(
        metavar="tcp://HOST:PORT",
        help="A dask scheduler whose workers replay, too; they fetch states from --snapshots.",
        envvar="CHAINBEASTS_SCHEDULER",
    ),
]
RecheckOption = Annotated[
    float,
    typer.Option(
        min=0.0,
        max=1.0,
        help="Share of the scheduler's valid results that is computed again here.",
        envvar="CHAINBEASTS_RECHECK",
    ),
]
MaxBondsOption = Annotated[
    str | None,
    typer.Option(
        help="Most ENERGY to have in open disputes at once.", envvar="CHAINBEASTS_MAX_BONDS"
    ),
]
ConfirmationsOption = Annotated[
    int,
    typer.Option(
        min=0, help="Blocks on top of one before it is read.", envvar="CHAINBEASTS_CONFIRMATIONS"
    ),
]
PollOption = Annotated[
    float,
    typer.Option(
        min=0.05, help="Most seconds between two looks.", envvar="CHAINBEASTS_POLL_SECONDS"
    ),
]
HealthPortOption = Annotated[
    int,
    typer.Option(
        min=0,
        max=65_535,
        help="Port of /healthz, /readyz and /metrics on loopback; 0 takes any free one.",
        envvar="CHAINBEASTS_HEALTH_PORT",
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
    snapshots: Sequence[str] | None = None,
    confirmations: int = 0,
) -> Desk:
    """The desk of a command, with the deployment's kernel checked.

    Raises:
        ChainBeastsError: no node, another kernel, or a place that is none.
    """
    datasets = _folder(datasets, "--datasets")
    for place in snapshots or ():
        if "://" not in place:
            _folder(Path(place), "--snapshots")
    check_kernel(session.chain)
    return open_desk(
        session.settings,
        session.chain,
        datasets=datasets,
        snapshots=snapshots or (),
        confirmations=confirmations,
    )
