"""Ranges of a season's constants, and its schedule (K14)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainbeasts.backend.kernel.rules import Rules, Schedule

RULE_RANGES = {
    "damage_k": (1, 2184),
    "damage_curve": (0, 1),
    "block_gain": (0, 255),
    "block_cap": (0, 127),
    "crit_odds": (1, 65_535),
    "hazard_stamina": (0, 15),
    "rest_gain": (1, 255),
    "max_turns": (1, 254),
    "block_threshold_num": (1, 255),
    "block_threshold_den": (1, 255),
    "self_play_words": (1, 127),
}
SCHEDULE_RANGES = {
    "epoch_windows": (1, 65_535),
    "move_only_epochs": (0, 65_535),
    "attack_epochs": (0, 65_535),
    "lr_hold_epochs": (0, 65_535),
    "lr_epochs_per_decay": (1, 65_535),
}


@pytest.mark.parametrize("name", RULE_RANGES)
def test_rule_at_and_beyond_its_ends(name: str) -> None:
    """K14"""
    low, high = RULE_RANGES[name]
    for value in (low, high):
        assert getattr(replace(Rules(), **{name: value}), name) == value
    for value in (low - 1, high + 1):
        with pytest.raises(ValueError, match=f"{name} is {value}"):
            replace(Rules(), **{name: value})


@pytest.mark.parametrize("name", SCHEDULE_RANGES)
def test_schedule_at_and_beyond_its_ends(name: str) -> None:
    """K14"""
    low, high = SCHEDULE_RANGES[name]
    for value in (low, high):
        assert getattr(replace(Schedule(), **{name: value}), name) == value
    for value in (low - 1, high + 1):
        with pytest.raises(ValueError, match=f"{name} is {value}"):
            replace(Schedule(), **{name: value})


@pytest.mark.parametrize(("base", "top"), [(2, 13), (9, 16), (10, 9)])
def test_learning_rates_that_no_kernel_runs(base: int, top: int) -> None:
    """K14: 3 ≤ lrBase ≤ lrMax ≤ 15."""
    with pytest.raises(ValueError, match="lr_"):
        Schedule(lr_base=base, lr_max=top)


def test_defaults() -> None:
    assert Rules().values() == (256, 0, 32, 96, 16, 2, 2, 60, 4, 5, 2)
    assert Schedule().values() == (64, 3, 3, 9, 12, 4, 13)


@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 30))
def test_heads_unlock_in_order(move_only: int, attack: int, epoch: int) -> None:
    """K14"""
    schedule = Schedule(move_only_epochs=move_only, attack_epochs=attack)
    plan = [1] * move_only + [3] * attack + [7] * 40
    assert schedule.heads(epoch) == plan[epoch]


@given(
    st.integers(3, 15),
    st.integers(0, 12),
    st.integers(0, 20),
    st.integers(1, 6),
    st.integers(0, 200),
)
def test_learning_rate_decays_step_by_step(
    base: int, span: int, hold: int, every: int, epoch: int
) -> None:
    """K14: one more after every `every` epochs beyond the hold, never over the maximum."""
    top = min(base + span, 15)
    schedule = Schedule(lr_base=base, lr_max=top, lr_hold_epochs=hold, lr_epochs_per_decay=every)
    shift, counted = base, 0
    for past in range(epoch):
        if past >= hold:
            counted += 1
            if counted == every:
                shift, counted = min(shift + 1, top), 0
    assert schedule.lr_shift(epoch) == shift
