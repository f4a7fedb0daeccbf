"""Places in lists. A cursor names the last item that was given, so a growing list shifts nothing.

Clients pass cursors back as they got them and need not know that they are numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, TypeVar

from fastapi import Path, Query
from sqlalchemy import Select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

Row = TypeVar("Row")

LARGEST = (1 << 63) - 1
MOST_ITEMS = 200
USUAL_ITEMS = 50

Id = Annotated[int, Path(ge=0, le=LARGEST, description="Its number.", examples=[1])]
Limit = Annotated[int, Query(ge=1, le=MOST_ITEMS, description="Most items of the page.")]
Cursor = Annotated[
    str | None,
    Query(pattern=r"^[0-9]{1,18}$", description="`next` of the page before.", examples=["50"]),
]
PairCursor = Annotated[
    str | None,
    Query(
        pattern=r"^[0-9]{1,18}-[0-9]{1,18}$",
        description="`next` of the page before.",
        examples=["12-0"],
    ),
]


def place(cursor: str | None) -> tuple[int, ...] | None:
    """The numbers of a cursor that has been checked; None at a list's beginning."""
    return None if cursor is None else tuple(int(part) for part in cursor.split("-"))


def cursor_of(*numbers: int) -> str:
    """The cursor of an item."""
    return "-".join(str(number) for number in numbers)


def read_page(
    session: Session,
    wanted: Select[Row],
    cursor: str | None,
    limit: int,
    *key: InstrumentedAttribute[int],
    newest_first: bool = True,
) -> tuple[Sequence[Row], str | None]:
    """The rows of one page of a list, and the cursor of the page after it.

    Args:
        wanted: the whole list's rows, in any order.
        key: columns that order the list and name a row in it.

    Returns:
        At most ``limit`` rows, and None where they are the last.
    """
    after = place(cursor)
    if after is not None:
        last = tuple_(*after)
        wanted = wanted.where(tuple_(*key) < last if newest_first else tuple_(*key) > last)
    order = [column.desc() if newest_first else column.asc() for column in key]
    # One row more than is shown tells whether there is a next page, without counting the list.
    rows = session.scalars(wanted.order_by(*order).limit(limit + 1)).all()
    if len(rows) <= limit:
        return rows, None
    shown = rows[:limit]
    return shown, cursor_of(*(getattr(shown[-1], column.key) for column in key))
