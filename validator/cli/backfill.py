"""``chainbeasts validator backfill``: judges what was final before the validator came."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from chainbeasts.backend.cli.output import progress, table
from chainbeasts.backend.cli.session import Session, command
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.validator.backfill import Backfill
from chainbeasts.validator.cli.display import cells
from chainbeasts.validator.cli.options import (
    CORES,
    DEFAULT_RECHECK,
    ConfirmationsOption,
    DatasetsOption,
    RecheckOption,
    SchedulerOption,
    SnapshotsOption,
    WorkersOption,
)
from chainbeasts.validator.cli.workspace import synced_workspace
from chainbeasts.validator.judge.cluster import Cluster
from chainbeasts.validator.judge.worklist import BeastHistory
from chainbeasts.validator.setup import executor_factory


def register(app: typer.Typer) -> None:
    """Add the verb to the noun."""
    command(app, "backfill", example="chainbeasts validator backfill 1 2")(backfill)


def backfill(
    session: Session,
    beasts: Annotated[
        list[int] | None, typer.Argument(metavar="[BEAST]...", help="All of them if none is named.")
    ] = None,
    workers: WorkersOption = CORES,
    datasets: DatasetsOption = None,
    snapshots: SnapshotsOption = None,
    scheduler: SchedulerOption = None,
    recheck: RecheckOption = DEFAULT_RECHECK,
    confirmations: ConfirmationsOption = 0,
) -> None:
    """Judge every checkpoint from hatch to head that has no full verdict yet, final ones too.

    Sends nothing: `validator run` acts on what it finds. Interrupted, the same command goes on
    where it stopped. Ends with 1 if anything is invalid or could not be judged.
    """
    workspace = synced_workspace(
        session, datasets=datasets, snapshots=snapshots, confirmations=confirmations
    )
    cluster = None if scheduler is None else Cluster(scheduler, recheck)
    work = Backfill(workspace, executor_factory(workspace, workers, cluster), beasts or ())
    with progress() as bar:
        task = bar.add_task("Checkpoints judged", total=work.standing)
        found = work.run(lambda known: bar.update(task, completed=known))
    columns = ("beast", "valid", "light", "unavailable", "first_invalid")
    facts = [asdict(history) for history in found]
    values = [{"beast": fact.pop("beast_id"), **fact} for fact in facts]
    session.show(values, lambda: table("Histories", columns, cells(values, columns)))
    _complain(found)


def _complain(found: list[BeastHistory]) -> None:
    """End with 1 if not everything is valid.

    Raises:
        ChainBeastsError: so it is.
    """
    wrong = [str(one.beast_id) for one in found if one.first_invalid is not None]
    unknown = sum(one.unavailable for one in found)
    if wrong:
        raise ChainBeastsError(
            f"Invalid checkpoints stand in the history of {_beasts(wrong)}.",
            "See: chainbeasts validator verify BEAST; validator run disputes what still can be.",
        )
    if unknown:
        raise ChainBeastsError(
            f"{unknown} checkpoints could not be judged.",
            "Name the places that have what is missing: --snapshots, --datasets.",
        )


def _beasts(names: list[str]) -> str:
    few = ", ".join(names[:10]) + (", …" if len(names) > 10 else "")
    return f"beast {few}" if len(names) == 1 else f"beasts {few}"
