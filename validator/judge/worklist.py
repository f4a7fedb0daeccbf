"""What is to be judged: pending checkpoints, final ones that nobody judged, or a whole history."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import and_, select

from chainbeasts.backend.store.daemons import JobRow, Verdict
from chainbeasts.backend.store.facts import CheckpointRow, CheckpointStatus
from chainbeasts.validator.judge.cases import Case, CaseReader, Found
from chainbeasts.validator.judge.jobs import SAME_WINDOW
from chainbeasts.validator.judge.watch import PENDING, BeastWatch, Which
from chainbeasts.validator.scope import EVERYBODY, Scope

SLICE = 16
"""Checkpoints of one beast that are looked at, and replayed, together."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Consecutive checkpoints of one beast.

    Attributes:
        start: the first one's index, also if there is none.
        end: the index after the last.
    """

    beast_id: int
    start: int
    end: int
    found: Sequence[Found]


class Worklist(Protocol):
    """Whose windows are judged, and which of them, in rounds."""

    def look(self) -> None:
        """Take note of what is new, and begin a round if the last one is over."""
        ...

    def take(self, count: int, busy: Collection[int]) -> list[Slice]:
        """The next checkpoints of that many beasts at most, but of no busy one; none at the end of
        the round."""
        ...

    def passed(self, beast_id: int, start: int, end: int) -> None:
        """Checkpoints ``start`` to ``end - 1`` are right for good."""
        ...

    def wrong(self, beast_id: int, index: int) -> None:
        """A checkpoint is invalid: look no further than there."""
        ...

    def looked_at(self, case: Case) -> None:
        """A case has the verdict that it can have now."""
        ...

    def again(self, beast_id: int) -> None:
        """Look once more, in this round, at what is not settled of a beast."""
        ...

    def reopen(self, beasts: Iterable[int]) -> None:
        """Look at these again."""
        ...


class _Round:
    """Beasts in turn: new ones first, what was left over before what is not settled."""

    def __init__(self) -> None:
        self._queue: deque[int] = deque()
        self._queued: set[int] = set()

    def begin(self, new: Iterable[int], open_: Collection[int]) -> None:
        """Put in what is new; everything open if the last round is over."""
        if not self._queue:
            self._queue.extend(sorted(open_))
            self._queued.update(open_)
            return
        for beast_id in sorted(set(new) - self._queued, reverse=True):
            self._queue.appendleft(beast_id)
            self._queued.add(beast_id)

    def add(self, beast_id: int) -> None:
        if beast_id not in self._queued:
            self._queue.append(beast_id)
            self._queued.add(beast_id)

    def next(self, count: int, busy: Collection[int]) -> list[int]:
        """Take out the next beasts; busy ones stay in."""
        found: list[int] = []
        for _ in range(len(self._queue)):
            if len(found) == count:
                break
            beast_id = self._queue.popleft()
            if beast_id in busy:
                self._queue.append(beast_id)
            else:
                self._queued.discard(beast_id)
                found.append(beast_id)
        return found


class WatchedWindows:
    """Checkpoints that a watch is about. What cannot be judged yet is looked at again and again, a
    slice of each beast in a round."""

    def __init__(self, reader: CaseReader, scope: Scope, which: Which) -> None:
        self._reader = reader
        self._scope = scope
        self._watch = BeastWatch(reader.database, which)
        self._round = _Round()

    def look(self) -> None:
        self._round.begin(self._watch.look(), self._watch.spans)

    def take(self, count: int, busy: Collection[int]) -> list[Slice]:
        spans = self._watch.spans
        beasts = [one for one in self._round.next(count, busy) if one in spans]
        if not beasts:
            return []
        starts = {beast_id: spans[beast_id].at for beast_id in beasts}
        found = self._reader.slices(starts, SLICE)
        return [self._slice(beast_id, starts[beast_id], found[beast_id]) for beast_id in beasts]

    def _slice(self, beast_id: int, start: int, found: list[Found]) -> Slice:
        span = self._watch.spans[beast_id]
        end = found[-1].case.index + 1 if found else start
        if len(found) < SLICE:  # there are no more, whatever was known
            span.last = max(end, span.first) - 1
        span.at = end if end <= span.last else span.first
        wrong = [one.case.index for one in found if one.verdict is Verdict.INVALID]
        if wrong:
            self._watch.wrong(beast_id, wrong[0])
            end = wrong[0] + 1
            found = [one for one in found if one.case.index < end]
        elif span.wrong is not None and start <= span.wrong:
            span.wrong = None  # it has fallen, or was taken back
        if start == span.first:
            settled = start
            for one in found:
                if not self._is_settled(one):
                    break
                settled = one.case.index + 1
            self._watch.passed(beast_id, start, max(settled, start + span.settled))
        if not wrong and span.at > start and any(one.verdict is None for one in found):
            self._round.add(beast_id)
        return Slice(beast_id, start, end, [one for one in found if self._is_wanted(one)])

    def _is_wanted(self, found: Found) -> bool:
        return self._is_mine(found.case)

    def _is_mine(self, case: Case) -> bool:
        # By its trainer, not by who owns the beast now: liability stays with whoever submitted.
        return self._scope.covers(case.beast_id, case.checkpoint.trainer)

    def _is_settled(self, found: Found) -> bool:
        return found.right or not found.case.pending or not self._is_mine(found.case)

    def passed(self, beast_id: int, start: int, end: int) -> None:
        self._watch.passed(beast_id, start, end)

    def wrong(self, beast_id: int, index: int) -> None:
        self._watch.wrong(beast_id, index)

    def looked_at(self, case: Case) -> None:
        pass

    def again(self, beast_id: int) -> None:
        span = self._watch.spans.get(beast_id)
        if span is not None:
            span.at = span.first if span.wrong is None else span.wrong
            self._round.add(beast_id)

    def reopen(self, beasts: Iterable[int]) -> None:
        self._watch.reopen(beasts)


class PendingWindows(WatchedWindows):
    """What may still be disputed."""

    def __init__(self, reader: CaseReader, scope: Scope = EVERYBODY) -> None:
        super().__init__(reader, scope, PENDING)

    def _is_wanted(self, found: Found) -> bool:
        return found.case.pending and super()._is_wanted(found)


@dataclass
class BeastHistory:
    """What is known of one beast's standing checkpoints, from index 0 on.

    Attributes:
        valid: recomputed, and right.
        light: of private windows, lineage and loss only.
        unavailable: not to be judged here.
        first_invalid: index of the first invalid one; what follows falls with it, unjudged.
    """

    beast_id: int
    valid: int = 0
    light: int = 0
    unavailable: int = 0
    first_invalid: int | None = None

    @property
    def counted(self) -> int:
        """How many checkpoints have been counted."""
        return self.valid + self.light + self.unavailable

    def add(self, found: Found, looked_at: bool) -> bool:
        """Count the next checkpoint, if it has the verdict that it can have now.

        Args:
            looked_at: what is not valid to the last bit would be no other if judged again.
        """
        if found.verdict is Verdict.INVALID:
            self.first_invalid = found.case.index
        elif found.right:
            self.valid += 1
            return True
        elif looked_at and found.verdict is not None:
            self.light += found.verdict is Verdict.VALID
            self.unavailable += found.verdict is Verdict.UNAVAILABLE
            return True
        return False


class HistoryWindows:
    """Every standing checkpoint without a full verdict, final ones too; each is looked at once.

    A beast is left at its first invalid window, on which all later ones are built.
    """

    def __init__(self, reader: CaseReader, beasts: Sequence[int]) -> None:
        self._reader = reader
        self._round = _Round()
        self.histories = {beast_id: BeastHistory(beast_id) for beast_id in beasts}
        self._remaining = dict.fromkeys(beasts)
        self._looked_at: set[bytes] = set()

    def beasts(self) -> list[int]:
        """The beasts of which not everything has been looked at."""
        return list(self._remaining)

    def look(self) -> None:
        self._round.begin((), self._remaining)

    def take(self, count: int, busy: Collection[int]) -> list[Slice]:
        beasts = [one for one in self._round.next(count, busy) if one in self._remaining]
        if not beasts:
            return []
        starts = {beast_id: self.histories[beast_id].counted for beast_id in beasts}
        found = self._reader.slices(starts, SLICE)
        return [self._slice(self.histories[beast_id], found[beast_id]) for beast_id in beasts]

    def _slice(self, history: BeastHistory, found: list[Found]) -> Slice:
        start = history.counted
        for place, one in enumerate(found):
            # In order, and no further than the first without a verdict: all before it is counted
            # for good, so a long history is read once, a slice at a time.
            if not history.add(one, one.case.digest in self._looked_at):
                found = [] if history.first_invalid is not None else found[place:]
                break
            self._looked_at.discard(one.case.digest)
        else:
            if len(found) == SLICE:
                self._round.add(history.beast_id)
                return Slice(history.beast_id, start, history.counted, ())
            found = []
        if found:
            self._round.add(history.beast_id)
        else:
            self._remaining.pop(history.beast_id, None)
        return Slice(history.beast_id, start, history.counted + len(found), found)

    def passed(self, beast_id: int, start: int, end: int) -> None:
        pass  # counted as it is read again, by what is on record

    def wrong(self, beast_id: int, index: int) -> None:
        pass  # the same

    def looked_at(self, case: Case) -> None:
        self._looked_at.add(case.digest)

    def again(self, beast_id: int) -> None:
        self._round.add(beast_id)

    def reopen(self, beasts: Iterable[int]) -> None:
        for beast_id in beasts:
            # Counted anew from index 0: the verdicts that were taken back are among those counted.
            self.histories[beast_id] = BeastHistory(beast_id)
            self._remaining[beast_id] = None


FINAL = Which(
    and_(CheckpointRow.status == CheckpointStatus.FINAL, CheckpointRow.proven.is_(False)),
    JobRow.verdict.is_(None),
    CheckpointRow.settled_block,
)
"""What is final without a verdict. One that was proven has the court's."""


class FinalWindows(WatchedWindows):
    """What became final without a verdict: before this validator came, or while it was away.

    Nothing can be done about such a window, but what it was is told. A beast is left at its first
    wrong one, on which all later ones are built.
    """

    def __init__(self, reader: CaseReader, scope: Scope = EVERYBODY) -> None:
        super().__init__(reader, scope, FINAL)

    def look(self) -> None:
        super().look()
        with self._reader.database.reading() as session:
            for beast_id in set(session.scalars(_WRONG)):
                self._watch.settled(beast_id)

    def _is_mine(self, case: Case) -> bool:
        return case.status is CheckpointStatus.FINAL and not case.proven and super()._is_mine(case)

    def _is_wanted(self, found: Found) -> bool:
        told = found.verdict not in (None, Verdict.INVALID)
        return not told and super()._is_wanted(found)

    def _is_settled(self, found: Found) -> bool:
        return found.verdict is not None or not self._is_mine(found.case)


_WRONG = (
    select(CheckpointRow.beast_id)
    .join(JobRow, SAME_WINDOW)
    .where(JobRow.verdict == Verdict.INVALID, CheckpointRow.status == CheckpointStatus.FINAL)
)
