"""The defender on a real chain: it opens, in time and once, ends false disputes, outlives kills."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import socketserver
import threading
import time
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import pytest
import structlog
from sqlalchemy import delete

from chainbeasts.backend.accounts import devnet_account
from chainbeasts.backend.chain.anvil import rpc
from chainbeasts.backend.chain.errors import Reverted
from chainbeasts.backend.chain.outbox import Outbox
from chainbeasts.backend.chain.transactions import FailedOnChainError
from chainbeasts.backend.chain.types import Checkpoint, Dispute, DisputeStatus
from chainbeasts.backend.indexer.follow import Waker
from chainbeasts.backend.indexer.records import checkpoint_of
from chainbeasts.backend.indexer.sync import SyncReport
from chainbeasts.backend.store.daemons import WindowRow
from chainbeasts.backend.store.facts import CheckpointRow, DisputeRow
from chainbeasts.trainer.defend.defender import Defender, DefenderMove
from chainbeasts.trainer.defend.metrics import DefenderMetrics
from chainbeasts.trainer.submit.finality import Finalizer
from chainbeasts.trainer.train.window_store import WindowStore
from chainbeasts.trainer.workspace import TrainerWorkspace
from tests.support.busy import busy, impatient
from tests.support.endpoints import get
from tests.support.patience import PATIENCE, eventually
from tests.support.ports import free_port
from tests.support.stopped import stopped_holder
from tests.trainer.conftest import CHALLENGER, OTHER, ROOT, TRAINER, Farm, wait_for

SAMPLES = ROOT / "examples" / "battle_samples.csv"


def hatch(farm: Farm, *args: str) -> int:
    return int(farm.done("beast", "hatch", "--yes", *args)["beast"])


def last_record(farm: Farm, beast: int) -> Checkpoint:
    """The record of a beast's latest checkpoint."""
    return checkpoint_of(farm.workspace().live(beast)[-1])


def status(farm: Farm, dispute: int) -> DisputeStatus:
    return farm.chain.dispute(dispute).status


def defend(farm: Farm, *args: str, who: int = TRAINER) -> list[str]:
    """The moves of one round that are about disputes and windows; see test_openings for pay."""
    answers = farm.done("trainer", "defend", "--once", *args, who=who)
    return [answer["kind"] for answer in answers if answer["kind"] != "collect"]


def opened_segments(farm: Farm, dispute: int) -> list[bytes]:
    """The hashes that a dispute's trainer opened, from the event."""
    found = [a["segments"] for a in farm.events("SegmentsOpened") if a["disputeId"] == dispute]
    (segments,) = found
    return [bytes(segment) for segment in segments]


def test_an_honest_window_is_answered_and_the_false_dispute_burns_its_bond(farm: Farm) -> None:
    beast = hatch(farm)
    farm.done("trainer", "run", str(beast))
    record = last_record(farm, beast)
    dispute = farm.file(beast)
    assert defend(farm) == ["segments"]
    assert status(farm, dispute) is DisputeStatus.OPENED
    assert opened_segments(farm, dispute)[-1] == record.payload.h128
    assert defend(farm) == []
    farm.travel(31)
    before = farm.chain.escrow_of(devnet_account(CHALLENGER).address)
    assert defend(farm) == ["dismiss", "finalize"]
    assert status(farm, dispute) is DisputeStatus.DISMISSED
    assert farm.chain.escrow_of(devnet_account(CHALLENGER).address) == before
    assert farm.chain.head(beast).final_count == 1
    assert farm.chain.escrow_of(devnet_account(TRAINER).address) >= record.bond


def test_lost_segments_are_computed_again(farm: Farm) -> None:
    beast = hatch(farm)
    farm.done("trainer", "run", str(beast), "--windows", "2")
    dispute = farm.file(beast)
    workspace = farm.workspace()
    with workspace.database.session() as session:
        kept = session.get_one(WindowRow, last_record(farm, beast).payload.h128).segment_hashes
        session.execute(delete(WindowRow))
    for path in (farm.home / "snapshots").iterdir():
        path.unlink()
    assert defend(farm) == ["segments", "state", "accept"]
    assert opened_segments(farm, dispute) == kept


