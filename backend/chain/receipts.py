"""Receipts and logs with web3's types, but without its walk over each of their values.

web3 looks at every field of every log through a dozen functions, which takes longer than the call
that brought them; ``answers`` has looked at their shapes already. So here they are read from their
hex. What web3 leaves as it came is left here, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from hexbytes import HexBytes
from web3 import Web3
from web3.types import LogReceipt, RPCEndpoint, TxReceipt

from chainbeasts.backend.chain.static_abi import checksummed
from chainbeasts.backend.chain.views import as_json

LOGS, RECEIPT = RPCEndpoint("eth_getLogs"), RPCEndpoint("eth_getTransactionReceipt")


def read_receipt(w3: Web3, tx_hash: bytes | str) -> TxReceipt | None:
    """The receipt of a transaction; None if the node shows none."""
    found = w3.manager.request_blocking(RECEIPT, [as_json(tx_hash)])
    return None if found is None else cast(TxReceipt, _read(found, _RECEIPT))


def read_logs(w3: Web3, wanted: Mapping[str, Any]) -> list[LogReceipt]:
    """The logs that a filter lets through."""
    asked = {name: as_json(value) for name, value in wanted.items()}
    found = w3.manager.request_blocking(LOGS, [asked])
    return [cast(LogReceipt, _read(log, _LOG)) for log in found]


def _number(value: Any) -> Any:
    return int(value, 16) if isinstance(value, str) else value


def _address(value: str) -> str:
    return checksummed(bytes.fromhex(value[2:]))


_Read = Mapping[str, Callable[[Any], Any]]

_LOG: _Read = {
    "address": _address,
    "topics": lambda topics: [HexBytes(topic) for topic in topics],
    "data": HexBytes,
    "blockHash": HexBytes,
    "blockNumber": _number,
    "transactionHash": HexBytes,
    "transactionIndex": _number,
    "logIndex": _number,
}
_RECEIPT: _Read = {
    "blockHash": HexBytes,
    "blockNumber": _number,
    "transactionHash": HexBytes,
    "transactionIndex": _number,
    "contractAddress": _address,
    "from": _address,
    "to": _address,
    "gasUsed": _number,
    "cumulativeGasUsed": _number,
    "effectiveGasPrice": _number,
    "status": _number,
    "logsBloom": HexBytes,
    "logs": lambda logs: [_read(log, _LOG) for log in logs],
}


def _read(found: Mapping[str, Any], fields: _Read) -> dict[str, Any]:
    """An object with those of its fields read that are there; null where it has no value yet."""
    return {
        name: value if value is None or name not in fields else fields[name](value)
        for name, value in found.items()
    }
