"""Contracts as web3 has them, whose functions and events take a tenth of its time.

web3 looks a function up in the whole ABI for each call, tries whether its arguments can be encoded,
and walks over every value several times. Tests make tens of thousands of calls. What comes back is
the same, errors too: ``tests/contracts/test_quick.py`` compares.
"""

from __future__ import annotations

import copy
from functools import cache
from typing import Any, Self

from eth_abi.grammar import ABIType, TupleType, parse
from eth_utils.abi import (
    event_abi_to_log_topic,
    function_signature_to_4byte_selector,
    get_abi_output_types,
)
from hexbytes import HexBytes
from web3.contract import Contract
from web3.contract.base_contract import BaseContractFunctions
from web3.contract.contract import ContractEvents, ContractFunction

from chainbeasts.backend.chain.static_abi import StaticEvent
from chainbeasts.backend.chain.views import call_view


class QuickFunction(ContractFunction):
    """A function of a contract; one that is overloaded goes web3's way to its arguments."""

    def __call__(self, *args: Any, **kwargs: Any) -> Self:
        inputs = self.abi["inputs"]
        alone = sum(one.get("name") == self.fn_name for one in self.contract_abi) == 1
        if kwargs or len(args) != len(inputs) or not alone:
            return super().__call__(*args, **kwargs)
        bound = copy.copy(self)
        bound.args, bound.kwargs, bound.arguments = args, {}, args
        bound.selector = _selector(self.signature)
        return bound

    def call(self, *given: Any, **options: Any) -> Any:
        """The result of an ``eth_call``: structs as tuples, arrays as lists, as in web3."""
        known = dict(zip(("transaction", "block_identifier"), given, strict=False)) | options
        found = call_view(self, known.get("transaction"), known.get("block_identifier") or "latest")
        types = get_abi_output_types(self.abi)
        values = found if len(types) != 1 else (found,)
        listed = [_listed(parse(kind), one) for kind, one in zip(types, values, strict=True)]
        return listed[0] if len(listed) == 1 else listed


class QuickContract(Contract):
    """A contract with such functions."""

    def __init__(self, address: Any = None) -> None:
        self.address = address
        self.functions = BaseContractFunctions(  # type: ignore[assignment]
            self.abi, self.w3, QuickFunction, address
        )
        self.events = ContractEvents(self.abi, self.w3, address)


def decoded(contract: Contract, log: Any) -> tuple[str, dict[str, Any]] | None:
    """Name and values of one of a contract's events; None if the log is none of them."""
    known = _events(contract).get(bytes(log["topics"][0])) if log["topics"] else None
    if known is None:
        return None
    name, static = known
    args = static and static.args([bytes(topic) for topic in log["topics"]], bytes(log["data"]))
    return name, args or dict(contract.events[name]().process_log(log)["args"])


_known: dict[int, tuple[Any, dict[bytes, tuple[str, StaticEvent | None]]]] = {}
"""Events by the ABI's identity; the ABI is kept, so that no other one gets it."""


def _events(contract: Contract) -> dict[bytes, tuple[str, StaticEvent | None]]:
    abi = contract.abi
    if id(abi) not in _known:
        found = {
            bytes(event_abi_to_log_topic(entry)): (entry["name"], _static(entry))
            for entry in abi
            if entry["type"] == "event"
        }
        _known[id(abi)] = (abi, found)
    return _known[id(abi)][1]


def _static(entry: Any) -> StaticEvent | None:
    try:
        return StaticEvent(entry)
    except ValueError:
        return None


@cache
def _selector(signature: str) -> str:
    return HexBytes(function_signature_to_4byte_selector(signature)).to_0x_hex()


def _listed(kind: ABIType, value: Any) -> Any:
    if kind.is_array:
        return [_listed(kind.item_type, one) for one in value]
    if isinstance(kind, TupleType):
        pairs = zip(kind.components, value, strict=True)
        return tuple(_listed(part, one) for part, one in pairs)
    return value
