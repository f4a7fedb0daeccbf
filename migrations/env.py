"""Alembic's environment: one URL, one connection, all tables of backend.store.

A migration happens as a whole or not at all, and in one process at a time: a daemon that is started
beside another one waits here until the schema is ready.
"""

from __future__ import annotations

from alembic import context

import backend.store.daemons
import backend.store.energy
import backend.store.facts
import backend.store.governance
import backend.store.matches  # noqa: F401 - all of them define the tables
from backend.store.columns import Base
from backend.store.session import lock_database, make_engine

engine = make_engine(context.config.attributes["url"])
try:
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            # Altering a table may copy and drop it; its referrers must not go with it.
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        lock_database(connection, "migrations")
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=True,
            transactional_ddl=True,
        )
        context.run_migrations()
        connection.commit()
finally:
    engine.dispose()
