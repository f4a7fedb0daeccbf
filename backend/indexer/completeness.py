"""When the contracts' counters are looked at, and where to read again if they contradict.

After a backfill all of them are; after that each of them some times in a challenge period, since
what is left out of the newest events is a window that nobody judges.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Sequence

import structlog
from sqlalchemy import select

from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.errors import ChainError, Reverted, WrongChainError
from chainbeasts.backend.indexer.counters import Counters, Gap
from chainbeasts.backend.indexer.ranges import RangeSizer
from chainbeasts.backend.store.facts import EventRow
from chainbeasts.backend.store.governance import SeasonRow
from chainbeasts.backend.store.session import Database
from chainbeasts.backend.store.waits import Waits

log = structlog.get_logger()

LOOKS_PER_PERIOD = 20
SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 3_600.0
BEAST = "beast "
"""How the name of a gap begins that is about one beast; see ``Counters``."""

BEASTS_AT_ONCE = 256
"""Beasts that are asked about in one pass, by a call each."""

AUDIT_RANGE = 1_000
"""Blocks asked for at once when events are looked for that were left out: fewer than in a backfill,
since an answer that was cut off is a usual cause."""

FIRST_AUDIT_SECONDS, LONGEST_AUDIT_SECONDS = 5.0, 600.0


class Completeness:
    """What is known to be missing in one database.

    Attributes:
        gaps: what the counters contradicted when they were last looked at, by name.
    """

    def __init__(
        self, chain: Chain, database: Database, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._chain = chain
        self._database = database
        self._counters = Counters(chain, database)
        self._clock = clock
        self._waiting: deque[int] = deque()
        self._looked_at: float | None = None
        self._unreadable = False
        self._audits = Waits(FIRST_AUDIT_SECONDS, LONGEST_AUDIT_SECONDS, 1, clock)
        self.gaps: dict[str, Gap] = {}

    def look(self, everything: bool = False) -> bool:
        """Compare what is due with the counters; whether something is missing.

        Args:
            everything: all of it is due, as after a backfill.
        """
        now = self._clock()
        if self._looked_at is None and not everything:
            self._looked_at = now  # a command that ends at once leaves this to the daemons
        elif everything or self._is_due(now):
            self._looked_at = now
            self._waiting = deque(self._counters.beasts())
            self._note("", self._counters.numbered)
        elif self.gaps and self._audits.due(b""):
            self.look_again()  # another process may have mended them
        while self._waiting:
            count = min(len(self._waiting), BEASTS_AT_ONCE)
            some = [self._waiting.popleft() for _ in range(count)]
            if not self._note_standings(some):
                self._waiting.extendleft(some)
                break
            if not everything:
                break
        if not self.gaps:
            self._audits.done(b"")
        return bool(self.gaps)

    def look_again(self) -> bool:
        """Compare what was missing once more; whether it still is."""
        self._note("", self._counters.numbered)
        beasts = [int(name.split()[1]) for name in self.gaps if name.startswith(BEAST)]
        if beasts:
            self._note_standings(beasts)
        return bool(self.gaps)

    def first_missing(
        self, up_to: int, since: int | None = None, *, begun: bool = False
    ) -> int | None:
        """The first block to read again: it has events that the database lacks.

        None if the node shows none, or was asked a moment ago.

        Args:
            up_to: the last block that was read.
            since: from where on to look; where the gaps may begin if not given.
            begun: something was found and read again in this pass, so it is asked at once.

        Raises:
            ChainError: the node refuses ranges of any size, or is away.
        """
        if not begun:
            if not self._audits.due(b""):
                return None
            # However it ends: a node that shows events and does not give them costs no more.
            self._audits.again(b"")
        if since is None:
            since = min(gap.since for gap in self.gaps.values())
        found = self._audit(since, up_to)
        if found is None:
            for gap in self.gaps.values():
                log.error("events are missing", of=gap.name, what=gap.what)
        return found

    def _note_standings(self, beasts: list[int]) -> bool:
        return self._note(BEAST, lambda: self._counters.standings(beasts), beasts)

    def _note(
        self, prefix: str, ask: Callable[[], list[Gap] | None], beasts: Sequence[int] = ()
    ) -> bool:
        """Replace what is known of some names by what the counters say now; whether they say it."""
        try:
            found = ask()
        except WrongChainError:
            raise
        except (ChainError, Reverted) as error:  # as of a node without that block's state
            if not self._unreadable:
                log.warning("the contracts' counters cannot be read", reason=error.message)
            self._unreadable, found = True, None
        if found is None:
            return False
        self._unreadable = False
        asked = {f"{prefix}{beast}" for beast in beasts}
        for name in list(self.gaps):
            if name in asked if prefix else not name.startswith(BEAST):
                del self.gaps[name]
        for gap in found:
            self.gaps[gap.name] = gap
            log.warning("the contracts count more than was read", of=gap.name, what=gap.what)
        return True

    def _is_due(self, now: float) -> bool:
        passed = now - (self._looked_at or 0.0)
        return passed >= SHORTEST_PAUSE_SECONDS and passed >= self._pause()

    def _pause(self) -> float:
        """Seconds between two looks."""
        with self._database.session() as session:
            tables = [json.loads(text) for text in session.scalars(select(SeasonRow.constants))]
        periods = [int(table["economics"]["challenge_period"]) for table in tables]
        return min(min(periods, default=0) / LOOKS_PER_PERIOD, LONGEST_PAUSE_SECONDS)

    def _audit(self, since: int, up_to: int) -> int | None:
        """Of the newest range in which the node has events that the database lacks, the first."""
        sizer, end = RangeSizer(AUDIT_RANGE), up_to
        while end >= since:
            start = max(since, end - sizer.size + 1)
            try:
                events = self._chain.events(start, end, attempts=1)
            except ChainError:
                if not sizer.refused(end - start + 1):
                    raise
                continue
            sizer.answered(end - start + 1, len(events))
            known = self._known(start, end)
            lacking = [e for e in events if (e.block_number, e.log_index) not in known]
            for event in lacking:
                # Not on the word of a log alone: a block that is gone would take ours back.
                if self._chain.block(event.block_number).hash == event.raw.block_hash:
                    return event.block_number
            end = start - 1
        return None

    def _known(self, start: int, end: int) -> set[tuple[int, int]]:
        wanted = select(EventRow.block_number, EventRow.log_index).where(
            EventRow.block_number >= start, EventRow.block_number <= end
        )
        with self._database.session() as session:
            return {(number, index) for number, index in session.execute(wanted)}
