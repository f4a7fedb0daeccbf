"""Places in lists, and the numbers of requests.

A cursor names the item that a page ended or began with, so a growing list shifts nothing. Clients
pass cursors back as they got them and need not know that they are numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Path, Query
from pydantic import BeforeValidator
from sqlalchemy import Select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

Row = TypeVar("Row")

LARGEST = (1 << 63) - 1
MOST_ITEMS = 200
USUAL_ITEMS = 50
BACK = "r"
"""What a cursor begins with that leads towards the beginning of a list."""

_DECIMAL = re.compile(r"0|[1-9][0-9]*")


def plain_decimal(value: object) -> object:
    """A number of a request, which has one spelling.

    Raises:
        ValueError: it is spelled otherwise: with a sign, leading zeros, or digits of other scripts.
    """
    if isinstance(value, str) and not _DECIMAL.fullmatch(value):
        raise ValueError("it is not a plain decimal number")
    return value


Plain = BeforeValidator(plain_decimal)
"""Python reads `+1`, `01`, `1_0` and `１` as numbers; an address has to have one spelling."""

Id = Annotated[int, Path(ge=0, le=LARGEST, description="Its number.", examples=[1]), Plain]
Limit = Annotated[int, Query(ge=1, le=MOST_ITEMS, description="Most items of the page."), Plain]


def _cursor(numbers: str, example: str, page: str = "another page") -> Any:
    """The parameter of a list's cursor, whose numbers are spelled so."""
    return Query(
        pattern=f"^{BACK}?{numbers}$",
        description=f"`next` or `previous` of {page}.",
        examples=[example],
    )


_NUMBER = "[0-9]{1,18}"
Cursor = Annotated[str | None, _cursor(_NUMBER, "50")]
PairCursor = Annotated[str | None, _cursor(f"{_NUMBER}-{_NUMBER}", "12-0")]
SortedCursor = Annotated[
    str | None, _cursor(f"{_NUMBER}(-{_NUMBER})?", "50", "another page in the same order")
]
"""Of a list in one of several orders, each with its own cursors (`fits`)."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins.

    Attributes:
        key: of the item next to it, which is not on it; None at a list's beginning.
        back: the page ends there, and what comes before is wanted.
    """

    key: tuple[int, ...] | None = None
    back: bool = False


def place_of(cursor: str | None) -> Place:
    """The place that a cursor names, which has been checked."""
    if cursor is None:
        return Place()
    numbers = cursor.removeprefix(BACK)
    return Place(tuple(int(part) for part in numbers.split("-")), cursor.startswith(BACK))


def fits(cursor: str | None, key: Sequence[object]) -> bool:
    """Whether a cursor can be of a list that so many columns order."""
    return cursor is None or len(place_of(cursor).key or ()) == len(key)


def cursor_of(*numbers: int, back: bool = False) -> str:
    """The cursor of an item."""
    return (BACK if back else "") + "-".join(str(number) for number in numbers)


@dataclass(frozen=True, slots=True)
class Part(Generic[Row]):
    """One page of a list, and the cursors of those beside it; None where there is none."""

    rows: Sequence[Row]
    next: str | None
    previous: str | None


def part_of(
    read: Callable[[Place, int], Sequence[Row]],
    key: Callable[[Row], Sequence[int]],
    cursor: str | None,
    limit: int,
) -> Part[Row]:
    """One page of a list.

    Args:
        read: up to so many rows that come after a place, or before it from there on backwards.
        key: what orders rows and names them.
    """
    place = place_of(cursor)
    # One row more than is shown tells whether there is another page, without counting the list.
    found = read(place, limit + 1)
    if place.back and not found:  # what came before is gone: from the beginning then
        place = Place()
        found = read(place, limit + 1)
    more, shown = len(found) > limit, list(found[:limit])
    if place.back:
        shown.reverse()
    if not shown:
        return Part((), None, None if place.key is None else cursor_of(*place.key, back=True))
    first = cursor_of(*key(shown[0]), back=True)
    last = cursor_of(*key(shown[-1]))
    if place.back:
        return Part(shown, last, first if more else None)
    return Part(shown, last if more else None, None if place.key is None else first)


def read_page(
    session: Session,
    wanted: Select[Row],
    cursor: str | None,
    limit: int,
    *key: InstrumentedAttribute[int],
    newest_first: bool = True,
) -> Part[Row]:
    """One page of a table's rows.

    Args:
        wanted: the whole list's rows, in any order.
        key: columns that order the list and name a row in it.
    """

    def read(place: Place, most: int) -> Sequence[Any]:
        found = keyset(wanted, place, *key, newest_first=newest_first)
        return session.scalars(found.limit(most)).all()

    return part_of(read, lambda row: [getattr(row, one.key) for one in key], cursor, limit)


def keyset(
    wanted: Select[Row],
    place: Place,
    *key: InstrumentedAttribute[int],
    newest_first: bool = True,
) -> Select[Row]:
    """A list's rows from a place on, in the order in which they are to be read."""
    falling = newest_first != place.back
    if place.key is not None:
        last, columns = tuple_(*place.key), tuple_(*key)
        wanted = wanted.where(columns < last if falling else columns > last)
    return wanted.order_by(*(one.desc() if falling else one.asc() for one in key))
