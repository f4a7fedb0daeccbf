"""Schema, types and locks, on both kinds of database."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import psycopg
import pytest
from alembic import command
from psycopg import sql
from sqlalchemy import and_, inspect, select, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

import chainbeasts.backend.store.daemons
import chainbeasts.backend.store.facts
import chainbeasts.backend.store.governance
import chainbeasts.backend.store.matches  # noqa: F401 - all of them define the tables
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.signals import carry_on, hang_up
from chainbeasts.backend.store import postgresql
from chainbeasts.backend.store import session as session_module
from chainbeasts.backend.store.columns import Base, given_pairs, insert_rows, listed_pairs
from chainbeasts.backend.store.daemons import IntentRow, IntentState, JobRow
from chainbeasts.backend.store.facts import BlockRow
from chainbeasts.backend.store.session import (
    Database,
    DatabaseUnavailableError,
    alembic_config,
    current_revision,
    downgrade_database,
    lock_database,
    make_engine,
    parse_url,
    upgrade_database,
)
from tests.support.patience import PATIENCE, eventually
from tests.support.ports import free_port
from tests.support.postgres import PASSWORD
from tests.support.resolver import frozen_resolver

NOW = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.close()


def intent(**changes: object) -> IntentRow:
    values: dict[str, object] = {"kind": "file", "key": "k", "account": "0x" + "11" * 20}
    values |= {"state": IntentState.PLANNED, "updated_at": NOW, "bond": 0}
    return IntentRow(**(values | changes))


def test_the_schema_goes_up_down_and_up_and_matches_the_models(database_url: str) -> None:
    engine = make_engine(database_url)
    for _ in range(2):  # made at once, then step by step: the revisions' own table is left
        upgrade_database(database_url)
        assert set(inspect(engine).get_table_names()) >= set(Base.metadata.tables)
        command.check(alembic_config(database_url))  # raises where models and migrations differ
        downgrade_database(database_url, "0001")
        assert "sources" not in inspect(engine).get_table_names()
        downgrade_database(database_url)
        assert not set(inspect(engine).get_table_names()) & set(Base.metadata.tables)
    engine.dispose()


def test_a_new_database_has_the_schema_of_the_migrations(database_url: str) -> None:
    Database(database_url).close()
    config = alembic_config(database_url)
    command.check(config)  # raises where they differ, or the newest revision is another one
    downgrade_database(database_url, "0011")
    upgrade_database(database_url)
    command.check(config)


def test_an_upgrade_keeps_what_daemons_decided_and_drops_facts(database_url: str) -> None:
    upgrade_database(database_url, "0001")
    engine = make_engine(database_url)
    with engine.begin() as connection:
        connection.execute(
            BlockRow.__table__.insert().values(
                number=1, hash=b"h" * 32, parent_hash=b"p" * 32, timestamp=1
            )
        )
        connection.execute(
            JobRow.__table__.insert().values(
                digest=b"d" * 32, beast_id=1, index=0, h128=b"s" * 32,
                reason="", header_lie=False, attempts=0,
            )
        )  # fmt: skip
    engine.dispose()
    database = Database(database_url)
    with database.session() as session:
        assert session.scalars(select(BlockRow)).all() == []
        assert session.get_one(JobRow, b"d" * 32).h128 == b"s" * 32
    database.close()


def test_alembic_is_asked_only_where_the_schema_is_not_the_newest(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    upgrade = session_module.upgrade_database

    def noted(url: str) -> None:
        asked.append(url)
        upgrade(url)

    monkeypatch.setattr(session_module, "upgrade_database", noted)
    for _ in range(2):  # made, and opened again
        Database(database_url).close()
    assert asked == []
    downgrade_database(database_url, "0011")
    Database(database_url).close()
    assert asked == [database_url]
    assert str(current_revision(database_url)) > "0011"


def test_many_processes_bring_one_new_database_up_to_date(database_url: str) -> None:
    code = (
        "import sys; from chainbeasts.backend.store import session; "
        f"session.CONNECT_SECONDS = session.BUSY_SECONDS = {int(PATIENCE)}; "
        "session.Database(sys.argv[1]).close()"
    )
    children = [
        subprocess.Popen([sys.executable, "-c", code, database_url], stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    for child in children:
        _, said = child.communicate(timeout=PATIENCE)
        assert child.returncode == 0, said.decode()


def test_numbers_and_moments_come_back_unchanged(database: Database) -> None:
    kathmandu = timezone(timedelta(hours=5, minutes=45))
    with database.session() as session:
        for key, wei in (("none", 0), ("all", 2**256 - 1), ("odd", 2**53 + 1)):
            session.add(intent(key=key, bond=wei, updated_at=NOW.astimezone(kathmandu)))
        session.add(BlockRow(number=2**63 - 1, hash=b"\0\xff" * 16, parent_hash=b"", timestamp=1))
    with database.session() as session:
        rows = session.scalars(select(IntentRow).order_by(IntentRow.id)).all()
        assert [row.bond for row in rows] == [0, 2**256 - 1, 2**53 + 1]
        for row in rows:
            assert (row.updated_at, row.updated_at.utcoffset()) == (NOW, timedelta(0))
        block = session.scalars(select(BlockRow)).one()
        assert (block.number, block.hash) == (2**63 - 1, b"\0\xff" * 16)


def test_rows_are_found_by_any_number_of_pairs(database: Database) -> None:
    count = 3_000
    rows = [
        {"number": number, "hash": b"", "parent_hash": b"", "timestamp": 7 * number}
        for number in range(count)
    ]
    with database.session() as session:
        insert_rows(session, BlockRow, rows)
        insert_rows(session, BlockRow, [])
    pair = listed_pairs(database.engine.dialect.name, "block", "time")
    asked = select(BlockRow.number).join(
        pair, and_(BlockRow.number == pair.c.block, BlockRow.timestamp == pair.c.time)
    )
    wanted = [(number, 7 * number + number % 2) for number in range(count)]
    with database.session() as session:
        found = session.scalars(asked, given_pairs(wanted)).all()
        assert sorted(found) == list(range(0, count, 2))
        assert session.scalars(asked, given_pairs([(2**62, 7)])).all() == []
        assert session.scalars(asked, given_pairs([])).all() == []


def test_exclusive_sessions_do_not_overlap(database: Database) -> None:
    """Read, think, write: without the lock most of the increments would be lost."""
    with database.session() as session:
        session.add(BlockRow(number=1, hash=b"", parent_hash=b"", timestamp=0))

    def increment(_: int) -> None:
        with database.exclusive("count") as session:
            row = session.get_one(BlockRow, 1)
            session.execute(select(BlockRow.number))
            row.timestamp += 1

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(increment, range(40)))
    with database.session() as session:
        assert session.get_one(BlockRow, 1).timestamp == 40


def test_an_exception_undoes_an_exclusive_session(database: Database) -> None:
    def fail() -> None:
        with database.exclusive("x") as session:
            session.add(BlockRow(number=1, hash=b"", parent_hash=b"", timestamp=0))
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with database.session() as session:
        assert session.get(BlockRow, 1) is None


def test_a_schema_of_a_newer_version_is_refused(database_url: str) -> None:
    Database(database_url).close()
    engine = make_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(ChainBeastsError, match="not one that this version knows"):
        Database(database_url)


def test_sqlite_writes_ahead_and_waits(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "BUSY_SECONDS", 7)
    database = Database(f"sqlite:///{tmp_path}/x.sqlite3")
    with database.session() as session:
        pragmas = ("journal_mode", "busy_timeout", "foreign_keys")
        found = [session.execute(text(f"PRAGMA {name}")).scalar() for name in pragmas]
    assert found == ["wal", 7_000, 1]
    database.close()


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_postgresql_needs_no_driver_in_its_url(scheme: str) -> None:
    assert parse_url(f"{scheme}://me@host/db").drivername == "postgresql+psycopg"


def test_other_databases_are_refused_without_their_secret() -> None:
    with pytest.raises(ChainBeastsError) as caught:
        Database(f"mysql://me:{PASSWORD}@host/db")
    assert "postgresql://user@host/name" in str(caught.value.hint)
    assert PASSWORD not in f"{caught.value} {caught.value.hint}"


def test_a_password_is_never_shown(postgres_url: str) -> None:
    database = Database(postgres_url)
    assert "***" in database.url
    assert PASSWORD not in database.url + repr(database.engine)
    database.close()
    with pytest.raises(DatabaseUnavailableError) as caught:
        Database(f"postgresql://me:{PASSWORD}@127.0.0.1:{free_port()}/none")
    assert PASSWORD not in str(caught.value)


def test_a_connection_that_the_server_cut_is_replaced(postgres_url: str) -> None:
    database = Database(postgres_url)
    with pytest.raises(DatabaseUnavailableError), database.session() as session:
        session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    with database.session() as session:
        assert session.execute(text("SELECT 1")).scalar() == 1
    database.close()


def test_a_database_whose_connections_are_all_in_use_does_not_answer(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = database.engine.pool
    monkeypatch.setattr(pool, "_timeout", 0.1)
    with ExitStack() as held:
        for _ in range(pool.size() + pool._max_overflow):
            held.enter_context(database.session()).execute(text("SELECT 1"))
        with pytest.raises(DatabaseUnavailableError, match="in use"), database.reading():
            pass
    with database.reading() as session:
        assert session.execute(text("SELECT 1")).scalar() == 1


def impatient(session: Session) -> Any:
    """The session's connection, which does not wait any more."""
    made = session.connection().connection.driver_connection
    assert made is not None
    assert made.answer_seconds == session_module.ANSWER_SECONDS
    made.answer_seconds = 0.2
    return made


