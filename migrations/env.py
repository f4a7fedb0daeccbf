"""Alembic's environment: one URL, one connection, all tables of chainbeasts.backend.store.

A migration happens as a whole or not at all, and in one process at a time: a daemon that is started
beside another one waits here until the schema is ready. An empty database gets the newest schema at
once instead of every step of its history.
"""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, inspect

from chainbeasts.backend.store.schema import METADATA
from chainbeasts.backend.store.session import lock_database, make_engine


def is_new(connection: Connection) -> bool:
    """Whether the newest schema is asked for, and there is nothing yet."""
    try:
        wanted = context.get_revision_argument()
    except KeyError:  # nothing is: the schema is only looked at
        return False
    newest = context.script.get_current_head()
    return wanted == newest and not inspect(connection).get_table_names()


engine = make_engine(context.config.attributes["url"], bounded=False)
try:
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            # Altering a table may copy and drop it; its referrers must not go with it.
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        lock_database(connection, "migrations")
        context.configure(
            connection=connection,
            target_metadata=METADATA,
            render_as_batch=True,
            transactional_ddl=True,
        )
        if is_new(connection):
            METADATA.create_all(connection)
            context.get_context().stamp(context.script, "head")
        else:
            context.run_migrations()
        connection.commit()
finally:
    engine.dispose()
