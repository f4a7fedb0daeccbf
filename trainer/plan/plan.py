"""What a beast learns in which window, and when it grows (docs/guides/trainer.md, coaching).

Pure: windows are named by their checkpoint's index, so that a plan means the same however often
the run is interrupted.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from backend.errors import ChainBeastsError
from backend.kernel.constants import APPENDAGE_SLOTS, SENSOR_SLOTS
from trainer.plan.sources import TrainingSource, source_text

SLOTS = tuple(f"s{i}" for i in range(SENSOR_SLOTS)) + tuple(f"a{i}" for i in range(APPENDAGE_SLOTS))
"""Slots by the bit of the active mask that they are."""

LAST_WINDOW = (1 << 32) - 1


@dataclass(frozen=True, slots=True)
class PlanRange:
    """Consecutive windows of one lesson, both ends included; ``last`` None: without end."""

    source: TrainingSource
    first: int
    last: int | None

    @property
    def text(self) -> str:
        """The stretch as an item of a plan."""
        if self.last == self.first:
            return f"{source_text(self.source)}:{self.first}"
        return f"{source_text(self.source)}:{self.first}-{'' if self.last is None else self.last}"


@dataclass(frozen=True, slots=True)
class Growth:
    """A growth spurt: slots, as a mask, that wake with one window."""

    window: int
    mask: int


@dataclass(frozen=True)
class Plan:
    """Sources by window, and growth spurts.

    Attributes:
        stretches: in order of their windows, without overlaps.
        rest: sources of all other windows, in turn, one window each.
        spurts: in order of their windows; no slot wakes twice.

    Raises:
        ChainBeastsError: stretches overlap, leave a gap, or a slot wakes twice.
    """

    stretches: tuple[PlanRange, ...] = ()
    rest: tuple[TrainingSource, ...] = ()
    spurts: tuple[Growth, ...] = ()

    def __post_init__(self) -> None:
        if not self.stretches and not self.rest:
            raise ChainBeastsError("The plan names no source.", "Write --plan curriculum, say.")
        object.__setattr__(self, "stretches", tuple(sorted(self.stretches, key=_first)))
        object.__setattr__(self, "spurts", tuple(sorted(self.spurts, key=lambda s: s.window)))
        self._check_stretches()
        self._check_spurts()

    def _check_stretches(self) -> None:
        for one in self.stretches:
            if one.last is not None and one.last < one.first:
                raise ChainBeastsError(f"{one.text}: the range ends before it begins.")
        for one, following in pairwise(self.stretches):
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

    def _check_spurts(self) -> None:
        woken: dict[int, int] = {}
        for spurt in self.spurts:
            for bit, slot in enumerate(SLOTS):
                if spurt.mask >> bit & 1:
                    if bit in woken:
                        raise ChainBeastsError(
                            f"{slot}@{spurt.window}: {slot} wakes at window {woken[bit]} already.",
                            "A slot wakes once, for ever.",
                        )
                    woken[bit] = spurt.window

    @property
    def sources(self) -> frozenset[TrainingSource]:
        """Every source, and every match, that the plan uses."""
        return frozenset(one.source for one in self.stretches) | frozenset(self.rest)

    def source(self, window: int) -> TrainingSource:
        """Where a window's samples come from.

        Raises:
            ChainBeastsError: the plan does not say.
        """
        before = bisect_right(self.stretches, window, key=_first)
        if before:
            one = self.stretches[before - 1]
            if one.last is None or window <= one.last:
                return one.source
        if not self.rest:
            raise ChainBeastsError(
                f"The plan has no source for window {window}.",
                "Add an item without a range for the rest, or train fewer windows.",
            )
        named = sum((s.last or 0) + 1 - s.first for s in self.stretches[:before])
        return self.rest[(window - named) % len(self.rest)]

    def wake(self, window: int) -> int:
        """The slots that wake with a window, as a mask."""
        return next((spurt.mask for spurt in self.spurts if spurt.window == window), 0)

    def check(self, head_count: int, active_mask: int, windows: int | None) -> None:
        """Make sure that the plan fits a beast's next windows (None: without end).

        Raises:
            ChainBeastsError: a window has no source; a slot that is to wake is awake, or was to
                wake in a window that is past.
        """
        for window in self._edges(head_count, windows):
            self.source(window)
        for spurt in self.spurts:
            for bit, slot in enumerate(SLOTS):
                if not spurt.mask >> bit & 1:
                    continue
                awake, past = bool(active_mask >> bit & 1), spurt.window < head_count
                if awake and not past:
                    raise ChainBeastsError(
                        f"{slot}@{spurt.window}: {slot} is awake already.",
                        "Leave it out; a slot wakes once, for ever.",
                    )
                if past and not awake:
                    raise ChainBeastsError(
                        f"{slot}@{spurt.window}: window {spurt.window} is past, and {slot} sleeps.",
                        f"The beast's next window is {head_count}; say {slot}@{head_count}.",
                    )

    def _edges(self, head_count: int, windows: int | None) -> Iterator[int]:
        """Windows that all have a source if these have."""
        if windows == 0:
            return
        end = LAST_WINDOW if windows is None else head_count + windows - 1
        yield head_count
        for one in self.stretches:
            if one.last is not None and head_count <= one.last < end:
                yield one.last + 1
        yield end

    def growing(self, first: int, windows: int | None) -> list[Growth]:
        """The spurts among the windows from ``first`` on."""
        end = LAST_WINDOW if windows is None else first + windows - 1
        return [spurt for spurt in self.spurts if first <= spurt.window <= end]


def _first(stretch: PlanRange) -> int:
    return stretch.first


def slot_names(mask: int) -> str:
    """The slots of a mask, such as ``s1 a2``."""
    return " ".join(slot for bit, slot in enumerate(SLOTS) if mask >> bit & 1)
