"""How well bodies foretell winners when both sides have the same brain.

Formulas are fitted to matches of some brains and judged on those of others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
import numpy.typing as npt

from chainbeasts.backend.battle.gauntlet import both_sides
from chainbeasts.backend.kernel.combat import stats_from_dna
from chainbeasts.backend.kernel.fighters import Fighter
from chainbeasts.backend.kernel.rng import draw
from chainbeasts.backend.kernel.rules import Rules
from scripts.lib.bench.intervals import Mean, mean_of

Floats = npt.NDArray[np.float64]
STATS = ("power", "defense", "stamina", "hp")
PAIRS, SEEDS = 60, 4
"""Pairs of bodies a brain fights in, and battle seeds of each, from both sides."""

PICKS, CHOICE = 20, 100
"""How often a brain's body is picked as the best of how many."""

RIDGE, STEPS = 1.0, 25
BINS = 8


def body(number: int) -> bytes:
    """A DNA whose stats are drawn, as a chain would."""
    return b"".join(draw(number, word).to_bytes(8) for word in range(4))


def stats(dna: bytes) -> Floats:
    """The four stats, each about −1 to 1."""
    one = stats_from_dna(dna)
    low, high = np.array([48, 0, 12, 116]), np.array([111, 127, 31, 219])
    found = np.array([one.power, one.defense, one.stamina, one.hp], np.float64)
    return np.asarray((2 * found - low - high) / (high - low), np.float64)


def _linear(x: Floats) -> Floats:
    return x


def _quadratic(x: Floats) -> Floats:
    products = [x[i] * x[j] for i, j in combinations_with_replacement(range(len(x)), 2)]
    return np.asarray(np.concatenate([x, products]), np.float64)


def _cubic(x: Floats) -> Floats:
    found = [x[i] * x[j] * x[k] for i, j, k in combinations_with_replacement(range(len(x)), 3)]
    return np.asarray(np.concatenate([_quadratic(x), found]), np.float64)


def _binned(x: Floats) -> Floats:
    """Any function of each stat by itself, in steps."""
    places = np.clip(((x + 1) / 2 * BINS).astype(int), 0, BINS - 1)
    return np.asarray(np.eye(BINS)[places].ravel(), np.float64)


def _single(at: int) -> Callable[[Floats], Floats]:
    return lambda x: x[at : at + 1]


FORMULAS: dict[str, Callable[[Floats], Floats]] = {
    **{name: _single(at) for at, name in enumerate(STATS)},
    "linear": _linear,
    "quadratic": _quadratic,
    "cubic": _cubic,
    "a step function of each stat": _binned,
}


@dataclass(frozen=True, slots=True)
class Bout:
    """Matches of two bodies with one brain; ``won`` and ``lost`` are the first one's."""

    one: bytes
    other: bytes
    won: int
    lost: int


@dataclass(frozen=True, slots=True)
class Foretold:
    """What a formula says about brains that it was not fitted to.

    Attributes:
        right: share of the decisive matches that the body it prefers won.
        best: share of the decisive matches that its best of 100 bodies won against a random one.
    """

    formula: str
    right: Mean
    best: Mean


def bouts(fighter: Fighter, number: int, rules: Rules) -> list[Bout]:
    """A brain against itself in other bodies."""
    found = []
    for pair in range(PAIRS):
        one, other = (body(draw(number, 2 * pair + side)) for side in (0, 1))
        found.append(meet(fighter, one, other, draw(number, 10_000 + pair), rules))
    return found


def meet(fighter: Fighter, one: bytes, other: bytes, number: int, rules: Rules) -> Bout:
    """Some matches of two bodies with one brain, from both sides."""
    a, b = (Fighter(dna, fighter.weights, fighter.active_mask) for dna in (one, other))
    seeds = [draw(number, seed) for seed in range(SEEDS)]
    as_a, as_b = both_sides(a, b, seeds, rules)
    score = as_a + as_b
    return Bout(one, other, score.won, score.lost)


def fit(formula: Callable[[Floats], Floats], seen: Sequence[Bout]) -> Floats:
    """The weights of a logistic regression on the difference of two bodies, by Newton's method."""
    x = np.array([formula(stats(one.one)) - formula(stats(one.other)) for one in seen])
    won = np.array([one.won for one in seen], np.float64)
    n = won + np.array([one.lost for one in seen], np.float64)
    w = np.zeros(x.shape[1])
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-x @ w))
        gradient = x.T @ (won - n * p) - RIDGE * w
        curvature = (x * (n * p * (1 - p))[:, None]).T @ x + RIDGE * np.eye(len(w))
        w = w + np.linalg.solve(curvature, gradient)
    return np.asarray(w, np.float64)


def foretell(fighters: Sequence[Fighter], rules: Rules) -> list[Foretold]:
    """Every formula, fitted to half of the brains and judged on the other half, both ways."""
    fought = [bouts(one, number, rules) for number, one in enumerate(fighters)]
    halves = [list(range(half, len(fighters), 2)) for half in (0, 1)]
    found = []
    for name, formula in FORMULAS.items():
        right, best = list[float | None](), list[float | None]()
        for train, test in (halves, halves[::-1]):
            w = fit(formula, [bout for number in train for bout in fought[number]])

            def value(dna: bytes, w: Floats = w, of: Callable[[Floats], Floats] = formula) -> float:
                return float(of(stats(dna)) @ w)

            right += [_right(fought[number], value) for number in test]
            best += [_best(fighters[number], number, value, rules) for number in test]
        found.append(Foretold(name, mean_of(_known(right)), mean_of(_known(best))))
    return found


def _known(shares: Sequence[float | None]) -> list[float]:
    return [share for share in shares if share is not None]


def _share(won: float, decisive: float) -> float | None:
    """None of a brain that only ever draws."""
    return won / decisive if decisive else None


def _right(seen: Sequence[Bout], value: Callable[[bytes], float]) -> float | None:
    right = total = 0.0
    for one in seen:
        lead = value(one.one) - value(one.other)
        share = one.won if lead > 0 else one.lost if lead < 0 else (one.won + one.lost) / 2
        right, total = right + share, total + one.won + one.lost
    return _share(right, total)


def _best(
    fighter: Fighter, number: int, value: Callable[[bytes], float], rules: Rules
) -> float | None:
    won = decisive = 0
    for pick in range(PICKS):
        seed = draw(number, 1_000_000 + pick)
        choice = [body(draw(seed, other)) for other in range(CHOICE)]
        bout = meet(fighter, max(choice, key=value), body(draw(seed, CHOICE)), seed, rules)
        won, decisive = won + bout.won, decisive + bout.won + bout.lost
    return _share(won, decisive)