def test_a_server_that_does_not_answer_is_left(postgres_url: str) -> None:
    database = Database(postgres_url)
    left: list[Any] = []

    def wait() -> None:
        with database.session() as session:
            left.append(impatient(session))
            session.execute(text("SELECT pg_sleep(600)"))

    with pytest.raises(DatabaseUnavailableError):
        wait()
    assert left[0].closed  # who rolled back on it would wait, too
    with database.session() as session:
        assert session.execute(text("SELECT 1")).scalar() == 1
    database.close()


def test_nobody_waits_for_a_server_once_the_process_is_to_end(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "ENDING_SECONDS", 0.5)
    database, sent, problems = Database(postgres_url), threading.Event(), list[Exception]()

    def wait() -> None:
        try:
            with database.session() as session:
                session.connection()
                sent.set()
                session.execute(text("SELECT pg_sleep(600)"))
        except Exception as error:
            problems.append(error)

    waiter = threading.Thread(target=wait)
    waiter.start()
    try:
        assert sent.wait(PATIENCE)
        hang_up(0.0)
        waiter.join(PATIENCE)
        assert [type(one) for one in problems] == [DatabaseUnavailableError]
        monkeypatch.setattr(postgresql, "ENDING_SECONDS", 0.0)
        with pytest.raises(DatabaseUnavailableError), Database(postgres_url).session():
            pytest.fail("a connection was made")
    finally:
        carry_on()
    with database.session() as session:
        assert session.execute(text("SELECT 1")).scalar() == 1
    database.close()


