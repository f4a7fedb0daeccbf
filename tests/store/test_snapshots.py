"""States published in a folder, on a web server, in an S3 store: found, checked, asked politely."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
import structlog.testing
import zstandard

from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.state import ENCODED_BYTES, State, encode_state, state_hash
from chainbeasts.backend.kernel.window import genesis_state
from chainbeasts.backend.signals import carry_on, hang_up
from chainbeasts.backend.store.places import Place, open_place
from chainbeasts.backend.store.published import LONGEST_WAIT_SECONDS, SLOW_SECONDS, PublishedStates
from chainbeasts.backend.store.snapshots import (
    PUBLISH_SECONDS,
    UNPUBLISHED,
    SnapshotStore,
    publishing_store,
    reading_store,
)
from chainbeasts.backend.store.state_files import MAX_FILE_BYTES, file_name, pack
from tests.store.conftest import Shelf, s3_environment
from tests.store.servers import BUCKET, KEYS, Web, s3_server
from tests.support.patience import PATIENCE, eventually
from tests.support.ports import free_port

NEVER = 100_000.0
"""Seconds of a deadline that no test lives to see."""


class Clock:
    """Seconds that pass when a test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def some_state(number: int = 1) -> State:
    return genesis_state(number, bytes([number]) * 32)


def same(found: State | None, wanted: State) -> bool:
    return found is not None and encode_state(found) == encode_state(wanted)


def test_what_a_trainer_publishes_a_validator_finds(shelf: Shelf, tmp_path: Path) -> None:
    state = some_state()
    trainer = publishing_store(tmp_path / "trainer", [shelf.publish])
    h = trainer.put(state)
    assert (shelf.folder / file_name(h)).exists()
    assert same(trainer.get(h), state)
    validator = reading_store(tmp_path / "own", [shelf.url])
    assert validator.get(bytes(32)) is None
    assert same(validator.get(h), state)
    # what came from far away is kept at hand
    (shelf.folder / file_name(h)).unlink()
    assert validator.has(h) is (shelf.kind != "folder")
    assert same(validator.get(h), state) is (shelf.kind != "folder")


