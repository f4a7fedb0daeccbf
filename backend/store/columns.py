"""What SQLite and PostgreSQL have in common: column types that lose nothing, the declarative base,
and rows that another process may be inserting at the same time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from sqlalchemy import BigInteger, DateTime, LargeBinary, String, TypeDecorator
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column

DIGITS = 78


class Uint256(TypeDecorator[int]):
    """An unsigned integer of up to 256 bits, kept as its decimal digits."""

    impl = String(DIGITS)
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> str | None:
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> int | None:
        return None if value is None else int(value)


class UtcTime(TypeDecorator[datetime]):
    """A moment, always aware and in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        # SQLite forgets the zone, which was UTC; PostgreSQL answers in its session's zone.
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """All tables of ChainBeasts."""


Hash = Annotated[bytes, mapped_column(LargeBinary(32))]
"""32 bytes."""

Address = Annotated[str, mapped_column(String(42))]
"""A checksummed address."""

Big = Annotated[int, mapped_column(BigInteger)]
"""Up to 63 bits: block numbers, ids, unix times."""

Wide = Annotated[int, mapped_column(Uint256)]
"""An unsigned integer that may have more than 63 bits."""

Wei = Annotated[int, mapped_column(Uint256)]
"""An amount in wei."""


AT_ONCE = 256
"""Values looked for in one statement: databases bound the number of its parameters."""


def insert_new(session: Session, table: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows; those whose key is there already, or comes in meanwhile, stay as they are."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    if rows:
        statement = insert(table).on_conflict_do_nothing()
        session.connection().execute(statement, [dict(row) for row in rows])


def replace_rows(session: Session, table: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, each in the place of the one with its key if there is one."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    made = insert(table)
    keys = [column.name for column in table.__table__.primary_key]
    new = {name: made.excluded[name] for name in rows[0] if name not in keys}
    statement = made.on_conflict_do_update(index_elements=keys, set_=new)
    session.connection().execute(statement, [dict(row) for row in rows])
