"""Which beasts may have something to judge, and from which of their checkpoints on.

Without it, every pass would read every pending checkpoint of every beast.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from chainbeasts.backend.indexer.positions import Position, position, stands
from chainbeasts.backend.store.daemons import JobRow, Mode, Verdict
from chainbeasts.backend.store.facts import CheckpointRow, CheckpointStatus
from chainbeasts.backend.store.session import Database
from chainbeasts.validator.judge.jobs import SAME_WINDOW

UNKNOWN = 2**31
"""Beyond every index, of a span whose last checkpoint is found as it is read."""


@dataclass
class Span:
    """What is to be looked at of one beast.

    Attributes:
        first: all checkpoints before this index are settled.
        at: where the next look begins.
        last: the newest checkpoint's index.
        wrong: the first one that is invalid. What follows falls with it, or is judged once that is
            settled.
    """

    first: int
    at: int
    last: int
    wrong: int | None = None

    @property
    def settled(self) -> bool:
        """Nothing about the beast's present checkpoints can change any more."""
        return self.first > self.last


@dataclass(frozen=True, slots=True)
class Which:
    """Which checkpoints a watch is about.

    Attributes:
        of: a condition for those that can be looked at.
        open: a condition, with jobs at hand, for those that are not settled.
        since: the column with the block in which a checkpoint came to be one of them.
    """

    of: ColumnElement[bool]
    open: ColumnElement[bool]
    since: Any


_Row = tuple[int, int, int, int | None, int | None]
"""Beast, first and last checkpoint that is not settled, first one unjudged, first one invalid."""


PENDING = Which(
    CheckpointRow.status == CheckpointStatus.PENDING,
    or_(
        JobRow.verdict.is_(None),
        JobRow.verdict != Verdict.VALID,
        JobRow.mode != Mode.FULL,
    ),
    CheckpointRow.block_number,
)
"""What may still be disputed."""


class BeastWatch:
    """Beasts to look at. A reorg, which may change anything, brings all of them back."""

    def __init__(self, database: Database, which: Which = PENDING) -> None:
        self._database = database
        self._which = which
        self._seen: Position | None = None
        self.spans: dict[int, Span] = {}

    def look(self) -> list[int]:
        """Take note of what is new; the beasts that it is about."""
        with self._database.reading() as session:
            if self._seen is not None and stands(session, self._seen):
                rows = self._new(session, self._seen)
            else:
                rows = [tuple(row) for row in session.execute(self._everything())]
                self.spans = {}
            self._seen = position(session)
        for beast_id, first, last, unjudged, wrong in rows:
            known = self.spans.get(beast_id)
            at = first if unjudged is None else unjudged
            if known is not None:
                if known.wrong is not None and known.wrong < first:
                    wrong = known.wrong
                first = min(known.first, first)
            self.spans[beast_id] = Span(first, at if wrong is None else wrong, last, wrong)
        return [row[0] for row in rows]

    def _new(self, session: Session, seen: Position) -> list[_Row]:
        """What has come in since."""
        row = CheckpointRow
        # By block alone, and grouped here: else SQLite takes another index and reads all there is.
        new = select(row.beast_id, row.index).outerjoin(JobRow, SAME_WINDOW)
        found: dict[int, tuple[int, int]] = {}
        for beast_id, index in session.execute(
            new.where(self._which.since > seen.number, self._which.open)
        ):
            first, last = found.get(beast_id, (index, index))
            found[beast_id] = min(first, index), max(last, index)
        return [(beast_id, first, last, first, None) for beast_id, (first, last) in found.items()]

    def _everything(self) -> Select[*tuple[Any, ...]]:
        """All that is not settled; once, and after a reorg."""
        row = CheckpointRow
        lowest, highest = func.min(row.index), func.max(row.index)
        unjudged = lowest.filter(JobRow.verdict.is_(None))
        wrong = lowest.filter(JobRow.verdict == Verdict.INVALID)
        return (
            select(row.beast_id, lowest, highest, unjudged, wrong)
            .outerjoin(JobRow, SAME_WINDOW)
            .where(self._which.of, self._which.open)
            .group_by(row.beast_id)
        )

    def beasts(self) -> list[int]:
        """The beasts to look at now, oldest first."""
        self.look()
        return sorted(self.spans)

    def passed(self, beast_id: int, start: int, end: int) -> None:
        """Checkpoints ``start`` to ``end - 1`` are settled for good."""
        span = self.spans.get(beast_id)
        if span is not None and start <= span.first < end:
            span.first = end
            span.at = max(span.at, end)
            if span.settled:
                self.settled(beast_id)

    def wrong(self, beast_id: int, index: int) -> None:
        """A checkpoint is invalid: look no further than there."""
        span = self.spans.get(beast_id)
        if span is not None:
            span.wrong = span.at = index

    def settled(self, beast_id: int) -> None:
        """Nothing about a beast's present checkpoints can change any more."""
        # Only what is settled is let go. Who submits windows that cannot be judged stays here, but
        # pays for it: each of them locks its burn and a bond for the whole challenge period.
        self.spans.pop(beast_id, None)

    def reopen(self, beasts: Iterable[int]) -> None:
        """Look at these again, from their first checkpoint on."""
        for beast_id in beasts:
            self.spans[beast_id] = Span(0, 0, UNKNOWN)
