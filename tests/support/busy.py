"""A SQLite database that another process keeps busy."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.support.patience import PATIENCE


def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have connections that are opened from now on wait for nobody."""
    monkeypatch.setattr("chainbeasts.backend.store.session.BUSY_SECONDS", 0)


@contextmanager
def busy(file: Path) -> Iterator[None]:
    """Nobody else can write it meanwhile."""
    with closing(sqlite3.connect(file, timeout=PATIENCE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")
