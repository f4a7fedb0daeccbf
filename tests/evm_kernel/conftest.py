"""One private chain with the Solidity kernel for this test process."""

from __future__ import annotations

import pytest

from backend.chain.anvil import Anvil
from backend.chain.evm_kernel import EvmKernel
from tests.conftest import NIGHTLY

# Another EVM has to be installed for these.
collect_ignore = [] if NIGHTLY else ["test_second_evm.py"]


@pytest.fixture(scope="session")
def evm(anvil_process: Anvil) -> EvmKernel:
    """The referee and the inspector, deployed for real."""
    return EvmKernel(anvil_process.url)
