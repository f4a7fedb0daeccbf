"""A real PostgreSQL for the tests: one server per run, a database per test.

The first test process that needs it starts it, the last one that used it stops it.
"""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from filelock import FileLock
from psycopg.sql import SQL, Identifier

from tests.support.patience import PATIENCE, eventually
from tests.support.ports import free_port

ABSENT = (
    "PostgreSQL is not installed: its tests are skipped. "
    "Install it with `apt-get install postgresql` or `brew install postgresql`."
)
HOST, USER, PASSWORD = "127.0.0.1", "chainbeasts", "s3cret-of-the-tests"
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=32MB")
QUIET = ("autovacuum=off",)  # a vacuum of the template keeps databases from being made
TIME_ZONE = "timezone=Asia/Kathmandu"  # not UTC, so that a forgotten zone shows


def find_binaries() -> Path | None:
    """The folder of initdb and postgres, the newest there is; None if PostgreSQL is absent."""
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else []
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    places += sorted(versions, key=lambda path: float(path.parent.name), reverse=True)
    for place in places:
        if (place / "initdb").exists() and (place / "postgres").exists():
            return place
    return None


def _server_user() -> dict[str, Any]:
    """As whom the server runs: it refuses to be root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _start(binaries: Path) -> dict[str, Any]:
    folder = Path(tempfile.mkdtemp(prefix="chainbeasts-postgres-"))
    who = _server_user()
    secret = folder / "password"
    secret.write_text(PASSWORD)
    if who:
        for path in (folder, secret):
            os.chown(path, who["user"], who["group"])
    data = folder / "data"
    subprocess.run(
        [
            *(binaries / "initdb", "--no-sync", "-D", data, "-U", USER, "-E", "UTF8"),
            *("--locale=C", "--auth=scram-sha-256", f"--pwfile={secret}"),
        ],
        check=True,
        capture_output=True,
        cwd=folder,
        **who,
    )
    port = free_port()
    options = [part for value in (*FAST, *QUIET, TIME_ZONE) for part in ("-c", value)]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [binaries / "postgres", "-D", data, "-h", HOST, "-p", str(port), "-k", "", *options],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd=folder,
            **who,
        )
    record = {"pid": server.pid, "port": port, "folder": str(folder), "users": 0}
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            psycopg.connect(_url(record, "postgres")).close()
            return record
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                _stop(record)
                raise
            time.sleep(0.05)


def _stop(record: dict[str, Any]) -> None:
    """End the server by its id (SIGINT: fast shutdown) and remove its files."""
    try:
        os.kill(record["pid"], signal.SIGINT)
        for _ in range(200):
            if not (Path(record["folder"]) / "data" / "postmaster.pid").exists():
                break
            time.sleep(0.05)
    except ProcessLookupError:
        pass
    shutil.rmtree(record["folder"], ignore_errors=True)


def _url(record: dict[str, Any], name: str) -> str:
    return f"postgresql://{USER}:{PASSWORD}@{HOST}:{record['port']}/{name}"


@contextmanager
def shared_server(run_folder: Path, binaries: Path) -> Iterator[dict[str, Any]]:
    """The run's server, started by its first user and stopped by its last."""
    file, lock = run_folder / "postgres.json", FileLock(run_folder / "postgres.lock")
    with lock:
        record = json.loads(file.read_text()) if file.exists() else _start(binaries)
        record["users"] += 1
        file.write_text(json.dumps(record))
    try:
        yield record
    finally:
        with lock:
            record = json.loads(file.read_text())
            record["users"] -= 1
            file.write_text(json.dumps(record))
            if not record["users"]:
                file.unlink()
                _stop(record)


@pytest.fixture(scope="session")
def postgres_server(
    tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Iterator[dict[str, Any]]:
    """The run's PostgreSQL; skips where it is not installed."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip(ABSENT)
    base = tmp_path_factory.getbasetemp()
    with shared_server(base if worker_id == "master" else base.parent, binaries) as record:
        yield record


@contextmanager
def database_on(record: dict[str, Any]) -> Iterator[str]:
    """An empty database on a server, gone at the end."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(_url(record, "postgres"), autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        yield _url(record, name)
        eventually(lambda: _dropped(admin, name))


def _dropped(admin: psycopg.Connection[Any], name: str) -> bool:
    """Whether a database is gone; the server gives those who are in it five seconds to leave."""
    try:
        admin.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))
    except psycopg.errors.ObjectInUse:
        return False
    return True


@pytest.fixture
def postgres_url(postgres_server: dict[str, Any]) -> Iterator[str]:
    """An empty PostgreSQL database of this test's own."""
    with database_on(postgres_server) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.sqlite3'}"
    return str(request.getfixturevalue("postgres_url"))
