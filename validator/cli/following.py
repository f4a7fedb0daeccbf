"""``chainbeasts dispute next``: what is due in a dispute, by whom, until when; done on yes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import typer

from chainbeasts.backend.chain.amounts import show_time
from chainbeasts.backend.chain.outbox import Outbox
from chainbeasts.backend.chain.prices import opening_gas
from chainbeasts.backend.chain.types import Opening, opening_bit, openings_of
from chainbeasts.backend.cli.confirm import Cost, YesOption, confirm
from chainbeasts.backend.cli.output import fields, note
from chainbeasts.backend.cli.session import Session, command
from chainbeasts.validator.cli import openings
from chainbeasts.validator.cli.display import shown
from chainbeasts.validator.cli.options import DatasetsOption, DisputeId, SnapshotsOption
from chainbeasts.validator.cli.workspace import OpenedDispute, open_dispute
from chainbeasts.validator.enforce.bonds import MoveSender
from chainbeasts.validator.enforce.policy import Policy
from chainbeasts.validator.enforce.strategy import Action, Move, Situation, Strategy, decide
from chainbeasts.validator.enforce.value import COMMIT_GAS, GAS
from chainbeasts.validator.enforce.windows import CaseFile, Enforcer, Made
from chainbeasts.validator.judge.jobs import JobStore
from chainbeasts.validator.judge.published import PublishedWindows

ANYBODY = "anybody"
NO_BUDGET = 1 << 62
"""Whoever says yes to what is shown has no budget to keep."""


@dataclass(frozen=True, slots=True)
class Due:
    """What comes next in a dispute.

    Attributes:
        until: unix seconds; None if there is no deadline.
        gas: about what it takes.
        ours: the account can make the move now.
    """

    move: str
    by: str
    until: int | None
    gas: int
    why: str
    ours: bool


def register(app: typer.Typer) -> None:
    """Add the verb to the noun."""
    example = "chainbeasts dispute next 1 --account devnet:2"
    command(app, "next", signs=True, example=example)(follow)


def follow(
    session: Session,
    dispute_id: DisputeId,
    datasets: DatasetsOption = None,
    snapshots: SnapshotsOption = None,
    yes: YesOption = False,
) -> None:
    """Say what is due in a dispute, by whom, until when and at what gas; do it on yes."""
    disputed = open_dispute(session, dispute_id, datasets, snapshots)
    workspace, row = disputed.workspace, disputed.row
    sender = MoveSender(workspace.database, Outbox(workspace.database, session.sender))
    policy = Policy(Strategy.CHEAP, defend=True, gas_budget=NO_BUDGET)
    jobs = JobStore(workspace.database)
    enforcer = Enforcer(workspace.states, jobs, workspace.moves, policy, sender, workspace.secret)
    file = enforcer.case_file(disputed.case, row)
    situation = enforcer.situation(file)
    move = decide(situation, policy.strategy)
    due = _due(session, disputed, file, situation, move)
    value = {
        "dispute": dispute_id,
        "status": row.status,
        **_fields(due),
        "objection": _objection(disputed),
        "now": situation.now,
    }
    if due.ours:
        cost, what = Cost(gas=due.gas), f"{due.move}, because {due.why}"
        confirm(session, what, cost, yes=yes, always=True, question="Do it?")
        if move.action is Action.WAIT:
            openings.open_all(session, dispute_id, None, datasets, snapshots, yes=True)
            return
        # A proof's commitment goes out by itself, and then the proof.
        while enforcer.make(sender, move.action, file) is Made.COMMITMENT:
            pass
    elif yes:
        note("Nothing was sent: no move in this dispute is yours now.")
    session.show(value | {"done": due.ours}, lambda: fields(f"Dispute {dispute_id}", shown(value)))


def _objection(disputed: OpenedDispute) -> str | None:
    """What speaks against a private window whose two states are known here; it proves nothing."""
    case = disputed.case
    if not case.private:
        return None
    return PublishedWindows(disputed.workspace.states).objection(case) or None


def _fields(due: Due) -> dict[str, Any]:
    return {
        "move": due.move,
        "by": due.by,
        "until": due.until,
        "gas": due.gas,
        "why": due.why,
    }


def _due(
    session: Session, disputed: OpenedDispute, file: CaseFile, s: Situation, move: Move
) -> Due:
    """What is due: our move if there is one, else what is waited for."""
    row = disputed.row
    if move.action is not Action.WAIT:
        gas = GAS[move.action] + (COMMIT_GAS if move.action in (Action.PROVE,) else 0)
        return Due(str(move.action), ANYBODY, _until(s, move), gas, move.why, True)
    if not s.live or not s.status.open:
        return Due("none", "nobody", None, 0, "the dispute has ended", False)
    if row.status == "filed" and s.now <= row.response_deadline:
        return _owed(session, disputed)
    if s.invalid:
        return Due("prove", row.filer, row.head_start_end, GAS[Action.PROVE], move.why, False)
    if s.silent:
        # A right window falls like a wrong one; its filer will not wait to be asked.
        why = "what was owed was not opened in time, so the checkpoint falls"
        return Due(str(Action.TIMEOUT), ANYBODY, None, GAS[Action.TIMEOUT], why, False)
    after = f"; from {show_time(s.proof_deadline + 1)} on" if s.proof_deadline else ""
    return Due("dismiss", ANYBODY, None, GAS[Action.DISMISS], f"{move.why}{after}", False)


def _until(s: Situation, move: Move) -> int | None:
    return s.proof_deadline if move.action is Action.PROVE else None


def _owed(session: Session, disputed: OpenedDispute) -> Due:
    """The openings that are waited for; ours if we are the trainer, or may answer for it."""
    row, trainer = disputed.row, disputed.case.checkpoint.trainer
    length = disputed.workspace.reader.commitments(row.beast_id).dataset_length
    names = ", ".join(opening.name.lower() for opening in openings_of(row.missing))
    me = session.sender.address
    segments = bool(row.missing & opening_bit(Opening.SEGMENTS))
    ours = me in (trainer, session.chain.defender_of(trainer))
    return Due(
        "open",
        f"{trainer} or its defender" if segments else ANYBODY,
        row.response_deadline,
        opening_gas(row.missing, length),
        f"to be opened: {names}",
        ours,
    )
