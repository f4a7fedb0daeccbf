"""Opens the database: SQLite in WAL mode, or PostgreSQL by URL; brings its schema up to date."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from backend.errors import ChainBeastsError

BUSY_SECONDS = 30
MIGRATIONS = "migrations"


def make_engine(url: str) -> Engine:
    """An engine for a database URL.

    Raises:
        ChainBeastsError: the URL or its driver does not work.
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed)
    except (ArgumentError, SQLAlchemyError, ImportError, OSError) as error:
        raise ChainBeastsError(
            f"The database URL does not work ({type(error).__name__}).",
            "Give CHAINBEASTS_DATABASE_URL as sqlite:///path or postgresql://user@host/name.",
        ) from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _configure_sqlite)
    return engine


def _configure_sqlite(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "foreign_keys=ON", f"busy_timeout={BUSY_SECONDS * 1000}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def alembic_config(url: str) -> Config:
    """Alembic's configuration for a database URL."""
    config = Config()
    config.set_main_option("script_location", f"{MIGRATIONS}:")
    config.attributes["url"] = url
    return config


def upgrade_database(url: str, revision: str = "head") -> None:
    """Bring the schema up to date (or to a revision).

    Raises:
        ChainBeastsError: the database cannot be opened.
    """
    make_engine(url).dispose()
    try:
        command.upgrade(alembic_config(url), revision)
    except SQLAlchemyError as error:
        raise ChainBeastsError(
            f"The database cannot be brought up to date ({type(error).__name__}).",
            "Check the URL and the rights on its folder or server.",
        ) from error


def downgrade_database(url: str, revision: str = "base") -> None:
    """Take the schema back to a revision; data of dropped tables is lost.

    Raises:
        ChainBeastsError: there is no such revision, or the database cannot be opened.
    """
    make_engine(url).dispose()
    try:
        command.downgrade(alembic_config(url), revision)
    except CommandError as error:
        raise ChainBeastsError(
            f"The schema cannot go back to {revision!r}.",
            "`base` removes every table; migrations/versions/ has the other revisions.",
        ) from error
    except SQLAlchemyError as error:
        raise ChainBeastsError(
            f"The database's schema cannot be taken back ({type(error).__name__}).",
            "Check the URL and the rights on its folder or server.",
        ) from error


class Database:
    """An up-to-date database and its sessions."""

    def __init__(self, url: str) -> None:
        self.url = url
        upgrade_database(url)
        self.engine = make_engine(url)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session in one transaction: committed at the end, rolled back by an exception."""
        with self._sessions.begin() as session:
            yield session

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()
