"""Continuous training on a real chain: killed anywhere, re-orged, dear, and out of funds."""

from __future__ import annotations

import errno
import json
import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import structlog
from websockets.sync.server import ServerConnection, serve

import chainbeasts.trainer.train.in_flight
from chainbeasts.backend.accounts import devnet_account
from chainbeasts.backend.chain.anvil import rpc
from chainbeasts.backend.chain.errors import ChainError, NodeUnavailableError, WrongChainError
from chainbeasts.backend.chain.outbox import Outbox
from chainbeasts.backend.chain.prices import window_lock
from chainbeasts.backend.chain.transactions import FailedOnChainError, NotMinedError
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.state import state_hash
from chainbeasts.backend.locks import LockHeldError
from chainbeasts.backend.monitoring.training import TrainingMetrics
from chainbeasts.backend.store.session import Database, DatabaseUnavailableError
from chainbeasts.backend.store.snapshots import SnapshotStore
from chainbeasts.trainer.metrics.log import read_log
from chainbeasts.trainer.metrics.streamer import MetricsStreamer
from chainbeasts.trainer.plan.plan import Plan
from chainbeasts.trainer.plan.toml import make_plan
from chainbeasts.trainer.submit.submitter import Submitter
from chainbeasts.trainer.train.job import Submitted, TrainingJob
from chainbeasts.trainer.train.loop import Run, Trainer
from chainbeasts.trainer.train.prefetch import Prefetcher, PreparedWindow
from chainbeasts.trainer.train.window_store import WindowStore
from chainbeasts.trainer.train.windows import WindowStart, train_window
from tests.support.onchain import mined
from tests.support.patience import PATIENCE
from tests.support.snapshots import go_back
from tests.support.stopped import stopped_holder
from tests.trainer.conftest import ENERGY, OTHER, TRAINER, Farm, wait_for
from tests.trainer.drills.test_drills import MASK, PRICE, window_start
from tests.trainer.train.instants import run_until
from tests.trainer.train.test_run import expected, hashes, hatch, on_chain

GWEI = 10**9
INSTANTS = (
    ("training", 2),
    ("state published", 2),
    ("sent", 2),  # the deposit
    ("signed", 1),
    ("sent", 1),
    ("on record", 1),
    ("mined", 2),
)
WINDOWS = 16
"""More than the runs that are killed can submit, at whatever pace."""


def plan(text: str) -> Plan:
    return make_plan(text, None, Source.CURRICULUM)


def trainer_for(farm: Farm, beast: int, who: int = TRAINER) -> Trainer:
    structlog.reset_defaults()  # the commands before left their logs on a closed stream
    workspace = farm.workspace()
    store = WindowStore(workspace.database, workspace.snapshots)
    submitter = Submitter(farm.chain, Outbox(workspace.database, farm.sender(who)))
    return Trainer(farm.chain, workspace.snapshots, store, submitter, beast)


@pytest.fixture
def dear(farm: Farm) -> Iterator[None]:
    """A base fee of 50 gwei, taken back after the test: undoing blocks does not."""
    before = int(farm.chain.w3.eth.get_block("latest")["baseFeePerGas"])
    farm.set_base_fee(50 * GWEI)
    yield
    farm.set_base_fee(before)


def test_killed_at_any_instant_a_run_ends_as_if_never_interrupted(farm: Farm) -> None:
    beast = hatch(farm)
    text = "curriculum:0-2,self-play,curriculum"
    until = ("--until", str(WINDOWS), "--plan", text)
    options = (*until, "--batch", "2", "--in-flight", "3", "--no-metrics")
    arguments = farm.arguments(TRAINER, "trainer", "run", str(beast), *options)
    reached = 0
    for instant, number in INSTANTS:
        assert run_until(instant, number, arguments) == -signal.SIGKILL, (instant, number)
        head = farm.chain.head(beast)
        assert head.head_count >= reached
        reached = head.head_count
    assert 0 < reached < WINDOWS
    farm.done("trainer", "run", str(beast), *options)
    wanted = [plan(text).source(window) for window in range(WINDOWS)]
    assert on_chain(farm, beast) == expected(farm, beast, wanted)
    assert len(farm.done("checkpoint", "list", str(beast), "--all", who=None)) == WINDOWS
    assert farm.done("trainer", "run", str(beast), *options) == []


