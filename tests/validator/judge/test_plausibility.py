"""What 128 steps can do: an honest window never breaks a hard bound, a jump or a forgery does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from eth_hash.auto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from chainbeasts.backend.chain.types import NO_CHECKPOINT, CheckpointPayload
from chainbeasts.backend.kernel.constants import WEIGHT_MAX
from chainbeasts.backend.kernel.network import Weights, layers
from chainbeasts.backend.kernel.rules import Rules, Schedule
from chainbeasts.backend.kernel.samples import Source, random_position
from chainbeasts.backend.kernel.state import Header, State, state_hash
from chainbeasts.backend.kernel.window import WindowContext, genesis_state, open_window
from chainbeasts.backend.kernels import ReferenceKernel, kernel_for
from chainbeasts.validator.judge.plausibility import (
    LIMITS,
    PublishedWindow,
    impossible,
    learning_weights,
    objection,
    step_bounds,
    unlikely,
)
from tests.support.strategies import head_sets, lr_shifts, masks, valid_words, weights

RULES, SCHEDULE = Rules(), Schedule()
BEAST, EVERY = 3, 0xFF
BOARDS = tuple(random_position(seed, None, RULES) for seed in range(512))
NULL = 0


def private(heads: int, shift: int, records: int, dna: bytes = bytes(32)) -> WindowContext:
    return WindowContext(
        dna, bytes(32), heads, shift, Source.PRIVATE, RULES, 77, records_length=records
    )


def window_of(before: State, after: State, heads: int, shift: int) -> PublishedWindow:
    """Two states as the ends of one window, its header as it must be."""
    parent = state_hash(before)
    step = before.header.global_step + 128
    end = after.copy()
    end.update(parent=parent, global_step=step, arena=0)
    payload = CheckpointPayload(
        0, state_hash(end), 1, shift, end.header.active_mask, step, end.header.window_loss,
        Source.PRIVATE,
    )  # fmt: skip
    checkpoint = replace(NO_CHECKPOINT, index=1, parent=parent, payload=payload)
    return PublishedWindow(BEAST, checkpoint, parent, before, end, heads, RULES)


def train(before: State, windows: int = 1, heads: int = 1, shift: int = 9) -> State:
    """A beast after some windows on random boards."""
    state = before
    ctx = private(heads, shift, len(BOARDS), before.header.parent)
    for _ in range(windows):
        state = open_window(state, EVERY)
        kernel_for(EVERY).run(ctx, state, records=BOARDS)
    return state


def newborn(seed: int = 0) -> State:
    return genesis_state(BEAST, keccak(bytes([seed])))


@settings(max_examples=25, deadline=None)
@given(
    weights(),
    masks,
    masks,
    st.lists(valid_words | st.just(NULL), min_size=1, max_size=6),
    head_sets,
    lr_shifts,
)
def test_an_honest_window_is_never_impossible(
    w: Weights, mask: int, woken: int, words: list[int], heads: int, shift: int
) -> None:
    before = State(Header(BEAST, bytes(32), 0, mask, 5, 0), w)
    after = open_window(before, mask | woken)
    ReferenceKernel().run(private(heads, shift, len(words)), after, records=words)
    assert impossible(window_of(before, after, heads, shift)) == ""


@pytest.mark.parametrize("heads", [1, 3, 7])
@pytest.mark.parametrize("shift", [3, 9, 15])
@pytest.mark.parametrize("seed", range(3))
def test_an_honest_window_of_a_newborn_is_never_impossible(
    heads: int, shift: int, seed: int
) -> None:
    before = newborn(seed)
    assert impossible(window_of(before, train(before, 1, heads, shift), heads, shift)) == ""


def test_honest_windows_raise_no_objection() -> None:
    before = newborn()
    for _ in range(20):
        after = train(before)
        assert objection(window_of(before, after, 1, 9)) == ""
        before = after


@pytest.mark.parametrize("windows", [64, 400])
def test_many_windows_passed_off_as_one_are_implausible(windows: int) -> None:
    before = newborn()
    after = train(before, windows)
    assert "a row of W4" in objection(window_of(before, after, 1, 9))
    after.update(window_loss=200_000)  # whatever is stated for it
    assert "128 honest steps" in objection(window_of(before, after, 1, 9))


def test_a_gain_that_a_shift_does_not_allow_is_implausible() -> None:
    """A young beast that learns at shift 12, at which no beast is young, within its distance."""
    before = open_window(train(newborn(), 2), EVERY)
    after = train(before)
    way = after.weights.astype(np.float64) - before.weights
    step = way * (LIMITS[12].distance - 15) / np.linalg.norm(way)
    after.weights[:] = before.weights + np.round(step).astype(np.int16)
    after.update(window_loss=200_000)
    assert "optimal moves" in unlikely(window_of(before, after, 1, 12))


def test_a_low_loss_moves_weights_no_further_than_it_can() -> None:
    before = train(newborn(), 40)
    after = train(before)
    honest = window_of(before, after, 1, 9)
    assert objection(honest) == ""
    after.update(window_loss=honest.loss // 30)
    assert "further than a loss" in unlikely(window_of(before, after, 1, 9))


def nothing_lost(state: State) -> None:
    state.update(window_loss=0)


def padding(state: State) -> None:
    layers(state.weights)[3][5, 7] += 1


def untrained_head(state: State) -> None:
    layers(state.weights)[3][5, 4] += 1


def silent_input(state: State) -> None:
    layers(state.weights)[0][30, 3] -= 1


def too_far(state: State) -> None:
    layers(state.weights)[0][0, 0] = WEIGHT_MAX


def arena(state: State) -> None:
    state.update(arena=BOARDS[0])


FORGERIES: dict[str, tuple[Callable[[State], None], str]] = {
    "no loss": (nothing_lost, "a window of loss 0"),
    "padding output": (padding, "1 weights of W4"),
    "head that does not learn": (untrained_head, "1 weights of W4"),
    "input that is always 0": (silent_input, "1 weights of W1"),
    "one weight too far": (too_far, "a weight of W1 changed by"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_is_impossible(name: str) -> None:
    forge, told = FORGERIES[name]
    before = newborn()
    after = train(before, 1, 1, 13)
    forge(after)
    assert told in impossible(window_of(before, after, 1, 13))


def test_a_sleeping_slot_stays_as_it_is() -> None:
    before = newborn()
    asleep = before.copy()
    asleep.update(active_mask=0x11)
    after = open_window(asleep, 0x11)
    kernel_for(0x11).run(private(7, 9, len(BOARDS)), after, records=BOARDS)
    assert impossible(window_of(asleep, after, 7, 9)) == ""
    layers(after.weights)[1][127, 0] += 1
    assert "1 weights of W2" in impossible(window_of(asleep, after, 7, 9))


def test_an_arena_and_a_wrong_header_are_impossible() -> None:
    before = newborn()
    window = window_of(before, train(before), 1, 9)
    window.after.update(arena=BOARDS[0])
    assert "arena" in impossible(window)
    window.after.update(arena=0, global_step=127)
    assert "global step" in impossible(window)


def test_outputs_change_no_more_than_the_loss_allows() -> None:
    before = newborn()
    after = open_window(before, EVERY)
    after.update(window_loss=200)
    layers(after.weights)[3][3, :4] += 30  # each within 128 steps' reach, the four beyond the loss
    assert "a row of W4 changed by 120" in impossible(window_of(before, after, 1, 9))


def test_a_loss_beyond_what_steps_can_lose_is_of_null_steps_which_change_nothing() -> None:
    before = newborn()
    after = open_window(before, EVERY)
    after.update(window_loss=524_160)  # 128 null steps, or 128 steps of three heads
    layers(after.weights)[2][0, 0] += 1
    assert "changes it by 0 at most" in impossible(window_of(before, after, 1, 9))
    assert "changes it by 0 at most" in impossible(window_of(before, after, 3, 9))
    assert impossible(window_of(before, after, 7, 9)) == ""


@pytest.mark.parametrize("shift", range(3, 16))
def test_step_bounds_are_those_of_the_kernel(shift: int) -> None:
    half = 1 << (shift - 1)
    _, hidden, _, outputs = step_bounds(shift)
    for bound, error in ((hidden, 1_023), (outputs, 1_024)):
        updates = [(127 * e + half) >> shift for e in (-error, error)]
        assert int(bound[0]) == max(map(abs, updates))


def test_what_may_change_is_what_the_kernel_changes_at_most() -> None:
    free = learning_weights(EVERY, 7)
    assert [int(one.sum()) for one in free] == [29 * 128, 128 * 64, 64 * 64, 64 * 6]
    assert not learning_weights(0x11, 1)[0][:, 32:].any()


def test_other_shifts_have_hard_bounds_alone() -> None:
    assert set(LIMITS) == {SCHEDULE.lr_shift(epoch) for epoch in range(64)}
    before = newborn()
    assert unlikely(window_of(before, train(before, 64), 1, 8)) == ""


def test_distance_does_not_depend_on_overflowing_int16() -> None:
    before = newborn()
    before.weights[:] = -16_384
    after = before.copy()
    after.weights[:] = WEIGHT_MAX
    changes = window_of(before, after, 1, 9).changes
    assert all(np.all(one == 32_767) for one in changes)
