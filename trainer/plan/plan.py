"""What a beast learns in which window, and when it grows (docs/guides/trainer.md, coaching).

Pure: windows are named by their checkpoint's index, so that a plan means the same however often
the run is interrupted.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from chainbeasts.backend.chain.growth import LAST_WINDOW, SLOTS, Growth, check_growth
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.trainer.plan.sources import TrainingSource, source_text


@dataclass(frozen=True, slots=True)
class PlanRange:
    """Consecutive windows of one source, both ends included; ``last`` None: without end."""

    source: TrainingSource
    first: int
    last: int | None

    @property
    def text(self) -> str:
        """The range as an item of a plan."""
        if self.last == self.first:
            return f"{source_text(self.source)}:{self.first}"
        return f"{source_text(self.source)}:{self.first}-{'' if self.last is None else self.last}"


@dataclass(frozen=True)
class Plan:
    """Sources by window, and when slots wake.

    Attributes:
        ranges: in order of their windows, without overlaps.
        rest: sources of all other windows, in turn, one window each.
        growth: in order of their windows; no slot wakes twice.

    Raises:
        ChainBeastsError: ranges overlap, leave a gap, or a slot wakes twice.
    """

    ranges: tuple[PlanRange, ...] = ()
    rest: tuple[TrainingSource, ...] = ()
    growth: tuple[Growth, ...] = ()

    def __post_init__(self) -> None:
        if not self.ranges and not self.rest:
            raise ChainBeastsError("The plan names no source.", "Write --plan curriculum, say.")
        object.__setattr__(self, "ranges", tuple(sorted(self.ranges, key=_first)))
        object.__setattr__(self, "growth", tuple(sorted(self.growth, key=lambda one: one.window)))
        self._check_ranges()
        self._check_growth()

    def _check_ranges(self) -> None:
        for one in self.ranges:
            if one.last is not None and one.last < one.first:
                raise ChainBeastsError(f"{one.text}: the range ends before it begins.")
        for one, following in pairwise(self.ranges):
            if one.last is None or following.first <= one.last:
                raise ChainBeastsError(
                    f"{one.text} and {following.text} both plan window {following.first}.",
                    "Give every window one source.",
                )
            if not self.rest and following.first > one.last + 1:
                raise ChainBeastsError(
                    f"Between {one.text} and {following.text} window {one.last + 1} has no source.",
                    "Close the gap, or add an item without a range for the rest.",
                )

    def _check_growth(self) -> None:
        woken: dict[int, int] = {}
        for one in self.growth:
            for bit, slot in enumerate(SLOTS):
                if one.mask >> bit & 1:
                    if bit in woken:
                        raise ChainBeastsError(
                            f"{slot}@{one.window}: {slot} wakes at window {woken[bit]} already.",
                            "A slot wakes once, for ever.",
                        )
                    woken[bit] = one.window

    @property
    def sources(self) -> frozenset[TrainingSource]:
        """Every source, and every match, that the plan uses."""
        return frozenset(one.source for one in self.ranges) | frozenset(self.rest)

    def source(self, window: int) -> TrainingSource:
        """Where a window's samples come from.

        Raises:
            ChainBeastsError: the plan does not say.
        """
        before = bisect_right(self.ranges, window, key=_first)
        if before:
            one = self.ranges[before - 1]
            if one.last is None or window <= one.last:
                return one.source
        if not self.rest:
            raise ChainBeastsError(
                f"The plan has no source for window {window}.",
                "Add an item without a range for the rest, or train fewer windows.",
            )
        named = sum((s.last or 0) + 1 - s.first for s in self.ranges[:before])
        return self.rest[(window - named) % len(self.rest)]

    def wake(self, window: int) -> int:
        """The slots that wake with a window, as a mask."""
        return next((one.mask for one in self.growth if one.window == window), 0)

    def check(self, head_count: int, active_mask: int, windows: int | None) -> None:
        """Make sure that the plan fits a beast's next windows (None: without end).

        Raises:
            ChainBeastsError: a window has no source; a slot that is to wake is awake, or was to
                wake in a window that is past.
        """
        for window in self._edges(head_count, windows):
            self.source(window)
        check_growth(self.growth, head_count, active_mask)

    def _edges(self, head_count: int, windows: int | None) -> Iterator[int]:
        """Windows that all have a source if these have."""
        if windows == 0:
            return
        end = LAST_WINDOW if windows is None else head_count + windows - 1
        yield head_count
        for one in self.ranges:
            if one.last is not None and head_count <= one.last < end:
                yield one.last + 1
        yield end

    def growth_in(self, first: int, windows: int | None) -> list[Growth]:
        """The growth among the windows from ``first`` on."""
        end = LAST_WINDOW if windows is None else first + windows - 1
        return [one for one in self.growth if first <= one.window <= end]


def _first(plan_range: PlanRange) -> int:
    return plan_range.first
