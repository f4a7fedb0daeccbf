"""``chainbeasts dispute``: each move of a dispute by hand. Looking at disputes is in views."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from web3.logs import DISCARD

from backend.chain.escrow import ensure_escrow
from backend.cli.output import progress
from backend.cli.session import Session, command
from backend.errors import ChainBeastsError
from backend.kernel.constants import SEGMENTS, WINDOW_STEPS
from backend.store.private import PrivateDataset, open_dataset
from validator.cli import evidence, views
from validator.cli.display import show_transaction
from validator.cli.options import (
    BeastId,
    CheckpointIndex,
    DatasetsOption,
    DisputeId,
    SnapshotsOption,
)
from validator.cli.workspace import open_dispute, synced_workspace
from validator.enforce.bonds import fund_bond
from validator.enforce.staging import Staging
from validator.judge.cases import Case
from validator.judge.datasets import read_secret
from validator.judge.replay import first_divergent
from validator.judge.windows import check
from validator.setup import ValidatorWorkspace

app = typer.Typer(help="Disputes: every move by hand, and what a dispute is about.")


def _send(session: Session, call: Any, label: str, **values: Any) -> None:
    """Make a move, and print what it did."""
    show_transaction(session, session.sender.send(call, label=label), **values)


@command(app, "file", signs=True, example="chainbeasts dispute file 1 0 --account devnet:2")
def file(
    session: Session,
    beast: BeastId,
    index: CheckpointIndex,
    dataset: Annotated[
        Path | None, typer.Option(help="The compressed dataset, for a private window.")
    ] = None,
    secret_file: Annotated[
        Path | None, typer.Option(help="The owner's secret, for a private window.")
    ] = None,
    datasets: DatasetsOption = None,
) -> None:
    """Dispute a pending checkpoint. Nothing is judged here: a wrong dispute burns its bond.

    A private dataset above 120,000 bytes is staged first, over several transactions; interrupted,
    the same command goes on where it stopped.
    """
    workspace = synced_workspace(session, datasets=datasets)
    case = workspace.reader.find(beast, index)
    data = _private(workspace, case, dataset, secret_file)
    bond = workspace.moves.bond(case)
    if data is not None and workspace.moves.stages(case, data):
        _stage(workspace, session, case, data, bond)
    call = workspace.moves.file(case, data)
    fund_bond(session.chain, session.sender, call, bond)
    receipt = session.sender.send(call, label="file a dispute")
    filed = session.chain.court.events.DisputeFiled()
    event = filed.process_receipt(receipt.raw, errors=DISCARD)[0]
    dispute_id = int(event["args"]["disputeId"])
    show_transaction(session, receipt, dispute=dispute_id, beast=beast, checkpoint=index, bond=bond)


def _stage(
    workspace: ValidatorWorkspace, session: Session, case: Case, data: PrivateDataset, bond: int
) -> None:
    """Put a large dataset on chain, with a bar."""
    chain, sender = session.chain, session.sender
    ensure_escrow(chain, sender, bond)
    with progress() as bar:
        task = bar.add_task("staging the dataset", total=None)
        Staging(chain, sender.address, data).run(
            lambda move: sender.send(move.call, label=move.label),
            lambda done, total: bar.update(task, completed=done, total=total),
            lambda: workspace.moves.stages(case, data),
        )


def _private(
    workspace: ValidatorWorkspace, case: Case, dataset: Path | None, secret_file: Path | None
) -> PrivateDataset | None:
    """The dataset that filing needs, if it needs one; from the files named, else the folder."""
    if not case.private or workspace.chain.revealed_fold(case.beast_id) is not None:
        return None
    if dataset is None or secret_file is None:
        data = workspace.states.private_data(case.beast_id)
        if data is None:
            raise ChainBeastsError(
                "The window is private and its dataset is not known here.",
                "Pass --dataset FILE and --secret-file FILE.",
            )
        return data
    try:
        compressed, secret = dataset.read_bytes(), read_secret(secret_file.read_bytes())
    except OSError as error:
        raise ChainBeastsError(f"{error.filename} cannot be read ({error.strerror}).") from None
    return open_dataset(compressed, secret or b"", workspace.reader.commitments(case.beast_id))


@command(app, "respond", signs=True, example="chainbeasts dispute respond 1 --account devnet:1")
def respond(
    session: Session,
    dispute_id: DisputeId,
    segments: Annotated[
        Path | None,
        typer.Option(help="JSON list of the 16 segment hashes; a replay's if not given."),
    ] = None,
    datasets: DatasetsOption = None,
    snapshots: SnapshotsOption = None,
) -> None:
    """Answer a dispute with the window's 16 segment hashes, as its trainer or its defender."""
    disputed = open_dispute(session, dispute_id, datasets, snapshots)
    if segments is not None:
        hashes = read_segments(segments)
    else:
        hashes = list(disputed.replayed()[1].segments)
        if hashes[-1] != disputed.case.checkpoint.payload.h128:
            raise ChainBeastsError(
                "The replay does not end in the checkpoint's h128, so it cannot defend it."
            )
    call = disputed.workspace.moves.respond(disputed.case, dispute_id, hashes)
    _send(session, call, "respond", dispute=dispute_id)


