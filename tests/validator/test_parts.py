"""Small parts: executors, datasets by hash, what is due, the health endpoint's answers."""

from __future__ import annotations

import errno
import itertools
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import zstandard
from eth_hash.auto import keccak
from sqlalchemy import event

from chainbeasts.backend.chain.answers import NotAnAnswerError
from chainbeasts.backend.chain.errors import NodeUnavailableError
from chainbeasts.backend.chain.openings import records_opening
from chainbeasts.backend.chain.types import NO_CHECKPOINT, Commitments
from chainbeasts.backend.indexer.follow import PASSING, what_is_away
from chainbeasts.backend.indexer.published import published_state
from chainbeasts.backend.kernel.board import word_bytes
from chainbeasts.backend.kernel.merkle import root
from chainbeasts.backend.kernel.state import HEADER_BYTES, State, encode_state
from chainbeasts.backend.kernel.window import genesis_state
from chainbeasts.backend.kernels import state_hash
from chainbeasts.backend.locks import LockHeldError
from chainbeasts.backend.monitoring import health, server
from chainbeasts.backend.monitoring.server import serve
from chainbeasts.backend.store.daemons import Mode, Verdict
from chainbeasts.backend.store.facts import (
    CheckpointStatus,
    PublishedRecordsRow,
    PublishedStateRow,
)
from chainbeasts.backend.store.private import PrivateDataset
from chainbeasts.backend.store.session import Database, DatabaseUnavailableError
from chainbeasts.validator.judge.cases import Case
from chainbeasts.validator.judge.datasets import DatasetFolder, opened_records, read_secret
from chainbeasts.validator.judge.executors import make_executor
from chainbeasts.validator.judge.jobs import JobStore, is_due
from chainbeasts.validator.judge.replay import Judgement
from chainbeasts.validator.operations.metrics import ValidatorMetrics
from tests.support.patience import PATIENCE, eventually
from tests.validator.windows import DNA, make, private_words

SECRET = bytes(range(32))


def test_inline_executor_hands_on_results_and_errors() -> None:
    executor = make_executor(0)
    assert executor.submit(int, "7").result() == 7
    with pytest.raises(ValueError, match="invalid literal"):
        executor.submit(int, "seven").result()


