"""What counts as a node's answer: JSON of the call's id, with a result of the method's shape.

The one place where a node's words are checked. What passes can be decoded by web3 without
surprises, or they are met by ``reading.formatted``; what does not is no answer, and the node that
gave it counts as away. Whether an answer is *true* is not judged here: the indexer compares answers
with one another.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:  # else whoever asks a node one question would load web3 for a name
    from web3.types import RPCResponse

Answer = dict[str, Any]
Check = Callable[[Any], bool]

# --- words --------------------------------------------------------------------------------------

RATE_CODES = (429, -32007)
"""HTTP's own number, which Alchemy repeats in the body, and QuickNode's "request limit reached"."""

RATE_WORDS = (
    "rate limit",  # QuickNode, Ankr, nginx
    "rate exceeded",  # Infura: "project ID request rate exceeded"
    "request limit",  # QuickNode: "50/second request limit reached"
    "too many requests",
    "request count exceeded",  # Infura: "daily request count exceeded, request rate limited"
    "compute units per second",  # Alchemy
    "throughput",  # Alchemy: "exceeded its throughput limit"
    "capacity limit",  # Alchemy: "Monthly capacity limit exceeded"
)
"""Hosted nodes say so under many codes, -32000 and -32005 among them, which others use for else."""


SMALL_BYTES, LARGE_BYTES, LOCAL_BYTES = 1 << 20, 1 << 25, 1 << 28
"""Most of one answer: a struct or a header; logs, receipts, whole blocks or code; a local chain's
own state. Twice what a block of 100 million gas holds, and logs shrink with the range."""

_LARGE = (
    "eth_getLogs",
    "eth_getTransactionReceipt",
    "eth_getTransactionByHash",
    "eth_getBlockReceipts",
    "eth_getCode",
)

MOST_DEPTH = 64
BYTES_EACH = 16
"""Every list or object of an answer has so many bytes, and many more on average; made of brackets
alone it would be read into a hundred times its size."""

_BRACKETS = re.compile(rb"[\[\]{}]")


class NotAnAnswerError(ConnectionError):
    """What came back is no answer to the call; whether it was carried out is not known."""


def read_answer(answer: Answer, number: int, method: str, params: Sequence[Any]) -> RPCResponse:
    """The response in what a node sent, in the one form that the rest of the program knows.

    Args:
        number: the call's id.

    Raises:
        NotAnAnswerError: it is not the answer to this call.
    """
    if not is_id(answer.get("id"), number):
        raise NotAnAnswerError(f"the answer is to another call than {method}")
    error = answer.get("error")
    if error is not None:
        refusal = _error(error, method)
        return cast("RPCResponse", {"jsonrpc": "2.0", "id": number, "error": refusal})
    if "result" not in answer:
        raise NotAnAnswerError(f"neither a result nor an error of {method}")
    result = answer["result"]
    if not has_shape(method, params, result):
        raise NotAnAnswerError(f"the result is not one of {method}")
    return cast("RPCResponse", {"jsonrpc": "2.0", "id": number, "result": result})


def most_bytes(method: str, params: Sequence[Any]) -> int:
    """How long an answer to a call may be."""
    if method.startswith("anvil_"):
        return LOCAL_BYTES
    whole = method.startswith("eth_getBlockBy") and params[1:2] == [True]
    known = method in _SHAPES and method not in _LARGE and not whole
    return SMALL_BYTES if known else LARGE_BYTES


def parse(raw: bytes | str) -> Answer:
    """The object in a node's bytes.

    Raises:
        NotAnAnswerError: they are not one JSON object.
    """
    if _is_deep(raw):
        raise NotAnAnswerError("nested too deeply")
    try:
        answer = json.loads(raw)
    except ValueError:  # a page, nothing, half an answer
        raise NotAnAnswerError("not JSON") from None
    if not isinstance(answer, dict):
        raise NotAnAnswerError("not a JSON object")
    return answer


def _is_deep(raw: bytes | str) -> bool:
    """Whether brackets are nested more deeply than in any answer, or there are far too many.

    The parser is recursive, and where somebody has raised Python's limit a tower of brackets ends
    the process; a wide heap of them takes its memory.
    """
    text = raw if isinstance(raw, bytes) else raw.encode("utf-8", "surrogatepass")
    opened = text.count(b"[") + text.count(b"{")  # in strings as well: nodes send hex
    if opened <= MOST_DEPTH:
        return False
    if opened * BYTES_EACH > len(text):
        return True
    depth = 0
    for bracket in _BRACKETS.finditer(text):
        depth += 1 if bracket[0] in b"[{" else -1
        if depth > MOST_DEPTH:
            return True
    return False


def is_id(given: Any, number: int) -> bool:
    """Whether an answer's id is a call's; some proxies make text of numbers."""
    return not isinstance(given, bool) and str(given) == str(number)


def _error(error: Any, method: str) -> dict[str, Any]:
    """A refusal with a code and a message.

    Raises:
        NotAnAnswerError: it is none, or it says that the call was not looked at.
    """
    message = error.get("message") if isinstance(error, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    if not isinstance(message, str) or not isinstance(code, int):
        raise NotAnAnswerError(f"the error of {method} has no code or no message")
    said = message.lower()
    if code in RATE_CODES or any(word in said for word in RATE_WORDS):
        raise NotAnAnswerError(f"too many calls: {message}")
    return cast(dict[str, Any], error)


# --- shapes -------------------------------------------------------------------------------------

_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}")


def _quantity(value: Any) -> bool:
    return isinstance(value, str) and _QUANTITY.fullmatch(value) is not None


def _count(value: Any) -> bool:
    """A quantity that is stored or reckoned with, and fits there: in 63 bits.

    What a stranger's transaction may offer is none of these.
    """
    return _quantity(value) and int(value, 16) < 1 << 63


def _data(value: Any) -> bool:
    if not isinstance(value, str) or not value.startswith("0x"):
        return False
    # Ten times as fast as a regular expression on the data of a log. What it leaves out, which is
    # white space, makes it too short.
    try:
        return 2 + 2 * len(bytes.fromhex(value[2:])) == len(value)
    except ValueError:
        return False


def _bytes(count: int) -> Check:
    return lambda value: _data(value) and len(value) == 2 + 2 * count


def _at_most(count: int) -> Check:
    return lambda value: _data(value) and len(value) <= 2 + 2 * count


def _or_null(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _list_of(check: Check) -> Check:
    return lambda value: isinstance(value, list) and all(map(check, value))


def _object(needed: Mapping[str, Check], known: Mapping[str, Check]) -> Check:
    """An object with all of the needed fields; known ones are right if they are there."""

    def check(value: Any) -> bool:
        return (
            isinstance(value, dict)
            and all(name in value and right(value[name]) for name, right in needed.items())
            and all(right(value[name]) for name, right in known.items() if name in value)
        )

    return check


_hash, _address = _bytes(32), _bytes(20)

_LOG = _object(
    {"address": _address, "topics": _list_of(_hash), "data": _data},
    # a pending log has no place yet; whoever reads logs sorts those out
    {
        "blockHash": _or_null(_hash),
        "blockNumber": _or_null(_count),
        "transactionHash": _or_null(_hash),
        "transactionIndex": _or_null(_count),
        "logIndex": _or_null(_count),
    },
)
_TRANSACTION = _object(
    {"hash": _hash, "from": _address, "nonce": _count, "input": _data},
    {
        "to": _or_null(_address),
        "value": _quantity,
        "gas": _quantity,
        "gasPrice": _quantity,
        "maxFeePerGas": _quantity,
        "maxPriorityFeePerGas": _quantity,
        "blockHash": _or_null(_hash),
        "blockNumber": _or_null(_count),
        "transactionIndex": _or_null(_count),
        "chainId": _or_null(_quantity),
        "v": _or_null(_quantity),
        "accessList": _or_null(lambda value: isinstance(value, list)),
    },
)
_BLOCK = _object(
    {
        "number": _or_null(_count),  # null in a pending block
        "hash": _or_null(_hash),
        "parentHash": _hash,
        "timestamp": _count,
    },
    {
        "baseFeePerGas": _count,
        "logsBloom": _or_null(_at_most(256)),
        "gasLimit": _quantity,
        "gasUsed": _count,
        "size": _quantity,
        "miner": _or_null(_address),
        "nonce": _or_null(_at_most(8)),
        "extraData": _or_null(_data),
        "uncles": _list_of(_hash),
        "withdrawals": _or_null(_list_of(lambda value: isinstance(value, dict))),
        "transactions": lambda value: _list_of(_hash)(value) or _list_of(_TRANSACTION)(value),
    },
)
_RECEIPT = _object(
    {
        "transactionHash": _hash,
        "blockHash": _hash,
        "blockNumber": _count,
        "gasUsed": _count,
        "status": _count,
        "logs": _list_of(_LOG),
    },
    {
        "from": _or_null(_address),
        "to": _or_null(_address),
        "contractAddress": _or_null(_address),
        "cumulativeGasUsed": _count,
        "effectiveGasPrice": _quantity,
        "logsBloom": _at_most(256),
    },
)

_SHAPES: dict[str, Check] = {
    "eth_chainId": _quantity,
    "eth_blockNumber": _count,
    "eth_gasPrice": _quantity,
    "eth_estimateGas": _count,
    "eth_getBalance": _quantity,
    "eth_getTransactionCount": _count,
    "eth_call": _data,
    "eth_getCode": _data,
    "eth_sendRawTransaction": _hash,
    "eth_getLogs": _list_of(_LOG),
    "eth_getTransactionReceipt": _or_null(_RECEIPT),
    "eth_getTransactionByHash": _or_null(_TRANSACTION),
    "eth_getBlockReceipts": _or_null(_list_of(_RECEIPT)),
    "eth_getBlockByHash": _or_null(_BLOCK),
    "eth_getBlockByNumber": _or_null(_BLOCK),
}
"""By method; others (a local chain's own) are taken as they come."""


def has_shape(method: str, params: Sequence[Any], result: Any) -> bool:
    """Whether a result is one that a method has for these parameters."""
    shape = _SHAPES.get(method)
    if shape is None:
        return True
    if not shape(result):
        return False
    asked = params[0] if params else None
    if method == "eth_getBlockByNumber":
        return _is_block_asked_for(asked, result)
    if method in ("eth_getBlockByHash", "eth_getTransactionByHash"):
        return result is None or _same(result["hash"], asked)
    if method == "eth_getTransactionReceipt":
        return result is None or _same(result["transactionHash"], asked)
    return True


def _is_block_asked_for(asked: Any, block: Any) -> bool:
    if not _quantity(asked):
        # Every chain has a latest block, and a first one: no block is no answer there.
        complete = block is not None and _quantity(block["number"]) and _hash(block["hash"])
        return asked == "pending" or complete or (block is None and asked in ("safe", "finalized"))
    if block is None:
        return int(asked, 16) > 0
    named = _quantity(block["number"]) and _hash(block["hash"])
    return named and int(block["number"], 16) == int(asked, 16)


def _same(given: str, asked: Any) -> bool:
    return isinstance(asked, str) and given.lower() == asked.lower()
