"""What a daemon that runs for months must keep small, and what it does with shared states."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import replace
from typing import Any

import pytest
import structlog.testing
from sqlalchemy import event, insert

from backend.chain.anvil import rpc
from backend.chain.types import NO_CHECKPOINT
from backend.kernel.samples import Source, random_position
from backend.store.daemons import JobRow, Mode, Verdict
from backend.store.facts import CheckpointRow, CheckpointStatus
from backend.store.places import open_place
from backend.store.session import Database
from backend.store.snapshots import PublishedStates, SnapshotStore
from tests.store.servers import Web
from tests.validator.conftest import Rig, Submitted
from validator.judge import worker
from validator.judge.executors import InlineExecutor
from validator.judge.jobs import JobStore
from validator.judge.replay import RemoteWindow, loss_drop_agrees
from validator.judge.watch import BeastWatch
from validator.judge.windows import WindowJudge, check
from validator.judge.worker import PROCESS, work
from validator.judge.worklist import PendingWindows
from validator.operations.deadlines import DeadlineAlarm
from validator.scope import EVERYBODY
from validator.setup import ValidatorWorkspace


class Workers(InlineExecutor):
    """Does what a cluster's worker does, in this process, and counts what it was given."""

    def __init__(self) -> None:
        self.given: list[type] = []

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.given.append(type(args[0]))
        return super().submit(lambda: work(PROCESS, [args[0]])[0])


@pytest.fixture(autouse=True)
def new_worker() -> None:
    """A worker that remembers no state of another test's beast, which may have the same hash."""
    worker._states.clear()


def train(rig: Rig, beast: int, count: int, *, publish: bool = True) -> list[Submitted]:
    windows: list[Submitted] = []
    for _ in range(count):
        windows.append(rig.train(beast, windows[-1] if windows else None, publish=publish))
    return windows


def shared_workspace(rig: Rig, web: Web) -> ValidatorWorkspace:
    workspace = rig.workspace()
    workspace.states.shared = True
    workspace.states.snapshots.sources = (PublishedStates(open_place(web.url)),)
    workspace.sync()
    return workspace


def judge(workspace: ValidatorWorkspace, executor: Executor) -> WindowJudge:
    return WindowJudge(
        workspace.states,
        JobStore(workspace.database),
        lambda: executor,
        PendingWindows(workspace.reader),
    )


def verdicts(workspace: ValidatorWorkspace) -> list[str | None]:
    return [job.verdict for job in JobStore(workspace.database).all()]


@pytest.mark.parametrize("published", [True, False])
def test_windows_leave_by_hash_and_come_back_if_nobody_has_the_state(
    rig: Rig, published: bool
) -> None:
    beast = rig.hatch()
    train(rig, beast, 4, publish=published)
    web = Web(rig.settings.snapshots_dir)
    try:
        workspace, workers = shared_workspace(rig, web), Workers()
        judging = judge(workspace, workers)
        passes = 0
        while judging.run():
            passes += 1
        assert verdicts(workspace) == ["valid"] * 4
        if published:  # all of a beast's windows at once
            assert passes == 1
            assert workers.given[1:] == [RemoteWindow] * 3
        else:  # one after the other
            assert passes > 3
    finally:
        web.close()


def test_verdicts_of_a_worker_that_lied_are_taken_back(rig: Rig) -> None:
    beast = rig.hatch()
    windows = train(rig, beast, 2)
    workspace = rig.workspace()
    workspace.sync()
    judging, jobs = judge(workspace, InlineExecutor()), JobStore(workspace.database)
    judging.run()
    assert judging.run() == 0
    assert jobs.reopen([windows[1].checkpoint.payload.h128, bytes(32)]) == {beast}
    assert verdicts(workspace) == ["valid", None]


def test_only_beasts_with_something_new_are_looked_at(rig: Rig) -> None:
    one, other = rig.hatch(), rig.hatch()
    first = rig.train(one)
    rig.train(other)
    workspace = rig.workspace()
    workspace.sync()
    watch = BeastWatch(workspace.database)
    assert watch.beasts() == [one, other]
    watch.settled(one)
    assert watch.beasts() == [other]
    watch.settled(other)
    assert watch.beasts() == []
    before = rpc(rig.chain.rpc_url, "evm_snapshot")
    rig.train(one, first)
    workspace.sync()
    assert watch.beasts() == [one]
    watch.settled(one)
    watch.reopen([other])
    assert watch.beasts() == [other]
    watch.settled(other)
    rpc(rig.chain.rpc_url, "evm_revert", before)
    rig.travel(1)
    rig.travel(1)
    workspace.sync()
    assert watch.beasts() == [one, other]  # a reorg may have changed anything


def rows_of_a_crowd(database: Database, beasts: int, each: int) -> None:
    """Pending windows of many beasts, all of them judged."""

    def window(beast: int, index: int) -> dict[str, Any]:
        return {
            "beast_id": 1_000 + beast,
            "index": index,
            "h128": bytes([1, beast, index]).rjust(32),
        }

    every = [window(beast, index) for beast in range(beasts) for index in range(each)]
    blank = {"generation": 0, "parent": bytes(32), "epoch": 0, "energy_burn": 1, "lr_shift": 0,
             "active_mask": 0, "global_step": 0, "window_loss": 0, "source": 0, "source_id": 0,
             "season": 1, "trainer": "0x" + "11" * 20, "submitted_at": 0, "bond": 1,
             "locked_sum": 1, "epoch_seed": bytes(32), "loss_drop": False, "block_number": 1,
             "status": CheckpointStatus.PENDING, "tx_hash": bytes(32)}  # fmt: skip
    judged = {"verdict": Verdict.VALID, "mode": Mode.FULL}
    with database.session() as session:
        session.execute(insert(CheckpointRow), [one | blank for one in every])
        session.execute(insert(JobRow), [one | judged | {"digest": one["h128"]} for one in every])


