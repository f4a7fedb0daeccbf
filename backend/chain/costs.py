"""What training costs before anything is spent: ENERGY by the season, gas by the gas report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from chainbeasts.backend.chain.growth import Growth
from chainbeasts.backend.chain.prices import (
    coin_for,
    latest_finality,
    opening_gas,
    window_lock,
    window_price,
)
from chainbeasts.backend.chain.types import Economics, Opening, Season, opening_bit

# docs/gas-report.md: a single window costs a trainer some 94,000 gas, a batch of three 166,000; an
# epoch's end and a beast's first window write further slots.
TRANSACTION_GAS = 57_700
WINDOW_GAS = 36_150
EPOCH_END_GAS = 62_500
FIRST_WINDOW_GAS = 69_300
DEPOSIT_GAS = 100_000
"""Approval and deposit."""

HATCH_GAS = 300_000
"""Approval, request with a dataset's commitments, and hatch."""

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
    economics: Economics,
    growth: Iterable[Growth],
    first: int,
    mask: int,
    windows: int,
    wake: int = 0,
) -> Cost:
    """What a beast's next windows cost, at one season's prices. Where samples come from is free.

    Args:
        growth: planned; what is not among these windows does not count.
        mask: slots awake before window ``first``.
        wake: slots that wake with it besides.
    """
    if windows == 0:
        return Cost()
    wakes = {one.window: one.mask for one in growth if first <= one.window < first + windows}
    wakes[first] = wakes.get(first, 0) | wake
    starts, total = sorted(wakes), Cost()
    for start, end in zip(starts, [*starts[1:], first + windows], strict=True):
        woken = mask | wakes[start]
        total += window_cost(economics, mask, woken, end - start)
        mask = woken
    return total


@dataclass(frozen=True, slots=True)
class TrainingQuote:
    """What some windows cost whoever submits them now, and how long they bind it.

    Attributes:
        gas: of the transactions that submit them, about; stake and deposit not counted.
        coin_price: wei of native coin for which the sale gives what they burn; None: it is closed.
        coin_lock: the same of all that they lock.
        locked_seconds: from a window's submission until price and bond leave the lock, undisputed.
        locked_seconds_most: the same if it is disputed, as late as that can be.
    """

    cost: Cost
    gas: int
    coin_price: int | None
    coin_lock: int | None
    locked_seconds: int
    locked_seconds_most: int

    def values(self) -> dict[str, Any]:
        """The quote flat, for JSON; amounts in wei."""
        cost = self.cost
        return {
            "windows": cost.windows,
            "price": cost.price,
            "growth": cost.growth,
            "bond": cost.bond,
            "lock": cost.lock,
            "coin_price": self.coin_price,
            "coin_lock": self.coin_lock,
            "gas": self.gas,
            "locked_seconds": self.locked_seconds,
            "locked_seconds_most": self.locked_seconds_most,
        }


def training_quote(economics: Economics, cost: Cost, gas: int, energy_price: int) -> TrainingQuote:
    """Windows that cost ``cost``, with what their ENERGY is sold for.

    Args:
        economics: of the windows' season.
        energy_price: of the season in which ENERGY is bought; 0: the sale is closed.
    """
    return TrainingQuote(
        cost,
        gas,
        coin_for(cost.price, energy_price),
        coin_for(cost.lock, energy_price),
        economics.challenge_period,
        latest_finality(economics),
    )


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


def next_windows(
    season: Season,
    *,
    first: int,
    mask: int,
    epoch_end: int,
    windows: int,
    energy_price: int,
    growth: Iterable[Growth] = (),
    wake: int = 0,
    batch: int = 1,
) -> TrainingQuote:
    """What a beast's next windows cost, as if its season stayed.

    Args:
        first: index of the next window.
        mask: slots awake before it.
        epoch_end: index of the next epoch's first window.
        energy_price: see ``training_quote``.
        growth, wake: as for ``plan_cost``.
        batch: most windows in one transaction.
    """
    cost = plan_cost(season.economics, growth, first, mask, windows, wake)
    gas = plan_gas(first, windows, batch, epoch_end, season.schedule.epoch_windows)
    return training_quote(season.economics, cost, gas, energy_price)


def full_opening_gas(records: int) -> int:
    """Most gas that opening everything in one dispute is paid as.

    Args:
        records: length of the beast's private dataset, 0 if it has none.
    """
    everything = [one for one in Opening if records or one is not Opening.RECORDS]
    return opening_gas(sum(map(opening_bit, everything)), records)