def test_a_server_whose_name_is_not_found_out_is_given_up(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "OPENING_SECONDS", 0.3)
    with frozen_resolver() as resolver:
        engine = make_engine(postgres_url.replace("127.0.0.1", resolver.host))

        def is_asked() -> bool:
            with pytest.raises(OperationalError), engine.connect():
                pytest.fail("a connection was made")
            return resolver.asked > 0

        eventually(is_asked)
        is_asked()
        assert resolver.asked == 1
        resolver.released.set()
        monkeypatch.setattr(postgresql, "OPENING_SECONDS", PATIENCE)
        with engine.connect() as made:
            assert made.execute(text("SELECT 1")).scalar() == 1
        engine.dispose()


def test_who_was_frozen_within_his_transaction_holds_up_nobody(postgres_url: str) -> None:
    database, frozen = Database(postgres_url), make_engine(postgres_url, bounded=False)
    with frozen.connect() as held:
        lock_database(held, "a name")
        assert held.connection.driver_connection.answer_seconds is None

        def wait() -> None:
            with database.session() as session:
                impatient(session)
                lock_database(session.connection(), "a name")

        with pytest.raises(DatabaseUnavailableError):
            wait()
    with database.exclusive("a name") as session:
        assert session.execute(text("SELECT 1")).scalar() == 1
    frozen.dispose()
    database.close()


def test_a_reader_sees_one_instant(database: Database) -> None:
    wanted = select(BlockRow.number)
    with database.reading() as reader:
        assert reader.scalars(wanted).all() == []
        with database.session() as writer:
            writer.add(BlockRow(number=1, hash=bytes(32), parent_hash=bytes(32), timestamp=1))
        assert reader.scalars(wanted).all() == []
    with database.reading() as reader:
        assert reader.scalars(wanted).all() == [1]


def test_nothing_is_prepared_on_the_server(postgres_url: str) -> None:
    """Behind a pooler each transaction may be on another of the server's connections."""
    database = Database(postgres_url)
    for _ in range(12):
        with database.session() as session:
            session.scalars(select(BlockRow.number).where(BlockRow.number == 1)).all()
    with database.session() as session:
        assert session.scalar(text("SELECT count(*) FROM pg_prepared_statements")) == 0
    database.close()


def test_a_database_that_is_failing_over_is_waited_for(postgres_url: str) -> None:
    """Read-only for seconds; connections of that time would stay so."""
    database = Database(postgres_url)

    def write(number: int) -> None:
        with database.session() as session:
            session.add(BlockRow(number=number, hash=b"", parent_hash=b"", timestamp=0))

    def make(state: str) -> None:
        """For connections that are made from now on."""
        with psycopg.connect(postgres_url, autocommit=True) as admin:
            admin.execute("SET default_transaction_read_only = off")
            name = sql.Identifier(str(database.engine.url.database))
            change = f"ALTER DATABASE {{}} SET default_transaction_read_only = {state}"
            admin.execute(sql.SQL(change).format(name))

    write(1)
    make("on")
    database.close()
    with pytest.raises(DatabaseUnavailableError, match="only be read at present"):
        write(2)
    with database.session() as session:
        assert session.scalars(select(BlockRow.number)).all() == [1]
    make("off")
    with pytest.raises(DatabaseUnavailableError):
        write(2)  # by the connection that the reader has left
    write(2)
    database.close()


@pytest.mark.parametrize(
    ("statement", "passes"),
    [
        ("SELECT pg_advisory_xact_lock(1), pg_sleep(9)", True),  # cancelled by its time-out
        ("SELECT 1/0", False),
        ("SELECT nothing", False),
    ],
)
def test_only_what_passes_is_waited_for(postgres_url: str, statement: str, passes: bool) -> None:
    database = Database(postgres_url)

    def run() -> None:
        with database.session() as session:
            if passes:
                session.execute(text("SET LOCAL statement_timeout = 20"))
            session.execute(text(statement))

    with pytest.raises(DatabaseUnavailableError if passes else DBAPIError):
        run()
    database.close()
