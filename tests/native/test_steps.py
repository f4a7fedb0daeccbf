"""The compiled kernel steps like the NumPy kernel, to the bit, on all of its code paths."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from chainbeasts.backend.graph_cache.build import build
from chainbeasts.backend.graph_cache.targets import Target, portable_target, vector_targets
from chainbeasts.backend.kernel.native.abi import NativeKernel
from chainbeasts.backend.kernel.native.graph import Graph
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.state import State
from chainbeasts.backend.kernel.traces import Traces
from chainbeasts.backend.kernel.window import learn, step_window
from tests.conftest import NIGHTLY
from tests.support.states import Case, case

MASKS = range(256) if NIGHTLY else (0x00, 0x0F, 0x31, 0x9A, 0xE4, 0xFF)
TARGETS = tuple({target.name: target for target in (*vector_targets(), portable_target())}.values())
CASES = 24
STEPS = 8


@pytest.fixture(scope="module", params=TARGETS, ids=lambda target: str(target.name))
def target(request: pytest.FixtureRequest) -> Target:
    found: Target = request.param
    return found


@pytest.fixture(params=MASKS, ids=hex)
def kernel(request: pytest.FixtureRequest, target: Target) -> NativeKernel:
    return build(Graph(request.param), target=target).kernel


def hostile(seed: str, mask: int) -> Case:
    """A state and context from anywhere, with slots awake that a kernel is compiled for: all of
    them every other time, else some."""
    rng = random.Random(seed)
    found = case(rng)
    found.state.update(active_mask=mask & rng.choice((0xFF, rng.getrandbits(8))))
    return found


def test_steps_from_any_state_agree(kernel: NativeKernel) -> None:
    mask = kernel.graph.active_mask
    seen = set()
    for number in range(CASES):
        given = hostile(f"{mask}/{number}", mask)
        ctx, wanted, found = given.ctx, given.state.copy(), given.state.copy()
        steps = [step_window(ctx, wanted, given.records.__getitem__) for _ in range(STEPS)]
        traces = kernel.run(ctx, found, STEPS, tuple(given.records), traced=True)
        assert traces is not None
        assert np.array_equal(traces.rows, Traces.of(steps).rows), number
        assert found.header == wanted.header, number
        assert np.array_equal(found.weights, wanted.weights), number
        seen |= {(ctx.source, step.null) for step in steps}
    assert seen >= {(source, False) for source in Source}
    assert any(null for _, null in seen)


def test_every_learning_rate_and_head_set_agrees(kernel: NativeKernel) -> None:
    mask = kernel.graph.active_mask
    for lr_shift in range(3, 16):
        for heads in (1, 3, 7):
            given = hostile(f"{mask}/{lr_shift}/{heads}", mask)
            ctx = replace(given.ctx, lr_shift=lr_shift, heads=heads)
            wanted, found = given.state.copy(), given.state.copy()
            for _ in range(2):
                step_window(ctx, wanted, given.records.__getitem__)
            kernel.run(ctx, found, 2, tuple(given.records))
            assert found.header == wanted.header
            assert np.array_equal(found.weights, wanted.weights)


def test_given_words_are_learned_in_order(kernel: NativeKernel) -> None:
    given = hostile(f"words {kernel.graph.active_mask}", kernel.graph.active_mask)
    ctx = replace(given.ctx, source=Source.CURRICULUM)
    wanted, found = given.state.copy(), given.state.copy()
    steps = [learn(ctx, wanted, word) for word in given.records]
    traces = kernel.learn(ctx, found, given.records, traced=True)
    assert traces is not None
    assert np.array_equal(traces.rows, Traces.of(steps).rows)
    assert found.header == wanted.header
    assert np.array_equal(found.weights, wanted.weights)


def test_what_c_relies_on_is_checked(target: Target) -> None:
    kernel = build(Graph(0xFF), target=target).kernel
    given = hostile("checks", 0xFF)
    reads = replace(given.ctx, source=Source.BATTLE, records_length=3)
    words = (given.records * 3)[:3]
    few = build(Graph(0x31), target=target).kernel
    for other in (0x33, 0xFF):
        grown = given.state.copy()
        grown.update(active_mask=other)
        with pytest.raises(ValueError, match=f"mask {other:#04x} on the kernel of 0x31"):
            few.run(reads, grown, 1, words)
    with pytest.raises(ValueError, match="needs its records"):
        kernel.run(reads, given.state.copy(), 1)
    with pytest.raises(ValueError, match="2 records given"):
        kernel.run(reads, given.state.copy(), 1, words[:2])
    with pytest.raises(ValueError, match="self-play"):
        kernel.learn(replace(reads, source=Source.SELF_PLAY), given.state.copy(), words)
    for weights in (given.state.weights.astype(np.int32), given.state.weights[:-1]):
        with pytest.raises(ValueError, match="int16"):
            kernel.run(reads, State(given.state.header, weights), 1, words)  # type: ignore[arg-type]
