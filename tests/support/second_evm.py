"""The kernel's contracts in EthereumJS's EVM, which shares no code with Anvil's."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from eth_utils.abi import collapse_if_tuple
from web3 import Web3
from web3.contract import Contract

from chainbeasts.backend.chain.compile import artifact
from chainbeasts.backend.chain.errors import decode_revert
from chainbeasts.backend.chain.evm_vectors import EvmVectors
from tests.support.patience import PATIENCE
from tests.support.second_node import install


class SecondEvm(EvmVectors):
    """The same kernel, each call executed by a Node.js child instead of a node. Close it."""

    def __init__(self) -> None:
        self._anvil = None
        self._url = ""
        self.w3 = Web3()
        node, folder = install()
        self._child = subprocess.Popen(
            [str(node), str(folder / "evm.js")],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.gas: list[int] = []
        self.referee = self._deploy("StepReferee")
        self.inspector = self._deploy("KernelInspector")
        self.match_referee = self._deploy("MatchReferee")

    def _ask(self, **request: str) -> dict[str, Any]:
        given, answers = self._child.stdin, self._child.stdout
        assert given is not None
        assert answers is not None
        given.write(json.dumps(request) + "\n")
        given.flush()
        answer: dict[str, Any] = json.loads(answers.readline())
        return answer

    def _deploy(self, name: str) -> Contract:
        code = artifact(name)
        made = self._ask(create="0x" + code.bytecode.hex())
        assert "error" not in made, made
        address = Web3.to_checksum_address(made["address"])
        return self.w3.eth.contract(address=address, abi=code.abi)

    def _call(self, function: Any) -> Any:
        answer = self._ask(to=function.address, data=function._encode_transaction_data())
        returned = bytes.fromhex(answer["result"][2:])
        if "error" in answer:
            raise decode_revert(returned)
        self.gas.append(int(answer["gas"]))
        return self._decoded(function.abi, returned)

    def _decoded(self, abi: Any, returned: bytes) -> Any:
        types = [str(collapse_if_tuple(dict(output))) for output in abi["outputs"]]
        values = self.w3.codec.decode(types, returned)
        return values[0] if len(values) == 1 else values

    def close(self) -> None:
        """End the child: its input ends."""
        self._child.communicate(timeout=PATIENCE)
