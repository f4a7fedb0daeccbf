"""Opens the database: SQLite in WAL mode, or PostgreSQL by URL; brings its schema up to date.

Alembic is imported where it is used: it takes a fifth of a second to load, and commands that only
ask the chain open no database.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, func, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    InterfaceError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as NoConnectionError
from sqlalchemy.orm import Session, sessionmaker

from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.redact import redact_url
from chainbeasts.backend.store import postgresql

if TYPE_CHECKING:
    from alembic.config import Config

BUSY_SECONDS = 30
CONNECT_SECONDS = 10
ANSWER_SECONDS = 120
"""For each of a PostgreSQL server's answers. One that takes longer is frozen, or waits for another
that is; what our statements take is a part of it."""

MIGRATIONS = "chainbeasts.migrations"
POSTGRESQL = "postgresql+psycopg"


class DatabaseUnavailableError(ChainBeastsError):
    """The database cannot be reached, or another process holds it for too long."""


def parse_url(url: str) -> URL:
    """A database URL with its driver: ``postgresql://`` and ``postgres://`` mean psycopg 3.

    Raises:
        ChainBeastsError: it is not the URL of a SQLite or PostgreSQL database.
    """
    try:
        parsed = make_url(url)
        if parsed.drivername in ("postgresql", "postgres"):
            parsed = parsed.set(drivername=POSTGRESQL)
        if parsed.drivername not in ("sqlite", "sqlite+pysqlite", POSTGRESQL):
            raise ArgumentError("another database")
    except (SQLAlchemyError, ValueError) as error:
        raise _wrong_url(error) from None
    return parsed


def _wrong_url(error: Exception) -> ChainBeastsError:
    # The URL itself may hold a password: it is never part of a message.
    return ChainBeastsError(
        f"The database URL does not work ({type(error).__name__}).",
        "Give CHAINBEASTS_DATABASE_URL as sqlite:///path or postgresql://user@host/name.",
    )


def make_engine(url: str, *, bounded: bool = True) -> Engine:
    """An engine for a database URL.

    Args:
        bounded: a server has ``ANSWER_SECONDS`` for each answer; else as long as it takes, as a
            migration may.

    Raises:
        ChainBeastsError: the URL or its driver does not work.
    """
    parsed = parse_url(url)
    try:
        if parsed.drivername == POSTGRESQL:
            # A connection that the server closed meanwhile is replaced before it is used. And
            # nothing is prepared on the server: behind a pooler that has another connection for
            # each transaction, as PgBouncer may, the statement would be on one we have no more.
            given = {"connect_timeout": CONNECT_SECONDS, "prepare_threshold": None}
            if bounded:
                given[postgresql.ANSWER] = ANSWER_SECONDS
            engine = create_engine(parsed, pool_pre_ping=True, connect_args=given)
            event.listen(engine, "do_connect", postgresql.connect)
            return engine
        if parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
            _make_private(parsed.database)
        engine = create_engine(parsed)
    except ImportError:
        raise ChainBeastsError(
            "PostgreSQL's driver is not installed.", "pip install 'chainbeasts[postgres]'"
        ) from None
    except (SQLAlchemyError, OSError) as error:
        raise _wrong_url(error) from None
    event.listen(engine, "connect", _configure_sqlite)
    return engine


def _make_private(database: str) -> None:
    """Make a new database's file its owner's alone: SQLite would go by the umask.

    Records and salts are in there before they are public. SQLite's other files take the mode over.
    """
    if database == ":memory:" or database.startswith("file:"):
        return
    with suppress(OSError):  # it is there already; or SQLite will say what is the matter
        os.close(os.open(database, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _configure_sqlite(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    # The time-out first: turning WAL on may itself have to wait for another process.
    for pragma in (f"busy_timeout={BUSY_SECONDS * 1000}", "journal_mode=WAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def lock_database(connection: Connection, name: str) -> None:
    """Keep other processes out until the transaction ends: those that lock the same name.

    SQLite has one writer, whatever the name. Must be the first statement of a transaction.
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        key = int.from_bytes(sha256(name.encode()).digest()[:8], signed=True)
        connection.execute(select(func.pg_advisory_xact_lock(key)))


def begin_snapshot(connection: Connection) -> None:
    """Let all statements of a transaction see one instant. Must be its first statement."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN")
    else:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def alembic_config(url: str) -> Config:
    """Alembic's configuration for a database URL."""
    from alembic.config import Config

    config = Config(stdout=sys.stdout)  # its own default is the one of when it was imported
    config.set_main_option("script_location", f"{MIGRATIONS}:")
    config.attributes["url"] = url
    return config


def upgrade_database(url: str, revision: str = "head") -> None:
    """Bring the schema up to date (or to a revision).

    Raises:
        ChainBeastsError: the database cannot be opened, or a newer version made its schema.
    """
    from alembic import command
    from alembic.util import CommandError

    try:
        command.upgrade(alembic_config(url), revision)
    except CommandError as error:
        raise ChainBeastsError(
            "The database's schema is not one that this version knows.",
            "Use the newer version of chainbeasts that made it, or another database.",
        ) from error
    except SQLAlchemyError as error:
        raise _not_up_to_date(error) from error


def _not_up_to_date(error: SQLAlchemyError) -> DatabaseUnavailableError:
    return DatabaseUnavailableError(
        f"The database cannot be brought up to date ({type(error).__name__}).",
        "Check the URL and the rights on its folder or server.",
    )


