"""Many reads of numbers in one request: what checks every account after every test asks for.

The calls are encoded here, since a library that finds a function in an ABI anew for each call takes
more time than the node for its answer.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from eth_abi.abi import encode
from eth_utils.crypto import keccak
from web3 import Web3

from chainbeasts.backend.chain.answers import LARGE_BYTES
from chainbeasts.backend.chain.clock import CallClock
from chainbeasts.backend.chain.http_direct import DirectWay

Read = tuple[str, str, tuple[Any, ...]]
"""Address, signature of a view (`escrowOf(address)`), arguments."""


@cache
def _selector(signature: str) -> bytes:
    return keccak(text=signature)[:4]


@cache
def _way(url: str) -> tuple[DirectWay, CallClock]:
    clock = CallClock()
    return DirectWay(urlsplit(url), {"Content-Type": "application/json"}, clock), clock


def _types(signature: str) -> list[str]:
    inner = signature[signature.index("(") + 1 : -1]
    return inner.split(",") if inner else []


def numbers(w3: Web3, reads: Sequence[Read]) -> list[int]:
    """The first word of each answer, at the latest block.

    Raises:
        AssertionError: a call fails.
    """
    calls: list[dict[str, Any]] = []
    for address, signature, arguments in reads:
        data = _selector(signature) + encode(_types(signature), arguments)
        read = [{"to": address, "data": "0x" + data.hex()}, "latest"]
        calls.append({"jsonrpc": "2.0", "id": len(calls), "method": "eth_call", "params": read})
    if not calls:
        return []
    # Past the provider, which makes one call at a time.
    way, clock = _way(w3.provider.endpoint_uri)  # type: ignore[attr-defined]
    clock.begin()
    posted = way.post(json.dumps(calls).encode(), LARGE_BYTES)
    answers = sorted(json.loads(posted.body), key=lambda answer: answer["id"])
    failed = [(read, a) for read, a in zip(reads, answers, strict=True) if "result" not in a]
    assert not failed, failed
    return [int(answer["result"][:66], 16) for answer in answers]
