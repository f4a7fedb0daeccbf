"""How results look to people; as JSON they go out unchanged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from chainbeasts.backend.chain.transactions import Receipt
from chainbeasts.backend.cli.output import fields
from chainbeasts.backend.cli.session import Session
from chainbeasts.backend.cli.units import readable


def shown(value: Mapping[str, Any]) -> dict[str, Any]:
    """A result's fields: bytes as 0x-hex, amounts with their unit, nothing for what is unknown."""
    return {name: _shown(name, item) for name, item in value.items()}


def cells(values: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> list[list[Any]]:
    """The rows of a table with these columns; nothing for what is unknown."""
    return [[_shown(name, value[name]) for name in columns] for value in values]


def _shown(name: str, item: Any) -> Any:
    if item is None:
        return ""
    if isinstance(item, int):
        return readable(name, item)
    if isinstance(item, list):
        return ", ".join(str(_shown(name, each)) for each in item)
    return "0x" + item.hex() if isinstance(item, bytes) else item


def show_transaction(session: Session, receipt: Receipt, title: str = "", **values: Any) -> None:
    """Print what a transaction did, and what it cost.

    Args:
        title: the transaction's label if not given.
        values: what it did.
    """
    value = {**values, "transaction": receipt.hash, "gas_used": receipt.gas_used}
    view = shown(value)
    view["gas used"] = view.pop("gas_used")
    session.show(value, lambda: fields(title or receipt.label.capitalize(), view))
