"""Decodes events whose values all have a fixed size, many a second.

Whatever is not exactly as the ABI has it is left to web3, which says what is wrong with it: here is
no error, only the answer that everybody would give.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from web3 import Web3

WORD = 32
ADDRESS_BYTES = 20
MOST_ADDRESSES = 16_384

Read = Callable[[bytes], Any]
"""The value in a word; ValueError if it is not exactly one."""


@lru_cache(maxsize=MOST_ADDRESSES)
def checksummed(address: bytes) -> str:
    """The address of 20 bytes as people write it; a hash each, and the same ones come again."""
    return str(Web3.to_checksum_address(address))


def _address(word: bytes) -> str:
    if any(word[: WORD - ADDRESS_BYTES]):
        raise ValueError
    return checksummed(word[WORD - ADDRESS_BYTES :])


def _bool(word: bytes) -> bool:
    value = int.from_bytes(word)
    if value > 1:
        raise ValueError
    return value == 1


def _unsigned(bits: int) -> Read:
    bound = 1 << bits

    def read(word: bytes) -> int:
        value = int.from_bytes(word)
        if value >= bound:
            raise ValueError
        return value

    return read


def _fixed_bytes(count: int) -> Read:
    def read(word: bytes) -> bytes:
        if any(word[count:]):
            raise ValueError
        return word[:count]

    return read


def _reader(kind: str) -> Read | None:
    """What reads one word of an elementary type; None for types that are left to web3."""
    if kind == "address":
        return _address
    if kind == "bool":
        return _bool
    for prefix, made in (("uint", _unsigned), ("bytes", _fixed_bytes)):
        size = kind.removeprefix(prefix)
        if kind.startswith(prefix) and size.isdigit():
            return made(int(size))
    return None


class _Struct:
    """A struct's fields, or all values of an event that are not indexed: word after word."""

    def __init__(self, components: Sequence[Mapping[str, Any]]) -> None:
        self.words = 0
        self._parts: list[tuple[str, int, Read | _Struct]] = []
        for one in components:
            part = _part(one)
            self._parts.append((one["name"], self.words, part))
            self.words += part.words if isinstance(part, _Struct) else 1

    def read(self, data: bytes, first: int = 0) -> dict[str, Any]:
        """The values by name, from a word on."""
        found: dict[str, Any] = {}
        for name, place, part in self._parts:
            at = first + place
            if isinstance(part, _Struct):
                found[name] = part.read(data, at)
            else:
                found[name] = part(data[WORD * at : WORD * (at + 1)])
        return found


def _part(component: Mapping[str, Any]) -> Read | _Struct:
    if component["type"] == "tuple":
        return _Struct(component["components"])
    found = _reader(component["type"])
    if found is None:
        raise ValueError(f"{component['type']} has no fixed size, or is not read here")
    return found


class StaticEvent:
    """Reads the logs of one event.

    Args:
        abi: the event's.

    Raises:
        ValueError: one of its values has no fixed size, or is of a type that is left to web3.
    """

    def __init__(self, abi: Mapping[str, Any]) -> None:
        inputs = abi["inputs"]
        indexed = [one for one in inputs if one["indexed"]]
        plain = [one for one in inputs if not one["indexed"]]
        self._topics = [(one["name"], _part(one)) for one in indexed]
        if any(isinstance(part, _Struct) for _, part in self._topics):
            raise ValueError("an indexed struct is a hash")
        self._data = _Struct(plain)

    def args(self, topics: Sequence[bytes], data: bytes) -> dict[str, Any] | None:
        """The event's values by name; None where web3 is to say what they are."""
        if len(topics) != 1 + len(self._topics) or len(data) != WORD * self._data.words:
            return None
        try:
            found = {
                name: read(topic)  # type: ignore[operator]  # no struct, see above
                for (name, read), topic in zip(self._topics, topics[1:], strict=True)
            }
            found |= self._data.read(data)
        except ValueError:
            return None
        return found
