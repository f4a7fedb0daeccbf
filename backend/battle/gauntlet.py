"""Everybody against everybody, off chain: each pair on the same battle seeds, from both sides."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import combinations

from chainbeasts.backend.kernel.combat import DRAW
from chainbeasts.backend.kernel.fighters import Fighter
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernels import winners

BATCH = 64
"""Seeds that one call plays: long enough that calling costs nothing, short for a progress bar."""

NORMAL_95 = 1.96


@dataclass(frozen=True, slots=True)
class Score:
    """Matches from one fighter's view; scores add up."""

    won: int = 0
    drawn: int = 0
    lost: int = 0

    @classmethod
    def of(cls, found: Sequence[int], side: int) -> Score:
        """What the winners of some matches (0 A, 1 B, −1 nobody) mean for A (0) or B (1)."""
        drawn, won = found.count(DRAW), found.count(side)
        return cls(won, drawn, len(found) - drawn - won)

    def __add__(self, other: Score) -> Score:
        return Score(self.won + other.won, self.drawn + other.drawn, self.lost + other.lost)

    @property
    def reversed(self) -> Score:
        """The same matches from the opponent's view."""
        return Score(self.lost, self.drawn, self.won)

    @property
    def matches(self) -> int:
        return self.won + self.drawn + self.lost

    @property
    def points(self) -> float:
        """A win is 1, a draw ½; the share of what was to be had, 0 without any match."""
        return (self.won + self.drawn / 2) / self.matches if self.matches else 0.0

    @property
    def won_share(self) -> float:
        """The share of all matches that was won, 0 without any."""
        return self.won / self.matches if self.matches else 0.0

    @property
    def margin(self) -> float:
        """Half the width of a 95 % interval of the points, as of independent matches."""
        if not self.matches:
            return 0.0
        p, n = self.points, self.matches
        variance = (self.won * (1 - p) ** 2 + self.drawn * (0.5 - p) ** 2 + self.lost * p**2) / n
        return NORMAL_95 * math.sqrt(variance / n)


@dataclass(frozen=True, slots=True)
class Pairing:
    """Two fighters, by their places in a list, and the first one's scores as A and as B."""

    one: int
    other: int
    as_a: Score
    as_b: Score

    @property
    def score(self) -> Score:
        """Of both sides together."""
        return self.as_a + self.as_b


def both_sides(
    one: Fighter, other: Fighter, seeds: Sequence[int], rules: Rules
) -> tuple[Score, Score]:
    """The first one's scores as A and as B, each on all of the seeds."""
    return (
        Score.of(winners(one, other, seeds, rules), 0),
        Score.of(winners(other, one, seeds, rules), 1),
    )


def gauntlet(
    fighters: Sequence[Fighter],
    rules: Rules,
    seeds: Sequence[int],
    on_matches: Callable[[int], None] = lambda count: None,
) -> list[Pairing]:
    """Every pair of fighters, on every seed from both sides.

    Args:
        on_matches: told how many more are played.

    Raises:
        ChainBeastsError: ``CHAINBEASTS_KERNEL=native``, and there is none.
    """
    pairs = list(combinations(range(len(fighters)), 2))
    found = {pair: (Score(), Score()) for pair in pairs}
    # The compiled kernel lets go of the interpreter while it plays, so threads are enough.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        batches = {
            pool.submit(both_sides, fighters[pair[0]], fighters[pair[1]], part, rules): pair
            for pair in pairs
            for part in _batches(seeds)
        }
        try:
            for batch in as_completed(batches):
                pair, (as_a, as_b) = batches[batch], batch.result()
                found[pair] = (found[pair][0] + as_a, found[pair][1] + as_b)
                on_matches(as_a.matches + as_b.matches)
        except BaseException:
            pool.shutdown(cancel_futures=True)  # Ctrl-C ends it after the batches at hand
            raise
    return [Pairing(*pair, *scores) for pair, scores in found.items()]


def standings(count: int, pairings: Sequence[Pairing]) -> list[tuple[int, Score]]:
    """Everybody's place in the list and score against all others, the most points first."""
    scores = [Score()] * count
    for one in pairings:
        scores[one.one] += one.score
        scores[one.other] += one.score.reversed
    return sorted(enumerate(scores), key=lambda row: (-row[1].points, row[0]))


def _batches(seeds: Sequence[int]) -> Iterator[Sequence[int]]:
    return (seeds[at : at + BATCH] for at in range(0, len(seeds), BATCH))
