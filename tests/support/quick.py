"""Contracts as web3 has them, whose calls and events take a third of its time.

web3 walks over every value several times, and tests make tens of thousands of calls. What comes
back is the same, errors too: ``tests/contracts/test_quick.py`` compares.
"""

from __future__ import annotations

from typing import Any

from eth_abi.grammar import ABIType, TupleType, parse
from eth_utils.abi import (
    event_abi_to_log_topic,
    get_abi_output_types,
)
from web3.contract import Contract

from chainbeasts.backend.chain.lean import LeanContract, LeanFunction
from chainbeasts.backend.chain.static_abi import StaticEvent
from chainbeasts.backend.chain.views import call_view


class QuickFunction(LeanFunction):
    """A function whose results eth-abi decodes."""

    def call(self, *given: Any, **options: Any) -> Any:
        """The result of an ``eth_call``: structs as tuples, arrays as lists, as in web3."""
        known = dict(zip(("transaction", "block_identifier"), given, strict=False)) | options
        found = call_view(self, known.get("transaction"), known.get("block_identifier") or "latest")
        types = get_abi_output_types(self.abi)
        values = found if len(types) != 1 else (found,)
        listed = [_listed(parse(kind), one) for kind, one in zip(types, values, strict=True)]
        return listed[0] if len(listed) == 1 else listed


class QuickContract(LeanContract):
    """A contract with such functions."""

    function_class = QuickFunction


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


def _listed(kind: ABIType, value: Any) -> Any:
    if kind.is_array:
        return [_listed(kind.item_type, one) for one in value]
    if isinstance(kind, TupleType):
        pairs = zip(kind.components, value, strict=True)
        return tuple(_listed(part, one) for part, one in pairs)
    return value
