"""An API that is behind: the chain goes on, the node is away, the database is away."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from anyio import create_task_group, fail_after, move_on_after, run, sleep

from chainbeasts.backend.api.errors import ApiError
from chainbeasts.backend.api.follow import NODE_AWAY
from chainbeasts.backend.api.limits import Limits
from chainbeasts.backend.api.patience import AT_ONCE, Threads
from chainbeasts.backend.api.places import States
from chainbeasts.backend.api.services import Services
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.providers import make_web3
from chainbeasts.backend.indexer.sync import Indexer
from chainbeasts.backend.kernel.state import ENCODED_BYTES, state_hash
from chainbeasts.backend.store.places import open_place
from chainbeasts.backend.store.published import SLOW_SECONDS, PublishedStates
from chainbeasts.backend.store.session import Database
from chainbeasts.backend.store.snapshots import SnapshotStore, reading_store
from tests.api.conftest import RECORDS, Scene, Served, services_of, serving, spell
from tests.support.patience import PATIENCE, eventually
from tests.support.ports import free_port

LIMITS = Limits(rate=0)
MANY = 45
"""More than the pool of threads that all routes share."""


@pytest.fixture
def read(scene: Scene, tmp_path: Path) -> Iterator[Database]:
    """A database that ends at the chain's present head."""
    database = Database(f"sqlite:///{tmp_path}/read.sqlite3")
    Indexer(scene.chain, database).sync()
    yield database
    database.close()


def test_the_status_says_by_how_much_it_is_behind(
    scene: Scene, read: Database, tmp_path: Path
) -> None:
    with serving(services_of(scene.chain, read, tmp_path, follows=False), limits=LIMITS) as served:
        before = eventually(lambda: _if(served, lambda found: found["node"]["answers"]))
        assert (before["blocks_behind"], before["seconds_behind"], before["problem"]) == (0, 0, "")
        for _ in range(3):
            scene.world.travel(10)
        behind = eventually(lambda: _if(served, lambda found: found["blocks_behind"] == 3))
        assert behind["seconds_behind"] == 30
        assert behind["indexed"] == before["indexed"]
        Indexer(scene.chain, read).sync()
        there = eventually(lambda: _if(served, lambda found: found["blocks_behind"] == 0))
        assert there["indexed"]["number"] == before["indexed"]["number"] + 3


def _if(served: Served, right: Callable[[Any], bool]) -> Any:
    found = served.json("/v1/status")
    return found if right(found) else None


def test_what_is_indexed_is_served_while_the_node_is_away(
    scene: Scene, read: Database, tmp_path: Path
) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    away = Chain(make_web3(url), url, scene.chain.deployment)
    with serving(services_of(away, read, tmp_path), limits=LIMITS) as served:
        found = eventually(lambda: _if(served, lambda found: found["problem"] == NODE_AWAY))
        assert found["node"] == {"answers": False, "number": None, "time": None}
        assert (found["blocks_behind"], found["seconds_behind"]) == (None, None)
        assert served.json("/v1/disputes/1")["status"] == "upheld"
        opened = served.json("/v1/disputes/4/window")["opened"]
        assert opened["records_root"] == spell(RECORDS.root)
        assert served.json("/v1/season")["season"] == 1
        assert served.get("/v1/beasts/1/portrait.svg").status_code == 200