def work_of(database: Database, done: Callable[[], object]) -> int:
    """Steps of SQLite's machine that something takes, in thousands."""
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    def watch(connection: Any, *_: object) -> None:
        connection.set_progress_handler(count, 1_000)

    event.listen(database.engine, "checkout", watch)
    try:
        done()
    finally:
        event.remove(database.engine, "checkout", watch)
    return steps


def test_a_pass_over_many_pending_windows_costs_little(rig: Rig) -> None:
    beast = rig.hatch()
    rig.train(beast)
    workspace = rig.workspace()
    workspace.sync()
    rows_of_a_crowd(workspace.database, 20, 250)
    alarm = DeadlineAlarm(workspace.reader, EVERYBODY)
    assert work_of(workspace.database, alarm.run) < 1_000  # by the beasts' own jobs it was 20,000
    assert work_of(workspace.database, alarm.run) < 5  # not again before the chain's time moves on
    watch = BeastWatch(workspace.database)
    for one in watch.beasts():
        watch.settled(one)
    assert work_of(workspace.database, watch.beasts) < 5
    jobs = JobStore(workspace.database)
    assert work_of(workspace.database, jobs.invalid) < 5


def test_states_that_no_pending_window_needs_are_dropped(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    beast = rig.hatch()
    windows = train(rig, beast, 4, publish=False)
    workspace = rig.workspace()
    workspace.sync()
    with workspace.database.session() as session:
        for row in session.query(CheckpointRow).where(CheckpointRow.index < 2):
            row.status = CheckpointStatus.FINAL
    for window in windows:
        workspace.states.keep(window.end)
        path = workspace.states.snapshots.path(window.checkpoint.payload.h128)
        os.utime(path, (time.time() - 7_200, time.time() - 7_200))
    assert workspace.states.tidy() == 0  # not so soon
    monkeypatch.setattr("validator.judge.states.TIDY_SECONDS", 0.0)
    assert workspace.states.tidy() == 1
    kept = set(workspace.states.snapshots.hashes())
    assert kept == {one.checkpoint.payload.h128 for one in windows[1:]}
    assert [case.index for case in workspace.reader.pending(beast)] == [2, 3]
    assert workspace.reader.pending(beast) == workspace.reader.live(beast)[2:]


def test_a_loss_drop_flag_that_does_not_follow_is_no_verdict(rig: Rig) -> None:
    rules = rig.chain.season(1).rules
    beast = rig.hatch([random_position(seed, None, rules) for seed in range(8)])
    first = rig.train(beast, source=Source.PRIVATE)
    rig.train(beast, first, source=Source.PRIVATE)
    workspace = rig.workspace()
    workspace.sync()
    cases = workspace.reader.live(beast)
    assert all(workspace.reader.loss_drop_agrees(case) for case in cases)
    for case in cases:
        found = check(workspace.states, case)[1]
        assert (found.verdict, found.mode) == (Verdict.VALID, Mode.LIGHT)
        lied = check(workspace.states, replace(case, loss_drop=not case.loss_drop))[1]
        assert lied.verdict is Verdict.UNAVAILABLE
        assert "loss-drop" in lied.reason


def test_when_the_loss_drop_flag_is_set() -> None:
    def record(index: int, loss: int, **other: Any) -> Any:
        season = other.pop("season", 1)
        payload = replace(NO_CHECKPOINT.payload, window_loss=loss, **other)
        return replace(NO_CHECKPOINT, index=index, payload=payload, season=season)

    parent = record(0, 100)
    assert loss_drop_agrees(record(1, 99), parent, (7, 7), True)
    assert loss_drop_agrees(record(1, 100), parent, (7, 7), False)
    assert not loss_drop_agrees(record(1, 100), parent, (7, 7), True)
    assert loss_drop_agrees(record(1, 99), parent, (7, 3), False)
    assert loss_drop_agrees(record(1, 99, season=2), parent, (7, 7), False)
    assert loss_drop_agrees(record(1, 99, source=Source.PRIVATE), parent, (7, 7), False)
    assert loss_drop_agrees(record(0, 0), NO_CHECKPOINT, (7, 7), False)


def test_a_validator_that_cannot_write_where_trainers_publish(rig: Rig) -> None:
    beast = rig.hatch()
    window = rig.train(beast)
    path = SnapshotStore(rig.settings.snapshots_dir).path(window.checkpoint.payload.h128)
    path.write_bytes(b"garbage")
    workspace = rig.workspace()
    workspace.sync()
    with structlog.testing.capture_logs() as logs:
        assert workspace.states.find(window.checkpoint.payload.h128) is None
    assert [line["event"] for line in logs] == ["snapshot ignored"]
    assert path.read_bytes() == b"garbage"
    with workspace.database.session() as session:
        assert session.query(JobRow).count() == 0
