"""What became final while nobody looked is judged after the fact, and told; nothing is sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import structlog.testing
from prometheus_client import generate_latest

from chainbeasts.backend.kernel.samples import Source, random_position
from chainbeasts.backend.store.matches import WordRow
from chainbeasts.backend.store.words import record_of_match
from chainbeasts.validator.judge import worklist
from chainbeasts.validator.judge.matches import MatchJobStore
from chainbeasts.validator.operations.metrics import ValidatorMetrics
from tests.support.ring import Ring
from tests.validator.conftest import MATCH, VALIDATOR, Rig, Submitted
from tests.validator.judge.test_matches import lies_of
from tests.validator.test_daemon import one_weight

PERIOD = 30
"""The challenge period, seconds."""

TOLD = ("wrong and beyond dispute", "unverified", "wrong match record is final", "unverified match")


def told(rig: Rig, **policy: Any) -> tuple[list[tuple[str, Any]], dict[str, float]]:
    """What a new daemon says and shows of what is final, in one run."""
    monitor = ValidatorMetrics()
    validator = rig.validator(monitor=monitor, **policy)
    before = rig.nonce(VALIDATOR)
    with structlog.testing.capture_logs() as logs:
        validator.run_once()
        validator.run_once()
    validator.close()
    assert rig.nonce(VALIDATOR) == before
    said = [(e["event"], e.get("checkpoint", e.get("match"))) for e in logs if e["event"] in TOLD]
    return said, shown(monitor)


def shown(monitor: ValidatorMetrics) -> dict[str, float]:
    """The figures that are not 0."""
    lines = generate_latest(monitor.registry).decode().splitlines()
    figures = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    names = ("wrong_final_windows", "wrong_final_matches", "unverified_windows",
             "unverified_matches")  # fmt: skip
    found = {name: float(figures[f"chainbeasts_validator_{name}"]) for name in names}
    return {name: value for name, value in found.items() if value}


def private_beast(rig: Rig) -> int:
    rules = rig.chain.season(1).rules
    return rig.hatch([random_position(seed, None, rules) for seed in range(4)])


def train(rig: Rig, beast: int, count: int) -> Sequence[Submitted]:
    windows: list[Submitted] = []
    for _ in range(count):
        windows.append(rig.train(beast, windows[-1] if windows else None, publish=False))
    return windows


def test_a_fraud_that_was_final_before_the_daemon_came_is_told(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worklist, "SLICE", 2)
    beast, other = rig.hatch(), rig.hatch()
    right = train(rig, beast, 3)
    wrong = rig.train(beast, right[-1], tamper=(37, one_weight))
    after = rig.train(beast, wrong)
    rig.finalize(beast, *right, wrong, after)
    rig.finalize(other, *train(rig, other, 1))
    said, figures = told(rig)
    assert said == [("wrong and beyond dispute", 3)]
    assert figures == {"wrong_final_windows": 1}
    # What stands on it is left: it can be no better.
    judged = {(beast, index): "valid" for index in range(3)} | {(beast, 3): "invalid"}
    found = {key: verdict for key, verdict in rig.verdicts().items() if verdict is not None}
    assert found == judged | {(other, 0): "valid"}
    assert told(rig) == (said, figures)  # a daemon that is started again says it again
    assert rig.disputes == 0


def test_a_fraud_that_became_final_while_the_daemon_was_away_is_told(rig: Rig) -> None:
    beast = rig.hatch()
    first = rig.train(beast)
    assert told(rig) == ([], {})
    wrong = rig.train(beast, first, tamper=(37, one_weight))
    rig.travel(PERIOD + 1)  # nobody has made it final, and nobody can dispute it
    assert told(rig) == ([("wrong and beyond dispute", 1)], {"wrong_final_windows": 1})
    rig.finalize(beast, first, wrong)
    assert told(rig) == ([("wrong and beyond dispute", 1)], {"wrong_final_windows": 1})


def test_what_cannot_be_judged_after_the_fact_is_unverified_only_if_we_were_there(rig: Rig) -> None:
    beast = private_beast(rig)
    early = rig.train(beast, source=Source.PRIVATE, publish=False)
    rig.finalize(beast, early)
    assert told(rig) == ([], {})
    late = rig.train(beast, early, source=Source.PRIVATE, publish=False)
    rig.travel(PERIOD + 1)
    call = rig.chain.ledger.functions.finalize(beast, [late.checkpoint.to_abi()])
    rig.send(VALIDATOR, call)
    assert told(rig) == ([("unverified", 1)], {"unverified_windows": 1})
    assert told(rig) == ([], {"unverified_windows": 1})
    assert set(rig.verdicts().values()) == {"unavailable"}


def test_a_wrong_record_that_was_final_before_the_daemon_came_is_told(
    fight: tuple[Rig, Ring],
) -> None:
    rig, ring = fight
    ring.record(MATCH, lies_of(ring.played(MATCH))["a turn"][1])
    ring.finalize(MATCH, rig.travel)
    expected = [("wrong match record is final", MATCH)]
    assert told(rig) == (expected, {"wrong_final_matches": 1})
    assert told(rig) == (expected, {"wrong_final_matches": 1})


@pytest.mark.parametrize("there", [False, True])
def test_records_that_cannot_be_judged_after_the_fact(fight: tuple[Rig, Ring], there: bool) -> None:
    rig, ring = fight
    if there:
        assert told(rig) == ([], {})
    ring.record(MATCH)
    ring.finalize(MATCH, rig.travel)
    workspace = rig.workspace()
    workspace.sync()
    with workspace.database.session() as session:
        record = record_of_match(session, MATCH)
        assert record is not None
        session.delete(session.get_one(WordRow, record.word_keys[1]))
    said = [("unverified match", MATCH)] if there else []
    figures = {"unverified_matches": 1.0} if there else {}
    assert told(rig) == (said, figures)
    assert told(rig) == ([], figures)
    (job,) = MatchJobStore(workspace.database).all()
    assert job.verdict == "unavailable"