def downgrade_database(url: str, revision: str = "base") -> None:
    """Take the schema back to a revision; data of dropped tables is lost.

    Raises:
        ChainBeastsError: there is no such revision, or the database cannot be opened.
    """
    from alembic import command
    from alembic.util import CommandError

    try:
        command.downgrade(alembic_config(url), revision)
    except CommandError as error:
        raise ChainBeastsError(
            f"The schema cannot go back to {revision!r}.",
            "`base` removes every table; migrations/versions/ has the other revisions.",
        ) from error
    except SQLAlchemyError as error:
        raise DatabaseUnavailableError(
            f"The database's schema cannot be taken back ({type(error).__name__}).",
            "Check the URL and the rights on its folder or server.",
        ) from error


def check_revision(url: str) -> None:
    """Make sure that a database's schema is this version's, and leave it as it is.

    Raises:
        ChainBeastsError: it is not, or the database cannot be opened.
    """
    from alembic.script import ScriptDirectory

    found = current_revision(url)
    newest = ScriptDirectory.from_config(alembic_config(url)).get_current_head()
    if found != newest:
        raise ChainBeastsError(
            f"The database's schema is {found or 'not there'}, this version reads {newest}.",
            "Let the daemon that fills it bring it up to date, or use that daemon's version.",
        )


@cache
def _newest() -> str:
    """The newest revision there is."""
    files = resources.files(MIGRATIONS) / "versions"
    return max(file.name[:4] for file in files.iterdir() if file.name[:4].isdigit())


def _create(engine: Engine) -> bool:
    """Give an empty database its schema; whether it was empty, and took it."""
    from chainbeasts.backend.store.schema import create_if_empty

    try:
        with engine.begin() as connection:
            lock_database(connection, "migrations")
            return create_if_empty(connection, _newest())
    except SQLAlchemyError:  # Alembic meets the same, and what it says is shown
        return False


def _is_newest(engine: Engine) -> bool:
    """Whether a schema is the newest there is; asked without Alembic, which takes longer.

    Alembic says what is wrong with one that is older or unknown.

    Raises:
        DatabaseUnavailableError: its server does not answer.
    """
    try:
        with engine.connect() as connection:
            found = connection.execute(text("SELECT version_num FROM alembic_version"))
            return list(found.scalars()) == [_newest()]
    except OperationalError as error:  # in SQLite, that there is no such table yet
        if engine.dialect.name != "sqlite":
            raise _not_up_to_date(error) from error
        return False
    except SQLAlchemyError:
        return False


def current_revision(url: str) -> str | None:
    """The revision of a database's schema; None before the first.

    Raises:
        ChainBeastsError: it cannot be opened.
    """
    from alembic.runtime.migration import MigrationContext

    engine = make_engine(url)
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except SQLAlchemyError as error:
        raise ChainBeastsError(
            f"{redact_url(url)} cannot be opened ({type(error).__name__}).",
            "See that its server runs, and check CHAINBEASTS_DATABASE_URL and the rights.",
        ) from None
    finally:
        engine.dispose()


READ_ONLY = "25006"
PASSING_STATES = ("08", "40", "53", "55", "57", "58")
"""Classes of PostgreSQL's SQLSTATE for what passes: connections, rollbacks in favour of others (as
deadlocks), resources, locks, operators' interventions (as a shutdown), and the system's errors."""


def _sqlstate(error: DBAPIError) -> str:
    return str(getattr(error.orig, "sqlstate", None) or "")


def _is_read_only(error: DBAPIError) -> bool:
    return _sqlstate(error) == READ_ONLY


def _passes(error: DBAPIError) -> bool:
    """Whether a database's error says that it is away, or busy, and not that we are wrong."""
    if isinstance(error, (OperationalError, InterfaceError)) or error.connection_invalidated:
        return True
    return _is_read_only(error) or _sqlstate(error)[:2] in PASSING_STATES


class Database:
    """An up-to-date database and its sessions.

    Args:
        upgrade: bring an older schema up to date; else refuse it.

    Raises:
        ChainBeastsError: it cannot be opened.
    """

    def __init__(self, url: str, *, upgrade: bool = True) -> None:
        if not upgrade:
            check_revision(url)
        self.engine = make_engine(url)
        if upgrade and not _is_newest(self.engine) and not _create(self.engine):
            self.engine.dispose()
            upgrade_database(url)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)

    @property
    def url(self) -> str:
        """Where it is, fit for a log: a password shows as ``***``."""
        return self.engine.url.render_as_string(hide_password=True)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session in one transaction: committed at the end, rolled back by an exception.

        Raises:
            DatabaseUnavailableError: the database does not answer, or no connection to it comes
                free; nothing was committed, unless the connection broke in the very commit.
        """
        try:
            with self._sessions.begin() as session:
                yield session
        except DBAPIError as error:
            if not _passes(error):
                raise
            if _is_read_only(error):
                # Connections that were made to a server in recovery may stay read-only when another
                # one has taken over, or when this one has been promoted: the next one is new.
                self.engine.dispose()
                raise DatabaseUnavailableError(
                    "The database can only be read at present.",
                    "It may be failing over to another server; if it stays so, give the URL of the "
                    "one that takes writes.",
                ) from error
            raise DatabaseUnavailableError(
                f"The database does not answer ({type(error.orig).__name__}).",
                "See that its server runs, its disk has room, and no other process holds it.",
            ) from error
        except NoConnectionError as error:
            raise DatabaseUnavailableError(
                "All connections to the database are in use.",
                "They come free as what uses them ends: see whether the database is slow.",
            ) from error

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees the database as it is at one instant, and only reads.

        Raises:
            DatabaseUnavailableError: as ``session``.
        """
        with self.session() as session:
            begin_snapshot(session.connection())
            yield session

    @contextmanager
    def exclusive(self, name: str) -> Iterator[Session]:
        """A session beside which no other process has one of that name: what it reads holds.

        Raises:
            DatabaseUnavailableError: as ``session``.
        """
        with self.session() as session:
            lock_database(session.connection(), name)
            yield session

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()
