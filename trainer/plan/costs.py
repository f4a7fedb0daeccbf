"""What a plan costs before anything is spent: ENERGY by the season, gas by the gas report."""

from __future__ import annotations

from dataclasses import dataclass

from backend.chain.prices import opening_gas, window_lock, window_price
from backend.chain.types import Economics, Opening, opening_bit
from trainer.plan.plan import Plan

# docs/gas-report.md: a single window costs a trainer some 94,000 gas, a batch of three 166,000; an
# epoch's end and a beast's first window write further slots.
TRANSACTION_GAS = 57_700
WINDOW_GAS = 36_150
EPOCH_END_GAS = 62_500
FIRST_WINDOW_GAS = 69_300
DEPOSIT_GAS = 100_000
"""Approval and deposit."""

STAKE_GAS = 65_000
"""Adding to a stake."""

COLLECT_GAS = 45_000
"""Pulling a credit out of the vault."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What some windows cost, wei of ENERGY.

    Attributes:
        price: burned at finality, growth included.
        growth: the part of it that wakes slots.
        bond: locked besides, and returned at finality.
    """

    windows: int = 0
    price: int = 0
    growth: int = 0
    bond: int = 0

    @property
    def lock(self) -> int:
        """What submitting them locks."""
        return self.price + self.bond

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.windows + other.windows,
            self.price + other.price,
            self.growth + other.growth,
            self.bond + other.bond,
        )


def window_cost(economics: Economics, before: int, mask: int, windows: int = 1) -> Cost:
    """The cost of a window with ``mask`` after one with ``before``, and of equal ones after it."""
    price, lock = window_price(economics, before, mask), window_lock(economics, before, mask)
    one = Cost(1, price, price - window_price(economics, mask, mask), lock - price)
    if windows == 1:
        return one
    steady = window_cost(economics, mask, mask)
    more = windows - 1
    return one + Cost(more, more * steady.price, 0, more * steady.bond)


def plan_cost(
    economics: Economics, plan: Plan, first: int, mask: int, windows: int, wake: int = 0
) -> Cost:
    """What a beast's next windows cost by a plan, at one season's prices.

    Args:
        mask: slots awake before window ``first``.
        wake: slots that wake with it besides the plan's.
    """
    if windows == 0:
        return Cost()
    starts = sorted({first, *(one.window for one in plan.growth_in(first, windows))})
    total = Cost()
    for start, end in zip(starts, [*starts[1:], first + windows], strict=True):
        woken = mask | plan.wake(start) | (wake if start == first else 0)
        total += window_cost(economics, mask, woken, end - start)
        mask = woken
    return total


def submission_gas(first: int, windows: int, *, ends_epoch: bool) -> int:
    """Gas of one transaction that submits consecutive windows, about."""
    gas = TRANSACTION_GAS + WINDOW_GAS * windows
    return gas + (EPOCH_END_GAS if ends_epoch else 0) + (FIRST_WINDOW_GAS if first == 0 else 0)


def plan_gas(first: int, windows: int, batch: int, epoch_end: int, epoch_windows: int) -> int:
    """Gas of all transactions that submit the next windows, about; deposits not counted.

    Args:
        epoch_end: index of the next epoch's first window.
    """
    total, end = 0, first + windows
    while first < end:
        count = min(batch, epoch_end - first, end - first)
        total += submission_gas(first, count, ends_epoch=first + count == epoch_end)
        first += count
        if first == epoch_end:
            epoch_end += epoch_windows
    return total


def full_opening_gas(records: int) -> int:
    """Most gas that opening everything in one dispute is paid as.

    Args:
        records: length of the beast's private dataset, 0 if it has none.
    """
    everything = [one for one in Opening if records or one is not Opening.RECORDS]
    return opening_gas(sum(map(opening_bit, everything)), records)
