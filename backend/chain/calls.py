"""Calldata of the deployment's contracts in words: which function of which contract, with what.

What is not theirs stays raw, and is marked so: a guess from four bytes of selector could call a
theft by a harmless name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from eth_hash.auto import keccak
from hexbytes import HexBytes
from web3 import Web3
from web3.contract import Contract

from chainbeasts.backend.chain.amounts import show_coin, show_energy, show_span
from chainbeasts.backend.chain.compile import artifact
from chainbeasts.backend.chain.inputs import SELECTOR_BYTES, decode_input

ROLES = {
    bytes(32): "DEFAULT_ADMIN_ROLE",
    **{
        bytes(keccak(name.encode())): name
        for name in ("MINTER_ROLE", "PROPOSER_ROLE", "EXECUTOR_ROLE", "CANCELLER_ROLE")
    },
}
"""Roles of ENERGY and of the timelock, by the number that calls name them with."""

SEASON = "a whole season"
_SPANS = ("newDelay", "delay", "duration")
_AMOUNTS = ("amount", "value", "wad")


@dataclass(frozen=True, slots=True)
class Argument:
    """One value of a call; ``shown`` is how people read it."""

    name: str
    type: str
    shown: str


@dataclass(frozen=True, slots=True)
class DecodedCall:
    """A call as far as it is understood.

    Attributes:
        contract: the target's name in the deployment; None if it is none of its contracts.
        function: None if the target has no such function, or is not ours.
        arguments: of that function; none are known without it.
    """

    contract: str | None
    function: str | None
    arguments: tuple[Argument, ...] = ()

    @property
    def known(self) -> bool:
        """Whether it says what the call does."""
        return self.function is not None

    def __str__(self) -> str:
        values = ", ".join(f"{one.name} = {one.shown}" for one in self.arguments)
        return f"{self.contract}.{self.function}({values})"


def decode_call(addresses: Mapping[str, str], target: str, data: bytes) -> DecodedCall:
    """What a call to a target does.

    Args:
        addresses: the deployment's contracts.
    """
    names = {address.lower(): name for name, address in addresses.items()}
    contract = names.get(target.lower())
    if contract is None:
        return DecodedCall(None, None)
    interface = _interface(contract)
    found = decode_input(interface, data)
    if found is None:
        return DecodedCall(contract, None)
    function, values = found
    abi = interface.get_function_by_selector(HexBytes(data[:SELECTOR_BYTES])).abi
    types = {one["name"]: one["type"] for one in abi["inputs"]}
    arguments = tuple(
        Argument(name, str(types[name]), _show(names, contract, function, name, value))
        for name, value in values.items()
    )
    return DecodedCall(contract, function, arguments)


@cache
def _interface(contract: str) -> Contract:
    """A contract's interface, without an address."""
    return Web3().eth.contract(abi=artifact(contract).abi)  # type: ignore[return-value]


def _show(names: Mapping[str, str], contract: str, function: str, name: str, value: Any) -> str:
    if (contract, function) == ("SeasonRegistry", "addSeason"):
        return SEASON
    if isinstance(value, bytes):
        return ROLES.get(value, "0x" + value.hex()) if len(value) == 32 else "0x" + value.hex()
    if isinstance(value, str) and value.startswith("0x"):
        ours = names.get(value.lower())
        return value if ours is None else f"{ours} ({value})"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return _show_number(contract, name, value)
    if isinstance(value, list | tuple):
        return ", ".join(_show(names, contract, function, name, one) for one in value)
    return str(value)


def _show_number(contract: str, name: str, value: int) -> str:
    if name in _SPANS:
        return show_span(value)
    if name in _AMOUNTS and contract == "Energy":
        return show_energy(value)
    if name in _AMOUNTS:
        return show_coin(value)
    return str(value)
