"""What SQLite and PostgreSQL have in common: column types that lose nothing, the declarative base,
and rows that another process may be inserting at the same time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from sqlalchemy import (
    CTE,
    BigInteger,
    DateTime,
    LargeBinary,
    String,
    TypeDecorator,
    column,
    insert,
    text,
)
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


_LISTED = {
    "sqlite": "SELECT json_extract(value, '$[0]') AS {0}, json_extract(value, '$[1]') AS {1} "
    "FROM json_each(:pairs)",
    "postgresql": "SELECT CAST(value->>0 AS bigint) AS {0}, CAST(value->>1 AS bigint) AS {1} "
    "FROM json_array_elements(CAST(:pairs AS json)) AS listed(value)",
}


def listed_pairs(dialect: str, first: str, second: str) -> CTE:
    """A table of any number of pairs of integers; a statement with it is given ``given_pairs``.

    Args:
        first: what its columns are called.
    """
    # As one parameter, so that the statement is the same one whatever is asked: hundreds of them,
    # made and compiled for each call, take longer than all that the database does with them.
    found = text(_LISTED[dialect].format(first, second))
    return found.columns(column(first, BigInteger), column(second, BigInteger)).cte("listed_pairs")


def given_pairs(pairs: Iterable[tuple[int, int]]) -> dict[str, str]:
    """The parameter of a statement with ``listed_pairs``."""
    return {"pairs": json.dumps(list(pairs))}


def insert_rows(session: Session, table: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert many rows at once; nothing of the session is flushed before."""
    # Past the ORM, which takes as long to look at each row as the database to write it.
    if rows:
        session.connection().execute(insert(table.__table__), rows)  # type: ignore[arg-type]


def insert_new(session: Session, table: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows; those whose key is there already, or comes in meanwhile, stay as they are."""
    if rows:
        statement = _insert_of(session)(table).on_conflict_do_nothing()
        session.connection().execute(statement, [dict(row) for row in rows])


def replace_rows(session: Session, table: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, each in the place of the one with its key if there is one."""
    made = _insert_of(session)(table)
    keys = [column.name for column in table.__table__.primary_key]
    new = {name: made.excluded[name] for name in rows[0] if name not in keys}
    statement = made.on_conflict_do_update(index_elements=keys, set_=new)
    session.connection().execute(statement, [dict(row) for row in rows])


def _insert_of(session: Session) -> Callable[[type[Base]], sqlite.Insert | postgresql.Insert]:
    """What makes an insert that knows what to do about a row that is there."""
    here = session.get_bind().dialect.name
    return postgresql.insert if here == "postgresql" else sqlite.insert
