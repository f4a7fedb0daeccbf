"""How a struct of the contracts becomes a frozen dataclass, field for field, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from enum import IntEnum
from functools import cache
from typing import Any, Self, cast, get_type_hints

from chainbeasts.backend.kernel.rules import Rules, Schedule

ZERO32 = bytes(32)
ZERO_ADDRESS = "0x" + "00" * 20


class AbiStruct:
    """A dataclass whose fields stand in the order of a Solidity struct."""

    def to_abi(self) -> tuple[Any, ...]:
        """The nested tuple that web3 takes for the struct."""
        return tuple(_abi(getattr(self, field.name)) for field in fields(cast("Any", self)))

    @classmethod
    def from_abi(cls, values: Sequence[Any] | Mapping[str, Any]) -> Self:
        """The dataclass of a tuple, or of a mapping in struct order, that web3 returned."""
        given = values.values() if isinstance(values, Mapping) else values
        plain = [
            _plain(kind, value) for kind, value in zip(_kinds(cast("Any", cls)), given, strict=True)
        ]
        made = cast("Callable[..., Any]", cls)(*plain)
        return cast("Self", made)


@cache
def _kinds(struct: type[Any]) -> tuple[Any, ...]:
    """The types of a struct's fields; they are looked up by name, which takes long."""
    hints = get_type_hints(struct)
    return tuple(hints[field.name] for field in fields(struct))


def _abi(value: Any) -> Any:
    if isinstance(value, AbiStruct):
        return value.to_abi()
    if isinstance(value, Rules | Schedule):
        return value.values()
    return int(value) if isinstance(value, IntEnum) else value


def _plain(wanted: Any, value: Any) -> Any:
    if issubclass(wanted, AbiStruct):
        return wanted.from_abi(value)
    if wanted in (Rules, Schedule):
        return wanted(*(value.values() if isinstance(value, Mapping) else value))
    return wanted(value)
