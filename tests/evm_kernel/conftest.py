"""One private chain with the Solidity kernel for this test process."""

from __future__ import annotations

from typing import Any

import pytest
from web3.contract import Contract

from chainbeasts.backend.chain.anvil import Anvil
from chainbeasts.backend.chain.client import read
from chainbeasts.backend.chain.evm_kernel import CALL_GAS, EvmKernel
from chainbeasts.backend.chain.types import header_to_abi
from chainbeasts.backend.kernel.board import is_valid
from chainbeasts.backend.kernel.row_opening import open_pass
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.state import State, state_hash
from tests.conftest import NIGHTLY

NOTHING = (0, 0, b"", [])
"""Opened for a word that nobody acts on."""

# Another EVM has to be installed for these.
collect_ignore = [] if NIGHTLY else ["test_second_evm.py"]


@pytest.fixture(scope="session")
def evm(anvil_process: Anvil) -> EvmKernel:
    """The referee and the inspector, deployed for real."""
    return EvmKernel(anvil_process.url)


class Judge:
    """MatchReferee behind the types of ``backend.kernel``."""

    def __init__(self, contract: Contract, url: str) -> None:
        self.contract = contract
        self._url = url

    def ask(self, name: str, *args: Any) -> Any:
        function = self.contract.functions[name](*args)
        return read(lambda: function.call({"gas": CALL_GAS}), self._url)

    def next_word(self, state: State, at: int, seed: int, season: Rules, **changes: Any) -> int:
        values = {
            "expected": state_hash(state),
            "header": header_to_abi(state.header),
            "opening": NOTHING if not is_valid(at) else open_pass(state, at).to_abi(),
            "word": at,
            "seed": seed,
            "rules": season.values(),
        }
        return int(self.ask("nextWord", *(values | changes).values()))


@pytest.fixture(scope="session")
def judge(evm: EvmKernel, anvil_process: Anvil) -> Judge:
    """The judge of matches on that chain."""
    return Judge(evm.match_referee, anvil_process.url)
