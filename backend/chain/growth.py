"""When slots wake: by the index of the window they wake with, and as people spell it.

A slot wakes once, for ever; waking it has its price (``Economics.growth_cost``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.constants import APPENDAGE_SLOTS, SENSOR_SLOTS

SLOTS = tuple(f"s{i}" for i in range(SENSOR_SLOTS)) + tuple(f"a{i}" for i in range(APPENDAGE_SLOTS))
"""Slots by the bit of the active mask that they are."""

LAST_WINDOW = (1 << 32) - 1

_GROWTH = re.compile(r"([a-z]\d)@(\d{1,10})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Growth:
    """Slots, as a mask, that wake with one window."""

    window: int
    mask: int


def slot_names(mask: int) -> str:
    """The slots of a mask, such as ``s1 a2``."""
    return " ".join(slot for bit, slot in enumerate(SLOTS) if mask >> bit & 1)


def parse_growth(text: str) -> tuple[Growth, ...]:
    """The growth of a text such as ``s1@20,a2@40``.

    Raises:
        ChainBeastsError: an item is not ``slot@window``.
    """
    found = []
    for item in (part.strip() for part in text.split(",")):
        match = _GROWTH.fullmatch(item)
        if match is None:
            raise ChainBeastsError(
                f"{item!r} is no planned growth.", "Write slot@window, such as s1@20,a2@40."
            )
        found.append(Growth(window_number(int(match[2]), item), slots_mask([match[1]], item)))
    return merge_growth(found)


def merge_growth(planned: Iterable[Growth]) -> tuple[Growth, ...]:
    """One growth for each window.

    Raises:
        ChainBeastsError: a slot is named twice for one window.
    """
    masks: dict[int, int] = {}
    for one in planned:
        before = masks.get(one.window, 0)
        if before & one.mask:
            twice = slot_names(before & one.mask)
            raise ChainBeastsError(
                f"{twice}@{one.window} is planned twice.", "A slot wakes once, for ever."
            )
        masks[one.window] = before | one.mask
    return tuple(Growth(window, mask) for window, mask in sorted(masks.items()))


def check_growth(growth: Iterable[Growth], head_count: int, active_mask: int) -> None:
    """Make sure that growth fits a beast's next windows.

    Raises:
        ChainBeastsError: a slot that is to wake is awake, or was to wake in a window that is past.
    """
    for one in growth:
        for bit, slot in enumerate(SLOTS):
            if not one.mask >> bit & 1:
                continue
            awake, past = bool(active_mask >> bit & 1), one.window < head_count
            if awake and not past:
                raise ChainBeastsError(
                    f"{slot}@{one.window}: {slot} is awake already.",
                    "Leave it out; a slot wakes once, for ever.",
                )
            if past and not awake:
                raise ChainBeastsError(
                    f"{slot}@{one.window}: window {one.window} is past, and {slot} sleeps.",
                    f"The beast's next window is {head_count}; say {slot}@{head_count}.",
                )


def slots_mask(slots: Sequence[str], item: str = "") -> int:
    """The mask of slots named s0 to s3 (sensors) and a0 to a3 (appendages).

    Raises:
        ChainBeastsError: a name is none of these.
    """
    mask = 0
    for slot in slots:
        if slot not in SLOTS:
            where = f"{item}: t" if item else "T"
            raise ChainBeastsError(
                f"{where}here is no slot {slot!r}.", f"Slots: {', '.join(SLOTS)}."
            )
        mask |= 1 << SLOTS.index(slot)
    return mask


def window_number(number: int, item: str) -> int:
    """A window's number, checked.

    Raises:
        ChainBeastsError: no beast can have as many.
    """
    if not 0 <= number <= LAST_WINDOW:
        raise ChainBeastsError(f"{item}: windows are numbered from 0 to {LAST_WINDOW}.")
    return number
