"""Reading test vectors field by field, with errors that name the field (docs/spec/vectors.md §1).

What a file's cases mean stands in ``vectors``; here are only their notations.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.tables import KERNEL_ID, kernel_name

FORMAT = "chainbeasts-vectors-2"
HEX = re.compile("0x[0-9a-fA-F]*")
"""``bytes.fromhex`` alone would skip blanks."""

FILE_FIELDS = {"format", "kernelId", "kind", "about", "cases"}


class VectorFileError(ValueError):
    """A file that is not a vector file of this kernel; the message names the place."""


class Fields:
    """One JSON object of a case, and where it stands in the file.

    Raises:
        VectorFileError: (all methods) a field is missing, or is not what the format wants there.
    """

    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise VectorFileError(f"{where} is not an object")
        self._values: dict[str, Any] = value
        self.where = where

    def fail(self, name: str, problem: str) -> VectorFileError:
        return VectorFileError(f"{self.where}: {name} {problem}")

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def only(self, names: set[str]) -> None:
        """Refuse fields that the format does not know."""
        for name in self._values:
            if name not in names:
                raise VectorFileError(f"{self.where}: {name} is not a field of this kind of case")

    def raw(self, name: str) -> Any:
        if name not in self._values:
            raise self.fail(name, "is missing")
        return self._values[name]

    def number(self, name: str, low: int, high: int) -> int:
        """A JSON integer."""
        value = self.raw(name)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self.fail(name, f"is {value!r}, it must be an integer {low} to {high}")
        return value

    def flag(self, name: str) -> bool:
        value = self.raw(name)
        if not isinstance(value, bool):
            raise self.fail(name, f"is {value!r}, it must be true or false")
        return value

    def octets(self, name: str, size: int) -> bytes:
        """``0x`` and exactly two hex digits per byte."""
        return self._hex(name, self.raw(name), size)

    def unsigned(self, name: str, bits: int) -> int:
        """An unsigned integer of 64 or 256 bits, written as its big-endian bytes."""
        return int.from_bytes(self.octets(name, bits // 8))

    def numbers(self, name: str, count: int, low: int, high: int) -> list[int]:
        """A list of so many JSON integers."""
        items = self.sequence(name)
        if len(items) != count:
            raise self.fail(name, f"has {len(items)} numbers, it must have {count}")
        each = Fields({f"{name}[{i}]": item for i, item in enumerate(items)}, self.where)
        return [each.number(f"{name}[{i}]", low, high) for i in range(count)]

    def words(self, name: str) -> list[int]:
        """A list of board words."""
        items = self.sequence(name)
        return [int.from_bytes(self._hex(f"{name}[{i}]", item, 32)) for i, item in enumerate(items)]

    def sequence(self, name: str) -> list[Any]:
        value = self.raw(name)
        if not isinstance(value, list):
            raise self.fail(name, "is not a list")
        return value

    def children(self, name: str) -> list[Fields]:
        """A list of objects."""
        items = self.sequence(name)
        return [Fields(item, f"{self.where}: {name}[{i}]") for i, item in enumerate(items)]

    def rules(self) -> Rules:
        """The season's constants; those that are not named have their defaults."""
        if "rules" not in self:
            return Rules()
        given = Fields(self.raw("rules"), f"{self.where}: rules")
        names = {camel(field.name): field.name for field in fields(Rules)}
        given.only(set(names))
        values = {
            own: given.number(name, 0, 65_535) for name, own in names.items() if name in given
        }
        try:
            return Rules(**values)
        except ValueError as error:
            raise VectorFileError(f"{given.where}: {error}") from None

    def _hex(self, name: str, value: Any, size: int) -> bytes:
        problem = f"is {value!r}, it must be 0x and {2 * size} hex digits"
        if not isinstance(value, str) or len(value) != 2 + 2 * size or not HEX.fullmatch(value):
            raise self.fail(name, problem)
        return bytes.fromhex(value[2:])


def camel(name: str) -> str:
    """``damage_k`` as ``damageK``."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def rules_json(rules: Rules) -> dict[str, int]:
    """The constants that differ from their defaults."""
    usual = Rules()
    names = [field.name for field in fields(Rules)]
    return {
        camel(name): getattr(rules, name)
        for name in names
        if getattr(rules, name) != getattr(usual, name)
    }


def hex_word(value: int) -> str:
    """A 256-bit integer as its 32 bytes."""
    return f"0x{value:064x}"


def hex_long(value: int) -> str:
    """A 64-bit integer as its 8 bytes."""
    return f"0x{value:016x}"


def hex_bytes(value: bytes) -> str:
    return "0x" + value.hex()


def read_document(path: Path, kinds: Sequence[str]) -> tuple[str, list[Mapping[str, Any]]]:
    """The kind and the cases of a file.

    Raises:
        VectorFileError: it cannot be read, or is not a vector file of this kernel.
    """
    try:
        document = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise VectorFileError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise VectorFileError(f"{path} is not JSON: {error}") from None
    try:
        json.dumps(document, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise VectorFileError(f"{path} holds half a surrogate pair, which is no text") from None
    top = Fields(document, str(path))
    theirs = top.octets("kernelId", 32)
    if theirs != KERNEL_ID:
        names = f"{kernel_name(theirs)}; this one is {kernel_name(KERNEL_ID)}"
        raise top.fail("kernelId", f"is of another kernel, {names}")
    if top.raw("format") != FORMAT:
        raise top.fail("format", f"is {top.raw('format')!r}, it must be {FORMAT!r}")
    top.only(FILE_FIELDS)
    kind = top.raw("kind")
    if kind not in kinds:
        raise top.fail("kind", f"is {kind!r}, it must be one of {', '.join(kinds)}")
    cases = top.sequence("cases")
    if not cases:
        raise top.fail("cases", "is empty")
    return str(kind), cases
