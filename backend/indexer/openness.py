"""How much of a beast's training anybody can compute again, by what is public.

Nothing here says that somebody has replayed a window; that is a validator's to say of itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import cast

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chainbeasts.backend.indexer.queries import LIVE
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.store.facts import (
    CheckpointRow,
    CheckpointStatus,
    PublishedRecordsRow,
    PublishedStateRow,
    RevealedDatasetRow,
)


class WindowOpenness(StrEnum):
    """What is public about a window.

    REPLAYABLE: anybody has its samples and its start from the rules, the matches, the archives or a
    revealed dataset. OPENED: private, but a dispute opened its records, and anybody has its start.
    UNOPENED: nobody but the owner can compute it: its samples are private, or it starts from a
    state which follows from such a window and is in no archive.
    """

    REPLAYABLE = "replayable"
    OPENED = "opened"
    UNOPENED = "unopened"


@dataclass(frozen=True, slots=True)
class Openness:
    """A beast's standing windows, each counted once; see ``WindowOpenness``.

    Attributes:
        believed_since: the first private window that became final without having been opened. It
            and all that grew from it was believed, not checked. None if there is none.
    """

    replayable: int = 0
    opened: int = 0
    unopened: int = 0
    believed_since: int | None = None

    @property
    def windows(self) -> int:
        return self.replayable + self.opened + self.unopened


@dataclass
class _Public:
    """What is public of one beast."""

    records: set[int] = field(default_factory=set)
    states: set[bytes] = field(default_factory=set)
    revealed: bool = False


_Window = tuple[int, bytes, bytes, int, str]
"""Index, parent, h128, source and status of a standing window."""


class Lineages:
    """Beasts' standing windows by what is public about them; a few queries for any number."""

    def __init__(self, session: Session, beasts: Iterable[int]) -> None:
        wanted, c = set(beasts), CheckpointRow
        # Where nothing is private, everything is replayable, and long lives need no look.
        private = set(
            session.scalars(
                select(c.beast_id)
                .where(c.beast_id.in_(wanted), c.source == Source.PRIVATE)
                .distinct()
            )
        )
        self._session, self._open = session, wanted - private
        self._counts: dict[int, Openness] = {}
        self._public = _public(session, private)
        self._known: dict[int, set[bytes]] = {}
        for beast, windows in _standing(session, private).items():
            self._walk(beast, windows)

    @cached_property
    def _replayable(self) -> Mapping[int, int]:
        """How many windows the beasts have that never trained in private."""
        c = CheckpointRow
        counts = self._session.execute(
            select(c.beast_id, func.count())
            .where(c.beast_id.in_(self._open), c.status.in_(LIVE))
            .group_by(c.beast_id)
        )
        return dict(counts.all())

    def _walk(self, beast: int, windows: Iterable[_Window]) -> None:
        counts: Counter[WindowOpenness] = Counter()
        known: set[bytes] = set()
        believed = None
        self._known[beast] = known
        for index, parent, h128, source, status in windows:
            found = self.of(beast, index, parent, source)
            counts[found] += 1
            if found is not WindowOpenness.UNOPENED:
                known.add(h128)
            elif (
                believed is None
                and source == Source.PRIVATE
                and status == CheckpointStatus.FINAL
                and self._closed(beast, index)
            ):
                believed = index
        self._counts[beast] = Openness(
            replayable=counts[WindowOpenness.REPLAYABLE],
            opened=counts[WindowOpenness.OPENED],
            unopened=counts[WindowOpenness.UNOPENED],
            believed_since=believed,
        )

    def _closed(self, beast: int, index: int) -> bool:
        """Whether the records of a private window are nobody's but the owner's."""
        public = self._public[beast]
        return not public.revealed and index not in public.records

    def of(self, beast: int, index: int, parent: bytes, source: int) -> WindowOpenness:
        """What is public about a window, standing or not."""
        public = self._public.get(beast)
        if public is None:
            return WindowOpenness.REPLAYABLE
        # A newborn's state follows from its DNA; a later one from windows that anybody can replay.
        start = index == 0 or parent in public.states or parent in self._known[beast]
        private = source == Source.PRIVATE
        if not start or (private and self._closed(beast, index)):
            return WindowOpenness.UNOPENED
        if private and not public.revealed:
            return WindowOpenness.OPENED
        return WindowOpenness.REPLAYABLE

    def openness(self, beast: int) -> Openness:
        """The counts of a beast."""
        if beast in self._open:
            return Openness(replayable=self._replayable.get(beast, 0))
        return self._counts.get(beast, Openness())


def openness(session: Session, beast_id: int) -> Openness:
    """Count a beast's standing windows by what is public about them."""
    return Lineages(session, [beast_id]).openness(beast_id)


def _standing(session: Session, beasts: Collection[int]) -> Mapping[int, Sequence[_Window]]:
    """The beasts' standing windows, of each in order."""
    found: dict[int, list[_Window]] = {beast: [] for beast in beasts}
    if not beasts:
        return found
    c = CheckpointRow
    for beast, *window in session.execute(
        select(c.beast_id, c.index, c.parent, c.h128, c.source, c.status)
        .where(c.beast_id.in_(beasts), c.status.in_(LIVE))
        .order_by(c.beast_id, c.index)
    ):
        found[beast].append(cast("_Window", tuple(window)))
    return found


def _public(session: Session, beasts: Collection[int]) -> Mapping[int, _Public]:
    found = {beast: _Public() for beast in beasts}
    if not beasts:
        return found
    r, s, d = PublishedRecordsRow, PublishedStateRow, RevealedDatasetRow
    records = select(r.beast_id, r.index).where(r.beast_id.in_(beasts))
    for beast, index in session.execute(records):
        found[beast].records.add(index)
    # Whoever publishes a state may name any beast in its header: only its hash counts.
    c = CheckpointRow
    starts = select(c.beast_id, c.parent).join(s, s.hash == c.parent).where(c.beast_id.in_(beasts))
    for beast, state in session.execute(starts):
        found[beast].states.add(state)
    for beast in session.scalars(select(d.beast_id).where(d.beast_id.in_(beasts))):
        found[beast].revealed = True
    return found
