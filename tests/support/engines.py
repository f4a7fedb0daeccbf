"""Databases of one process share what SQLAlchemy has compiled.

A daemon opens one database and compiles each statement once; every test opens its own, and compiled
them all anew, which took longer than the statements. What is compiled depends on the dialect alone,
so all databases of a kind are given the first one's.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, create_engine

_first: dict[str, Engine] = {}
"""By driver: the first engine that has connected, and so knows its server."""


def create_sharing(url: Any, **options: Any) -> Engine:
    """An engine as ``create_engine`` makes it, with the compiled statements of its kind."""
    made = create_engine(url, **options)
    first = _first.get(made.url.drivername)
    if first is None or not _has_connected(first):
        _first[made.url.drivername] = made
    else:
        # The pool goes on asking its own dialect who makes the connections.
        made.dialect.dispatch = first.dialect.dispatch
        made.dialect._has_events = first.dialect._has_events
        made.dialect = first.dialect
        made._compiled_cache = first._compiled_cache
    return made


def _has_connected(engine: Engine) -> bool:
    return getattr(engine.dialect, "server_version_info", None) is not None