def test_a_drill_is_defended_with_its_lie_and_a_silent_one_never(farm: Farm) -> None:
    beast = hatch(farm)
    told = farm.done("trainer", "drill", "weight", str(beast), "--step", "37")
    assert (told["step"], told["segment"]) == (37, 4)
    dispute = farm.file(beast)
    assert defend(farm) == ["segments"]
    assert "0x" + opened_segments(farm, dispute)[-1].hex() == told["h128"]
    other = hatch(farm)
    farm.done("trainer", "drill", "silent", str(other))
    silent = farm.file(other)
    assert defend(farm) == []
    assert status(farm, silent) is DisputeStatus.FILED
    farm.travel(16)
    assert defend(farm) == []


def test_what_nobody_can_check_is_neither_published_nor_opened(farm: Farm) -> None:
    """Commitments to nothing, and a public window on a state that nobody has."""
    told = farm.done("trainer", "drill", "invented")
    beast = told["beast"]
    farm.done("trainer", "drill", "withheld", str(beast))
    windows = farm.workspace().live(beast)
    assert [row.source for row in windows] == [3, 0]
    assert all(farm.workspace().snapshots.get(row.h128) is None for row in windows)
    disputes = [farm.file(beast, 0), farm.file(beast, 1)]
    assert [farm.chain.dispute(dispute).missing for dispute in disputes] == [5, 3]
    assert defend(farm) == []
    assert {status(farm, dispute) for dispute in disputes} == {DisputeStatus.FILED}
    assert "Name the beast" in farm.refused("trainer", "drill", "withheld").message


def test_drills_pass_the_ledger(farm: Farm) -> None:
    """Whatever is wrong in them, only a replay or an opened header shows it."""
    beast = hatch(farm)
    for kind in ("loss", "label", "parent"):
        told = farm.done("trainer", "drill", kind, str(beast))
        assert "0x" + farm.chain.head(beast).h128.hex() == told["h128"]


def test_only_an_appointed_account_answers_for_the_trainer(farm: Farm) -> None:
    beast = hatch(farm)
    farm.done("trainer", "run", str(beast))
    dispute = farm.file(beast)
    assert defend(farm, who=OTHER) == []
    assert "not an address" in farm.refused("trainer", "appoint", "0x12").message
    farm.done("trainer", "appoint", devnet_account(OTHER).address)
    assert defend(farm, "--no-finalize", who=OTHER) == ["segments"]
    assert status(farm, dispute) is DisputeStatus.OPENED


def test_the_daemon_is_killed_and_its_successor_answers_then_ends_on_sigterm(farm: Farm) -> None:
    beast = hatch(farm)
    farm.done("trainer", "run", str(beast))
    first = farm.process("trainer", "defend", "--poll", "0.1")
    lock = farm.home / "locks" / "trainer-index.lock"
    wait_for(lock.exists, first)
    first.kill()
    first.wait()
    dispute = farm.file(beast)
    second = farm.process("trainer", "defend", "--poll", "0.1")
    try:
        wait_for(lambda: status(farm, dispute) is DisputeStatus.OPENED, second)
        second.send_signal(signal.SIGTERM)
        assert second.wait() == 0
        assert "Traceback" not in second.err.read_text()
    finally:
        second.kill()


def test_the_daemon_ends_while_a_stopped_process_reads_the_chain(farm: Farm) -> None:
    with stopped_holder(farm.home / "locks" / "trainer-index.lock") as holder:
        daemon = farm.process("trainer", "defend", "--poll", "0.1")
        log = daemon.err
        try:
            wait_for(lambda: "waiting for another process" in log.read_text(), daemon)
            assert f"kill -CONT {holder.pid}" in log.read_text()
            daemon.send_signal(signal.SIGTERM)
            assert daemon.wait(PATIENCE) == 0
            assert "Traceback" not in log.read_text()
        finally:
            daemon.kill()
            daemon.wait()


