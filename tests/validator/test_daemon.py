"""The daemon on a real chain: what it finds, what it does about it, and what it leaves alone."""

from __future__ import annotations

import errno
import math
import os
import sqlite3
import threading
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
import structlog.testing

from chainbeasts.backend.accounts import devnet_account
from chainbeasts.backend.chain.anvil import rpc
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.errors import Reverted, WrongChainError
from chainbeasts.backend.chain.escrow import ensure_escrow
from chainbeasts.backend.chain.events import Event
from chainbeasts.backend.chain.providers import make_provider
from chainbeasts.backend.chain.transactions import FailedOnChainError
from chainbeasts.backend.chain.types import DisputeStatus
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.indexer.follow import Waker
from chainbeasts.backend.indexer.sync import SyncReport
from chainbeasts.backend.kernel.samples import Source, random_position
from chainbeasts.backend.kernel.state import State
from chainbeasts.backend.store import packs
from chainbeasts.backend.store.daemons import JobRow, Verdict
from chainbeasts.backend.store.facts import CheckpointRow, RevealedDatasetRow
from chainbeasts.backend.store.session import DatabaseUnavailableError
from chainbeasts.backend.store.snapshots import SnapshotStore
from chainbeasts.validator.enforce.policy import Policy
from chainbeasts.validator.enforce.stakes import StakeCollector
from chainbeasts.validator.enforce.strategy import Strategy
from chainbeasts.validator.judge import states
from chainbeasts.validator.judge.cases import Case
from chainbeasts.validator.judge.states import Records, StateProvider
from chainbeasts.validator.operations.metrics import ValidatorMetrics
from chainbeasts.validator.setup import make_validator, open_workspace
from scripts.lib.faulty_node import Fault, FaultyNode
from tests.support.busy import busy, impatient
from tests.support.patience import PATIENCE, eventually
from tests.support.ports import free_port
from tests.support.snapshots import go_back
from tests.validator.conftest import (
    ENERGY,
    OTHER,
    QUIET,
    SHARES,
    TRAINER,
    VALIDATOR,
    Rig,
)


def one_weight(state: State) -> None:
    """The smallest lie."""
    state.weights[100] += 1 if state.weights[100] < 16_000 else -1


def reported(monitor: ValidatorMetrics) -> dict[str, float]:
    """A monitor's figures by their names without the prefix, and labels."""
    found = {}
    for metric in monitor.registry.collect():
        for sample in metric.samples:
            labels = "".join(f" {name}={value}" for name, value in sample.labels.items())
            found[sample.name.removeprefix("chainbeasts_validator_") + labels] = sample.value
    return found


def wealth(rig: Rig, who: int) -> int:
    address = devnet_account(who).address
    return rig.chain.energy_of(address) + rig.chain.escrow_of(address)


def test_honest_windows_are_valid_and_nothing_is_sent(rig: Rig) -> None:
    beast = rig.hatch()
    first = rig.train(beast, publish=False)
    rig.train(beast, first, publish=False)
    before = rig.nonce(VALIDATOR)
    rig.validator().run_once()
    assert rig.verdicts() == {(beast, 0): "valid", (beast, 1): "valid"}
    assert rig.nonce(VALIDATOR) == before


