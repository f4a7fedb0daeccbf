"""Many reads of numbers in one request: what checks every account after every test asks for.

The calls are encoded here, since a library that finds a function in an ABI anew for each call takes
more time than the node for its answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from eth_abi.abi import encode
from eth_utils.crypto import keccak
from web3 import Web3

Read = tuple[str, str, tuple[Any, ...]]
"""Address, signature of a view (`escrowOf(address)`), arguments."""


@cache
def _selector(signature: str) -> bytes:
    return keccak(text=signature)[:4]


def _types(signature: str) -> list[str]:
    inner = signature[signature.index("(") + 1 : -1]
    return inner.split(",") if inner else []


def numbers(w3: Web3, reads: Sequence[Read]) -> list[int]:
    """The first word of each answer, at the latest block.

    Raises:
        AssertionError: a call fails.
    """
    requests: list[Any] = []
    for address, signature, arguments in reads:
        data = _selector(signature) + encode(_types(signature), arguments)
        requests.append(("eth_call", [{"to": address, "data": "0x" + data.hex()}, "latest"]))
    if not requests:
        return []
    answers: Any = w3.provider.make_batch_request(requests)  # type: ignore[attr-defined]
    failed = [(read, a) for read, a in zip(reads, answers, strict=True) if "result" not in a]
    assert not failed, failed
    return [int(answer["result"][:66], 16) for answer in answers]
