"""The published vectors hold in the EVM too, asked by the same code (K15)."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from chainbeasts.backend.chain.anvil import Anvil
from chainbeasts.backend.chain.evm_vectors import EvmVectors
from chainbeasts.backend.kernel.vector_check import check_case
from chainbeasts.backend.kernel.vector_fields import read_document
from chainbeasts.backend.kernel.vectors import KINDS

FOLDER = Path(__file__).parents[2] / "docs" / "spec" / "vectors"


@pytest.fixture(scope="module")
def kernel(anvil_process: Anvil) -> EvmVectors:
    return EvmVectors(anvil_process.url)


@pytest.mark.parametrize("kind", KINDS)
def test_published_vectors_hold(kernel: EvmVectors, kind: str) -> None:
    _, cases = read_document(FOLDER / f"{kind}.json", KINDS)
    found = [check_case(kernel, kind, case, number) for number, case in enumerate(cases)]
    assert found == [[]] * len(cases)


def test_segment_changed_by_one_bit_is_found(kernel: EvmVectors) -> None:
    """Only the forged segment is named, and the loss stays known."""
    _, cases = read_document(FOLDER / "windows.json", KINDS)
    forged = copy.deepcopy(dict(cases[-1]))
    h = forged["windows"][0]["segments"][6]
    forged["windows"][0]["segments"][6] = h[:-1] + ("0" if h[-1] == "1" else "1")
    assert [m.field for m in check_case(kernel, "windows", forged)] == ["windows[0].segments[6]"]
