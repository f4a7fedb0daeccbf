"""A mask's kernel in two tiers: nothing is compiled for a graph before that pays."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from chainbeasts.backend.graph_cache import tiered as tiers
from chainbeasts.backend.graph_cache.build import Built, build
from chainbeasts.backend.graph_cache.compilers import CompilerError
from chainbeasts.backend.graph_cache.objects import ObjectCache
from chainbeasts.backend.graph_cache.tiered import EVERY_SLOT, TieredKernel, tiered
from chainbeasts.backend.kernel.constants import WINDOW_STEPS
from chainbeasts.backend.kernel.native.abi import NativeKernel
from chainbeasts.backend.kernel.native.graph import Graph
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.state import encode_state
from tests.support.states import Case, case

MASK = 0x31


def given(seed: str, mask: int = MASK) -> Case:
    found = case(random.Random(seed))
    found.state.update(active_mask=mask)
    ctx = replace(found.ctx, source=Source.CURRICULUM)
    return replace(found, ctx=ctx)


@pytest.fixture(scope="module")
def every() -> NativeKernel:
    return build(Graph(EVERY_SLOT)).kernel


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[Graph]:
    """Which graphs were compiled, by objects of the shared cache all the same."""
    asked: list[Graph] = []

    def note(graph: Graph) -> Built:
        asked.append(graph)
        return build(graph)

    monkeypatch.setattr(tiers, "build", note)
    return asked


def test_a_new_graph_is_served_by_the_object_of_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, every: NativeKernel
) -> None:
    monkeypatch.setenv("HARMONICS_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(tiers, "build", lambda graph: Built(every, None, compiled=False))
    kernel = tiered(MASK)
    assert isinstance(kernel, TieredKernel)
    assert kernel.graph == Graph(MASK)
    assert ObjectCache().all() == []


def test_a_graph_that_has_its_own_object_is_served_by_it() -> None:
    build(Graph(MASK))
    kernel = tiered(MASK)
    assert isinstance(kernel, NativeKernel)
    assert kernel.graph == Graph(MASK)


def test_a_graph_has_its_own_object_once_that_pays(
    every: NativeKernel, compiled: list[Graph]
) -> None:
    """With the same bits before and after."""
    kernel = TieredKernel(every, Graph(MASK), worth=3)
    found, wanted = given("pays"), given("pays")
    reference = build(Graph(MASK)).kernel
    for window in range(5):
        kernel.run(found.ctx, found.state)
        reference.run(wanted.ctx, wanted.state)
        assert encode_state(found.state) == encode_state(wanted.state)
        assert compiled == [Graph(MASK)] * (window >= 2)


def test_words_count_by_the_step(every: NativeKernel, compiled: list[Graph]) -> None:
    kernel, one = TieredKernel(every, Graph(MASK), worth=1), given("words")
    words = (one.records * WINDOW_STEPS)[: WINDOW_STEPS - 1]
    kernel.learn(one.ctx, one.state, words)
    assert compiled == []
    kernel.learn(one.ctx, one.state, words[:1])
    assert compiled == [Graph(MASK)]


def test_a_compiler_that_fails_is_asked_once(
    every: NativeKernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(graph: Graph) -> Built:
        raise CompilerError("cc is out of luck.")

    monkeypatch.setattr(tiers, "build", fail)
    kernel, found, wanted = TieredKernel(every, Graph(MASK), 1), given("luck"), given("luck")
    with capture_logs() as logs:
        for _ in range(3):
            kernel.run(found.ctx, found.state)
            every.run(wanted.ctx, wanted.state)
    assert np.array_equal(found.state.weights, wanted.state.weights)
    assert [entry["reason"] for entry in logs] == ["cc is out of luck."]


def test_a_state_of_another_graph_is_refused_by_both_tiers(every: NativeKernel) -> None:
    kernel, other = TieredKernel(every, Graph(MASK)), given("other", 0x33)
    with pytest.raises(ValueError, match="mask 0x33 on the kernel of 0x31"):
        kernel.run(other.ctx, other.state)
