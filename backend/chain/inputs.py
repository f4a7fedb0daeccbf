"""What strangers' calldata says, as a contract's own decoder reads it."""

from __future__ import annotations

from typing import Any

from eth_abi.codec import ABICodec
from eth_abi.exceptions import DecodingError, EncodingError
from eth_abi.registry import registry
from eth_utils.abi import get_abi_input_types
from hexbytes import HexBytes
from web3.contract import Contract
from web3.exceptions import Web3Exception

SELECTOR_BYTES = 4

_CODEC = ABICodec(registry)


def decode_input(interface: Contract, data: bytes) -> tuple[str, dict[str, Any]] | None:
    """The function that calldata calls, and its arguments; None if the contract has none such, or
    could not read them.

    Solidity asks neither that the end of a byte string be padded nor that its padding be zero, so
    whoever must not be understood could leave that out.
    """
    try:
        function = interface.get_function_by_selector(HexBytes(data[:SELECTOR_BYTES]))
        types = get_abi_input_types(function.abi)
        given = _CODEC.decode(types, data[SELECTOR_BYTES:], strict=False)
        plain = data[:SELECTOR_BYTES] + _CODEC.encode(types, given)
        _, arguments = interface.decode_function_input(HexBytes(plain))
    # A length beyond all memory overflows.
    except (ValueError, OverflowError, DecodingError, EncodingError, Web3Exception):
        return None
    return str(function.fn_name), arguments
