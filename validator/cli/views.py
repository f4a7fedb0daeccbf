"""The views of ``chainbeasts dispute``: list, show and explain. They send nothing."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from chainbeasts.backend.chain.amounts import show_coin
from chainbeasts.backend.chain.types import openings_of
from chainbeasts.backend.cli.output import energy, fields, table
from chainbeasts.backend.cli.session import Session, command
from chainbeasts.backend.indexer.queries import OPEN, all_disputes
from chainbeasts.backend.kernel.constants import SEGMENT_STEPS
from chainbeasts.backend.store.daemons import Verdict
from chainbeasts.backend.store.facts import DisputeRow
from chainbeasts.validator.cli.display import cells, shown
from chainbeasts.validator.cli.options import DatasetsOption, DisputeId, SnapshotsOption
from chainbeasts.validator.cli.workspace import open_dispute, synced_workspace
from chainbeasts.validator.evidence.explain import (
    Cause,
    find_cause,
    find_cause_unanswered,
    most_different,
    segment_of,
)
from chainbeasts.validator.judge.replay import Judgement, Window, first_divergent


def _summary(row: DisputeRow) -> dict[str, Any]:
    return {
        "dispute": row.dispute_id,
        "beast": row.beast_id,
        "checkpoint": row.index,
        "status": row.status,
        "filer": row.filer,
        "bond": row.bond,
        "opening_bond": row.opening_bond + row.opening_surplus,
        "missing": [opening.name.lower() for opening in openings_of(row.missing)],
        "response_deadline": row.response_deadline,
        "head_start_end": row.head_start_end,
        "proof_deadline": row.proof_deadline,
        "steps_done": row.steps_done,
        "conviction": row.conviction,
        "prover": row.prover,
    }


def register(app: typer.Typer) -> None:
    """Add the views to the noun."""
    command(app, "list", example="chainbeasts dispute list --all")(list_disputes)
    command(app, "show", example="chainbeasts dispute show 1")(show)
    command(app, "explain", example="chainbeasts dispute explain 1")(explain)


def list_disputes(
    session: Session,
    every: Annotated[bool, typer.Option("--all", help="Those that have ended, too.")] = False,
    beast: Annotated[int | None, typer.Option(help="Only this beast's.")] = None,
) -> None:
    """List disputes."""
    workspace = synced_workspace(session)
    with workspace.database.session() as database:
        rows = [
            row
            for row in all_disputes(database)
            if (every or row.status in OPEN) and beast in (None, row.beast_id)
        ]
    columns = (
        *("dispute", "beast", "checkpoint", "status", "filer", "missing", "steps_done"),
        "conviction",
    )
    values = [_summary(row) for row in rows]
    session.show(values, lambda: table("Disputes", columns, cells(values, columns)))


def show(session: Session, dispute_id: DisputeId) -> None:
    """Show one dispute as the chain has it."""
    disputed = open_dispute(session, dispute_id)
    row, chain = disputed.row, disputed.workspace.chain
    value = _summary(row) | {
        "digest": row.digest,
        "segments": row.segment_hashes,
        "segment": row.segment,
        "now": chain.now(),
    }
    view = shown(value) | {
        "bond": energy(row.bond),
        "opening_bond": show_coin(row.opening_bond + row.opening_surplus),
        "missing": ", ".join(value["missing"]),
        "segments": "\n".join("0x" + h.hex() for h in row.segment_hashes) or "not opened",
    }
    session.show(value, lambda: fields(f"Dispute {dispute_id}", view))


def explain(
    session: Session,
    dispute_id: DisputeId,
    datasets: DatasetsOption = None,
    snapshots: SnapshotsOption = None,
) -> None:
    """Find the first divergent segment, and the step, head and weight where that can be proved."""
    disputed = open_dispute(session, dispute_id, datasets, snapshots)
    row = disputed.row
    window, judgement = disputed.judged()
    value = {
        "dispute": dispute_id,
        "beast": row.beast_id,
        "checkpoint": row.index,
        "verdict": judgement.verdict,
        "reason": judgement.reason,
        **_divergence(row, window, judgement),
    }
    view = shown(value)
    view["cause"] = _sentence(judgement, value["cause"])
    differs = value["differs_most"]
    view["differs most"] = (
        ""
        if differs is None
        else "{name} by {by} (head: {head}), of {count} weights".format(**differs)
    )
    del view["differs_most"]
    session.show(value, lambda: fields(f"Dispute {dispute_id}", view))


def _divergence(row: DisputeRow, window: Window | None, judgement: Judgement) -> dict[str, Any]:
    """First divergent segment and its cause, as far as opened segments and replay tell them."""
    if window is None or not judgement.segments or judgement.verdict is not Verdict.INVALID:
        return {"segment": None, "steps": None, "cause": None, "differs_most": None}
    posted = row.segment_hashes
    if posted:
        segment = first_divergent(judgement.segments, posted)
        cause = None if segment is None else find_cause(window, segment, posted[segment])
    else:
        cause = None if judgement.header_lie else find_cause_unanswered(window)
        known = cause is not None and segment_of(cause.step) == segment_of(cause.last_step)
        segment = segment_of(cause.step) if cause is not None and known else None
    first = None if segment is None else segment * SEGMENT_STEPS
    differs = most_different(window)
    return {
        "segment": segment,
        "steps": None if first is None else f"{first}-{first + SEGMENT_STEPS - 1}",
        "cause": None if cause is None else asdict(cause),
        "differs_most": None if differs is None else asdict(differs),
    }


def _sentence(judgement: Judgement, found: dict[str, Any] | None) -> str:
    if found is None:
        if judgement.verdict is not Verdict.INVALID:
            return "none: nothing is known to be wrong"
        if judgement.header_lie:
            return "the payload contradicts the state that it commits to"
        return "not known: nothing that was tried reproduces the posted hash"
    cause = Cause(**found)
    if cause.last_step != cause.step:
        when = f"after one of steps {cause.step} to {cause.last_step}"
    else:
        when = f"{'after' if cause.kind == 'weight' else 'in'} step {cause.step}"
    return f"{when}: {cause.what} (head: {cause.head})"
