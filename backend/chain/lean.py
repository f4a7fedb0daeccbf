"""web3's contract without its search through the whole ABI, at construction and in each call.

web3 makes a class of each function and event when a contract is made, four times over, and for each
call looks among all functions for one that its arguments can be encoded for. A command of a second
spent a tenth of it there. Functions are made here when they are asked for; those that are
overloaded, or called by the names of arguments, still go web3's way.
"""

from __future__ import annotations

import copy
from functools import cache, cached_property
from typing import Any, Self

from eth_typing import ChecksumAddress, HexStr
from eth_utils.abi import abi_to_signature, function_signature_to_4byte_selector
from eth_utils.hexadecimal import encode_hex
from web3 import Web3
from web3.contract import Contract
from web3.contract.base_contract import BaseContractFunctions
from web3.contract.contract import ContractEvents, ContractFunction


class LeanFunction(ContractFunction):
    """A function of a contract; called, it is bound to its arguments.

    Attributes:
        alone: whether no other one of the contract has its name.
    """

    alone: bool = False

    def __call__(self, *args: Any, **kwargs: Any) -> Self:
        if kwargs or not self.alone or len(args) != len(self.abi["inputs"]):
            return super().__call__(*args, **kwargs)
        bound = copy.copy(self)
        bound.args, bound.kwargs, bound.arguments = args, {}, args
        bound.selector = _selector(self.signature)
        return bound


class LeanFunctions:
    """The functions of a contract, each made when it is asked for."""

    def __init__(self, contract: LeanContract) -> None:
        self._contract = contract

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = self.__dict__[name] = self._made(name)
        return found

    def __getitem__(self, name: str) -> Any:
        return getattr(self, name)

    def _made(self, name: str) -> Any:
        one = self._contract
        named = [entry for entry in one.abi if entry.get("name") == name]
        if len(named) != 1 or named[0]["type"] != "function":  # overloaded, or none: web3 says so
            every = BaseContractFunctions(one.abi, one.w3, one.function_class, one.address)
            return getattr(every, name)
        (entry,) = named
        return one.function_class.factory(
            abi_to_signature(entry),
            w3=one.w3,
            contract_abi=one.abi,
            address=one.address,
            decode_tuples=False,
            abi=entry,
            alone=True,
        )


class LeanContract(Contract):
    """A contract at an address."""

    function_class: type[LeanFunction] = LeanFunction

    def __init__(self, w3: Web3, address: ChecksumAddress, abi: Any) -> None:
        self.w3, self.address, self.abi = w3, address, abi
        self.functions = LeanFunctions(self)  # type: ignore[assignment]

    @cached_property
    def events(self) -> ContractEvents:  # type: ignore[override]
        """The contract's events."""
        return ContractEvents(self.abi, self.w3, self.address)


@cache
def _selector(signature: str) -> HexStr:
    return encode_hex(function_signature_to_4byte_selector(signature))
