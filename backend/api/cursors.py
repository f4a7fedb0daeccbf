"""Places in lists. A cursor names the last item that was given, so a growing list shifts nothing.

Clients pass cursors back as they got them and need not know that they are numbers.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query

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