def read_segments(path: Path) -> list[bytes]:
    """16 hashes of 32 bytes from a JSON list of hex strings.

    Raises:
        ChainBeastsError: the file holds something else.
    """
    try:
        found = json.loads(path.read_text("utf-8"))
        hashes = [bytes.fromhex(str(value).removeprefix("0x")) for value in found]
    except OSError as error:
        raise ChainBeastsError(f"{path} cannot be read ({error.strerror}).") from None
    except (ValueError, TypeError):
        hashes = []
    if len(hashes) != SEGMENTS or any(len(h) != 32 for h in hashes):
        raise ChainBeastsError(f"{path} is not a JSON list of {SEGMENTS} hashes of 32 bytes.")
    return hashes


@command(app, "prove", signs=True, example="chainbeasts dispute prove 1 --account devnet:2")
def prove(
    session: Session,
    dispute_id: DisputeId,
    segment: Annotated[
        int | None,
        typer.Option(min=0, max=SEGMENTS - 1, help="The first wrong one if not given."),
    ] = None,
    datasets: DatasetsOption = None,
    snapshots: SnapshotsOption = None,
) -> None:
    """Prove that a segment of the response is wrong: the court re-executes its 8 steps."""
    disputed = open_dispute(session, dispute_id, datasets, snapshots)
    posted = disputed.row.segment_hashes
    if not posted:
        raise ChainBeastsError(
            f"Dispute {dispute_id} has no response to refute.",
            "Re-execute the window instead, or claim if the response is overdue: "
            f"chainbeasts dispute advance {dispute_id}, chainbeasts dispute claim {dispute_id}",
        )
    window, judgement = disputed.replayed()
    k = first_divergent(judgement.segments, posted) if segment is None else segment
    if k is None:
        raise ChainBeastsError("Every segment of the response is right; there is nothing to prove.")
    call = disputed.workspace.moves.prove(disputed.case, dispute_id, window, posted, k)
    _send(session, call, "prove", dispute=dispute_id, segment=k)


@command(app, "advance", signs=True, example="chainbeasts dispute advance 1 --account devnet:2")
def advance(
    session: Session,
    dispute_id: DisputeId,
    steps: Annotated[
        int | None,
        typer.Option(min=1, max=WINDOW_STEPS, help="As many as fit one transaction if not given."),
    ] = None,
    datasets: DatasetsOption = None,
    snapshots: SnapshotsOption = None,
) -> None:
    """Re-execute the window's next steps on chain; the 128th decides the dispute."""
    disputed = open_dispute(session, dispute_id, datasets, snapshots)
    window, _ = disputed.replayed()
    done = disputed.row.steps_done
    move = disputed.workspace.moves.advance(
        disputed.case, dispute_id, window, done, session.sender, steps=steps
    )
    steps_done = done + move.steps
    values = {"dispute": dispute_id, "steps": move.steps, "steps_done": steps_done}
    _send(session, move.call, "advance", **values)


@command(app, "claim", signs=True, example="chainbeasts dispute claim 1 --account devnet:2")
def claim(session: Session, dispute_id: DisputeId) -> None:
    """Slash the checkpoint because nobody answered in time."""
    disputed = open_dispute(session, dispute_id)
    call = disputed.workspace.moves.claim_timeout(disputed.case, dispute_id)
    _send(session, call, "claim the timeout", dispute=dispute_id)


@command(app, "dismiss", signs=True, example="chainbeasts dispute dismiss 1 --account devnet:1")
def dismiss(session: Session, dispute_id: DisputeId) -> None:
    """End a dispute that proved nothing in time, or whose checkpoint fell with an ancestor."""
    disputed = open_dispute(session, dispute_id)
    call = disputed.workspace.moves.dismiss(disputed.case, dispute_id)
    _send(session, call, "dismiss", dispute=dispute_id)


@command(app, "challenge-header", signs=True, example="chainbeasts dispute challenge-header 1 0")
def challenge_header(
    session: Session,
    beast: BeastId,
    index: CheckpointIndex,
    datasets: DatasetsOption = None,
    snapshots: SnapshotsOption = None,
) -> None:
    """Slash a checkpoint whose h128 opens into a header that contradicts its payload."""
    workspace = synced_workspace(session, datasets=datasets, snapshots=snapshots)
    case = workspace.reader.find(beast, index)
    _, judgement = check(workspace.states, case)
    if not judgement.header_lie or judgement.end is None:
        raise ChainBeastsError(
            f"No contradiction is known between header and payload ({judgement.reason}).",
            "The state behind h128 must be in --snapshots, or be what the replay ends in.",
        )
    call = workspace.moves.challenge_header(case, judgement.end)
    values = {"beast": beast, "checkpoint": index, "reason": judgement.reason}
    _send(session, call, "challenge the header", **values)


views.register(app)
evidence.register(app)
