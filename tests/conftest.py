"""Fixtures for all tests: hypothesis profiles and one real Anvil per test process."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from backend.chain.anvil import Anvil, rpc

NIGHTLY = os.environ.get("CHAINBEASTS_NIGHTLY") == "1"

settings.register_profile(
    "default",
    derandomize=True,
    deadline=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
settings.register_profile("nightly", settings.get_profile("default"), max_examples=1000)
settings.load_profile("nightly" if NIGHTLY else "default")


@pytest.fixture(scope="session")
def nightly() -> bool:
    """Whether the long settings are asked for (CHAINBEASTS_NIGHTLY=1)."""
    return NIGHTLY


@pytest.fixture(scope="session")
def anvil_process() -> Iterator[Anvil]:
    """One Anvil child for this test process, on a free port."""
    with Anvil() as child:
        yield child


@pytest.fixture
def anvil(anvil_process: Anvil) -> Iterator[Anvil]:
    """The process's Anvil; whatever the test does to the chain is undone after it."""
    snapshot = rpc(anvil_process.url, "evm_snapshot")
    yield anvil_process
    rpc(anvil_process.url, "evm_revert", snapshot)