def test_fast_slashes_one_weight_at_once_and_collects(rig: Rig) -> None:
    beast = rig.hatch()
    honest = rig.train(beast)
    cheat = rig.train(beast, honest, tamper=(37, one_weight))
    child = rig.train(beast, cheat)
    before = wealth(rig, VALIDATOR)
    monitor = ValidatorMetrics()
    rig.validator(max_bonds=7 * ENERGY, monitor=monitor).run_once()
    assert rig.live(beast, honest)
    assert not rig.live(beast, cheat)
    assert not rig.live(beast, child)
    assert rig.disputes == 1
    assert rig.verdicts()[beast, 2] is None  # it fell with its parent
    share = (cheat.checkpoint.locked * SHARES) // 10_000
    assert abs(wealth(rig, VALIDATOR) - before - share) <= 2
    assert rig.chain.escrow_of(devnet_account(VALIDATOR).address) == 0
    figures = reported(monitor)
    assert figures["bonds_at_risk_energy"] == 0
    assert figures["bonds_cap_energy"] == 7
    assert figures["native_balance"] > 1
    assert 0 < figures["energy_balance"] < before / ENERGY + 1
    assert figures["payable_filings"] >= 1
    assert figures["replay_seconds_count"] >= 2
    assert figures["head_block"] == figures["indexed_block"] > 0
    for action in ("file", "advance"):
        assert figures[f"moves_total action={action}"] >= 1
        assert figures[f"gas_spent_total action={action}"] > 100_000
    again = ValidatorMetrics()
    rig.validator(monitor=again).run_once()  # after a restart
    assert {n: v for n, v in reported(again).items() if "_total action" in n} == {
        n: v for n, v in figures.items() if "_total action" in n
    }


