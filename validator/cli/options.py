"""Options that the validator's commands share, and the workspace they open."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from web3 import Web3

from backend.cli.session import Session
from backend.errors import ChainBeastsError
from validator.daemon import check_kernel
from validator.enforce.strategy import Strategy
from validator.setup import ValidatorWorkspace, open_workspace

CORES = os.cpu_count() or 1

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
        "--dry-run", help="Judge and report, but send nothing.", envvar="CHAINBEASTS_DRY_RUN"
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
DefensiveOption = Annotated[
    bool,
    typer.Option(
        "--defensive",
        help="Risk no bond: file nothing, only finish the disputes of others.",
        envvar="CHAINBEASTS_DEFENSIVE",
    ),
]
DefendOption = Annotated[
    bool,
    typer.Option(
        "--defend/--no-defend",
        help="Prove right checkpoints whose trainer does not answer a dispute; costs gas.",
        envvar="CHAINBEASTS_DEFEND",
    ),
]
PayoutOption = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="Where rewards go instead of the account's wallet; its bonds come back to itself.",
        envvar="CHAINBEASTS_PAYOUT",
    ),
]
AllowOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="BEAST|TRAINER",
        help="Judge and act on these only, by beast id or trainer's address; repeatable.",
        envvar="CHAINBEASTS_ALLOW",
    ),
]
DenyOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="BEAST|TRAINER",
        help="Leave these alone; repeatable, stronger than --allow.",
        envvar="CHAINBEASTS_DENY",
    ),
]
ConfirmationsOption = Annotated[
    int,
    typer.Option(
        min=0, help="Blocks on top of one before it is read.", envvar="CHAINBEASTS_CONFIRMATIONS"
    ),
]


def address_of(value: str | None, option: str) -> str | None:
    """An address as an option gives it.

    Raises:
        ChainBeastsError: it is none, or all zeros, where ENERGY would be lost.
    """
    if value is None:
        return None
    if not Web3.is_address(value) or not int(value, 16):
        raise ChainBeastsError(f"{option}: {value} is no account's address.", "Check it.")
    return str(Web3.to_checksum_address(value))


def _folder(path: Path | None, option: str) -> Path | None:
    if path is not None and not path.is_dir():
        raise ChainBeastsError(f"{path} is not a folder.", f"Give {option} an existing one.")
    return path


def workspace_of(
    session: Session,
    *,
    datasets: Path | None = None,
    snapshots: Sequence[str] | None = None,
    confirmations: int = 0,
) -> ValidatorWorkspace:
    """The workspace of a command, with the deployment's kernel checked.

    Raises:
        ChainBeastsError: no node, another kernel, or a place that is none.
    """
    datasets = _folder(datasets, "--datasets")
    for place in snapshots or ():
        if "://" not in place:
            _folder(Path(place), "--snapshots")
    check_kernel(session.chain)
    return open_workspace(
        session.settings,
        session.chain,
        datasets=datasets,
        snapshots=snapshots or (),
        confirmations=confirmations,
    )