PARENT = """
import os, signal, sys
from chainbeasts.validator.judge.executors import make_executor
if __name__ == "__main__":
    print(make_executor(1).submit(os.getpid).result(), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc")
def test_a_worker_ends_with_its_killed_daemon(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    root_folder = str(Path(__file__).parents[2])
    ended = subprocess.run(
        [sys.executable, str(script)],
        env={"PYTHONPATH": root_folder, "CHAINBEASTS_KERNEL": "numpy"},  # which takes processes
        stdout=subprocess.PIPE,
        timeout=PATIENCE,
    )
    worker = Path("/proc") / str(int(ended.stdout))
    eventually(lambda: not lives(worker))


def lives(process: Path) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return "Z" not in (process / "stat").read_text().split()[2]
    except OSError:  # gone, perhaps between two looks
        return False


@pytest.fixture
def committed(tmp_path: Path) -> tuple[Commitments, bytes]:
    """Commitments of a dataset, and its compressed file."""
    words = private_words()
    blob = zstandard.ZstdCompressor().compress(b"".join(word_bytes(word) for word in words))
    return Commitments(keccak(blob), root(words), len(words), keccak(SECRET)), blob


def test_a_dataset_is_known_by_its_hashes(
    tmp_path: Path, committed: tuple[Commitments, bytes]
) -> None:
    commitments, blob = committed
    folder = DatasetFolder(tmp_path, itertools.count(time.time(), 2.0).__next__)
    (tmp_path / "deep").mkdir()
    (tmp_path / "other").write_bytes(b"another file")
    (tmp_path / "deep" / "data").write_bytes(blob)
    assert folder.find(commitments) is None  # no secret yet
    (tmp_path / "secret").write_text("0x" + SECRET.hex() + "\n")
    found = folder.find(commitments)
    assert found is not None
    assert (found.words, found.secret) == (private_words(), SECRET)
    assert folder.find(Commitments()) is None
    assert DatasetFolder(None).find(commitments) is None


def test_a_dataset_that_does_not_open_its_root_is_refused(
    tmp_path: Path, committed: tuple[Commitments, bytes]
) -> None:
    commitments, blob = committed
    lied = Commitments(
        commitments.c_dataset, bytes(32), commitments.dataset_length, commitments.owner_secret_hash
    )
    (tmp_path / "data").write_bytes(blob)
    (tmp_path / "secret").write_bytes(SECRET)
    assert DatasetFolder(tmp_path).find(commitments) is not None
    assert DatasetFolder(tmp_path).find(lied) is None


DATA = PrivateDataset(private_words(), SECRET, b"")
COMMITTED = Commitments(bytes(32), root(DATA.words), len(DATA.words), keccak(SECRET))


def opened_row(block: int, secret: bytes = SECRET, **other: bytes) -> PublishedRecordsRow:
    opening = records_opening(replace(DATA, secret=secret), DNA, 3)
    given: dict[str, Any] = {
        "order": opening.order,
        "words": b"".join(map(word_bytes, opening.words)),
        "siblings": b"".join(opening.siblings),
    }
    place = {"beast_id": 1, "index": 3, "block_number": block, "time": 0, "tx_hash": bytes(32)}
    return PublishedRecordsRow(secret=secret, **(given | place | other))


@pytest.mark.parametrize(
    "other",
    [
        {"words": bytes(32) * len(records_opening(DATA, DNA, 3).words)},
        {"words": b""},
        {"words": bytes(33)},
        {"order": bytes(128)},
        {"order": b"\xff" * 128},
        {"siblings": b""},
        {"siblings": bytes(10_000)},
        {"secret": b"o" * 32},
    ],
)
def test_records_that_are_not_the_committed_ones_were_not_opened(
    tmp_path: Path, other: dict[str, bytes]
) -> None:
    database = Database(f"sqlite:///{tmp_path}/one.sqlite3")
    with database.session() as session:
        session.add(opened_row(9, **other))
    assert opened_records(database, 1, 3, DNA, COMMITTED) is None
    with database.session() as session:
        session.add(opened_row(8))  # the true ones lie behind it
    found = opened_records(database, 1, 3, DNA, COMMITTED)
    assert found is not None
    assert found.opening == records_opening(DATA, DNA, 3)
    database.close()


def test_a_published_state_has_its_hash(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/one.sqlite3")
    state = genesis_state(1, DNA)
    h, data = state_hash(state), encode_state(state)
    header, weights = data[:HEADER_BYTES], data[HEADER_BYTES:]

    def publish(block: int, header: bytes, weights: bytes) -> State | None:
        place = {"hash": h, "block_number": block, "beast_id": 1, "time": 0, "tx_hash": bytes(32)}
        with database.session() as session:
            session.add(PublishedStateRow(header=header, weights=weights, **place))
        with database.session() as session:
            return published_state(session, h)

    assert publish(1, encode_state(genesis_state(2, DNA))[:HEADER_BYTES], weights) is None
    assert publish(2, header, weights[:-2]) is None
    assert publish(3, b"\xff" * len(header), weights) is None
    found = publish(4, header, weights)
    assert found is not None
    assert encode_state(found) == data
    database.close()


@pytest.mark.parametrize("data", [b"", b"x" * 31, b"0x" + b"g" * 64, b"\xff" * 40])
def test_bytes_that_are_no_secret(data: bytes) -> None:
    assert read_secret(data) is None


@pytest.mark.parametrize(
    ("verdict", "mode", "known", "due"),
    [
        (None, None, False, True),
        (Verdict.UNAVAILABLE, Mode.FULL, False, True),
        (Verdict.VALID, Mode.FULL, True, False),
        (Verdict.VALID, Mode.LIGHT, False, False),
        (Verdict.VALID, Mode.LIGHT, True, True),
        (Verdict.INVALID, Mode.FULL, True, False),
    ],
)
def test_what_is_due(verdict: Verdict | None, mode: Mode | None, known: bool, due: bool) -> None:
    assert is_due(verdict, mode, known) is due


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_ready_means_a_good_pass_and_no_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "READY_SECONDS", PATIENCE)
    monitor = ValidatorMetrics()
    with serve(monitor, 0) as port:
        url = f"http://127.0.0.1:{port}"
        assert status(url + "/healthz") == 200
        assert status(url + "/readyz") == 503
        monitor.passed(head=7, indexed=7, disputes=0)
        assert status(url + "/readyz") == 200
        monitor.failed("the node is away")
        assert status(url + "/readyz") == 503
        assert status(url + "/else") == 404


def test_a_client_that_hangs_up_leaves_no_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    others = set(threading.enumerate())
    with serve(ValidatorMetrics(), 0) as port:
        with socket.create_connection(("127.0.0.1", port)) as asking:
            asking.sendall(b"GET /met")
            asking.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert status(f"http://127.0.0.1:{port}/healthz") == 200  # taken after the other
        threads = (t for t in threading.enumerate() if t not in others and t.name != "health")
        for one in threads:
            one.join(PATIENCE)
    assert capfd.readouterr().err == ""


def test_a_client_that_says_nothing_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "CLIENT_SECONDS", 0.1)
    with (
        serve(ValidatorMetrics(), 0) as port,
        socket.create_connection(("127.0.0.1", port), PATIENCE) as silent,
    ):
        assert silent.recv(1) == b""


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (NodeUnavailableError("no answer", ""), "node"),
        (NotAnAnswerError("not JSON"), "node"),
        (ConnectionResetError(), "node"),
        (TimeoutError(), "node"),
        (DatabaseUnavailableError("no answer", ""), "database"),
        (LockHeldError("a stopped process holds it", ""), "other process"),
        (OSError(errno.ENOSPC, "No space left on device"), "disk"),
        (PermissionError(errno.EROFS, "Read-only file system"), "disk"),
    ],
)
def test_what_daemons_wait_for(error: Exception, away: str) -> None:
    assert isinstance(error, PASSING)
    assert what_is_away(error) == away


def test_two_processes_may_meet_the_same_window(tmp_path: Path) -> None:
    """A backfill beside the daemon: between one's look and its writing the other writes it down."""
    url = f"sqlite:///{tmp_path}/one.sqlite3"
    window, _ = make()
    case = Case(
        beast_id=window.beast_id,
        checkpoint=window.checkpoint,
        parent=NO_CHECKPOINT,
        digest=b"d" * 32,
        dna=DNA,
        epoch_seed=bytes(32),
        loss_drop=False,
        proven=False,
        status=CheckpointStatus.PENDING,
    )
    one, other = Database(url), Database(url)
    met: list[bytes] = []

    def meet(_: Any, __: Any, statement: str, *___: Any) -> None:
        if statement.startswith("INSERT INTO jobs") and not met:
            met.extend(JobStore(other).open([case]))
            JobStore(other).judged(case, Judgement(Verdict.VALID, Mode.FULL, "by the other"))

    event.listen(one.engine, "before_cursor_execute", meet)
    (job,) = JobStore(one).open([case]).values()
    assert met == [case.digest]
    assert (job.verdict, job.reason) == (Verdict.VALID, "by the other")
    for database in (one, other):
        database.close()
