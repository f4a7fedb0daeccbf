"""``chainbeasts db``: the schema of the database, and what it holds of the chain."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from chainbeasts.backend.cli.session import Session, command
from chainbeasts.backend.indexer.rollback import forget_everything
from chainbeasts.backend.indexer.source import LOCK
from chainbeasts.backend.store.session import (
    Database,
    current_revision,
    downgrade_database,
    upgrade_database,
)

app = typer.Typer(help="The database: its schema, and chain facts.", no_args_is_help=True)


class Role(StrEnum):
    """Who keeps a database under home."""

    API = "api"
    TRAINER = "trainer"
    VALIDATOR = "validator"
    ARENA = "arena"


RoleOption = Annotated[Role, typer.Option(help="Whose database.")]


def _show(session: Session, url: str) -> None:
    revision = current_revision(url)
    session.show({"revision": revision}, f"Schema revision: {revision or 'none'}")


@command(app, "upgrade", example="chainbeasts db upgrade --role validator")
def upgrade(session: Session, role: RoleOption = Role.VALIDATOR) -> None:
    """Bring the schema up to date (the daemons do it by themselves)."""
    url = session.settings.database(role)
    upgrade_database(url)
    _show(session, url)


@command(app, "downgrade", example="chainbeasts db downgrade base")
def downgrade(
    session: Session,
    revision: Annotated[str, typer.Argument(help="Revision to go back to.")],
    role: RoleOption = Role.VALIDATOR,
) -> None:
    """Take the schema back. Tables that did not exist then are dropped with their data."""
    url = session.settings.database(role)
    downgrade_database(url, revision)
    _show(session, url)


@command(app, "current", example="chainbeasts db current")
def current(session: Session, role: RoleOption = Role.VALIDATOR) -> None:
    """Show the schema's revision."""
    _show(session, session.settings.database(role))


@command(app, "reindex", example="chainbeasts db reindex --role validator")
def reindex(session: Session, role: RoleOption = Role.VALIDATOR) -> None:
    """Forget all that was read from the chain; the next command or daemon reads it again.

    Jobs, verdicts, transactions and computed windows stay.
    """
    database = Database(session.settings.database(role))
    try:
        with database.exclusive(LOCK) as rows:
            forget_everything(rows)
    finally:
        database.close()
    session.show({"reindex": role.value}, "Chain facts are forgotten; they will be read again.")
