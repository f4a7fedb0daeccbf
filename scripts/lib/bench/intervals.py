"""Means with 95 % intervals where beasts, not matches, are what is drawn at random."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

RESAMPLES = 2_000
SEED = 20_261_128


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean and its 95 % interval, all as given (shares, points)."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{100 * self.value:.1f} % ({100 * self.low:.1f} to {100 * self.high:.1f})"


def mean_of(values: Sequence[float]) -> Mean:
    """Of one value a beast, NaN of none: beasts are resampled with replacement."""
    if not values:
        return Mean(math.nan, math.nan, math.nan)
    given = np.array(values, np.float64)
    rows = np.random.default_rng(SEED).integers(len(given), size=(RESAMPLES, len(given)))
    return _mean(float(given.mean()), given[rows].mean(axis=1))


def mean_of_pairs(values: npt.NDArray[np.float64]) -> Mean:
    """Of a value for each ordered pair of beasts, [n][n] with an unused diagonal.

    Pairs that share a beast are alike, so beasts are resampled and not pairs.
    """
    n = len(values)
    apart = ~np.eye(n, dtype=bool)
    rng, found = np.random.default_rng(SEED), np.zeros(RESAMPLES)
    for number in range(RESAMPLES):
        rows = rng.integers(n, size=n)
        mask = apart[np.ix_(rows, rows)]
        # Of a few beasts a draw may hold one alone, which has fought nobody.
        found[number] = values[np.ix_(rows, rows)][mask].mean() if mask.any() else np.nan
    return _mean(float(values[apart].mean()), found[~np.isnan(found)])


def _mean(value: float, resampled: npt.NDArray[np.float64]) -> Mean:
    low, high = (float(edge) for edge in np.percentile(resampled, (2.5, 97.5)))
    return Mean(value, low, high)
