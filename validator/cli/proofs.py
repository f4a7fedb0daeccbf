"""Sends a proof by hand: committed to first, so that a copy of it earns nothing."""

from __future__ import annotations

from typing import Any

from chainbeasts.backend.chain.transactions import Receipt
from chainbeasts.backend.cli.confirm import Cost, confirm
from chainbeasts.backend.cli.session import Session
from chainbeasts.validator.cli.workspace import OpenedDispute
from chainbeasts.validator.enforce.commitments import SPARE_GAS, Committer
from chainbeasts.validator.enforce.moves import Proof
from chainbeasts.validator.enforce.value import COMMIT_GAS
from chainbeasts.validator.judge.cases import Case
from chainbeasts.validator.setup import ValidatorWorkspace


def in_head_start(session: Session, disputed: OpenedDispute) -> bool:
    """Whether the account is paid for a proof that it has not committed to."""
    row, now = disputed.row, session.chain.now()
    ours = row.filer == session.sender.address
    return ours and (row.status == "filed" or now < (row.head_start_end or 0))


def send_proof(
    session: Session,
    workspace: ValidatorWorkspace,
    case: Case,
    proof: Proof,
    label: str,
    *,
    yes: bool,
    committed: bool = True,
) -> Receipt:
    """Commit to a proof, unless that was done or is not needed, then send it.

    Args:
        yes: its gas was agreed to beforehand.
        committed: whether it takes a commitment to be paid.
    """
    committer, sender = Committer(session.chain, workspace.secret), session.sender
    call: Any = committer.call(case.digest, label, proof, committed=committed)
    gas = sender.estimate(call)  # refused here, before anybody is asked and anything is paid for
    confirm(session, label.capitalize(), Cost(gas=gas + COMMIT_GAS * committed), yes=yes)
    if committed and not committer.is_made(sender.address, case.digest, label, proof):
        commitment = committer.commitment(sender.address, case.digest, label, proof)
        commit = session.chain.court.functions.commit(commitment)
        sender.send(commit, label="commit to a proof")
    return sender.send(call, label=label, spare_gas=SPARE_GAS)