def test_a_collection_that_fails_on_the_chain_ends_nothing(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where two collect the same in one block: the second did nothing."""

    def second(_: StakeCollector) -> int:
        raise FailedOnChainError("Transaction 0x12 failed on chain, perhaps for lack of gas.")

    monkeypatch.setattr(StakeCollector, "run", second)
    monkeypatch.setattr("chainbeasts.validator.daemon.LONGEST_WAIT_SECONDS", math.inf)
    daemon = rig.validator()
    with structlog.testing.capture_logs() as logs:
        for _ in range(2):  # each attempt costs gas: the next pass makes none
            daemon.run_once()
    assert [line["event"] for line in logs].count("not collected") == 1


def test_cheap_proves_the_first_wrong_segment_once_it_is_opened(rig: Rig) -> None:
    beast = rig.hatch()
    cheat = rig.train(beast, tamper=(37, one_weight))
    daemon = rig.validator(Strategy.CHEAP)
    daemon.run_once()
    assert rig.chain.dispute(1).status is DisputeStatus.FILED
    rig.open_segments(beast, cheat)
    daemon.run_once()
    assert not rig.live(beast, cheat)
    upheld = rig.chain.court.events.DisputeUpheld().get_logs(from_block=0)
    assert upheld[-1]["args"]["segment"] == 36 // 8


def test_cheap_claims_the_timeout_of_a_silent_defender(rig: Rig) -> None:
    beast = rig.hatch()
    cheat = rig.train(beast, tamper=(128, one_weight))
    daemon = rig.validator(Strategy.CHEAP)
    daemon.run_once()
    assert rig.live(beast, cheat)
    assert daemon._enforcer._logged
    rig.travel(16)
    daemon.run_once()
    assert not rig.live(beast, cheat)
    assert daemon._enforcer._logged == {}  # what has ended takes no room


def test_forged_loss_falls_without_a_dispute(rig: Rig) -> None:
    beast = rig.hatch()
    cheat = rig.train(beast, window_loss=1)
    rig.validator().run_once()
    assert not rig.live(beast, cheat)
    assert rig.disputes == 0


def test_an_existing_dispute_is_carried_on_not_doubled(rig: Rig) -> None:
    beast = rig.hatch()
    cheat = rig.train(beast, tamper=(1, one_weight))
    rig.file(OTHER, beast, cheat)
    rig.travel(16)
    rig.validator(Strategy.CHEAP).run_once()
    assert rig.disputes == 1
    assert not rig.live(beast, cheat)


def test_dry_run_judges_and_sends_nothing(rig: Rig) -> None:
    beast = rig.hatch()
    cheat = rig.train(beast, tamper=(37, one_weight))
    before = rig.nonce(VALIDATOR)
    rig.validator(dry_run=True).run_once()
    assert rig.verdicts() == {(beast, 0): "invalid"}
    assert (rig.nonce(VALIDATOR), rig.disputes) == (before, 0)
    assert rig.live(beast, cheat)


def test_bonds_never_exceed_the_cap(rig: Rig) -> None:
    beast = rig.hatch()
    cheat = rig.train(beast, tamper=(37, one_weight))
    bond = 2 * cheat.checkpoint.payload.energy_burn
    monitor = ValidatorMetrics()
    rig.validator(Strategy.CHEAP, max_bonds=bond - 1, monitor=monitor).run_once()
    assert rig.disputes == 0
    assert reported(monitor)["refused_moves"] == 1
    rig.validator(Strategy.CHEAP, max_bonds=bond, monitor=monitor).run_once()
    assert rig.disputes == 1
    assert reported(monitor)["refused_moves"] == 0
    other = rig.hatch()
    second = 2 * rig.train(other, tamper=(37, one_weight)).checkpoint.payload.energy_burn
    rig.validator(Strategy.CHEAP, max_bonds=bond + second - 1).run_once()
    assert rig.disputes == 1
    rig.validator(Strategy.CHEAP, max_bonds=bond + second).run_once()
    assert rig.disputes == 2


def test_a_verdict_that_is_not_confirmed_is_taken_back(rig: Rig) -> None:
    beast = rig.hatch()
    honest = rig.train(beast)
    rig.validator().run_once()
    with rig.workspace().database.session() as session:
        job = session.query(JobRow).one()
        job.verdict = Verdict.INVALID
    rig.validator().run_once()
    assert rig.disputes == 0
    assert rig.live(beast, honest)
    assert rig.verdicts() == {(beast, 0): "valid"}


def test_nothing_is_filed_where_the_court_sees_another_context(rig: Rig) -> None:
    beast = rig.hatch()
    honest = rig.train(beast)
    workspace = rig.workspace()
    workspace.sync()
    with workspace.database.session() as session:  # as if what we indexed were wrong
        row = session.query(CheckpointRow).one()
        # The last bit: a curriculum goes by the seed's last six only, and another is wanted.
        row.epoch_seed = (int.from_bytes(row.epoch_seed) ^ 1).to_bytes(32)
    rig.validator().run_once()
    assert rig.verdicts() == {(beast, 0): "invalid"}
    assert rig.disputes == 0
    assert rig.live(beast, honest)


@pytest.mark.usefixtures("plausible")
def test_private_window_goes_from_unavailable_over_light_to_full(rig: Rig) -> None:
    rules = rig.chain.season(1).rules
    beast = rig.hatch([random_position(seed, None, rules) for seed in range(40)])
    cheat = rig.train(beast, source=Source.PRIVATE, tamper=(37, one_weight), publish=False)
    daemon = rig.validator()
    daemon.run_once()
    assert rig.verdicts() == {(beast, 0): "unavailable"}
    SnapshotStore(rig.settings.snapshots_dir).put(cheat.end)
    daemon.run_once()
    assert rig.verdicts() == {(beast, 0): "valid"}  # lineage and loss are right
    assert rig.disputes == 0
    write_dataset(rig, beast, rig.home / "beasts")
    rig.validator().run_once()
    assert rig.verdicts() == {(beast, 0): "invalid"}
    assert not rig.live(beast, cheat)
    assert rig.chain.secret_fold(beast) is not None


def write_dataset(rig: Rig, beast: int, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "anything").write_bytes(rig.private[beast].compressed)
    (folder / "else.hex").write_text(rig.private[beast].secret.hex())


def test_forged_loss_of_a_private_window_is_caught_in_light_mode(rig: Rig) -> None:
    rules = rig.chain.season(1).rules
    beast = rig.hatch([random_position(seed, None, rules) for seed in range(8)])
    cheat = rig.train(beast, source=Source.PRIVATE, window_loss=7)
    rig.validator().run_once()
    assert not rig.live(beast, cheat)
    assert rig.disputes == 0


def test_a_filing_that_a_reorg_took_back_is_made_again(rig: Rig) -> None:
    beast = rig.hatch()
    cheat = rig.train(beast, tamper=(37, one_weight))
    before = rpc(rig.chain.rpc_url, "evm_snapshot")
    daemon = rig.validator(Strategy.CHEAP)
    daemon.run_once()
    assert rig.disputes == 1
    go_back(partial(rpc, rig.chain.rpc_url), before)
    rig.travel(1)
    assert rig.disputes == 0
    daemon.run_once()
    assert rig.disputes == 1
    assert rig.chain.dispute(1).filer == devnet_account(VALIDATOR).address
    assert rig.live(beast, cheat)


def test_a_node_that_is_away_is_waited_for(rig: Rig) -> None:
    beast = rig.hatch()
    rig.train(beast)
    monitor = ValidatorMetrics()
    waker = Waker(rig.chain.rpc_url, 0.05)
    workspace = rig.workspace()
    present, away = workspace.chain.w3.provider, make_provider(f"http://127.0.0.1:{free_port()}")
    daemon = make_validator(
        workspace, None, policy=Policy(**QUIET), workers=0, monitor=monitor, waker=waker
    )
    workspace.chain.w3.provider = away
    follower = threading.Thread(target=daemon.follow, daemon=True)
    try:
        follower.start()
        eventually(lambda: "No node answers" in monitor.problem)
        assert rig.verdicts() == {}
        workspace.chain.w3.provider = present
        eventually(lambda: monitor.problem == "")
        assert rig.verdicts() == {(beast, 0): "valid"}
    finally:
        workspace.chain.w3.provider = present
        waker.stop()
        follower.join(PATIENCE)
    assert not follower.is_alive()


def test_a_database_that_is_away_is_waited_for(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    impatient(monkeypatch)
    beast = rig.hatch()
    rig.train(beast, tamper=(37, one_weight))
    monitor, waker = ValidatorMetrics(), Waker(rig.chain.rpc_url, 0.05)
    daemon = make_validator(
        rig.workspace(),
        rig.sender(VALIDATOR),
        policy=Policy(**QUIET),
        workers=0,
        monitor=monitor,
        waker=waker,
    )
    follower = threading.Thread(target=daemon.follow, daemon=True)
    try:
        with busy(rig.home / "validator.sqlite3"):
            follower.start()
            eventually(lambda: "The database does not answer" in monitor.problem)
            assert rig.disputes == 0
        eventually(lambda: rig.disputes == 1)
        eventually(lambda: monitor.problem == "")
    finally:
        waker.stop()
        follower.join(PATIENCE)
    assert not follower.is_alive()


def test_a_disk_without_room_is_waited_for(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    beast = rig.hatch()
    first = rig.train(beast, publish=False)
    rig.train(beast, first, publish=False)

    def no_room(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    # Each window's end is written down, and there is room for none.
    monkeypatch.setattr(states, "DURABLE_EVERY", 1)
    write = packs.write_whole
    monkeypatch.setattr(packs, "write_whole", no_room)
    monitor, waker = ValidatorMetrics(), Waker(rig.chain.rpc_url, 0.05)
    daemon = make_validator(
        rig.workspace(), None, policy=Policy(**QUIET), workers=0, monitor=monitor, waker=waker
    )
    follower = threading.Thread(target=daemon.follow, daemon=True)
    with structlog.testing.capture_logs() as logs:
        try:
            follower.start()
            eventually(lambda: any("No space left" in line.get("problem", "") for line in logs))
            monkeypatch.setattr(packs, "write_whole", write)
            eventually(lambda: rig.verdicts() == {(beast, 0): "valid", (beast, 1): "valid"})
            eventually(lambda: monitor.problem == "")
        finally:
            waker.stop()
            follower.join(PATIENCE)
    assert not follower.is_alive()
    assert "waiting for the disk" in [line["event"] for line in logs]


@pytest.mark.parametrize("error", [KeyError("result"), Reverted("NoSuchSeason", {})])
def test_a_pass_that_fails_as_nobody_foresaw_is_made_again(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    beast = rig.hatch()
    rig.train(beast)
    monitor, waker = ValidatorMetrics(), Waker(rig.chain.rpc_url, 0.05)
    daemon = make_validator(
        rig.workspace(), None, policy=Policy(**QUIET), workers=0, monitor=monitor, waker=waker
    )
    sync, problems = daemon._sync, list[str]()

    def odd() -> SyncReport:
        if len(problems) < 2:
            raise error
        return sync()

    def pause(_: float) -> None:
        problems.append(monitor.problem)

    monkeypatch.setattr(daemon, "_sync", odd)
    monkeypatch.setattr(waker, "pause", pause)
    follower = threading.Thread(target=daemon.follow, daemon=True)
    with structlog.testing.capture_logs() as logs:
        try:
            follower.start()
            eventually(lambda: rig.verdicts() == {(beast, 0): "valid"} or not follower.is_alive())
            eventually(lambda: monitor.problem == "" or not follower.is_alive())
        finally:
            waker.stop()
            follower.join(PATIENCE)
    assert rig.verdicts() == {(beast, 0): "valid"}
    assert problems == [str(error)] * 2
    told = [line for line in logs if line["event"] == "a pass failed"]
    assert [line["exc_info"] for line in told] == [error] * 2


def test_another_chain_ends_the_daemon(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    daemon = rig.validator()

    def other() -> SyncReport:
        raise WrongChainError("another chain")

    monkeypatch.setattr(daemon, "_sync", other)
    with pytest.raises(WrongChainError):
        daemon.follow()


def rename(rig: Rig, table: str, name: str) -> None:
    """Give a table another name, without which queries of it fail."""
    with closing(sqlite3.connect(rig.home / "validator.sqlite3")) as database, database:
        database.execute(f"ALTER TABLE {table} RENAME TO {name}")


def test_a_revealed_dataset_is_waited_for_where_it_is_not_to_be_had(
    rig: Rig,
) -> None:
    rules = rig.chain.season(1).rules
    beast = rig.hatch([random_position(seed, None, rules) for seed in range(8)])
    window = rig.train(beast, source=Source.PRIVATE)
    private = rig.private[beast]
    call = rig.chain.court.functions.filePrivate(
        beast, window.checkpoint.to_abi(), private.compressed, private.secret
    )
    rig.fund(OTHER)
    ensure_escrow(rig.chain, rig.sender(OTHER), 100 * ENERGY)
    rig.send(OTHER, call, 2 * rig.chain.filing_quote(beast, window.checkpoint).opening_bond)
    workspace = rig.workspace()
    workspace.sync()

    rename(rig, RevealedDatasetRow.__tablename__, "elsewhere")
    with pytest.raises(DatabaseUnavailableError):
        workspace.states.private_data(beast)
    rename(rig, "elsewhere", RevealedDatasetRow.__tablename__)
    found = workspace.states.private_data(beast)
    assert found is not None
    assert found.secret == private.secret

    with FaultyNode(rig.chain.rpc_url) as node:  # keeps no old transactions
        node.plan("eth_getTransactionByHash", Fault.NO_RESULT)
        there = Chain.connect(node.url, rig.chain.deployment)
        states = open_workspace(rig.settings, there).states
        assert states.private_data(beast) is None
        assert node.faults[Fault.NO_RESULT] == 1


@pytest.mark.parametrize("dirt", [b"", b"\xff"], ids=["without", "dirty"])
def test_a_dataset_is_read_whatever_pads_it_in_its_call(rig: Rig, dirt: bytes) -> None:
    """Solidity takes calldata whose last byte string is not padded, or not with zeros."""
    rules = rig.chain.season(1).rules
    beast = rig.hatch([random_position(seed, None, rules) for seed in range(8)])
    private = rig.private[beast]
    padding = -len(private.compressed) % 32
    assert padding
    rig.train(beast, source=Source.PRIVATE)
    reveal = ("revealDataset", [beast, private.compressed, private.secret])
    data = bytes.fromhex(rig.chain.records.encode_abi(*reveal)[2:])[:-padding] + padding * dirt
    call = {
        "from": devnet_account(OTHER).address,
        "to": rig.chain.records.address,
        "data": "0x" + data.hex(),
    }
    rpc(rig.chain.rpc_url, "eth_sendTransaction", call)
    rpc(rig.chain.rpc_url, "anvil_mine", "0x1")
    workspace = rig.workspace()
    workspace.sync()
    assert workspace.states.private_data(beast) == private
    rig.validator().run_once()
    assert rig.verdicts() == {(beast, 0): "valid"}


def test_what_nobody_foresaw_about_one_beast_holds_up_no_other(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd, plain = rig.hatch(), rig.hatch()
    rig.train(odd)
    rig.train(plain, tamper=(37, one_weight))
    records_of = StateProvider.records_of

    def fails(self: StateProvider, case: Case) -> Records | str:
        if case.beast_id == odd:
            raise ArithmeticError("a number that nobody foresaw")
        return records_of(self, case)

    monkeypatch.setattr(StateProvider, "records_of", fails)
    daemon = rig.validator()
    with structlog.testing.capture_logs() as logs:
        daemon.run_once()
        daemon.run_once()
    assert rig.verdicts() == {(odd, 0): "unavailable", (plain, 0): "invalid"}
    assert rig.disputes == 1
    told = [line for line in logs if line["event"] == "a window could not be judged"]
    assert [line["beast"] for line in told] == [odd]
    monkeypatch.undo()
    daemon.run_once()
    assert rig.verdicts()[odd, 0] == "valid"


def test_reveals_that_were_refused_take_little_room(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise ChainBeastsError("It does not fit.")

    monkeypatch.setattr(states, "MOST_BEASTS", 2)
    monkeypatch.setattr(states, "revealed_dataset", refuse)
    provider = rig.workspace().states
    monkeypatch.setattr(provider.reader, "commitments", lambda _: None)
    for beast in range(5):
        assert provider._revealed(beast) is None
    assert list(provider._refused_reveals) == [3, 4]


def test_two_processes_may_read_the_chain_into_one_database(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    beast = rig.hatch()
    rig.train(beast)
    slow, quick = rig.workspace(), rig.workspace()
    read = slow.chain.events

    def overtaken(start: int, end: int, attempts: int) -> list[Event]:
        found = read(start, end, attempts)
        monkeypatch.undo()
        quick.indexer.sync()
        return found

    monkeypatch.setattr(slow.chain, "events", overtaken)
    report = slow.indexer.sync()
    assert report.indexed_to == rig.chain.block().number
    with slow.database.session() as session:
        assert session.query(CheckpointRow).count() == 1


def test_a_bond_over_a_fallen_checkpoint_comes_back(rig: Rig) -> None:
    beast = rig.hatch()
    first = rig.train(beast)
    second = rig.train(beast, first, tamper=(9, one_weight))
    daemon = rig.validator(Strategy.CHEAP)
    daemon.run_once()  # files over the second
    assert rig.chain.dispute(1).status is DisputeStatus.FILED
    rig.file(OTHER, beast, first)
    rig.travel(16)
    claim = (2, beast, first.checkpoint.to_abi(), first.parent.to_abi())
    rig.send(OTHER, rig.chain.court.functions.claimTimeout(claim))  # nobody defended the first
    assert not rig.live(beast, second)
    before = wealth(rig, VALIDATOR)
    daemon.run_once()
    assert rig.chain.dispute(1).status is DisputeStatus.VOIDED
    assert wealth(rig, VALIDATOR) == before + 2 * second.checkpoint.payload.energy_burn
    assert wealth(rig, TRAINER) < 1_000 * ENERGY
