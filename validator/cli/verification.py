"""``chainbeasts validator verify``: a beast's history, or one window of it, judged here and now."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from chainbeasts.backend.cli.output import fields, progress, table
from chainbeasts.backend.cli.session import Session, command
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.store.daemons import Mode, Verdict
from chainbeasts.validator.cli.display import cells, shown
from chainbeasts.validator.cli.options import BeastId, DatasetsOption, SnapshotsOption
from chainbeasts.validator.cli.workspace import synced_workspace
from chainbeasts.validator.judge.cases import Case
from chainbeasts.validator.judge.history import HistoryRow, complaint, judge_history
from chainbeasts.validator.judge.replay import Judgement
from chainbeasts.validator.judge.windows import check
from chainbeasts.validator.setup import ValidatorWorkspace


def register(app: typer.Typer) -> None:
    """Add the verb to the noun."""
    command(app, "verify", example="chainbeasts validator verify 1 --window 0")(verify)


def verify(
    session: Session,
    beast: BeastId,
    window: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Only the checkpoint with this index; all that stand if not given.",
        ),
    ] = None,
    datasets: DatasetsOption = None,
    snapshots: SnapshotsOption = None,
) -> None:
    """Replay a beast's checkpoints from genesis to head and print the verdicts.

    Sends nothing and records nothing. Ends with 1 if a checkpoint is invalid or unavailable.
    """
    workspace = synced_workspace(session, datasets=datasets, snapshots=snapshots)
    wrong = (
        _history(session, workspace, beast)
        if window is None
        else _one(session, workspace, beast, window)
    )
    if wrong is not None:
        raise ChainBeastsError(wrong, "The reasons are in the verdicts.")


def _value(case: Case, judgement: Judgement) -> dict[str, Any]:
    h128 = case.checkpoint.payload.h128
    right = judgement.verdict is Verdict.VALID and judgement.mode is Mode.FULL
    replayed = h128 if right else None
    if judgement.segments:
        replayed = judgement.segments[-1]
    return {
        "beast": case.beast_id,
        "checkpoint": case.index,
        "status": case.status,
        "loss_drop": case.loss_drop,
        "verdict": judgement.verdict,
        "mode": judgement.mode,
        "reason": judgement.reason,
        "h128": h128,
        "replayed": replayed,
    }


def _one(session: Session, workspace: ValidatorWorkspace, beast: int, index: int) -> str | None:
    case = workspace.reader.find(beast, index)
    _, judgement = check(workspace.states, case)
    value = _value(case, judgement)
    title = f"Checkpoint {index} of beast {beast}"
    session.show(value, lambda: fields(title, shown(value)))
    return complaint([HistoryRow(case, judgement)])


def _row(row: HistoryRow) -> dict[str, Any]:
    if row.judgement is not None:
        return _value(row.case, row.judgement)
    return {
        "beast": row.case.beast_id,
        "checkpoint": row.case.index,
        "status": row.case.status,
        "loss_drop": row.case.loss_drop,
        "verdict": row.verdict,
        "mode": None,
        "reason": f"falls with checkpoint {row.fell_with}, which is invalid",
        "h128": row.case.checkpoint.payload.h128,
        "replayed": None,
    }


def _history(session: Session, workspace: ValidatorWorkspace, beast: int) -> str | None:
    cases = workspace.reader.live(beast)
    if not cases:
        raise ChainBeastsError(
            f"Beast {beast} has no standing checkpoint.",
            f"See: chainbeasts checkpoint list {beast}",
        )
    rows: list[HistoryRow] = []
    with progress() as bar:
        task = bar.add_task("Checkpoints replayed", total=len(cases))
        for row in judge_history(workspace.states, cases):
            rows.append(row)
            bar.advance(task)
    values = [_row(row) for row in rows]
    columns = ("checkpoint", "status", "verdict", "mode", "reason")
    title = f"Checkpoints of beast {beast}"
    session.show(values, lambda: table(title, columns, cells(values, columns)))
    return complaint(rows)
