"""Windows: how steps are counted, hashed, opened and witnessed, for all four sources (K12, K13)."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainbeasts.backend.kernel import merkle
from chainbeasts.backend.kernel.board import is_valid
from chainbeasts.backend.kernel.constants import MAX_WINDOW_LOSS, NULL_LOSS
from chainbeasts.backend.kernel.features import features
from chainbeasts.backend.kernel.labels import label
from chainbeasts.backend.kernel.network import step
from chainbeasts.backend.kernel.rules import Rules, Schedule
from chainbeasts.backend.kernel.samples import (
    Source,
    curriculum_word,
    play_on,
    random_position,
    record_index,
    self_play_word,
    window_seed,
)
from chainbeasts.backend.kernel.state import State, state_hash
from chainbeasts.backend.kernel.window import (
    WindowContext,
    genesis_state,
    open_window,
    run_window,
    sample_index,
    step_window,
    witnesses,
)
from tests.support.states import case
from tests.support.strategies import bytes32, masks

RECORDS = [random_position(seed, None, Rules()) for seed in range(5)]
INVALID = 0


def context(source: Source, records: list[int] | None = None) -> WindowContext:
    words = (RECORDS if records is None else records) if source >= Source.BATTLE else []
    return WindowContext(
        dna=bytes(range(32)),
        epoch_seed=b"\xab" * 32,
        heads=7,
        lr_shift=7,
        source=source,
        rules=Rules(),
        owner_secret_fold=99 if source is Source.PRIVATE else 0,
        records_root=merkle.root(words) if words else bytes(32),
        records_length=len(words),
    )


def opened(ctx: WindowContext) -> State:
    return open_window(genesis_state(1, ctx.dna), 0xFF)


def expected_word(ctx: WindowContext, state: State) -> int:
    """The sample, straight from the rule of its source."""
    h = state.header
    match ctx.source:
        case Source.CURRICULUM:
            return curriculum_word(ctx.dna, ctx.epoch_seed, h.global_step, ctx.rules)
        case Source.SELF_PLAY:
            seed = window_seed(ctx.dna, h.parent)
            return self_play_word(seed, h.global_step, h.arena, ctx.rules)
    length, fold = ctx.records_length, ctx.owner_secret_fold
    return RECORDS[record_index(ctx.source, ctx.dna, h.global_step, length, fold)]


@pytest.mark.parametrize("source", list(Source))
def test_a_window_is_its_steps(source: Source) -> None:
    """Segment hashes, loss, counter and arena are what the parts say, one step after another."""
    ctx = context(source)
    state = opened(ctx)
    whole = state.copy()
    hashes, loss = [], 0
    for n in range(128):
        before = state.copy()
        word = expected_word(ctx, before)
        trace = step_window(ctx, state, RECORDS.__getitem__)
        wanted = label(word, ctx.rules)
        own_loss, z = step(before.weights, 0xFF, features(word), wanted, 7, 7)
        assert (trace.word, trace.label, trace.loss) == (word, wanted, own_loss)
        assert trace.logits == tuple(z.tolist())
        assert (before.weights == state.weights).all()
        loss += own_loss
        assert (state.header.global_step, state.header.window_loss) == (n + 1, loss)
        arena = 0
        if source is Source.SELF_PLAY:
            seed = window_seed(ctx.dna, before.header.parent)
            arena = play_on(word, z.tolist(), seed, n, ctx.rules)
        assert state.header.arena == arena
        if n % 8 == 7:
            hashes.append(state_hash(state))
    assert run_window(ctx, whole, records=RECORDS.__getitem__) == hashes
    assert len(hashes) == 16
    assert loss <= MAX_WINDOW_LOSS


def test_null_steps_change_only_counter_and_loss() -> None:
    ctx = context(Source.PRIVATE, [INVALID])
    state = opened(ctx)
    before = state.copy()
    traces = [step_window(ctx, state, lambda _: INVALID) for _ in range(128)]
    assert all(trace.null and trace.loss == NULL_LOSS for trace in traces)
    assert (state.weights == before.weights).all()
    wanted = replace(before.header, global_step=128, window_loss=MAX_WINDOW_LOSS)
    assert state.header == wanted


@pytest.mark.parametrize("arena", [1 << 255, RECORDS[0] | 5 << 178, RECORDS[0] | 63 << 234])
def test_a_hostile_arena_makes_null_steps_and_stays(arena: int) -> None:
    """Also one with a heading that there is not, of whoever acts or of the other."""
    ctx = context(Source.SELF_PLAY)
    state = opened(ctx)
    state.update(arena=arena)
    assert not is_valid(state.header.arena)
    assert step_window(ctx, state).null
    assert state.header.arena == arena


def test_an_arena_out_of_turns_is_trained_on_and_left() -> None:
    ctx = context(Source.SELF_PLAY)
    state = opened(ctx)
    state.update(arena=RECORDS[0] | 60 << 240)
    trace = step_window(ctx, state)
    assert not trace.null
    assert trace.word == RECORDS[0] | 60 << 240
    assert state.header.arena == 0


def test_the_counter_wraps() -> None:
    ctx = context(Source.CURRICULUM)
    state = opened(ctx)
    state.update(global_step=2**32 - 1)
    step_window(ctx, state)
    assert state.header.global_step == 0


@given(bytes32, masks, st.integers(0, 2**19))
def test_opening_a_window(dna: bytes, more: int, loss: int) -> None:
    parent = genesis_state(3, dna)
    parent.update(window_loss=loss, arena=5, global_step=256)
    mask = parent.header.active_mask | more
    state = open_window(parent, mask)
    h = state.header
    assert (h.parent, h.active_mask) == (state_hash(parent), mask)
    assert (h.window_loss, h.arena, h.global_step, h.beast_id) == (0, 0, 256, 3)
    state.weights[0] ^= 1
    assert (state.weights[0] ^ 1) == parent.weights[0]


def test_no_slot_falls_asleep() -> None:
    parent = genesis_state(1, bytes([0, 0, 0, 0, 3, 3]) + bytes(26))
    for bit in range(8):
        with pytest.raises(ValueError, match="drops slots"):
            open_window(parent, 0xFF ^ 1 << bit)


def test_determinism_from_any_state() -> None:
    for seed in range(12):
        given_case = case(random.Random(seed))
        runs = []
        for _ in range(2):
            state = given_case.state.copy()
            runs.append(run_window(given_case.ctx, state, 8, given_case.records.__getitem__))
        assert runs[0] == runs[1]


@given(st.integers(1, 40), st.integers(0, 2**32 - 1), st.integers(0, 9))
def test_witnesses_open_the_sampled_records(length: int, first: int, steps: int) -> None:
    words = list(range(1000, 1000 + length))
    ctx = context(Source.PRIVATE, words)
    data = witnesses(ctx, first, steps, words)
    each = 32 * (1 + merkle.depth(length))
    assert len(data) == steps * each
    for offset in range(steps):
        parts = [data[i : i + 32] for i in range(offset * each, (offset + 1) * each, 32)]
        index = sample_index(ctx, (first + offset) % 2**32)
        word = int.from_bytes(parts[0], "big")
        assert word == words[index]
        assert merkle.verify(ctx.records_root, length, index, word, parts[1:])
    assert witnesses(context(Source.CURRICULUM), first, steps, words) == b""


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"heads": 2}, "heads is 2"),
        ({"lr_shift": 2}, "lr_shift is 2"),
        ({"lr_shift": 16}, "lr_shift is 16"),
        ({"source": Source.BATTLE}, "at least one record"),
    ],
)
def test_contexts_out_of_range(change: dict[str, int], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        replace(context(Source.CURRICULUM), **change)  # type: ignore[arg-type]


def test_records_must_be_given() -> None:
    ctx = context(Source.PRIVATE)
    with pytest.raises(ValueError, match="needs its records"):
        step_window(ctx, opened(ctx))


@given(st.integers(0, 200))
def test_schedule(epoch: int) -> None:
    schedule = Schedule()
    assert schedule.heads(epoch) == (1 if epoch < 3 else 3 if epoch < 6 else 7)
    shift = 9 if epoch < 12 else min(13, 9 + (epoch - 12) // 4)
    assert schedule.lr_shift(epoch) == shift


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        (Rules, {"damage_k": 0}),
        (Rules, {"damage_k": 2185}),
        (Rules, {"block_cap": 128}),
        (Rules, {"hazard_stamina": 16}),
        (Rules, {"crit_odds": 0}),
        (Rules, {"max_turns": 255}),
        (Schedule, {"epoch_windows": 0}),
        (Schedule, {"lr_base": 2}),
        (Schedule, {"lr_base": 14}),
        (Schedule, {"lr_max": 16}),
        (Schedule, {"lr_epochs_per_decay": 0}),
    ],
)
def test_constants_out_of_range(kind: type[Rules] | type[Schedule], change: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))):
        kind(**change)
