"""The list of beasts: found by name, id, account or hash, and sorted."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from sqlalchemy import ColumnElement, Select, false, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from chainbeasts.backend.api.cursors import LARGEST, Part, Place, part_of, read_page
from chainbeasts.backend.api.models import Rating
from chainbeasts.backend.store.facts import BeastRow, CheckpointRow

Sort = Literal["id", "newest", "windows", "energy", "rating"]

ORDERS: Mapping[Sort, tuple[InstrumentedAttribute[int], ...]] = {
    "id": (BeastRow.beast_id,),
    "newest": (BeastRow.block_number, BeastRow.beast_id),
    "windows": (BeastRow.windows, BeastRow.beast_id),
    "energy": (BeastRow.spent_micro, BeastRow.beast_id),
}
"""What each order compares; all but ids fall. The ratings are in no table."""

HASH_DIGITS, LEAST_DIGITS = 64, 8
"""Of a hash that is looked for: all, and as many as leave only a few that begin so."""

RANKED_AT_ONCE = 400
_HEX = re.compile(r"0x([0-9a-f]{1,64})")
_LAST_HEX, _LAST_LETTER = "f", "z"


def select_beasts(owner: str | None, q: str | None) -> Select[BeastRow]:
    """The beasts of an owner that something begins with ``q`` of."""
    wanted = select(BeastRow)
    if owner is not None:
        wanted = wanted.where(BeastRow.owner_key == owner.lower())
    return wanted if q is None else wanted.where(_found_by(q.lower()))


def _found_by(q: str) -> ColumnElement[bool]:
    """Beasts whose id is ``q``, or whose name, owner, DNA or a state's hash begins with it."""
    b = BeastRow
    if q.isdecimal():
        return b.beast_id == int(q) if int(q) <= LARGEST else false()
    match = _HEX.fullmatch(q)
    if match is None:
        return _begins(b.name_key, q, _LAST_LETTER)
    digits = match.group(1)
    found = [_begins(b.owner_key, q, _LAST_HEX)]
    if len(digits) >= LEAST_DIGITS:
        low, high = (bytes.fromhex(digits.ljust(HASH_DIGITS, fill)) for fill in "0f")
        c = CheckpointRow
        of = select(c.beast_id).where(c.h128.between(low, high))
        found += [b.dna.between(low, high), b.beast_id.in_(of)]
    return or_(*found)


def _begins(column: InstrumentedAttribute[str], prefix: str, last: str) -> ColumnElement[bool]:
    """Whether a text begins with a prefix, as a range that an index serves.

    Args:
        last: the last character of the column's alphabet.
    """
    room = column.type.length or len(prefix)
    return column.between(prefix, prefix.ljust(room, last))


def read_beasts(
    session: Session,
    wanted: Select[BeastRow],
    sort: Sort,
    cursor: str | None,
    limit: int,
    ratings: Mapping[int, Rating],
) -> Part[BeastRow]:
    """A page of some beasts."""
    if sort == "rating":
        return _by_rating(session, wanted, cursor, limit, ratings)
    return read_page(session, wanted, cursor, limit, *ORDERS[sort], newest_first=sort != "id")


def _by_rating(
    session: Session,
    wanted: Select[BeastRow],
    cursor: str | None,
    limit: int,
    ratings: Mapping[int, Rating],
) -> Part[BeastRow]:
    """Those of them that are rated, the strongest first; a cursor is a rank."""
    ranked = list(ratings)

    def read(place: Place, most: int) -> Sequence[BeastRow]:
        at = 0 if place.key is None else place.key[0]
        rest = ranked[: max(0, at - 1)][::-1] if place.back else ranked[at:]
        found: list[BeastRow] = []
        for start in range(0, len(rest), RANKED_AT_ONCE):
            some = rest[start : start + RANKED_AT_ONCE]
            rows = session.scalars(wanted.where(BeastRow.beast_id.in_(some)))
            known = {row.beast_id: row for row in rows}
            found += [known[one] for one in some if one in known]
            if len(found) >= most:
                break
        return found[:most]

    return part_of(read, lambda row: (ratings[row.beast_id].rank,), cursor, limit)