def test_what_was_trained_before_a_kill_is_not_trained_again(
    farm: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:
    beast = hatch(farm)
    options = ("--windows", "4", "--batch", "4", "--no-metrics")
    arguments = farm.arguments(TRAINER, "trainer", "run", str(beast), *options)
    assert run_until("on record", 3, arguments) == -signal.SIGKILL
    trained = []

    def counted(*args: Any, **kwargs: Any) -> Any:
        trained.append(train_window(*args, **kwargs))
        return trained[-1]

    monkeypatch.setattr(chainbeasts.trainer.train.in_flight, "train_window", counted)
    farm.done("trainer", "run", str(beast), *options)
    assert [window.index for window in trained] == [3]
    assert on_chain(farm, beast) == expected(farm, beast, [Source.CURRICULUM] * 4)


def test_only_an_honest_window_of_the_same_place_is_taken_up(tmp_path: Path) -> None:
    store = WindowStore(
        Database(f"sqlite:///{tmp_path / 'windows.sqlite3'}"), SnapshotStore(tmp_path / "states")
    )
    place = window_start()
    window = train_window(place, MASK, PRICE)
    store.keep(window)  # as a drill does
    assert store.find(place, MASK, PRICE, 1) is None
    store.keep(window, 1)
    found = store.find(place, MASK, PRICE, 1)
    assert found is not None
    assert state_hash(found.end) == found.h128 == window.h128
    assert replace(found, end=window.end) == window
    assert store.find(place, MASK | 1 << 7, PRICE, 1) is None
    assert store.find(place, MASK, PRICE + 1, 1) is None
    assert store.find(place, MASK, PRICE, 2) is None
    for other in (
        replace(place, ctx=replace(place.ctx, epoch_seed=bytes(32))),
        replace(place, ctx=replace(place.ctx, source=Source.SELF_PLAY)),
        replace(place, ctx=replace(place.ctx, lr_shift=10)),
        replace(place, head=replace(place.head, h128=bytes(32))),
        replace(place, head=replace(place.head, head_count=1)),
        replace(place, head=replace(place.head, epoch=1)),
    ):
        assert store.find(other, MASK, PRICE, 1) is None
    SnapshotStore(tmp_path / "states").path(window.h128).unlink()
    assert store.find(place, MASK, PRICE, 1) is None


def test_a_reorg_that_changes_an_epochs_seed_has_its_windows_trained_again(farm: Farm) -> None:
    beast = hatch(farm)
    snapshots: list[str] = []
    seeds: list[bytes] = []
    lost: list[int] = []

    def reorg(one: Submitted) -> None:
        if one.index == 2 and not snapshots:
            snapshots.append(rpc(farm.chain.rpc_url, "evm_snapshot"))
        if one.index == 5 and not seeds:
            seeds.append(farm.chain.epoch(beast, 1).epoch_seed)
            go_back(partial(rpc, farm.chain.rpc_url), snapshots[0])
            rpc(farm.chain.rpc_url, "anvil_mine", "0x3")

    job = TrainingJob(
        plan("curriculum"), 7, in_flight=8, on_submitted=reorg, on_taken_back=lost.append
    )
    done = Run(trainer_for(farm, beast), job).go()
    assert lost == [3]
    assert farm.chain.epoch(beast, 1).epoch_seed != seeds[0]
    assert [one.index for one in done] == list(range(7))
    wanted = expected(farm, beast, [Source.CURRICULUM] * 7)
    assert ["0x" + one.payload.h128.hex() for one in done] == on_chain(farm, beast) == wanted


def test_a_reorg_that_changes_the_seed_alone_is_noticed(farm: Farm) -> None:
    beast = hatch(farm)
    lost: list[int] = []
    seeds: list[bytes] = []
    snapshots: list[str] = []
    made: list[Submitted] = []

    def submitted(one: Submitted) -> None:
        made.append(one)
        if one.index == 2:
            snapshots.append(rpc(farm.chain.rpc_url, "evm_snapshot"))

    def pause(_: float) -> bool:
        in_flight = run._in_flight
        if not seeds and in_flight is not None and in_flight.head.epoch == 1:
            seeds.append(in_flight.epoch_seed)
            raw = farm.chain.w3.eth.get_raw_transaction(made[3].tx_hash)  # type: ignore[arg-type]
            go_back(partial(rpc, farm.chain.rpc_url), snapshots[0])
            rpc(farm.chain.rpc_url, "anvil_mine", "0x3")
            sent = farm.chain.w3.eth.send_raw_transaction(raw)
            mined(farm.chain.w3, sent)
        return False

    job = TrainingJob(
        plan("curriculum"), 6, pause=pause, on_submitted=submitted, on_taken_back=lost.append
    )
    run = Run(trainer_for(farm, beast), job)
    run.go()
    assert lost == []  # the epoch's last window was mined again, elsewhere
    assert [one.index for one in made] == list(range(6))
    assert farm.chain.epoch(beast, 1).epoch_seed not in seeds
    assert on_chain(farm, beast) == expected(farm, beast, [Source.CURRICULUM] * 6)


@pytest.mark.parametrize(
    "what",
    [NodeUnavailableError, DatabaseUnavailableError, ChainError, NotMinedError, OSError],
)
def test_what_is_away_is_waited_for_by_a_run_without_end(
    farm: Farm, monkeypatch: pytest.MonkeyPatch, what: type[Exception]
) -> None:
    trainer = trainer_for(farm, hatch(farm))
    start_of, calls, waited = trainer.window_start, [0], list[float]()
    made: list[Submitted] = []

    def away(source: Source) -> WindowStart:
        calls[0] += 1
        if calls[0] == 1:
            raise what("Nobody answers.", "")
        return start_of(source)

    def pause(seconds: float) -> bool:
        waited.extend([seconds] * (seconds > 0))
        return bool(made)

    monkeypatch.setattr(trainer, "window_start", away)
    job = TrainingJob(plan("curriculum"), None, pause=pause, on_submitted=made.append)
    assert Run(trainer, job).go() == made
    assert (len(made), len(waited)) == (1, 1)
    calls[0] = 0
    with pytest.raises(what):
        Run(trainer, TrainingJob(plan("curriculum"), 1)).go()


def test_a_disk_without_room_for_a_window_is_waited_for_by_a_run_without_end(
    farm: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer, made, fulls = trainer_for(farm, hatch(farm)), list[Submitted](), list[str]()
    keep = trainer.store.keep

    def full(*given: Any) -> None:
        if not fulls:
            fulls.append("full")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        keep(*given)

    monkeypatch.setattr(trainer.store, "keep", full)
    job = TrainingJob(
        plan("curriculum"), None, pause=lambda _: bool(made), on_submitted=made.append
    )
    with structlog.testing.capture_logs() as logs:
        assert Run(trainer, job).go() == made
    assert len(made) == 1
    assert "waiting for the disk" in [line["event"] for line in logs]


@pytest.mark.parametrize("what", [WrongChainError, FailedOnChainError])
def test_what_does_not_pass_is_not_waited_for(
    farm: Farm, monkeypatch: pytest.MonkeyPatch, what: type[ChainBeastsError]
) -> None:
    trainer = trainer_for(farm, hatch(farm))

    def away(source: Source) -> WindowStart:
        raise what("No.")

    monkeypatch.setattr(trainer, "window_start", away)
    with pytest.raises(what):
        Run(trainer, TrainingJob(plan("curriculum"), None)).go()


@pytest.mark.parametrize("what", [NodeUnavailableError, DatabaseUnavailableError])
def test_what_goes_away_between_a_submission_and_its_record_hides_none(
    farm: Farm, monkeypatch: pytest.MonkeyPatch, what: type[ChainBeastsError]
) -> None:
    beast = hatch(farm)
    trainer, made, aways = trainer_for(farm, beast), list[Submitted](), list[str]()
    intents = trainer.submitter._outbox.intents
    record = intents.mined

    def away(kind: str, *rest: Any) -> None:
        if kind == "submit" and not aways:
            aways.append(kind)
            raise what("It is away.")
        record(kind, *rest)

    def pause(_: float) -> bool:
        return len(made) >= 2

    monkeypatch.setattr(intents, "mined", away)
    Run(trainer, TrainingJob(plan("curriculum"), None, pause=pause, on_submitted=made.append)).go()
    assert aways == ["submit"]
    assert [one.index for one in made] == [0, 1]
    assert on_chain(farm, beast) == expected(farm, beast, [Source.CURRICULUM] * 2)


def test_a_database_that_is_not_waited_for_at_the_end_is_no_error(
    farm: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer, over = trainer_for(farm, hatch(farm)), list[bool]()

    def away(source: Source) -> WindowStart:
        over.append(True)
        raise DatabaseUnavailableError("It is not waited for.")

    monkeypatch.setattr(trainer, "window_start", away)
    job = TrainingJob(plan("curriculum"), 1, pause=lambda _: bool(over))
    assert Run(trainer, job).go() == []


def test_a_stopped_process_of_the_account_is_waited_for_by_a_run_without_end(farm: Farm) -> None:
    trainer, made = trainer_for(farm, hatch(farm)), list[Submitted]()
    lock = trainer.submitter._outbox.sender._lock
    lock.seconds = 0.5
    with stopped_holder(lock.path) as holder, structlog.testing.capture_logs() as logs:

        def pause(_: float) -> bool:
            waited = any("waiting for the other process" in one["event"] for one in logs)
            if waited and holder.returncode is None:
                holder.send_signal(signal.SIGCONT)
                holder.communicate()
            return bool(made)

        with pytest.raises(LockHeldError, match=str(holder.pid)):
            Run(trainer, TrainingJob(plan("curriculum"), 1)).go()
        job = TrainingJob(plan("curriculum"), None, pause=pause, on_submitted=made.append)
        assert Run(trainer, job).go() == made
    assert len(made) == 1


def test_a_drills_lie_is_never_taken_up(farm: Farm) -> None:
    beast = hatch(farm)
    farm.done("trainer", "drill", "weight", str(beast))
    structlog.reset_defaults()  # the command left its log on a closed stream
    workspace = farm.workspace()
    (lie,) = workspace.live(beast)
    assert workspace.snapshots.get(lie.h128) is not None
    ctx = farm.chain.window_context(beast, epoch=0, source=Source.CURRICULUM)
    head = replace(window_start().head, h128=lie.parent)
    place = replace(window_start(), beast_id=beast, head=head, ctx=ctx)
    store = WindowStore(workspace.database, workspace.snapshots)
    assert store.segments(lie.h128) is not None
    assert store.find(place, lie.active_mask, lie.energy_burn, lie.season) is None
    honest = train_window(place, MASK | lie.active_mask, lie.energy_burn)
    store.keep(honest, lie.season)
    assert store.find(place, honest.payload.active_mask, lie.energy_burn, lie.season) is not None


@pytest.mark.usefixtures("dear")
def test_a_dear_chain_is_waited_out(farm: Farm) -> None:
    beast = hatch(farm)
    assert farm.chain.base_fee() > 9 * GWEI
    waited: list[int] = []

    def pause(seconds: float) -> bool:
        if seconds and not waited:
            waited.append(farm.chain.head(beast).head_count)
            farm.set_base_fee(GWEI)
        return False

    job = TrainingJob(plan("curriculum"), max_fee=9 * GWEI, pause=pause)
    done = Run(trainer_for(farm, beast), job).go()
    assert (waited, len(done), farm.chain.head(beast).head_count) == ([0], 1, 1)


@pytest.mark.usefixtures("dear")
def test_a_run_that_waits_ends_cleanly_on_sigterm(farm: Farm) -> None:
    beast = hatch(farm)
    options = ("--forever", "--max-fee", "0.5", "--no-metrics")
    with farm.process("trainer", "run", str(beast), *options) as process:
        wait_for(lambda: "waiting for a lower fee" in process.err.read_text(), process)
        assert "limit=0.5 gwei" in process.err.read_text().replace("'", "")
        process.send_signal(signal.SIGTERM)
        assert (process.wait(), json.loads(process.out.read_text())) == (0, [])
    assert farm.chain.head(beast).head_count == 0
    farm.done("trainer", "run", str(beast))
    assert on_chain(farm, beast) == expected(farm, beast, [Source.CURRICULUM])


def test_without_end_it_trains_until_it_is_told_to_stop(farm: Farm) -> None:
    beast = hatch(farm)
    asked: list[bool] = []

    def submitted(one: Submitted) -> None:
        asked.extend([True] * (one.index == 5))

    job = TrainingJob(
        plan("curriculum"), None, batch=2, pause=lambda _: bool(asked), on_submitted=submitted
    )
    done = Run(trainer_for(farm, beast), job).go()
    assert len(done) == farm.chain.head(beast).head_count == 6
    assert on_chain(farm, beast) == expected(farm, beast, [Source.CURRICULUM] * 6)


def test_out_of_energy_it_says_how_much_is_needed_and_shows_what_stands(farm: Farm) -> None:
    beast = hatch(farm)
    account = devnet_account(OTHER).address
    farm.done("beast", "authorise", str(beast), account)
    head, economics = farm.chain.head(beast), farm.chain.season(1).economics
    lock = window_lock(economics, head.active_mask, head.active_mask)
    farm.fund(OTHER, 3 * lock + 7)
    run = ("trainer", "run", str(beast), "--windows", "6", "--batch", "2", "--no-metrics")
    result = farm.invoke(*run, who=OTHER)
    assert isinstance(result.exception, ChainBeastsError)
    said = result.exception.message
    for amount in (lock, 3 * lock):
        assert f"{amount / ENERGY:.3f}"[:4] in said
    assert f"{account} has 0.000000000000000007 ENERGY" in said
    assert "the 3 windows" not in said  # one sentence, not two
    assert "the 3 that remain" in said
    assert "chainbeasts energy faucet" in result.exception.hint
    rows = json.loads(result.stdout)
    assert hashes(rows) == on_chain(farm, beast) == expected(farm, beast, [Source.CURRICULUM] * 3)


def test_out_of_gas_it_says_what_the_next_transaction_may_cost(farm: Farm) -> None:
    beast = hatch(farm)
    farm.done("trainer", "run", str(beast), "--no-metrics")
    account = devnet_account(TRAINER).address
    rpc(farm.chain.rpc_url, "anvil_setBalance", account, hex(10**13))
    error = farm.refused("trainer", "run", str(beast), "--windows", "2", "--batch", "2")
    assert f"{account} cannot pay the gas to submit the next 2 windows: up to" in error.message
    assert "it has 0.00001 native coin" in error.message
    assert farm.chain.head(beast).head_count == 1


def test_growth_is_priced_and_never_paid_unasked(farm: Farm) -> None:
    names = ("s0", "s1", "s2", "s3", "a0", "a1", "a2", "a3")
    asleep: list[str] = []
    while not asleep:  # one beast in sixteen hatches with all slots awake
        beast = hatch(farm)
        mask = farm.chain.head(beast).active_mask
        asleep = [name for bit, name in enumerate(names) if not mask >> bit & 1]
    slot = asleep[0]
    run = ("trainer", "run", str(beast), "--windows", "3", "--grow", f"{slot}@1", "--no-metrics")
    block = farm.chain.block().number
    result = farm.invoke(*run)
    assert isinstance(result.exception, ChainBeastsError)
    assert "--yes" in result.exception.hint
    assert f"Window 1 wakes {slot} for 1 ENERGY" in result.stderr
    assert "The run's 3 windows: " in result.stderr
    assert farm.chain.block().number == block
    rows = farm.done(*run, "--yes")
    burns = [int(row["energy_burn"]) for row in rows]
    assert burns[1] - burns[2] == farm.chain.season(1).economics.growth_cost
    bit = 1 << names.index(slot)
    assert farm.chain.head(beast).active_mask == mask | bit
    masks = [mask, mask | bit, mask | bit]
    assert hashes(rows) == expected(farm, beast, [Source.CURRICULUM] * 3, masks)
    assert (
        f"{slot}@5: {slot} is awake"
        in farm.refused(
            "trainer", "run", str(beast), "--windows", "3", "--grow", f"{slot}@5"
        ).message
    )
    assert len(farm.done(*run)) == 3  # the growth is past: the same command asks for nothing


def test_options_that_do_not_fit_are_refused(farm: Farm) -> None:
    beast = hatch(farm)
    run = ("trainer", "run", str(beast))
    assert "in flight" in farm.refused(*run, "--batch", "4", "--in-flight", "2").message
    assert "is no fee" in farm.refused(*run, "--max-fee", "cheap").message
    assert "no source for window 2" in (
        farm.refused(*run, "--windows", "3", "--plan", "curriculum:0-1").message
    )
    assert (
        "without a private dataset" in farm.refused(*run, "--plan", "private:5,curriculum").message
    )
    assert farm.chain.head(beast).head_count == 0


def test_each_windows_figures_are_logged_and_streamed(
    farm: Farm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MetricsStreamer.close, "__defaults__", (PATIENCE,))
    monkeypatch.setattr("chainbeasts.trainer.metrics.streamer.PATIENCE", PATIENCE)
    monkeypatch.setattr("chainbeasts.trainer.cli.sinks.LOOK_SECONDS", PATIENCE)
    beast = hatch(farm)
    streamed: list[str] = []
    over = threading.Event()

    def read(socket: ServerConnection) -> None:
        streamed.extend(map(str, socket))
        over.set()

    patient: dict[str, Any] = {"open_timeout": PATIENCE, "close_timeout": PATIENCE}
    with serve(read, "127.0.0.1", 0, ping_interval=None, **patient) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv("METRICS_PORT", str(server.socket.getsockname()[1]))
        path = tmp_path / "figures.jsonl"
        rows = farm.done("trainer", "run", str(beast), "--windows", "3", "--log", str(path))
        assert over.wait(PATIENCE)
        server.shutdown()
        thread.join()
    messages = read_log(path)
    assert [TrainingMetrics.from_json(text) for text in streamed] == messages
    assert [message.window for message in messages] == [0, 1, 2]
    assert [message.step for message in messages] == [128, 256, 384]
    assert [message.loss for message in messages] == [row["window_loss"] / 128 for row in rows]
    lock = window_lock(farm.chain.season(1).economics, *[farm.chain.head(beast).active_mask] * 2)
    assert [message.energy for message in messages] == [lock, 2 * lock, 3 * lock]
    assert all(message.move_accuracy is not None for message in messages)
    assert all(message.block_accuracy is None for message in messages)  # not unlocked in epoch 0


def test_a_metrics_port_that_is_none_is_named(farm: Farm, monkeypatch: pytest.MonkeyPatch) -> None:
    beast = hatch(farm)
    monkeypatch.setenv("METRICS_PORT", "8765x")
    assert "METRICS_PORT is '8765x'" in farm.refused("trainer", "run", str(beast)).message


def prepared(index: int) -> PreparedWindow:
    window = train_window(window_start(), MASK, PRICE)
    return PreparedWindow(replace(window, index=index), lock=1)


def test_no_more_windows_are_in_flight_than_are_allowed() -> None:
    begun: list[int] = []

    def windows() -> Any:
        for index in range(6):
            begun.append(index)
            yield prepared(index)
        raise ChainBeastsError("no more")

    prefetcher = Prefetcher(windows(), capacity=3)
    looks: list[bool] = []

    def tired() -> bool:
        looks.extend([True] * (len(prefetcher._ready) == 3))  # and a few more looks after that
        return len(looks) > 3

    assert len(prefetcher.peek(6, tired)) == len(begun) == 3  # asked for more, it trains no more
    taken: list[int] = []
    while len(taken) < 6:
        two = prefetcher.peek(2, lambda: False)
        taken += [one.window.index for one in two]
        prefetcher.mined(len(two))
    assert taken == list(range(6))
    with pytest.raises(ChainBeastsError, match="no more"):
        prefetcher.peek(2, lambda: False)
    prefetcher.close()
