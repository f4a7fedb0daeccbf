"""What training is worth in a fight: older brains, other bodies, sides, growth, self-play's words.

Every match is played from both sides. Intervals are 95 %, over beasts.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from chainbeasts.backend.battle.gauntlet import Score, both_sides
from chainbeasts.backend.battle.tournament import seeds_from
from chainbeasts.backend.kernel.combat import a_acts_first
from chainbeasts.backend.kernel.fighters import Fighter
from chainbeasts.backend.kernel.network import logits
from chainbeasts.backend.kernel.rng import fold64
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernels import winners
from scripts.lib.bench.beasts import ALL_AWAKE, RULES, Birth, drawn_births
from scripts.lib.bench.bodies import foretell
from scripts.lib.bench.exam import Exam, Marks
from scripts.lib.bench.figures import Figure
from scripts.lib.bench.intervals import Mean, mean_of, mean_of_pairs
from scripts.lib.bench.learning import DOCUMENTED, mean
from scripts.lib.bench.lives import LONG, SHORT, Ages, Life, lead

BORN, MANY = 24, 72
"""Beasts of every life, and of the documented plan without growth: matches between trained beasts
differ so much from beast to beast that 24 leave their mean uncertain by five points."""

SEEDS = 256
"""Battle seeds of a pair of which there is one a beast; each is played from both sides."""

PAIR_SEEDS = 2
"""The same, of a pair of which there is one for each two beasts."""

MOST_WORDS = 127
WORDS = (2, 3, 4, MOST_WORDS)
SELF_PLAY = "self-play"

Tell = Callable[[str], None]
Wanted = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class Results:
    """Scores of one fighter a beast against its opponent."""

    scores: tuple[Score, ...]

    @property
    def won(self) -> Mean:
        return mean_of([one.won_share for one in self.scores])

    @property
    def drawn(self) -> Mean:
        return mean_of([one.drawn / one.matches for one in self.scores])

    @property
    def points(self) -> Mean:
        return mean_of([one.points for one in self.scores])

    @property
    def matches(self) -> int:
        return sum(one.matches for one in self.scores)


def battle_seeds(fighter: Fighter, count: int = SEEDS) -> list[int]:
    """Seeds that depend on the body alone."""
    return list(seeds_from(fold64(fighter.dna), count))


def duels(ones: Sequence[Fighter], others: Sequence[Fighter], rules: Rules = RULES) -> Results:
    """Each against the other in its place."""
    found = []
    for one, other in zip(ones, others, strict=True):
        as_a, as_b = both_sides(one, other, battle_seeds(one), rules)
        found.append(as_a + as_b)
    return Results(tuple(found))


def ages(lives: Sequence[Ages], windows: int) -> list[Fighter]:
    """Every beast at an age."""
    return [one[windows] for one in lives]


def across(ones: Sequence[Fighter], others: Sequence[Fighter]) -> tuple[Mean, Mean, Mean]:
    """Won, drawn and points of everybody of the first against everybody else of the second."""
    n = len(ones)
    won, drawn = np.zeros((n, n)), np.zeros((n, n))
    for i, one in enumerate(ones):
        for j, other in enumerate(others):
            if i != j:
                seeds = list(seeds_from(fold64(one.dna) ^ fold64(other.dna), PAIR_SEEDS))
                as_a, as_b = both_sides(one, other, seeds, RULES)
                score = as_a + as_b
                won[i, j], drawn[i, j] = score.won_share, score.drawn / score.matches
    return mean_of_pairs(won), mean_of_pairs(drawn), mean_of_pairs(won + drawn / 2)


def sides(fighters: Sequence[Fighter]) -> tuple[Mean, Mean, Mean]:
    """Against themselves: shares of decisive matches won by A, by who began, and of draws."""
    by_a, by_first, drawn = [], [], []
    for one in fighters:
        seeds = battle_seeds(one, 2 * SEEDS)
        found = winners(one, one, seeds, RULES)
        decisive = [(seed, won) for seed, won in zip(seeds, found, strict=True) if won >= 0]
        drawn.append(1 - len(decisive) / len(seeds))
        if decisive:
            by_a.append(statistics.fmean(won == 0 for _, won in decisive))
            first = (a_acts_first(seed) == (won == 0) for seed, won in decisive)
            by_first.append(statistics.fmean(first))
    return mean_of(by_a), mean_of(by_first), mean_of(drawn)


def marks(exam: Exam, fighters: Sequence[Fighter]) -> list[Marks]:
    """What brains get right on held-out boards."""
    return [exam.mark(logits(one.weights, one.active_mask, exam.inputs)) for one in fighters]


def _figure(
    name: str,
    value: Mean,
    method: str,
    target: float | None = None,
    at_most: bool = False,
) -> Figure:
    said = f"95 % interval {100 * value.low:.1f} to {100 * value.high:.1f}; {method}"
    return Figure(name, 100 * value.value, "%", target, at_most, said)


def against_newborns(born: Sequence[Birth], plain: Sequence[Ages]) -> list[Figure]:
    """Brains against the newborn in the same body."""
    figures = []
    for age, won, drawn in ((SHORT, 90.0, 8.0), (LONG, 93.0, None)):
        found = duels(ages(plain, age), ages(plain, 0))
        method = f"all of {found.matches:,} matches of {len(born)} beasts, each in its own body"
        name = f"{age:,} windows against the own newborn"
        figures.append(_figure(f"{name}, won", found.won, method, won))
        figures.append(_figure(f"{name}, drawn", found.drawn, "of the same matches", drawn, True))
    return figures


def across_bodies(plain: Sequence[Ages]) -> list[Figure]:
    """Older brains against younger ones in other bodies."""
    newborn, short, long = (ages(plain, age) for age in (0, SHORT, LONG))
    won, drawn, points = across(long, short)
    method = (
        f"{len(plain)} beasts, brain and body of {LONG:,} windows against everybody else's of "
        f"{SHORT}, {2 * PAIR_SEEDS} matches a pair; drawn {drawn}, points {points}"
    )
    figures = [_figure("2,000 windows against 400 in another body, won", won, method, 64)]
    won, drawn, points = across(short, newborn)
    method = f"likewise, against other newborns; drawn {drawn}, points {points}"
    return [*figures, _figure("400 windows against 0 in another body, won", won, method)]


def bodies_alone(plain: Sequence[Ages]) -> list[Figure]:
    """What bodies decide when both sides have the same brain."""
    figures = []
    for age in (SHORT, LONG):
        told = foretell(ages(plain, age), RULES)
        each = ", ".join(f"{one.formula} {100 * one.right.value:.1f} %" for one in told)
        right = max((one.right for one in told), key=lambda one: one.value)
        best = max(told, key=lambda one: one.best.value)
        name = f"equal brains of {age:,} windows"
        method = (
            f"share of decisive matches; {len(plain)} brains; the best of the formulas, each "
            f"fitted to half of the brains and judged on the others: {each}"
        )
        figures.append(_figure(f"{name}: a formula names the winner", right, method, 60, True))
        method = f"against a random one, decisive matches; by the best formula, {best.formula}"
        figures.append(_figure(f"{name}: the best DNA of 100", best.best, method, 60, True))
    return figures


def sides_alone(plain: Sequence[Ages]) -> list[Figure]:
    """What the corner and the first turn decide."""
    figures = []
    for age in (SHORT, LONG):
        by_a, by_first, drawn = sides(ages(plain, age))
        method = (
            f"share of decisive matches of {len(plain)} beasts, each against itself; who began won "
            f"{by_first}; drawn {drawn}"
        )
        figures.append(_figure(f"equal brains of {age:,} windows: A wins", by_a, method))
    return figures


def growth(plain: Sequence[Ages], grown: Sequence[Ages]) -> list[Figure]:
    """The same lives with every slot awake from the first window and with none woken."""
    figures = []
    small = [n for n, one in enumerate(plain) if one[0].active_mask != ALL_AWAKE]
    for age in (SHORT, LONG):
        ones, others = ages(grown, age), ages(plain, age)
        found = duels([ones[n] for n in small], [others[n] for n in small])
        method = (
            f"{found.matches:,} matches of {len(small)} beasts with a slot asleep at hatch; same "
            f"births, plan and body; won {found.won}, drawn {found.drawn}"
        )
        name = f"every slot awake against no growth, {age:,} windows each, points"
        figures.append(_figure(name, found.points, method, 50))
    return figures


def accuracy(exam: Exam, name: str, lives: Sequence[Ages], wanted: Wanted) -> list[Figure]:
    """Moves on held-out boards after the long life."""
    found = marks(exam, ages(lives, LONG))
    method = f"{len(found)} beasts, {exam.moves:,} held-out boards with a move"
    exact, optimal = wanted
    return [
        _figure(f"exact move, {name}", mean_of([one.exact / 100 for one in found]), method, exact),
        _figure(
            f"any optimal move, {name}", mean_of([one.optimal / 100 for one in found]),
            "of the same", optimal,
        ),
    ]  # fmt: skip


def self_play_words(
    exam: Exam, plain: Sequence[Ages], played: Mapping[int, Sequence[Ages]]
) -> list[Figure]:
    """How strong self-play alone makes a beast, by the trained words of a match."""
    figures = []
    newborn = ages(plain, 0)
    for words, mine in played.items():
        exact = mean(marks(exam, ages(mine, LONG)))
        notes = []
        for age in (SHORT, LONG):
            against = duels(ages(mine, age), newborn)
            plan = duels(ages(mine, age), ages(plain, age))
            notes.append(
                f"after {age:,} windows {against.won} won against the newborn, {plan.points} of "
                "the points against the documented plan"
            )
        rivals = [
            duels(ages(mine, LONG), ages(other, LONG))
            for limit, other in played.items()
            if limit != words
        ]
        each = [
            statistics.fmean(rival.scores[n].points for rival in rivals) for n in range(len(mine))
        ]
        name = f"selfPlayWords {words}" + (" (no limit)" if words == MOST_WORDS else "")
        method = (
            f"self-play alone, no growth, {LONG:,} windows each, same beast and body; exact "
            f"{exact.exact:.2f} %, any optimal {exact.optimal:.2f} %; {'; '.join(notes)}"
        )
        figures.append(_figure(f"{name}: points against the others", mean_of(each), method))
    return figures


def measure_born(many: Sequence[Birth], count: int, tell: Tell) -> Iterator[Figure]:
    """Every figure, of some births; the dear ones of the first ``count`` of them."""
    everybody = lead(many, Life(DOCUMENTED), tell)
    yield from against_newborns(many, everybody)
    yield from across_bodies(everybody)
    yield from sides_alone(everybody)
    born, plain = many[:count], everybody[:count]
    tell("bodies with equal brains")
    yield from bodies_alone(plain)
    grown = lead(born, Life(DOCUMENTED, grown=True), tell)
    yield from growth(plain, grown)
    played = {words: lead(born, Life(SELF_PLAY, words=words), tell) for words in WORDS}
    alone = lead(born, Life(SELF_PLAY, grown=True), tell)
    tell("accuracy")
    exam = Exam()
    yield from accuracy(exam, "documented plan, every slot awake", grown, (89.5, 93))
    yield from accuracy(exam, "self-play alone, every slot awake", alone, (90, 94))
    yield from accuracy(exam, "documented plan, no growth", plain, (None, None))
    yield from accuracy(exam, "self-play alone, no growth", played[WORDS[0]], (None, None))
    tell("self-play's words")
    yield from self_play_words(exam, plain, played)


def measure(tell: Tell) -> list[Figure]:
    """Every figure."""
    return list(measure_born(drawn_births(MANY), BORN, tell))