class Relay(socketserver.ThreadingTCPServer):
    """Hands connections on to the node: a node that can go away and come back."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int, node: str) -> None:
        target = (urlsplit(node).hostname, urlsplit(node).port)

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with socket.create_connection(target) as onward:
                    back = threading.Thread(target=pump, args=(onward, self.request), daemon=True)
                    back.start()
                    pump(self.request, onward)

        super().__init__(("127.0.0.1", port), Handler)
        self.open: list[socket.socket] = []
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def process_request(self, request: Any, client_address: Any) -> None:
        self.open.append(request)
        super().process_request(request, client_address)

    def away(self) -> int:
        """Refuse and cut every connection; the port that was used."""
        port = int(self.server_address[1])
        self.shutdown()
        self.server_close()
        for connection in self.open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        return port


def pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def test_a_node_that_goes_away_is_waited_for(farm: Farm) -> None:
    beast = hatch(farm)
    farm.done("trainer", "run", str(beast))
    port = free_port()
    relay = Relay(port, farm.chain.rpc_url)
    arguments = farm.arguments(TRAINER, "trainer", "defend", "--poll", "0.1")
    arguments[arguments.index(farm.chain.rpc_url)] = f"http://127.0.0.1:{port}"
    daemon = farm.program.begin(arguments, os.environ)
    log = daemon.err
    try:
        wait_for((farm.home / "locks" / "trainer-index.lock").exists, daemon)
        assert relay.away() == port
        wait_for(lambda: "waiting for the node" in log.read_text(), daemon)
        dispute = farm.file(beast)
        health = re.search(r"health=(http\S+)", log.read_text())
        assert health is not None
        answer, problem = get(health[1] + "/readyz")
        assert (answer, json.loads(problem)["status"]) == (503, "not ready")
        relay = Relay(port, farm.chain.rpc_url)
        wait_for(lambda: status(farm, dispute) is DisputeStatus.OPENED, daemon)
        wait_for(lambda: get(health[1] + "/readyz")[0] == 200, daemon)
        figures = get(health[1] + "/metrics")[1]
        assert 'chainbeasts_defender_moves_total{action="segments"} 1.0' in figures
        assert "chainbeasts_defender_unanswered_disputes 0.0" in figures
        assert "chainbeasts_defender_open_disputes 1.0" in figures
    finally:
        daemon.kill()
        daemon.wait()
        relay.away()


def test_a_database_that_is_away_is_waited_for(farm: Farm, monkeypatch: pytest.MonkeyPatch) -> None:
    impatient(monkeypatch)
    beast = hatch(farm)
    farm.done("trainer", "run", str(beast))
    dispute = farm.file(beast)
    structlog.reset_defaults()  # the commands left their logs on a closed stream
    workspace, waker, said = farm.workspace(), Waker(farm.chain.rpc_url, 0.05), []
    outbox = Outbox(workspace.database, farm.sender(TRAINER))
    defender = Defender(workspace, WindowStore(workspace.database, workspace.snapshots), outbox)
    monkeypatch.setattr(waker, "pause", lambda seconds: said.append(seconds) or time.sleep(0.05))
    thread = threading.Thread(target=defender.run, args=(waker,), daemon=True)
    try:
        with busy(farm.home / "trainer.sqlite3"):
            thread.start()
            eventually(lambda: said or not thread.is_alive())
            assert thread.is_alive()
            assert status(farm, dispute) is DisputeStatus.FILED
        eventually(lambda: status(farm, dispute) is DisputeStatus.OPENED)
    finally:
        waker.stop()
        thread.join(PATIENCE)
    assert not thread.is_alive()


def test_what_nobody_foresaw_keeps_no_dispute_from_its_answer(
    farm: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd, plain = hatch(farm), hatch(farm)
    disputes = []
    for beast in (odd, plain):
        farm.done("trainer", "run", str(beast))
        disputes.append(farm.file(beast))
    structlog.reset_defaults()  # the commands left their logs on a closed stream
    workspace, waker, said = farm.workspace(), Waker(farm.chain.rpc_url, 0.05), list[float]()
    monitor = DefenderMetrics()
    outbox = Outbox(workspace.database, farm.sender(TRAINER))
    store = WindowStore(workspace.database, workspace.snapshots)
    defender = Defender(workspace, store, outbox, monitor=monitor)
    answer, sync = defender._answer, workspace.sync

    def failing(dispute: DisputeRow, row: CheckpointRow, present: Dispute) -> list[DefenderMove]:
        if row.beast_id == odd:
            raise KeyError("a shape that nobody foresaw")
        return answer(dispute, row, present)

    def once_odd(self: TrainerWorkspace) -> SyncReport:
        if not said:
            raise TypeError("an answer that nobody foresaw")
        return sync()

    def refused(*_: Any) -> int:
        raise Reverted("NoCredit", {"account": outbox.me})

    monkeypatch.setattr(defender, "_answer", failing)
    monkeypatch.setattr(TrainerWorkspace, "sync", once_odd)
    monkeypatch.setattr(defender._purse, "collect", refused)
    monkeypatch.setattr(waker, "pause", said.append)
    thread = threading.Thread(target=defender.run, args=(waker,), daemon=True)
    with structlog.testing.capture_logs() as logs:
        try:
            thread.start()
            eventually(
                lambda: status(farm, disputes[1]) is DisputeStatus.OPENED or not thread.is_alive()
            )
            eventually(lambda: monitor.problem == "" or not thread.is_alive())
        finally:
            waker.stop()
            thread.join(PATIENCE)
    assert status(farm, disputes[0]) is DisputeStatus.FILED
    assert status(farm, disputes[1]) is DisputeStatus.OPENED
    assert said == [0.5]
    told = [line["event"] for line in logs]
    assert told.count("a pass failed") == told.count("no answer") == 1


def test_a_stopped_process_of_the_account_is_waited_for(
    farm: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:
    beast = hatch(farm)
    farm.done("trainer", "run", str(beast))
    dispute = farm.file(beast)
    structlog.reset_defaults()  # the commands left their logs on a closed stream
    workspace, waker, monitor = farm.workspace(), Waker(farm.chain.rpc_url, 0.05), DefenderMetrics()
    outbox = Outbox(workspace.database, farm.sender(TRAINER))
    outbox.sender._lock.seconds = 0.5
    store, failed = WindowStore(workspace.database, workspace.snapshots), list[str]()
    monkeypatch.setattr(monitor, "failed", failed.append)
    defender = Defender(workspace, store, outbox, monitor=monitor)
    thread = threading.Thread(target=defender.run, args=(waker,), daemon=True)
    try:
        with stopped_holder(outbox.sender._lock.path) as holder:
            thread.start()
            eventually(lambda: len(failed) > 1 or not thread.is_alive())
            assert thread.is_alive()
            assert all(f"process {holder.pid}" in problem for problem in failed)
            assert status(farm, dispute) is DisputeStatus.FILED
            holder.send_signal(signal.SIGCONT)
            holder.communicate()
        eventually(lambda: status(farm, dispute) is DisputeStatus.OPENED)
    finally:
        waker.stop()
        thread.join(PATIENCE)
    assert not thread.is_alive()


def test_windows_that_somebody_else_makes_final_in_the_same_block_end_nothing(
    farm: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:
    def second(_: Finalizer) -> list[Any]:
        raise FailedOnChainError("Transaction 0x12 failed on chain, perhaps for lack of gas.")

    beast = hatch(farm)
    farm.done("trainer", "run", str(beast))
    structlog.reset_defaults()  # the commands left their logs on a closed stream
    monkeypatch.setattr(Finalizer, "run", second)
    monkeypatch.setattr("chainbeasts.trainer.defend.defender.MAX_PAUSE", 3_600.0)
    workspace = farm.workspace()
    outbox = Outbox(workspace.database, farm.sender(TRAINER))
    store = WindowStore(workspace.database, workspace.snapshots)
    defender = Defender(workspace, store, outbox)
    with structlog.testing.capture_logs() as logs:
        for _ in range(2):  # each attempt costs gas: the next pass makes none
            assert defender.once() == []
    assert [line["event"] for line in logs].count("not finalized") == 1


def test_drills_are_refused_beyond_a_local_chain(
    farm: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:
    beast = hatch(farm)
    before = rpc(farm.chain.rpc_url, "eth_blockNumber")
    monkeypatch.setattr(
        "chainbeasts.trainer.cli.trainer.is_local_chain", lambda chain_id, url: False
    )
    error = farm.refused("trainer", "drill", "weight", str(beast))
    assert "local chain only" in error.message
    assert rpc(farm.chain.rpc_url, "eth_blockNumber") == before
