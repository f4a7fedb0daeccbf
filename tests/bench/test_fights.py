"""The fights benchmark measures what it says: lives are runs, intervals and formulas are right."""

from __future__ import annotations

import numpy as np
import pytest

from chainbeasts.backend.kernel.fighters import Fighter
from chainbeasts.backend.kernel.window import genesis_state
from scripts.lib.bench import lives
from scripts.lib.bench.beasts import ALL_AWAKE, drawn_births, train
from scripts.lib.bench.bodies import FORMULAS, Bout, body, fit, stats
from scripts.lib.bench.fights import across, duels, sides
from scripts.lib.bench.intervals import mean_of, mean_of_pairs
from scripts.lib.bench.learning import PLANS
from scripts.lib.bench.lives import Life

BORN = drawn_births(3)
NEWBORN = [Fighter.of(one.dna, genesis_state(1, one.dna)) for one in BORN]


@pytest.mark.parametrize("plan", ["curriculum", "self-play"])
def test_a_life_is_the_run_of_its_plan(plan: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lives, "SHORT", 1)
    monkeypatch.setattr(lives, "LONG", 2)
    told: list[str] = []
    found = lives.lead(BORN, Life(plan, grown=True), told.append)
    assert len(told) == 1
    for birth, ages in zip(BORN, found, strict=True):
        for age in (1, 2):
            end = train(birth, PLANS[plan], windows=age)
            assert (ages[age].weights == end.weights).all()
            assert ages[age].active_mask == ALL_AWAKE
        assert (ages[0].weights == genesis_state(1, birth.dna).weights).all()


def test_the_same_births_are_drawn_each_time_and_no_two_are_alike() -> None:
    again = drawn_births(3)
    assert again == BORN
    hashes = [one.dna for one in BORN] + [seed for one in BORN for seed in one.epoch_seeds]
    assert len(set(hashes)) == len(hashes)


def test_intervals_hold_their_mean_and_shrink_with_more_beasts() -> None:
    few, many = mean_of([0.0, 1.0] * 4), mean_of([0.0, 1.0] * 64)
    assert few.value == many.value == 0.5
    assert few.low < many.low < 0.5 < many.high < few.high
    assert many.high - many.low == pytest.approx(2 * 1.96 * 0.5 / 128**0.5, rel=0.1)
    same = mean_of([0.25] * 5)
    assert (same.low, same.value, same.high) == (0.25, 0.25, 0.25)
    assert str(mean_of([0.5, 0.5])) == "50.0 % (50.0 to 50.0)"


def test_pairs_leave_out_a_beast_against_itself() -> None:
    values = np.where(np.eye(6, dtype=bool), 99.0, 0.5)
    found = mean_of_pairs(values)
    assert (found.low, found.value, found.high) == (0.5, 0.5, 0.5)


@pytest.mark.parametrize("formula", ["power", "linear", "quadratic", "cubic"])
def test_a_formula_finds_what_decides(formula: str) -> None:
    """Where power alone decides, and nearly always, every formula that has it sees that."""
    bodies = [(body(2 * n), body(2 * n + 1)) for n in range(150)]
    lead = [stats(one)[0] - stats(other)[0] for one, other in bodies]
    seen = [
        Bout(one, other, 8 if ahead > 0 else 0, 0 if ahead > 0 else 8)
        for (one, other), ahead in zip(bodies, lead, strict=True)
    ]
    w = fit(FORMULAS[formula], seen[:100])
    of = FORMULAS[formula]
    told = [float((of(stats(one.one)) - of(stats(one.other))) @ w) for one in seen[100:]]
    right = np.mean(
        [(value > 0) == (ahead > 0) for value, ahead in zip(told, lead[100:], strict=True)]
    )
    assert right > 0.85


def test_scores_of_equals_are_even_and_each_figure_has_its_matches() -> None:
    found = duels(NEWBORN, NEWBORN)
    assert found.points.value == 0.5
    assert found.won.value * 2 + found.drawn.value == pytest.approx(1)
    won, drawn, points = across(NEWBORN, NEWBORN)
    # Each ordered pair is there both ways, with the same seeds from both sides.
    assert points.value == pytest.approx(0.5)
    assert won.value * 2 + drawn.value == pytest.approx(1)
    by_a, by_first, _ = sides(NEWBORN)
    assert 0 <= by_a.value <= 1
    assert 0 <= by_first.value <= 1
