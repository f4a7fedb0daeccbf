"""What an ABI's functions, events and errors are called on chain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from eth_hash.auto import keccak
from eth_utils.abi import collapse_if_tuple

EVENT = "event"
_KINDS = ("function", EVENT, "error")
_SELECTOR_BYTES = 4


class Entry(NamedTuple):
    """One thing of a contract that can be named on chain.

    Attributes:
        kind: function, event or error.
        identifier: 0x-hex: a selector of 4 bytes, an event's topic of 32.
        signature: name and types, as they are hashed.
    """

    kind: str
    identifier: str
    signature: str


def entries(abi: Iterable[Mapping[str, Any]]) -> Iterator[Entry]:
    """The functions, events and errors of an ABI, each kind by its signatures' alphabet."""
    found = [_entry(one) for one in abi if one["type"] in _KINDS]
    yield from sorted(found, key=lambda one: (_KINDS.index(one.kind), one.signature))


def _entry(one: Mapping[str, Any]) -> Entry:
    types = ",".join(collapse_if_tuple(argument) for argument in one["inputs"])
    signature = f"{one['name']}({types})"
    digest = keccak(signature.encode())
    kind: str = one["type"]
    return Entry(
        kind, "0x" + (digest if kind == EVENT else digest[:_SELECTOR_BYTES]).hex(), signature
    )
