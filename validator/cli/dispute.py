"""``chainbeasts dispute``: each move of a dispute by hand. The noun's other verbs register here."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from chainbeasts.backend.chain.amounts import show_coin
from chainbeasts.backend.cli.confirm import Cost, YesOption, confirm, require_yes
from chainbeasts.backend.cli.output import energy, note
from chainbeasts.backend.cli.session import Session, command
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.constants import SEGMENTS, WINDOW_STEPS
from chainbeasts.validator.cli import collecting, evidence, filing, following, openings, views
from chainbeasts.validator.cli.display import show_transaction
from chainbeasts.validator.cli.options import (
    BeastId,
    CheckpointIndex,
    DatasetsOption,
    DisputeId,
    SnapshotsOption,
)
from chainbeasts.validator.cli.proofs import in_head_start, send_proof
from chainbeasts.validator.cli.workspace import OpenedDispute, open_dispute, synced_workspace
from chainbeasts.validator.judge.replay import first_divergent
from chainbeasts.validator.judge.windows import check

app = typer.Typer(help="Disputes: every move by hand, and what a dispute is about.")

filing.register(app)
openings.register(app)


def _send(session: Session, call: Any, label: str, *, yes: bool, **values: Any) -> None:
    """Make a move, and print what it did."""
    confirm(session, label.capitalize(), Cost(gas=session.sender.estimate(call)), yes=yes)
    show_transaction(session, session.sender.send(call, label=label), **values)


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
    yes: YesOption = False,
) -> None:
    """Prove that an opened segment is wrong: the court re-executes its 8 steps.

    Commits to the proof first, except as the filer within its head start.
    """
    disputed = open_dispute(session, dispute_id, datasets, snapshots)
    posted = disputed.row.segment_hashes
    if not posted:
        raise ChainBeastsError(
            f"The segments of dispute {dispute_id} are not opened; there is nothing to refute.",
            "Re-execute the window instead, or claim once the openings are overdue: "
            f"chainbeasts dispute advance {dispute_id}, chainbeasts dispute claim {dispute_id}",
        )
    window, judgement = disputed.replayed()
    k = first_divergent(judgement.segments, posted) if segment is None else segment
    if k is None:
        raise ChainBeastsError("Every opened segment is right; there is nothing to prove.")
    workspace, case = disputed.workspace, disputed.case
    proof = workspace.moves.prove(case, dispute_id, window, posted, k)
    committed = not in_head_start(session, disputed)
    receipt = send_proof(session, workspace, case, proof, "prove", yes=yes, committed=committed)
    show_transaction(session, receipt, dispute=dispute_id, segment=k)


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
    yes: YesOption = False,
) -> None:
    """Re-execute the window's next steps on chain; the 128th decides the dispute.

    Commits to their result first, so that they are paid.
    """
    disputed = open_dispute(session, dispute_id, datasets, snapshots)
    window, _ = disputed.replayed()
    done, workspace, case = disputed.row.steps_done, disputed.workspace, disputed.case
    move = workspace.moves.advance(case, dispute_id, window, done, session.sender, steps=steps)
    receipt = send_proof(session, workspace, case, move.proof, "advance", yes=yes)
    steps_done = done + move.steps
    values: dict[str, Any] = {"dispute": dispute_id, "steps": move.steps, "steps_done": steps_done}
    show_transaction(session, receipt, **values)


@command(app, "claim", signs=True, example="chainbeasts dispute claim 1 --account devnet:2")
def claim(session: Session, dispute_id: DisputeId, yes: YesOption = False) -> None:
    """Slash the checkpoint because something was not opened in time; its filer is paid."""
    disputed = open_dispute(session, dispute_id)
    call = disputed.workspace.moves.claim_timeout(disputed.case, dispute_id)
    _send(session, call, "claim the timeout", yes=yes, dispute=dispute_id)


@command(app, "dismiss", signs=True, example="chainbeasts dispute dismiss 1 --account devnet:1")
def dismiss(
    session: Session,
    dispute_id: DisputeId,
    datasets: DatasetsOption = None,
    snapshots: SnapshotsOption = None,
    yes: YesOption = False,
) -> None:
    """End a dispute that proved nothing in time, or whose checkpoint fell with an ancestor.

    The filer's ENERGY bond burns in the first case: one's own only with a yes.
    """
    disputed = open_dispute(session, dispute_id, datasets, snapshots)
    call = disputed.workspace.moves.dismiss(disputed.case, dispute_id)
    session.sender.simulate(call)
    if disputed.case.pending and disputed.row.filer == session.sender.address:
        _tell_what_burns(disputed)
        require_yes("Let the bond burn?", yes)
    _send(session, call, "dismiss", yes=yes, dispute=dispute_id)


def _tell_what_burns(disputed: OpenedDispute) -> None:
    """Say what the filer loses, and which move still wins."""
    row, (_, judgement) = disputed.row, disputed.judged()
    opened = row.opening_paid + row.opening_waiting
    left = row.opening_bond + row.opening_surplus - opened
    again = min(left - max(row.opening_bond - opened, 0), opened)
    surplus = f" and {show_coin(again)}" if again else ""
    note(f"Dismissing burns your bond of {energy(row.bond)}{surplus}; openings stay paid.")
    if judgement.segments and judgement.segments[-1] != disputed.case.checkpoint.payload.h128:
        note(
            "The window is wrong, and re-executing it still convicts: "
            f"chainbeasts dispute advance {row.dispute_id}"
        )
    else:
        note(f"No move wins: {judgement.reason}.")


@command(app, "challenge-header", signs=True, example="chainbeasts dispute challenge-header 1 0")
def challenge_header(
    session: Session,
    beast: BeastId,
    index: CheckpointIndex,
    datasets: DatasetsOption = None,
    snapshots: SnapshotsOption = None,
    yes: YesOption = False,
) -> None:
    """Slash a checkpoint whose h128 opens into a header that contradicts its payload.

    Commits to it first, so that nobody takes the reward by sending the same.
    """
    workspace = synced_workspace(session, datasets=datasets, snapshots=snapshots)
    case = workspace.reader.find(beast, index)
    _, judgement = check(workspace.states, case)
    if not judgement.header_lie or judgement.end is None:
        raise ChainBeastsError(
            f"No contradiction is known between header and payload ({judgement.reason}).",
            "The state behind h128 must be published, or be what the replay ends in.",
        )
    proof = workspace.moves.challenge_header(case, judgement.end)
    receipt = send_proof(session, workspace, case, proof, "challenge the header", yes=yes)
    values: dict[str, Any] = {"beast": beast, "checkpoint": index, "reason": judgement.reason}
    show_transaction(session, receipt, **values)


following.register(app)
collecting.register(app)
views.register(app)
evidence.register(app)
