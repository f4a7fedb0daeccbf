"""Reads that daemons make thousands of, without web3's way through all of an ABI and every value.

web3 validates a contract's whole ABI, and walks over each argument and each field of an answer
several times, in every call: two thirds of what a read costs. A ``ContractFunction`` knows its own
ABI entry and selector, the types of our arguments are checked by mypy, and the shapes of answers by
``answers``. So eth-abi encodes and decodes here, and headers are read from their hex.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError, EncodingError
from eth_abi.grammar import ABIType, BasicType, TupleType, parse
from eth_utils.abi import get_abi_input_types, get_abi_output_types
from eth_utils.address import to_checksum_address
from hexbytes import HexBytes
from web3 import Web3
from web3._utils.error_formatters_utils import raise_contract_logic_error_on_revert
from web3.contract.contract import ContractFunction
from web3.exceptions import BadFunctionCallOutput, BlockNotFound, ContractLogicError, Web3Exception
from web3.types import BlockIdentifier, RPCEndpoint, RPCResponse, TxParams

BY_HASH, BY_NUMBER = RPCEndpoint("eth_getBlockByHash"), RPCEndpoint("eth_getBlockByNumber")
CALL, ESTIMATE = RPCEndpoint("eth_call"), RPCEndpoint("eth_estimateGas")
COUNT = RPCEndpoint("eth_getTransactionCount")


@dataclass(frozen=True, slots=True)
class Block:
    """What a reader needs of a block header; ``timestamp`` in seconds.

    Attributes:
        logs_bloom: 2,048 bits that tell which contracts may have logs in the block.
        base_fee: wei per gas; None where the node leaves it out.
    """

    number: int
    hash: bytes
    parent_hash: bytes
    timestamp: int
    logs_bloom: bytes = b""
    base_fee: int | None = None


def read_block(w3: Web3, which: BlockIdentifier) -> Block:
    """The header of a block that is on a chain.

    Args:
        which: its number or hash, or a tag.

    Raises:
        BlockNotFound: the node does not have it.
    """
    if isinstance(which, (bytes, bytearray)):
        method, named = BY_HASH, "0x" + bytes(which).hex()
    else:
        method, named = BY_NUMBER, which if isinstance(which, str) else hex(which)
    found = w3.manager.request_blocking(method, [named, False])
    if found is None or found["number"] is None:
        raise BlockNotFound(f"Block {named} is not there.")
    fee = found.get("baseFeePerGas")
    return Block(
        int(found["number"], 16),
        bytes.fromhex(found["hash"][2:]),
        bytes.fromhex(found["parentHash"][2:]),
        int(found["timestamp"], 16),
        bytes.fromhex(found.get("logsBloom", "0x")[2:]),
        None if fee is None else int(fee, 16),
    )


def as_json(value: Any) -> Any:
    """A parameter as nodes take it: numbers and bytes as hex."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    return hex(value) if isinstance(value, int) else value


def _as_call(sent: TxParams) -> dict[str, Any]:
    return {name: as_json(value) for name, value in sent.items()}


def eth_call(w3: Web3, sent: TxParams, block: BlockIdentifier = "latest") -> bytes:
    """What a call returns.

    Raises:
        ContractLogicError: it reverts; with the contract's data.
    """
    asked = [_as_call(sent), as_json(block)]
    return bytes.fromhex(_ask(w3, CALL, asked)[2:])


def estimate_gas(w3: Web3, sent: TxParams) -> int:
    """The gas that a transaction needs after the newest block.

    The block is said: without it some nodes count what is pending in, which may be replaced.

    Raises:
        ContractLogicError: it reverts; with the contract's data.
    """
    return int(_ask(w3, ESTIMATE, [_as_call(sent), "latest"]), 16)


def transaction_count(w3: Web3, address: str, block: BlockIdentifier = "latest") -> int:
    """Transactions that an account has made."""
    return int(str(w3.manager.request_blocking(COUNT, [address, as_json(block)])), 16)


def _ask(w3: Web3, method: RPCEndpoint, params: list[Any]) -> str:
    # A hex number or bytes: ``answers`` has looked at it.
    found = w3.manager.request_blocking(method, params, _raise_refusal)
    return str(found)


def _raise_refusal(response: RPCResponse) -> RPCResponse:
    """As web3 does, which knows neither all panics nor lookups that are cut off.

    Raises:
        ContractLogicError: the call reverts, by whatever data.
    """
    try:
        return raise_contract_logic_error_on_revert(response)
    except Web3Exception:
        raise
    except Exception:
        error: Any = response["error"]
        raise ContractLogicError(error["message"], data=error.get("data")) from None


def call_data(function: ContractFunction) -> bytes:
    """The selector and arguments of a contract function's call."""
    try:
        arguments = encode(get_abi_input_types(function.abi), function.args)
    except EncodingError:  # hex for bytes, perhaps, which web3 takes; or it says what is wrong
        return bytes(HexBytes(function._encode_transaction_data()))
    return bytes(HexBytes(function.selector) + arguments)


def with_call(function: ContractFunction, sent: TxParams) -> TxParams:
    """What is sent, as a transaction that calls a contract function."""
    return cast(TxParams, {**sent, "to": function.address, "data": HexBytes(call_data(function))})


def call_view(
    function: ContractFunction, sent: TxParams | None = None, block: BlockIdentifier = "latest"
) -> Any:
    """The result of a contract function's ``eth_call``; a tuple if it has several.

    Args:
        sent: who calls, with which gas and how many wei; nobody with none if None.

    Raises:
        BadFunctionCallOutput: what came back does not have the types of the result: there is no
            such contract in that block.
    """
    data = eth_call(function.w3, with_call(function, sent or {}), block)
    types = get_abi_output_types(function.abi)
    try:
        values = decode(types, data)
    except (DecodingError, OverflowError, ValueError):
        name = function.abi["name"]
        raise BadFunctionCallOutput(f"{name} gave {len(data)} bytes") from None
    if any("address" in one for one in types):
        pairs = zip(types, values, strict=True)
        values = tuple(_checksummed(parse(one), value) for one, value in pairs)
    return values[0] if len(values) == 1 else values


def _checksummed(kind: ABIType, value: Any) -> Any:
    """A value whose addresses are written with their checksums, which eth-abi leaves out."""
    if kind.is_array:
        return [_checksummed(kind.item_type, one) for one in value]
    if isinstance(kind, TupleType):
        pairs = zip(kind.components, value, strict=True)
        return tuple(_checksummed(part, one) for part, one in pairs)
    is_address = isinstance(kind, BasicType) and kind.base == "address"
    return to_checksum_address(value) if is_address else value
