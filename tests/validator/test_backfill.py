"""`validator backfill` against a deployed chain: histories, final windows among them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.samples import Source, random_position
from chainbeasts.backend.store.daemons import Verdict
from chainbeasts.validator.backfill import Backfill
from chainbeasts.validator.judge.executors import InlineExecutor
from chainbeasts.validator.judge.jobs import JobStore
from chainbeasts.validator.judge.worklist import BeastHistory
from tests.validator.conftest import OTHER, Rig, Submitted
from tests.validator.test_commands import invoke, one_weight, refused


def backfilled(rig: Rig, *beasts: int) -> tuple[list[dict[str, Any]], str]:
    """What the command printed, and the error it ended with."""
    result = invoke(rig, "validator", "backfill", "--workers", "0", *map(str, beasts))
    if result.exception is not None:
        assert isinstance(result.exception, ChainBeastsError), result.exception
    return json.loads(result.stdout), "" if result.exception is None else str(result.exception)


def make_final(rig: Rig, beast: int, *windows: Submitted) -> None:
    rig.travel(rig.chain.season(1).economics.challenge_period + 1)
    records = [window.checkpoint.to_abi() for window in windows]
    rig.send(OTHER, rig.chain.ledger.functions.finalize(beast, records))
    assert rig.chain.head(beast).final_count == len(windows)


def test_final_windows_are_judged_and_nothing_is_sent(rig: Rig) -> None:
    one, other, unborn = rig.hatch(), rig.hatch(), rig.hatch()
    first = rig.train(one, publish=False)
    second = rig.train(one, first, tamper=(9, one_weight))
    make_final(rig, one, first, second)
    rig.train(one, second)
    rig.train(other)
    before = rig.chain.block().number
    rows, said = backfilled(rig)
    assert rows == [
        {"beast": one, "valid": 1, "light": 0, "unavailable": 0, "first_invalid": 1},
        {"beast": other, "valid": 1, "light": 0, "unavailable": 0, "first_invalid": None},
        {"beast": unborn, "valid": 0, "light": 0, "unavailable": 0, "first_invalid": None},
    ]
    assert f"in the history of beast {one}" in said
    assert rig.chain.block().number == before
    assert backfilled(rig) == (rows, said)  # again, from what is on record
    assert backfilled(rig, other) == (rows[1:2], "")


def test_what_cannot_be_judged_is_looked_at_once(rig: Rig) -> None:
    rules = rig.chain.season(1).rules
    words = [random_position(seed, None, rules) for seed in range(4)]
    hidden, known = rig.hatch(words), rig.hatch()
    first = rig.train(hidden, source=Source.PRIVATE)
    rig.train(hidden, first, source=Source.PRIVATE, publish=False)
    rig.train(known)
    rows, said = backfilled(rig)
    assert [(row["valid"], row["light"], row["unavailable"]) for row in rows] == [
        (0, 1, 1),
        (1, 0, 0),
    ]
    assert "1 checkpoints could not be judged" in said
    refused(rig, "There is no beast 99", "validator", "backfill", "99", who=None)


@pytest.mark.parametrize("interrupted", [False, True])
def test_interrupted_it_goes_on_where_it_stopped(
    rig: Rig, interrupted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chainbeasts.validator.judge.worklist.SLICE", 3)
    monkeypatch.setattr("chainbeasts.validator.judge.windows.TURN_SECONDS", 0.0)
    beast = rig.hatch()
    parent = None
    for _ in range(7):
        parent = rig.train(beast, parent, publish=False)
    workspace = rig.workspace()
    workspace.sync()

    class Interrupted(Exception):  # noqa: N818
        pass

    judged: list[int] = []

    def progress(known: int) -> None:
        judged.append(known)
        if interrupted and known == 3:
            raise Interrupted

    if interrupted:
        with pytest.raises(Interrupted):
            Backfill(workspace, InlineExecutor).run(progress)
        valid = [job.verdict for job in JobStore(workspace.database).all()].count(Verdict.VALID)
        assert 4 <= valid < 7
        interrupted = False
        before = len(judged)
        assert Backfill(workspace, InlineExecutor).run(progress) == [BeastHistory(beast, valid=7)]
        assert len(judged) - before < before + 3  # not from the start
    else:
        work = Backfill(workspace, InlineExecutor)
        assert work.standing == 7
        assert work.run(progress) == [BeastHistory(beast, valid=7)]
        assert judged == sorted(judged)
        assert judged[-1] == 7
