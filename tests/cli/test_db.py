"""`chainbeasts db` as a process: the schema goes up, down and up again; wrong wishes fail."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

import chainbeasts.backend.store.daemons
import chainbeasts.backend.store.facts
import chainbeasts.backend.store.governance
import chainbeasts.backend.store.matches  # noqa: F401 - all of them define the tables
from chainbeasts.backend.store.columns import Base
from tests.cli.conftest import Cli


def tables(cli: Cli, role: str) -> set[str]:
    """The tables in a role's database, without Alembic's own."""
    with closing(sqlite3.connect(cli.home / f"{role}.sqlite3")) as database:
        rows = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return {name for (name,) in rows} - {"alembic_version"}


@pytest.mark.parametrize("role", ["trainer", "validator"])
def test_the_schema_goes_up_and_down_and_up_again(cli: Cli, role: str) -> None:
    wanted = set(Base.metadata.tables)
    newest = cli.json("db", "upgrade", "--role", role)["revision"]
    assert newest is not None
    assert cli.json("db", "current", "--role", role) == {"revision": newest}
    assert tables(cli, role) == wanted

    assert cli.json("db", "downgrade", "base", "--role", role) == {"revision": None}
    assert tables(cli, role) == set()

    assert cli.json("db", "upgrade", "--role", role) == {"revision": newest}
    assert tables(cli, role) == wanted


def test_reindex_forgets_the_chain_and_keeps_decisions(cli: Cli) -> None:
    cli.json("db", "upgrade")
    file = cli.home / "validator.sqlite3"
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("INSERT INTO blocks VALUES (1, x'00', x'00', 0)")
        database.execute("INSERT INTO jobs VALUES (x'01', 1, 0, x'00', NULL, NULL, '', 0, 0, NULL)")
    assert cli.json("db", "reindex") == {"reindex": "validator"}
    with closing(sqlite3.connect(file)) as database:
        counts = [
            database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("blocks", "jobs")
        ]
    assert counts == [0, 1]


def test_a_wrong_revision_changes_nothing(cli: Cli) -> None:
    newest = cli.json("db", "upgrade")
    cli.hinted("cannot go back to 'nonsense'", "`base`", "db", "downgrade", "nonsense")
    assert cli.json("db", "current") == newest


def test_a_database_that_cannot_be_opened_is_said(cli: Cli) -> None:
    cli.home.mkdir()
    (cli.home / "taken.sqlite3").mkdir()  # a folder where the file would be
    cli.extra["CHAINBEASTS_DATABASE_URL"] = f"sqlite:///{cli.home}/taken.sqlite3"
    for verb in (("upgrade",), ("downgrade", "base"), ("current",)):
        cli.hinted("database", "URL", "db", *verb)
    (cli.home / "file").touch()
    cli.extra["CHAINBEASTS_DATABASE_URL"] = f"sqlite:///{cli.home}/file/x/y.sqlite3"
    cli.hinted("database", "sqlite:///path", "db", "upgrade")  # a file where its folder would be


def test_only_daemons_have_a_database(cli: Cli) -> None:
    done = cli.run("db", "upgrade", "--role", "cook")
    assert done.returncode == 2
    assert "cook" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (cli.home / "cook.sqlite3").exists()
