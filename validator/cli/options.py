"""Arguments and options that the validator's commands share, each declared once."""

from __future__ import annotations

import os
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any

import typer

from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.store.packs import DISK_BYTES, MEMORY_BYTES
from chainbeasts.validator.enforce.strategy import Strategy

CORES = os.cpu_count() or 1
DEFAULT_RECHECK = 0.01
MEMORY_MB, DISK_MB = MEMORY_BYTES >> 20, DISK_BYTES >> 20


def _option(flag: str, text: str, **more: Any) -> Any:
    """An option that means the same in every command, so its twin in the environment names none:
    ``CHAINBEASTS_MAX_BONDS`` for ``--max-bonds``."""
    name = flag.split("/")[0].removeprefix("--")
    twin = "CHAINBEASTS_" + name.upper().replace("-", "_")
    return typer.Option(flag, help=text, envvar=twin, **more)


def _scope_option(flag: str, text: str) -> Any:
    """An option that names beasts and trainers, as ``validator.scope.parse_names`` reads them."""
    return _option(flag, text, metavar="BEAST|TRAINER")


# --- what a command is about ----------------------------------------------------------------------

BeastId = Annotated[int, typer.Argument(metavar="BEAST", help="The beast's id.")]
CheckpointIndex = Annotated[int, typer.Argument(metavar="INDEX", help="The checkpoint's index.")]
DisputeId = Annotated[int, typer.Argument(metavar="ID", help="The dispute's number.")]
MatchId = Annotated[int, typer.Argument(metavar="MATCH", min=1, help="The match's number.")]

# --- what windows are replayed from ---------------------------------------------------------------

DatasetsOption = Annotated[
    Path | None,
    _option(
        "--datasets",
        "Folder with private datasets and secrets, known by their hashes; HOME/beasts if not "
        "given.",
    ),
]
SnapshotsOption = Annotated[
    list[str] | None,
    _option(
        "--snapshots",
        "Where trainers publish states: a folder, https://host/path or s3://bucket/prefix; "
        "repeatable, read in this order. HOME/snapshots if not given. In the environment: several "
        "with spaces between.",
        metavar="PLACE",
    ),
]
ConfirmationsOption = Annotated[
    int, _option("--confirmations", "Blocks on top of one before it is read.", min=0)
]

# --- where they are replayed ----------------------------------------------------------------------

WorkersOption = Annotated[
    int,
    _option(
        "--workers",
        "Threads that replay (without a compiled kernel, processes); 0 replays in between.",
        min=0,
    ),
]
MemoryBudgetOption = Annotated[
    int,
    _option(
        "--memory-budget",
        "Most memory for states, MB: 34 kB each, those that were used last.",
        min=1,
    ),
]
DiskBudgetOption = Annotated[
    int,
    _option(
        "--disk-budget",
        "Most disk for states, MB; of each beast the newest one is kept in any case.",
        min=1,
    ),
]
SchedulerOption = Annotated[
    str | None,
    _option(
        "--scheduler",
        "A dask scheduler whose workers replay, too; they fetch states from --snapshots.",
        metavar="tcp://HOST:PORT",
    ),
]
RecheckOption = Annotated[
    float,
    _option(
        "--recheck",
        "Share of the scheduler's valid results that is computed again here.",
        min=0.0,
        max=1.0,
    ),
]

# --- what is done about a verdict -----------------------------------------------------------------

StrategyOption = Annotated[
    Strategy,
    _option(
        "--strategy",
        "cheap waits for the openings and proves one segment; fast re-executes the window at once.",
    ),
]
OnceOption = Annotated[bool, typer.Option("--once", help="Do what can be done now, then end.")]
DryRunOption = Annotated[bool, _option("--dry-run", "Judge and report, but send nothing.")]
MaxBondsOption = Annotated[
    str | None, _option("--max-bonds", "Most ENERGY to have in open disputes at once.")
]
DefensiveOption = Annotated[
    bool,
    _option("--defensive", "Risk no bond: file nothing, only finish the disputes of others."),
]
DefendOption = Annotated[
    bool,
    _option(
        "--defend/--no-defend",
        "Prove right checkpoints whose trainer does not answer a dispute, and end disputes over "
        "them, also where that does not pay; within --gas-budget.",
    ),
]
GasBudgetOption = Annotated[
    int,
    _option("--gas-budget", "Most gas a day for moves that do not pay for themselves.", min=0),
]
EnergyBudgetOption = Annotated[
    str | None,
    _option(
        "--energy-budget",
        "Most ENERGY a day in bonds of disputes filed on doubt; no limit if not given.",
    ),
]
EnergyPriceOption = Annotated[
    str | None,
    _option(
        "--energy-price",
        "What one ENERGY is worth in native coin, for the test whether a move pays; the season's "
        "price if not given.",
    ),
]

# --- what is disputed on doubt --------------------------------------------------------------------

OpenAfterOption = Annotated[
    float,
    _option(
        "--open-after",
        "Share of the time to file after which a window is disputed whose state is published "
        "nowhere.",
        min=0.0,
        max=1.0,
    ),
]
OpenRateOption = Annotated[
    float,
    _option(
        "--open-rate",
        "Share of the private windows that are opened by chance.",
        min=0.0,
        max=1.0,
    ),
]
OpenBudgetOption = Annotated[
    str | None,
    _option(
        "--open-budget",
        "Most native coin a day that openings of windows may cost which turn out right; what one "
        "conviction pays out of a stake if not given.",
    ),
]

# --- where rewards go, and whose windows are looked at --------------------------------------------

PayoutOption = Annotated[
    str | None,
    _option(
        "--payout",
        "Where rewards in ENERGY go instead of the account's wallet. Its bonds come back to "
        "itself, and so does native coin, which the next filing needs.",
        metavar="WHO",
    ),
]
AllowOption = Annotated[
    list[str] | None,
    _scope_option(
        "--allow",
        "Judge and act on these only, by beast id or trainer (address or name); repeatable.",
    ),
]
DenyOption = Annotated[
    list[str] | None,
    _scope_option("--deny", "Leave these alone; repeatable, stronger than --allow."),
]


def amount(value: str | None, option: str) -> int | None:
    """Wei of an amount with up to 18 decimals, of ENERGY or of native coin.

    Raises:
        ChainBeastsError: it is none.
    """
    try:
        wei = None if value is None else Decimal(value.replace("_", "")) * 10**18
    except InvalidOperation:
        wei = Decimal(-1)
    if wei is None:
        return None
    if not wei.is_finite() or wei < 0 or wei != wei.to_integral_value():
        raise ChainBeastsError(
            f"{option}: {value!r} is no amount with up to 18 decimals.",
            f"Write {option} 12.5, say.",
        )
    return int(wei)
