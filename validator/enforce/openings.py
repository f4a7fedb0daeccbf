"""Which windows are disputed on doubt, for what a dispute opens: pure, one rule per line.

A window that nobody here can recompute may be wrong. A dispute makes its trainer open it or fall;
over a right window it costs what the openings cost and the bond in ENERGY, so all of it stands
under budgets.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MOST_OF_BEAST = 2
MOST_OF_OWNER = 8
"""Filings on doubt a day over one beast, and over one owner's beasts: bait must not eat the whole
budget."""

EARLY_SHARE = 0.9
"""Of the time to file that has passed, after which the openings of an earlier window are not waited
for any more."""


class Cause(StrEnum):
    """Why a window is in doubt."""

    WITHHELD = "withheld"
    IMPLAUSIBLE = "implausible"
    CHANCE = "chance"


@dataclass(frozen=True, slots=True)
class Doubt:
    """A pending window without a verdict of its own, and what opening it would cost.

    Attributes:
        withheld: the state that it starts from is nowhere; or it is private and its end is.
        implausible: how its published end contradicts what 128 steps can do; empty if it does not.
        private: its records are not public.
        share: of the time to file that has passed.
        draw: a number from 0 to 1 that only we know, the same whenever this window is looked at.
        right: windows of the beast that we opened, and that were right.
        waiting: an earlier window of the beast is disputed, and its openings may still come.
        cost: wei of native coin that the openings cost us if the window is right.
        energy: wei of ENERGY that the bond costs us then.
        of_beast: filings of ours on doubt over the beast in the last day.
        of_owner: the same over all beasts of its owner.
    """

    withheld: bool
    implausible: str
    private: bool
    share: float
    draw: float
    right: int
    waiting: bool
    cost: int
    energy: int
    of_beast: int
    of_owner: int


@dataclass(frozen=True, slots=True)
class Terms:
    """How much an operator lets openings cost.

    Attributes:
        after: share of the time to file after which a withheld window is disputed.
        rate: share of the private windows without a fault that are opened all the same.
        coin_left: wei of native coin left of today's budget.
        energy_left: wei of ENERGY left of today's budget; None for no limit.
    """

    after: float
    rate: float
    coin_left: int
    energy_left: int | None


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether to open a window now, and why or why not.

    Attributes:
        cause: of the doubt; None if it is not to be opened.
    """

    cause: Cause | None
    why: str


def judge_doubt(d: Doubt, terms: Terms) -> Answer:
    """Whether a window is disputed on doubt now."""
    cause, why = _cause(d, terms)
    if cause is None:
        return Answer(None, why)
    # With the earlier one all later ones fall; opened and right, it may make them computable.
    if d.waiting and d.share < EARLY_SHARE:
        return Answer(None, "an earlier window is being opened")
    if d.of_beast >= MOST_OF_BEAST:
        return Answer(None, f"{MOST_OF_BEAST} windows of the beast a day are opened, no more")
    if d.of_owner >= MOST_OF_OWNER:
        return Answer(None, f"{MOST_OF_OWNER} windows of one owner a day are opened, no more")
    if d.cost > terms.coin_left:
        return Answer(None, "today's --open-budget is used up")
    if terms.energy_left is not None and d.energy > terms.energy_left:
        return Answer(None, "today's --energy-budget is used up")
    return Answer(cause, why)


def _cause(d: Doubt, terms: Terms) -> tuple[Cause | None, str]:
    """Why a window is in doubt, if it is."""
    # Less often where openings were right: else right windows that look wrong are bait. Never not
    # at all: else some right windows would buy a wrong one.
    chosen = d.draw < 1 / (1 + d.right)
    if d.implausible and chosen:
        return Cause.IMPLAUSIBLE, d.implausible
    # Late, since states are published with a delay; not so late that the filing could be missed.
    if d.withheld and d.share < terms.after:
        return None, "its state may still be published"
    if d.withheld and chosen:
        return Cause.WITHHELD, "its state is published nowhere, so that nobody can recompute it"
    if d.private and d.draw < terms.rate / (1 + d.right):
        return Cause.CHANCE, "a private window, opened by chance"
    return None, "nothing speaks against the window"
