"""Files appear whole, are no more readable than they may be, and leave nothing behind."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from chainbeasts.backend import cache, locks
from chainbeasts.backend.cache import ScratchFolder, sweep_unfinished, write_atomic
from chainbeasts.backend.locks import LockHeldError, ProcessLock
from chainbeasts.backend.store.places import open_place
from chainbeasts.backend.store.session import Database
from chainbeasts.trainer.cli.dataset import converted
from tests.support.patience import eventually
from tests.support.stopped import stopped_holder

LONG_AGO = 1_000_000.0


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.fixture(params=[0o022, 0o077, 0o002])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def test_no_file_is_more_readable_than_umask_and_old_file_allow(umask: int, tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomic(path, b"1")
    assert mode(path) == 0o644 & ~umask
    path.chmod(0o600)
    write_atomic(path, b"2")
    assert mode(path) == 0o600
    write_atomic(tmp_path / "secret", b"3", mode=0o600)
    assert mode(tmp_path / "secret") == 0o600
    database = Database(f"sqlite:///{tmp_path / 'home' / 'trainer.sqlite3'}")
    with database.session():
        found = {file.name: mode(file) for file in (tmp_path / "home").iterdir()}
    database.close()
    assert set(found.values()) == {0o600}, found


def test_converted_records_stay_their_owners(tmp_path: Path) -> None:
    source = tmp_path / "private.csv"
    source.write_bytes(Path("examples/battle_samples.csv").read_bytes())
    for name, wanted in (("a.bin", 0o600), ("b.zst", 0o640)):
        source.chmod(wanted)
        converted(source, tmp_path / name)
        assert mode(tmp_path / name) == wanted


def test_what_killed_writers_left_is_swept_and_nothing_else(tmp_path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path\n"
        "from chainbeasts.backend import cache\n"
        "os.fsync = lambda _: os.kill(os.getpid(), 9)\n"
        "cache.write_atomic(Path(sys.argv[1]), b'half')\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path / "file")], check=False)
    assert done.returncode == -9
    (left,) = tmp_path.iterdir()
    kept = [tmp_path / name for name in (".env.settings", ".file.0123abcd", "x.unfinished")]
    for path in kept:
        path.touch()
    for path in (left, *kept):
        os.utime(path, (LONG_AGO, LONG_AGO))
    with left.open("rb") as writer:  # a living one holds its lock
        cache.fcntl.flock(writer, cache.fcntl.LOCK_EX)
        sweep_unfinished(tmp_path, again=True)
        assert left.exists()
    cache._swept.discard(tmp_path)
    write_atomic(tmp_path / "other", b"whole")
    assert not left.exists()
    assert all(path.exists() for path in kept)


def test_scratch_folders_of_killed_processes_are_swept(tmp_path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path\n"
        "from chainbeasts.backend.cache import ScratchFolder\n"
        "(ScratchFolder('test', Path(sys.argv[1])).path / 'file').touch()\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)
    (left,) = tmp_path.iterdir()
    with ScratchFolder("test", tmp_path) as living:
        for folder in (left, living.path):
            os.utime(folder, (LONG_AGO, LONG_AGO))
        with ScratchFolder("test", tmp_path):
            assert not left.exists()
            assert living.path.exists()
    assert list(tmp_path.iterdir()) == []


def test_halves_of_published_states_are_swept(tmp_path: Path) -> None:
    (tmp_path / "aa.state.zst#1").write_bytes(b"half")
    (tmp_path / "aa.state.zst").write_bytes(b"whole")
    (tmp_path / "bb.state.zst#1").write_bytes(b"being written")
    os.utime(tmp_path / "aa.state.zst#1", (LONG_AGO, LONG_AGO))
    open_place(str(tmp_path))
    assert {path.name for path in tmp_path.iterdir()} == {"aa.state.zst", "bb.state.zst#1"}


def test_a_wait_for_a_lock_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "QUIET_SECONDS", 0.05)
    held, taken = ProcessLock(tmp_path / "lock", "held"), threading.Event()

    def hold() -> None:
        with held:
            taken.set()
            eventually(lambda: told)

    with capture_logs() as told:
        holder = threading.Thread(target=hold)
        holder.start()
        taken.wait()
        with ProcessLock(tmp_path / "lock", "a kernel is compiled"):
            pass
        holder.join()
    (one,) = told
    assert one["event"].startswith("waiting for another process")
    assert one["until"] == "a kernel is compiled"
    with capture_logs() as told, held:
        pass
    assert told == []


@pytest.fixture
def quick_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "QUIET_SECONDS", 0.02)
    monkeypatch.setattr(locks, "TELL_SECONDS", 0.1)


def test_a_stopped_process_that_holds_a_lock_is_named_and_given_up(
    tmp_path: Path, quick_locks: None
) -> None:
    lock = ProcessLock(tmp_path / "lock", "the chain is read", seconds=0.5)
    with stopped_holder(lock.path) as holder:
        with capture_logs() as told, pytest.raises(LockHeldError, match=str(holder.pid)) as caught:
            lock.acquire()
        assert f"kill -CONT {holder.pid}" in caught.value.hint
        assert len(told) > 2
        assert {one["log_level"] for one in told} == {"warning"}
        assert {one["until"] for one in told} == {"the chain is read"}
        assert {one["holder"] for one in told} == {holder.pid}
        if sys.platform == "linux":
            assert "is stopped" in caught.value.message
            assert all(one["stopped"] for one in told)
        holder.send_signal(signal.SIGCONT)
        holder.communicate()
    with capture_logs() as told, lock:
        assert lock.path.read_text().split()[0] == str(os.getpid())
    assert lock.path.read_text() == ""
    assert told == []


def test_who_was_killed_is_not_named_as_a_locks_holder(tmp_path: Path, quick_locks: None) -> None:
    lock = ProcessLock(tmp_path / "lock", "the chain is read", seconds=0.1)
    with stopped_holder(lock.path) as killed:
        killed.kill()
        killed.wait()
        assert str(killed.pid) in lock.path.read_text()
        with lock.path.open("rb") as file:  # held by somebody who leaves no note
            fcntl.flock(file, fcntl.LOCK_EX)
            with pytest.raises(LockHeldError, match="another process holds") as caught:
                lock.acquire()
    assert str(killed.pid) not in str(caught.value)
    with lock:
        pass


def test_a_lock_that_goes_from_hand_to_hand_is_waited_for(
    tmp_path: Path, quick_locks: None
) -> None:
    lock = ProcessLock(tmp_path / "lock", "the chain is read", seconds=0.05)
    with lock.path.open("wb", buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        hands = iter(range(20))

        def look() -> None:
            number = next(hands, None)
            if number is None:
                fcntl.flock(file, fcntl.LOCK_UN)
            else:
                file.write(f"{number}\n".encode())

        lock.acquire(look)
    lock.release()
    assert next(hands, None) is None


def test_a_wait_for_a_lock_ends_with_the_look(tmp_path: Path, quick_locks: None) -> None:
    def ended() -> None:
        raise InterruptedError

    lock = ProcessLock(tmp_path / "lock", "the chain is read")
    with stopped_holder(lock.path), pytest.raises(InterruptedError):
        lock.acquire(ended)
