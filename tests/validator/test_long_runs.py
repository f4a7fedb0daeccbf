"""What a daemon that runs for months must keep small, and what it does with shared states."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import structlog.testing
from sqlalchemy import event, insert

from chainbeasts.backend.chain.anvil import rpc
from chainbeasts.backend.chain.types import NO_CHECKPOINT
from chainbeasts.backend.kernel.samples import Source, random_position
from chainbeasts.backend.kernel.state import encode_state
from chainbeasts.backend.store.daemons import JobRow, Mode, Verdict
from chainbeasts.backend.store.facts import BeastRow, CheckpointRow, CheckpointStatus
from chainbeasts.backend.store.places import open_place
from chainbeasts.backend.store.published import PublishedStates
from chainbeasts.backend.store.session import Database
from chainbeasts.backend.store.snapshots import SnapshotStore
from chainbeasts.validator.judge import worker
from chainbeasts.validator.judge.batch import Batch
from chainbeasts.validator.judge.executors import InlineExecutor
from chainbeasts.validator.judge.jobs import JobStore
from chainbeasts.validator.judge.replay import loss_drop_agrees
from chainbeasts.validator.judge.watch import BeastWatch
from chainbeasts.validator.judge.windows import WindowJudge, check
from chainbeasts.validator.judge.worker import PROCESS, work
from chainbeasts.validator.judge.worklist import PendingWindows
from chainbeasts.validator.operations.deadlines import DeadlineAlarm
from chainbeasts.validator.scope import EVERYBODY
from chainbeasts.validator.setup import ValidatorWorkspace
from tests.store.servers import Web
from tests.support.snapshots import go_back
from tests.validator.conftest import Rig, Submitted


class Workers(InlineExecutor):
    """Does what a cluster's worker does, in this process, and counts what it was given."""

    def __init__(self) -> None:
        self.given: list[Batch] = []

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.given.append(args[0])
        return super().submit(work, PROCESS, args[0])


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
    rig: Rig, published: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chainbeasts.validator.judge.states.REMOTE_RETRY_SECONDS", math.inf)
    beast = rig.hatch()
    first = rig.train(beast, publish=published)
    web = Web(rig.settings.snapshots_dir)
    try:
        judge(shared_workspace(rig, web), Workers()).run()
        shutil.rmtree(rig.home / "validator" / "states")  # whoever comes here has no state
        for _ in range(3):
            first = rig.train(beast, first, publish=published)
        workspace, workers = shared_workspace(rig, web), Workers()
        assert judge(workspace, workers).run() == 3
        assert verdicts(workspace) == ["valid"] * 4
        left = [len(batch.fetched) for batch in workers.given]
        # by the hash of the first one's start; nobody had it, so it was computed here
        assert left == ([1] if published else [1, 0])
        assert [len(batch) for batch in workers.given] == [3] * len(left)
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
    watch.passed(one, 0, 1)
    assert watch.beasts() == [other]
    watch.passed(other, 0, 1)
    assert watch.beasts() == []
    before = rpc(rig.chain.rpc_url, "evm_snapshot")
    rig.train(one, first)
    workspace.sync()
    assert watch.beasts() == [one]
    watch.settled(one)
    watch.reopen([other])
    assert watch.beasts() == [other]
    watch.settled(other)
    go_back(partial(rpc, rig.chain.rpc_url), before)
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
            "digest": bytes([2, beast, index]).rjust(32),
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
        session.execute(insert(JobRow), [one | judged for one in every])


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


def test_states_beyond_the_budget_are_dropped_but_for_each_beasts_last(rig: Rig) -> None:
    beast, other = rig.hatch(), rig.hatch()
    rig.train(other, publish=False)
    workspace = rig.workspace()
    windows = train(rig, beast, 4, publish=False)
    workspace.sync()
    judge(workspace, InlineExecutor()).run()
    (seed,) = (case.checkpoint.payload.h128 for case in workspace.reader.live(other))
    last = windows[-1].checkpoint.payload.h128
    assert {seed, last} <= set(workspace.states.snapshots.hashes())
    workspace.states.close()
    again = rig.workspace().states  # after a restart
    assert again.encoded(last) == encode_state(windows[-1].end)
    # Those between were never written; they are computed again where one is asked for.
    case = workspace.reader.live(beast)[2]
    assert again.start_of(case) == encode_state(windows[1].end)
    assert [case.index for case in workspace.reader.pending(beast)] == [0, 1, 2, 3]


def test_a_slice_is_read_in_one_statement_whatever_the_history(rig: Rig) -> None:
    beast = rig.hatch()
    rig.train(beast)
    workspace = rig.workspace()
    workspace.sync()
    rows_of_a_crowd(workspace.database, 20, 250)
    with workspace.database.session() as session:
        session.execute(
            insert(BeastRow),
            [
                {
                    "beast_id": 1_000 + one,
                    "owner": "0x" + "11" * 20,
                    "owner_key": "0x" + "11" * 20,
                    "dna": bytes(32),
                    "name_key": "nobody",
                    "epoch_seed": bytes(32),
                    "season": 1,
                    "block_number": 1,
                }
                for one in range(20)
            ],
        )
    starts = {1_000 + one: 200 for one in range(20)}
    read = workspace.reader.slices

    def look() -> None:
        found = read(starts, 4)
        assert {b: [one.case.index for one in some] for b, some in found.items()} == {
            b: [200, 201, 202, 203] for b in starts
        }
        assert all(one.right for some in found.values() for one in some)

    assert work_of(workspace.database, look) < 50  # of 5,000 rows it reads a hundred


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