def test_before_the_first_block_there_is_nothing_and_that_is_said(
    scene: Scene, tmp_path: Path
) -> None:
    empty = Database(f"sqlite:///{tmp_path}/empty.sqlite3")
    with serving(services_of(scene.chain, empty, tmp_path, follows=False), limits=LIMITS) as served:
        status = served.json("/v1/status")
        assert (status["indexed"], status["blocks_behind"]) == (None, None)
        for path in ("beasts", "disputes", "matches", "leaderboard", "seasons"):
            assert served.json(f"/v1/{path}")["items"] == []
        answer = served.get("/v1/season")
        assert answer.status_code == 404
        assert "/v1/status" in answer.json()["hint"]
    empty.close()


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A server that takes every connection and says nothing until it is closed."""
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        yield listener


def with_a_place(
    scene: Scene, read: Database, folder: Path, place: socket.socket, seconds: float
) -> Services:
    """What serves a state of its own, and others from a place that may take so long."""
    store = reading_store(folder / "states", [url_of(place)], seconds=2 * PATIENCE)
    store.put(scene.honest.windows[0].end)
    made = services_of(scene.chain, read, folder, follows=False)
    return replace(made, states=States(store, seconds=seconds))


@contextmanager
def empty_place(at: tuple[str, int], folder: Path) -> Iterator[None]:
    """A place at an address that answers, and has nothing."""
    folder.mkdir()
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(at, handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def url_of(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_a_place_of_snapshots_that_hangs_holds_up_nobody_else(
    scene: Scene, read: Database, silent: socket.socket, tmp_path: Path
) -> None:
    here, there = (state_hash(window.end) for window in scene.honest.windows[:2])
    services = with_a_place(scene, read, tmp_path, silent, PATIENCE)
    with serving(services, limits=LIMITS) as served, ThreadPoolExecutor(MANY) as readers:
        path = f"/v1/states/{there.hex()}"
        waiting = [readers.submit(served.get, path, timeout=2 * PATIENCE) for _ in range(MANY)]
        taken = [silent.accept() for _ in range(AT_ONCE)]  # so many are asked for, and hang
        for other in ("/v1/status", "/v1/beasts", f"/v1/states/{here.hex()}"):
            assert served.get(other).status_code == 200
        assert not any(one.done() for one in waiting)
        silent.close()
        for connection, _ in taken:
            connection.close()


def test_a_place_of_snapshots_that_does_not_answer_in_time_is_left_alone_for_a_while(
    scene: Scene, read: Database, silent: socket.socket, tmp_path: Path
) -> None:
    path = f"/v1/states/{state_hash(scene.honest.windows[1].end).hex()}"
    services = with_a_place(scene, read, tmp_path, silent, 0.2)
    with serving(services, limits=LIMITS) as served:
        late = served.get(path)
        assert late.status_code == 503
        assert "does not answer in time" in late.json()["detail"]
        assert int(late.headers["retry-after"]) > 0
        here, there = (state_hash(window.end) for window in scene.honest.windows[:2])
        many = f"/v1/states?h={here.hex()},{there.hex()}"
        some = served.get(many)
        assert some.content[:32] == here
        assert len(some.content) == 32 + ENCODED_BYTES
        assert int(some.headers["retry-after"]) > 0
        assert some.headers["cache-control"] == "no-store"
        assert "etag" not in some.headers
        at = silent.getsockname()
        silent.close()
        assert served.get(path).status_code == 503  # nobody listens there: it may come back
        with empty_place(at, tmp_path / "empty"):
            eventually(lambda: served.get(path).status_code == 404)
            eventually(lambda: "retry-after" not in served.get(many).headers)


def test_a_place_that_was_slow_may_well_have_a_state(tmp_path: Path) -> None:
    slow = PublishedStates(open_place(str(tmp_path / "place")))
    states = States(SnapshotStore(tmp_path / "own", [slow]), seconds=PATIENCE)
    assert run(states.get, bytes(32)) is None
    slow._slow.spend(10 * SLOW_SECONDS)
    with pytest.raises(ApiError, match="does not answer in time"):
        run(states.get, bytes(32))


def test_a_place_that_fails_may_well_have_a_state(tmp_path: Path) -> None:
    nobody = PublishedStates(open_place(f"http://127.0.0.1:{free_port()}"))
    states = States(SnapshotStore(tmp_path / "own", [nobody]), seconds=PATIENCE)
    for _ in range(2):  # as it fails, and while it is left alone for that
        with pytest.raises(ApiError, match="or at all"):
            run(states.get, bytes(32))
        assert run(states.get_many, [bytes(32)]) == ({}, True)


def test_who_is_busy_is_waited_for() -> None:
    threads, over = Threads(PATIENCE), threading.Event()

    async def main() -> None:
        async with create_task_group() as group:
            for _ in range(AT_ONCE):
                group.start_soon(threads.run, over.wait)
            while len(threads._calls) < AT_ONCE:
                await sleep(0.01)
            assert threads.patience == PATIENCE
            over.set()

    run(main)


def test_who_hangs_is_given_no_more_threads_and_is_not_waited_for() -> None:
    # Whoever is given up before its thread has begun leaves that thread to another one.
    seconds, over = 0.5, threading.Event()
    threads, begun = Threads(seconds), list[None]()

    def hang() -> None:
        begun.append(None)
        over.wait()

    async def main() -> None:
        with fail_after(PATIENCE):
            while threads.patience:  # whoever asks is given up, and asks again
                with move_on_after(seconds):
                    await threads.run(hang)
        for _ in range(AT_ONCE):
            with move_on_after(seconds):
                await threads.run(hang)
        assert AT_ONCE <= len(begun) < 2 * AT_ONCE
        over.set()
        with fail_after(PATIENCE):
            while not threads.patience:
                await sleep(0.01)
            await threads.run(hang)

    try:
        run(main)
    finally:
        over.set()


def test_a_database_that_fails_is_an_answer_of_its_own(
    scene: Scene, read: Database, tmp_path: Path
) -> None:
    with serving(services_of(scene.chain, read, tmp_path, follows=False), limits=LIMITS) as served:
        with read.session() as session:
            session.connection().exec_driver_sql("ALTER TABLE beasts RENAME TO lost")
        answer = served.get("/v1/beasts")
        assert answer.status_code == 503
        assert answer.json()["detail"] == "The database does not answer."
        assert int(answer.headers["retry-after"]) > 0


def test_a_fault_of_ours_is_an_answer_too_and_tells_nothing(
    scene: Scene, read: Database, tmp_path: Path
) -> None:
    with serving(services_of(scene.chain, read, tmp_path, follows=False), limits=LIMITS) as served:
        with read.session() as session:
            session.connection().exec_driver_sql("UPDATE seasons SET constants = 'broken'")
        answer = served.get("/v1/season")
        assert answer.status_code == 500
        assert answer.json()["code"] == "internal_error"
        assert "broken" not in answer.text
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert served.json("/v1/beasts/1")["id"] == 1


def test_both_databases_give_the_same_answers(
    scene: Scene, served: Served, postgres_url: str, tmp_path: Path
) -> None:
    database = Database(postgres_url)
    Indexer(scene.chain, database).sync()
    Indexer(scene.chain, served.services.database).sync()
    second = services_of(scene.chain, database, tmp_path, follows=False)
    with serving(second, limits=LIMITS) as other:
        eventually(lambda: second.follower.schedulers)  # of which each server asks the node itself
        for path in (
            "/v1/beasts", "/v1/beasts?limit=2&cursor=3", "/v1/beasts/1",
            f"/v1/beasts/{scene.liar.beast}/checkpoints",
            f"/v1/beasts/{scene.honest.beast}/checkpoints?limit=1&cursor=2",
            "/v1/beasts/1/curve", "/v1/disputes", "/v1/disputes/1", "/v1/disputes/2",
            "/v1/matches", "/v1/matches/1", "/v1/leaderboard", "/v1/seasons", "/v1/season",
        ):  # fmt: skip
            assert other.json(path) == served.json(path), path
    database.close()
