"""Alembic's environment: one URL, one connection, all tables of backend.store."""

from __future__ import annotations

from alembic import context

import backend.store.daemons
import backend.store.facts  # noqa: F401 - both define the tables
from backend.store.columns import Base
from backend.store.session import make_engine

engine = make_engine(context.config.attributes["url"])
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
