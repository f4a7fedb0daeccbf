"""Contracts on a chain of the tests': how they are called, what they refuse with, and its clock."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import pytest
from eth_abi.abi import decode
from web3 import Web3
from web3.contract import Contract
from web3.exceptions import ContractCustomError, ContractLogicError, ContractPanicError
from web3.types import RPCEndpoint

from chainbeasts.backend.chain.receipts import read_receipt
from chainbeasts.backend.chain.views import as_json, call_view, with_call
from tests.support.artifacts import Artifacts
from tests.support.history import forget
from tests.support.patience import PATIENCE
from tests.support.quick import QuickContract, decoded
from tests.support.snapshots import settled

GAS = 16_777_216
SEND = RPCEndpoint("eth_sendTransaction")


def mined(w3: Web3, tx: bytes | str) -> Any:
    """The receipt of a transaction, waited for; web3's own way takes longer than the node."""
    deadline = time.monotonic() + PATIENCE
    while (receipt := read_receipt(w3, tx)) is None:
        assert time.monotonic() < deadline, f"{tx!r} is not mined"
        time.sleep(0.01)
    return receipt


class RevertedError(Exception):
    """A transaction or call that failed, with its decoded custom error."""

    def __init__(self, name: str, args: tuple[Any, ...] = ()) -> None:
        super().__init__(f"{name}{args}")
        self.name = name
        self.values = args


@dataclass
class OnChain:
    """Contracts by the names that tests give them."""

    w3: Web3
    artifacts: Artifacts
    accounts: list[str]
    contracts: dict[str, Contract] = field(default_factory=dict)
    gas_spent: dict[str, int] = field(default_factory=dict)
    """Wei that each account has paid for gas."""

    def addresses(self, *names: str) -> list[str]:
        return [self.contracts[name].address for name in names]

    def create(self, name: str, *args: Any, sender: str | None = None) -> Contract:
        artifact = self.artifacts[name]
        factory = self.w3.eth.contract(abi=artifact.abi, bytecode=artifact.bytecode)
        receipt = self.send(factory.constructor(*args), sender or self.accounts[0])
        return self.at(name, receipt["contractAddress"])

    def at(self, name: str, address: str) -> Contract:
        to = self.w3.to_checksum_address(address)
        return QuickContract(self.w3, to, self.artifacts[name].abi)

    def __getattr__(self, name: str) -> Contract:
        try:
            found: Contract = self.__dict__["contracts"][name]
        except KeyError:
            raise AttributeError(name) from None
        return found

    # --- transactions and errors --------------------------------------------------------------

    def send(self, call: Any, sender: str, value: int = 0, price: int = 10**11) -> Any:
        """Mine `call`; raises RevertedError with the decoded error if it failed.

        Args:
            value: wei sent along.
            price: wei paid for a gas.
        """
        sent: Any = {"from": sender, "gas": GAS, "gasPrice": price, "value": value}
        # A constructor has its own way; for a function web3's is too slow for thousands of them.
        tx = self._transact(call, sent) if hasattr(call, "selector") else call.transact(sent)
        receipt = mined(self.w3, tx)
        cost = receipt["gasUsed"] * receipt["effectiveGasPrice"]
        self.gas_spent[sender] = self.gas_spent.get(sender, 0) + cost
        if receipt["status"] != 1:
            self.call(call, sender, value)
            raise RevertedError("unknown: the same call succeeds")
        return receipt

    def _transact(self, call: Any, sent: Any) -> Any:
        made: Any = {name: as_json(value) for name, value in with_call(call, sent).items()}
        return self.w3.manager.request_blocking(SEND, [made])

    def call(self, call: Any, sender: str, value: int = 0) -> Any:
        """eth_call; raises RevertedError with the decoded error."""
        try:
            sent: Any = {"from": sender, "gas": GAS, "value": value}
            return call_view(call, sent)
        except ContractCustomError as error:
            raise self.decode_error(str(error.data)) from None
        except ContractPanicError as error:
            raise RevertedError("Panic", (str(error),)) from None
        except ContractLogicError as error:
            raise RevertedError("Error", (str(error),)) from None

    def decode_error(self, data: str) -> RevertedError:
        raw = bytes.fromhex(data.removeprefix("0x"))
        for signature, types in self.artifacts.errors.get(raw[:4], []):
            return RevertedError(signature, tuple(decode(types, raw[4:])))
        return RevertedError("unknown " + data)

    def reverts(self, call: Any, sender: str, name: str, *values: Any, value: int = 0) -> None:
        """Assert that `call` fails with the custom error `name` (and its values, if given).

        Args:
            value: wei sent along.
        """
        with pytest.raises(RevertedError) as caught:
            self.call(call, sender, value)
        error = caught.value
        assert error.name == name, f"expected {name}, got {error}"
        if values:
            expected, actual = (
                tuple(v.lower() if isinstance(v, str) else v for v in found)
                for found in (values, error.values)
            )
            assert actual == expected, f"{name}: expected {expected}, got {actual}"

    def logs(self, contract: str, event: str, receipt: Any) -> list[dict[str, Any]]:
        found = self.contracts[contract]
        entries = [log for log in receipt["logs"] if log["address"] == found.address]
        known = [one for log in entries if (one := decoded(found, log)) is not None]
        return [args for name, args in known if name == event]

    # --- time ---------------------------------------------------------------------------------

    def rpc(self, method: str, *params: Any) -> Any:
        return self.w3.provider.make_request(method, list(params))["result"]  # type: ignore[arg-type]

    def now(self) -> int:
        return int(self.w3.eth.get_block("latest")["timestamp"])

    def mine(self, blocks: int = 1) -> None:
        settled(self.rpc)  # or Anvil might take the last block's transactions for the next one's
        self.rpc("anvil_mine", hex(blocks))

    def travel(self, seconds: int) -> None:
        """Mine a block that many seconds after the last one."""
        self.travel_to(self.now() + seconds)

    def travel_to(self, timestamp: int) -> None:
        self.rpc("evm_setNextBlockTimestamp", hex(timestamp))
        self.mine()

    def call_in(self, block: int, call: Any, sender: str) -> Any:
        """eth_call as if it were in that block; the answer's hex."""
        answer = self._ask_in(block, call, sender)
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def refused_in(self, block: int, call: Any, sender: str) -> RevertedError:
        """The decoded error of an eth_call as if it were in that block."""
        return self.decode_error(str(self._ask_in(block, call, sender)["error"]["data"]))

    def _ask_in(self, block: int, call: Any, sender: str) -> Any:
        message = {"from": sender, "to": call.address, "data": call._encode_transaction_data()}
        asked: Any = [message, "latest", {}, {"number": hex(block)}]
        return self.w3.provider.make_request("eth_call", asked)  # type: ignore[arg-type]

    def forget(self, block: int) -> None:
        """Bring the chain to where it knows the hash of a block no longer."""
        forget(self.rpc, block)
