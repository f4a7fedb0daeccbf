"""All tables; and how an empty database gets them at once, without Alembic, which takes longer to
load than to do it. The migrations are for databases that hold something.
"""

from __future__ import annotations

from sqlalchemy import Column, Connection, MetaData, PrimaryKeyConstraint, String, Table, inspect

import chainbeasts.backend.store.daemons
import chainbeasts.backend.store.energy
import chainbeasts.backend.store.facts
import chainbeasts.backend.store.governance
import chainbeasts.backend.store.matches  # noqa: F401 - all of them define the tables
from chainbeasts.backend.store.columns import Base

METADATA = Base.metadata

_VERSION = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""As Alembic makes it, which finds the revision there."""


def create_if_empty(connection: Connection, revision: str) -> bool:
    """Make all tables, and note their revision, if there is no table yet; whether that was done.

    The connection must hold the lock of the migrations.
    """
    if inspect(connection).get_table_names():
        return False
    METADATA.create_all(connection, checkfirst=False)
    _VERSION.create(connection)
    connection.execute(_VERSION.insert().values(version_num=revision))
    return True