BOMB = zstandard.ZstdCompressor().compress(bytes(1 << 24))
STREAM = zstandard.ZstdCompressor(write_content_size=False)
WRONG = {
    "garbage": b"<html>not found</html>",
    "empty": b"",
    "another state": pack(some_state(9)),
    "too large": bytes(MAX_FILE_BYTES + 1),
    "a bomb": BOMB,
    "a cut file": pack(some_state())[:-9],
    "no size": STREAM.compress(encode_state(some_state())),
    "a clear guard bit": zstandard.ZstdCompressor().compress(bytes(ENCODED_BYTES)),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_file_is_ignored_where_it_is(shelf: Shelf, tmp_path: Path, what: str) -> None:
    state = some_state()
    h = state_hash(state)
    shelf.folder.mkdir(parents=True, exist_ok=True)
    path = shelf.folder / file_name(h)
    path.write_bytes(WRONG[what])
    clock = Clock()
    source = PublishedStates(open_place(shelf.url, seconds=PATIENCE), clock)
    store = SnapshotStore(tmp_path / "own", [source])
    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            assert store.get(h) is None
    assert [line["event"] for line in logs] == ["snapshot ignored"]
    assert path.read_bytes() == WRONG[what]
    assert list(store.hashes()) == []
    path.write_bytes(pack(state))
    assert store.get(h) is None  # it was wrong just now
    clock.now += LONGEST_WAIT_SECONDS
    assert same(store.get(h), state)


def test_a_web_server_is_asked_again_for_what_is_missing_but_not_at_once(web: Web) -> None:
    clock, state = Clock(), some_state()
    h = state_hash(state)
    source = PublishedStates(open_place(web.url, seconds=PATIENCE), clock)
    for _ in range(3):
        assert source.get(h) is None
    assert web.asked == [f"/states/{file_name(h)}"]
    (web.folder / file_name(h)).write_bytes(pack(state))
    clock.now += 1
    assert same(source.get(h), state)


@pytest.mark.parametrize("mood", ["mute", "stalling", "breaking", "error", "forbidden"])
def test_a_server_in_trouble_is_left_alone_for_a_while(
    web: Web, mood: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, state = Clock(), some_state()
    h = state_hash(state)
    (web.folder / file_name(h)).write_bytes(pack(state))
    source = PublishedStates(open_place(web.url, seconds=0.4), clock)
    reads, read = list[str](), Place.read

    def counted(place: Place, name: str, limit: int) -> bytes | None:
        reads.append(name)
        return read(place, name, limit)

    monkeypatch.setattr(Place, "read", counted)
    web.mood = mood
    with structlog.testing.capture_logs() as logs:
        assert source.get(h) is None
        assert len(web.asked) <= 3  # it is tried again, but only so often
        assert source.get(h) is None
        assert source.get(bytes(32)) is None
        assert len(reads) == 1
        clock.now += 1
        assert source.get(h) is None
        assert len(reads) == 2
        web.mood = "well"
        web.release.set()
        clock.now += 2
        found = source.get(h)
        while found is None:  # a busy machine takes longer than such a place may
            clock.now += 60
            found = source.get(h)
        assert same(found, state)
    assert [line["event"] for line in logs] == [
        "a place of snapshots is away",
        "the place of snapshots is back",
    ]


def test_nobody_waits_for_a_place_once_the_process_is_to_end(web: Web) -> None:
    web.mood = "mute"
    found = list[State | None]()
    source = PublishedStates(open_place(web.url, seconds=NEVER))
    reader = threading.Thread(target=lambda: found.append(source.get(bytes(32))))
    reader.start()
    try:
        eventually(lambda: web.asked)
        hang_up(0.2)
        reader.join(PATIENCE)
    finally:
        carry_on()
    assert found == [None]


@pytest.mark.parametrize("there", [True, False])
def test_a_slow_place_is_asked_for_a_part_of_the_time(
    there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, states = Clock(), {file_name(state_hash(one)): one for one in map(some_state, range(99))}
    took, waited = 19.0, 0.0

    def read(place: Place, name: str, limit: int) -> bytes | None:
        nonlocal waited
        waited += took
        clock.now += took
        return pack(states[name]) if there else None

    monkeypatch.setattr(Place, "read", read)
    source = PublishedStates(open_place(str(tmp_path)), clock)
    hashes = [state_hash(state) for state in states.values()]
    with structlog.testing.capture_logs() as logs:
        for number in range(1_000):
            source.get(hashes[number % len(hashes)])
            clock.now += 1
    assert SLOW_SECONDS < waited < SLOW_SECONDS + 2 * took + 0.25 * clock.now
    assert [line["event"] for line in logs] == ["a place of snapshots is slow"]
    assert source.rests
    took, waited = 0.9, 0.0
    clock.now += 10_000
    assert not source.rests
    for h in hashes:
        assert (source.get(h) is not None) is there
    assert waited == pytest.approx(took * len(hashes))  # what is quick is asked without end


def test_an_endless_answer_is_not_read(web: Web) -> None:
    h = state_hash(some_state())
    web.mood = "endless"
    with structlog.testing.capture_logs() as logs:
        assert PublishedStates(open_place(web.url)).get(h) is None
    assert "more than" in logs[0]["reason"]


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}/states"
    with structlog.testing.capture_logs() as logs:
        store = reading_store(tmp_path / "own", [url, str(tmp_path / "near")])
        SnapshotStore(tmp_path / "near").put(some_state())
        assert same(store.get(state_hash(some_state())), some_state())
    assert [line["event"] for line in logs] == ["a place of snapshots is away"]


def test_a_refused_key_is_said_without_the_key(
    s3: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another-secret")
    with structlog.testing.capture_logs() as logs:
        store = publishing_store(tmp_path / "own", [f"s3://{BUCKET}/x"])
        h = store.put(some_state())
        assert same(store.get(h), some_state())  # it is safe here
    assert [line["event"] for line in logs] == ["a place of snapshots is away"]
    assert "another-secret" not in repr(logs)
    assert KEYS[1] not in repr(logs)


def test_what_could_not_be_published_is_published_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "s3"
    states = [some_state(number) for number in (1, 2, 3)]
    port = free_port()
    s3_environment(monkeypatch, port)
    monkeypatch.setattr("chainbeasts.backend.store.snapshots.PUBLISH_SECONDS", PATIENCE)
    url = f"s3://{BUCKET}/late"
    store = publishing_store(tmp_path / "own", [url])
    for state in states[:2]:
        store.put(state)
    assert store.publish() == 2
    with s3_server(root, port):
        again = publishing_store(tmp_path / "own", [url])  # a new run
        assert again.publish() == 0
        again.put(states[2])
    published = {path.name for path in (root / BUCKET / "late").iterdir()}
    assert published == {file_name(state_hash(state)) for state in states}


class SlowTarget(PublishedStates):
    """A folder for which the clock goes on with each state that it takes."""

    def __init__(self, folder: Path, clock: Clock, seconds: float) -> None:
        super().__init__(open_place(str(folder)), clock)
        self._passing, self._seconds = clock, seconds
        self.taken: list[bytes] = []

    def put(self, h: bytes, packed: bytes) -> bool:
        self._passing.now += self._seconds
        self.taken.append(h)
        return super().put(h, packed)


def test_a_backlog_for_a_slow_target_goes_out_over_many_calls(tmp_path: Path) -> None:
    clock = Clock()
    target = SlowTarget(tmp_path / "there", clock, PUBLISH_SECONDS / 2)
    store = SnapshotStore(tmp_path / "own", target=target, clock=clock)
    backlog = {store.put(some_state(number), publish=False) for number in range(1, 8)}
    assert target.taken == []
    newest = store.put(some_state(8))
    assert len(target.taken) == 2
    assert target.taken[0] == newest  # what others wait for is not behind the backlog
    assert [store.publish() for _ in range(4)] == [4, 2, 0, 0]
    assert len(target.taken) == 8
    published = {path.name for path in (tmp_path / "there").iterdir()}
    assert published == {file_name(h) for h in {newest, *backlog}}


def test_opening_a_store_publishes_nothing(s3: Path, tmp_path: Path) -> None:
    url = f"s3://{BUCKET}/{tmp_path.name}"
    publishing_store(tmp_path / "own", [url]).put(some_state(), publish=False)
    store = publishing_store(tmp_path / "own", [url])
    assert not (s3 / tmp_path.name).exists()
    assert store.publish() == 0
    assert (s3 / tmp_path.name / file_name(state_hash(some_state()))).exists()


def test_a_note_outlives_another_publisher_until_its_state_is_there(tmp_path: Path) -> None:
    """`defend` and `run` share a folder: one may look between the other's note and its file."""
    store = SnapshotStore(tmp_path / "own", target=SlowTarget(tmp_path / "there", Clock(), 0.0))
    h = state_hash(some_state())
    note = tmp_path / "own" / UNPUBLISHED / h.hex()
    note.parent.mkdir(parents=True)
    note.touch()
    assert store.publish() == 1
    assert note.exists()
    os.utime(note, (0, 0))  # its writer was killed long ago
    assert store.publish() == 0
    assert not note.exists()


def test_only_folders_here_are_asked_for_what_is_too_far_back(web: Web, tmp_path: Path) -> None:
    state = some_state()
    h = state_hash(state)
    store = reading_store(tmp_path / "own", [web.url, str(tmp_path / "near")])
    assert store.get(h, remote=False) is None
    SnapshotStore(tmp_path / "near").put(state)
    assert same(store.get(h, remote=False), state)
    assert web.asked == []


def test_our_own_damaged_file_is_set_aside(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    h = store.put(some_state())
    store.path(h).write_bytes(b"damaged")
    assert store.get(h) is None
    assert not store.has(h)
    store.put(some_state())
    assert same(store.get(h), some_state())


def test_what_is_not_published_yet_is_never_discarded(tmp_path: Path) -> None:
    target = PublishedStates(open_place(str(tmp_path / "there")))
    (tmp_path / "there").rmdir()
    (tmp_path / "there").write_text("away")
    store = SnapshotStore(tmp_path / "own", target=target)
    h = store.put(some_state())
    assert store.discard([h]) == 0
    assert store.has(h)


def test_only_what_is_old_enough_is_discarded(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    first, second = store.put(some_state(1)), store.put(some_state(2))
    written = store.path(first).stat().st_mtime
    assert store.discard([first, bytes(32)], older_than=written - 1) == 0
    assert store.discard([first, bytes(32)], older_than=written + 1) == 1
    assert list(store.hashes()) == [second]


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("ftp://host/x", "no place"),
        ("https://", "no place"),
        ("s3:///prefix", "no place"),
        ("https://user:word@host/x", "password"),
        ("https://host/x?X-Amz-Signature=1", "password"),
        ("http://[::1/x", "no URL"),
        ("http://host:port/x", "no URL"),
    ],
)
def test_no_place_of_snapshots(url: str, problem: str) -> None:
    with pytest.raises(ChainBeastsError, match=problem) as caught:
        open_place(url)
    assert caught.value.hint
    assert "word" not in caught.value.message.replace("password", "")


def test_an_endpoint_that_is_no_url(monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("example.org", "http://", "http://host:port"):
        monkeypatch.setenv("AWS_ENDPOINT_URL", text)
        with pytest.raises(ChainBeastsError, match="AWS_ENDPOINT_URL is no URL"):
            open_place("s3://bucket/prefix")


def test_nobody_publishes_to_a_web_server(web: Web, tmp_path: Path) -> None:
    with pytest.raises(ChainBeastsError, match="can only be read"):
        publishing_store(tmp_path, [web.url])
    store = publishing_store(tmp_path, [str(tmp_path / "mine"), web.url])
    other = some_state(2)
    (web.folder / file_name(state_hash(other))).write_bytes(pack(other))
    assert same(store.get(state_hash(other)), other)
    assert store.folder == tmp_path / "mine"
