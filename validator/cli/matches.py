"""``chainbeasts validator judge-match | disprove``: one record of a match, by hand."""

from __future__ import annotations

from typing import Any

import typer

from chainbeasts.backend.battle.verdict import Lie
from chainbeasts.backend.cli.output import fields
from chainbeasts.backend.cli.session import Session, command
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.store.daemons import Verdict
from chainbeasts.validator.cli.display import show_transaction, shown
from chainbeasts.validator.cli.options import MatchId, SnapshotsOption
from chainbeasts.validator.cli.workspace import synced_workspace
from chainbeasts.validator.enforce.matches import disproof
from chainbeasts.validator.judge.matches import MatchCase, MatchJudgement, MatchReader


def register(app: typer.Typer) -> None:
    """Add the verbs to the noun."""
    command(app, "judge-match", example="chainbeasts validator judge-match 1")(judge_match)
    command(app, "disprove", signs=True, example="chainbeasts validator disprove 1")(disprove)


def _judged(
    session: Session, match_id: int, snapshots: list[str] | None
) -> tuple[MatchReader, MatchCase, MatchJudgement]:
    """The record of a match that may still be disproved, judged by the reference."""
    workspace = synced_workspace(session, snapshots=snapshots)
    reader = MatchReader(workspace.states)
    case = next((one for one in reader.standing() if one.match_id == match_id), None)
    if case is None:
        raise ChainBeastsError(
            f"Match {match_id} has no record that may still be disproved.",
            f"See: chainbeasts battle show {match_id}",
        )
    return reader, case, reader.check(case)


def _value(case: MatchCase, judgement: MatchJudgement) -> dict[str, Any]:
    lie = judgement.lie
    return {
        "match": case.match_id,
        "reporter": case.record.reporter,
        "verdict": judgement.verdict,
        "reason": judgement.reason,
        "lie": None if lie is None else lie.kind.name.lower(),
        "turn": None if lie is None else lie.turn,
        "disprovable_until": case.record.final_at,
    }


def judge_match(session: Session, match: MatchId, snapshots: SnapshotsOption = None) -> None:
    """Play a recorded match again, and say whether the record is right.

    Sends nothing and records nothing. Ends with 1 if it is invalid or cannot be judged.
    """
    _, case, judgement = _judged(session, match, snapshots)
    value = _value(case, judgement)
    session.show(value, lambda: fields(f"Record of match {match}", shown(value)))
    if judgement.verdict is not Verdict.VALID:
        raise ChainBeastsError(
            f"The record of match {match} is {judgement.verdict}: {judgement.reason}.",
            f"Disprove it: chainbeasts validator disprove {match}"
            if judgement.verdict is Verdict.INVALID
            else "Name the places that have what is missing: --snapshots.",
        )


def disprove(session: Session, match: MatchId, snapshots: SnapshotsOption = None) -> None:
    """Disprove a wrong record of a match, in one transaction; puts up no bond."""
    reader, case, judgement = _judged(session, match, snapshots)
    lie = judgement.lie
    if lie is None:
        raise ChainBeastsError(
            f"Nothing is known to be wrong with the record of match {match}: {judgement.reason}.",
            "If a state is missing, name the places that have it: --snapshots.",
        )
    call = disproof(session.chain, match, judgement.words, lie, _state(reader, case, lie))
    receipt = session.sender.send(call, label="disprove the record")
    title = f"Record of match {match} disproved"
    show_transaction(session, receipt, title, **_value(case, judgement))


def _state(reader: MatchReader, case: MatchCase, lie: Lie) -> Any:
    return reader.acting(case, lie.turn) if lie.needs_state else None
