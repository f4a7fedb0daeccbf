"""A mask's kernel in two tiers: nothing is compiled for a graph before that pays."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from chainbeasts.backend import kernels
from chainbeasts.backend.graph_cache import tiered as tiers
from chainbeasts.backend.graph_cache.build import Built, build
from chainbeasts.backend.graph_cache.compilers import CompilerError
from chainbeasts.backend.graph_cache.objects import ObjectCache
from chainbeasts.backend.graph_cache.tiered import EVERY_SLOT, WORTH_WINDOWS, Tiers, tiers_of
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
    assert tiers_of(MASK).kernel(1) is every
    assert ObjectCache().all() == []


def test_a_graph_that_has_its_own_object_is_served_by_it(compiled: list[Graph]) -> None:
    build(Graph(MASK))
    assert tiers_of(MASK).kernel(WORTH_WINDOWS).graph == Graph(MASK)
    assert compiled == []


def test_a_graph_has_its_own_object_once_that_pays(
    every: NativeKernel, compiled: list[Graph]
) -> None:
    """With the same bits before and after."""
    served, reference = Tiers(Graph(MASK), every, worth=3), build(Graph(MASK)).kernel
    found, wanted = given("pays"), given("pays")
    for window in range(5):
        served.kernel(1).run(found.ctx, found.state)
        reference.run(wanted.ctx, wanted.state)
        assert encode_state(found.state) == encode_state(wanted.state)
        assert compiled == [Graph(MASK)] * (window >= 2)


def test_windows_are_counted_by_whoever_asks_for_a_kernel(
    monkeypatch: pytest.MonkeyPatch, every: NativeKernel, compiled: list[Graph]
) -> None:
    served = Tiers(Graph(MASK), every, worth=72)
    monkeypatch.setattr(kernels, "_kernel", lambda *_: served)
    kernels.kernel_for(MASK, 70)
    kernels.kernel_for(MASK)
    assert compiled == []
    kernels.kernel_for(MASK)
    assert compiled == [Graph(MASK)]


def test_a_compiler_that_fails_is_asked_once(
    every: NativeKernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(graph: Graph) -> Built:
        raise CompilerError("cc is out of luck.")

    monkeypatch.setattr(tiers, "build", fail)
    served = Tiers(Graph(MASK), every, worth=1)
    with capture_logs() as logs:
        assert all(served.kernel(1) is every for _ in range(3))
    assert [entry["reason"] for entry in logs if "reason" in entry] == ["cc is out of luck."]
