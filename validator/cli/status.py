"""``chainbeasts validator status``: the jobs and their verdicts, and the open disputes."""

from __future__ import annotations

from typing import Any

import typer
from rich.console import Group

from chainbeasts.backend.cli.output import energy, table
from chainbeasts.backend.cli.session import Session, command
from chainbeasts.backend.store.daemons import JobRow, MatchJobRow
from chainbeasts.validator.cli.display import cells
from chainbeasts.validator.cli.workspace import synced_workspace
from chainbeasts.validator.judge.cases import CaseReader
from chainbeasts.validator.judge.jobs import JobStore
from chainbeasts.validator.judge.matches import MatchJobStore

WINDOW_COLUMNS = ("beast", "checkpoint", "verdict", "mode", "reason")
MATCH_COLUMNS = ("match", "verdict", "reason")


def register(app: typer.Typer) -> None:
    """Add the verb to the noun."""
    command(app, "status", example="chainbeasts validator status --json")(status)


def status(session: Session) -> None:
    """Show the jobs and their verdicts, and the open disputes."""
    show_status(session, synced_workspace(session).reader)


def show_status(session: Session, reader: CaseReader) -> None:
    """Print what is in the database now."""
    jobs, match_jobs = JobStore(reader.database), MatchJobStore(reader.database)
    rows = [_job(row) for row in jobs.all()]
    matches = [_match_job(row) for row in match_jobs.all()]
    disputes = reader.open_disputes()
    bonds = sum(row.bond for row in disputes)
    value: dict[str, Any] = {
        "verdicts": dict(jobs.counts()),
        "match_verdicts": dict(match_jobs.counts()),
        "matches": matches,
        "open_disputes": [row.dispute_id for row in disputes],
        "bonds_in_open_disputes": bonds,
        "jobs": rows,
    }

    def view() -> Group:
        title = f"{len(disputes)} open disputes with {energy(bonds)} of bonds; jobs:"
        tables = [table(title, WINDOW_COLUMNS, cells(rows, WINDOW_COLUMNS))]
        if matches:
            found = cells(matches, MATCH_COLUMNS)
            tables.append(table("Records of matches:", MATCH_COLUMNS, found))
        return Group(*tables)

    session.show(value, view)


def _job(row: JobRow) -> dict[str, Any]:
    return {
        "beast": row.beast_id,
        "checkpoint": row.index,
        "h128": row.h128,
        "verdict": row.verdict or "waiting",
        "mode": row.mode,
        "reason": row.reason,
        "judged_at": row.judged_at,
    }


def _match_job(row: MatchJobRow) -> dict[str, Any]:
    return {
        "match": row.match_id,
        "log_root": row.log_root,
        "verdict": row.verdict or "waiting",
        "reason": row.reason,
        "judged_at": row.judged_at,
    }
