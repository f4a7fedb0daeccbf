"""Comparing an implementation's answers with those a case expects (docs/spec/vectors.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from chainbeasts.backend.kernel.vectors import Case, Kernel, answer

ABSENT = "(absent)"


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A field of a case where an implementation answers otherwise."""

    case: int
    name: str
    field: str
    expected: Any
    actual: Any


def check_case(kernel: Kernel, kind: str, case: Case, number: int = 0) -> list[Mismatch]:
    """Where an implementation answers a case otherwise than the case expects; empty if nowhere.

    Raises:
        VectorFileError: the case is not one of its kind, or lacks an output.
    """
    where = f"case {number}"
    name = ""
    if isinstance(case, Mapping) and isinstance(case.get("name"), str):
        name = case["name"]
        where += f" ({name})"
    found = answer(kernel, kind, case, where)
    differences = _differences("", {key: case.get(key, ABSENT) for key in found}, found)
    return [Mismatch(number, name, *difference) for difference in differences]


def _differences(path: str, expected: Any, actual: Any) -> Iterator[tuple[str, Any, Any]]:
    """Every leaf of ``actual`` that differs; lists must be as long as expected."""
    if isinstance(actual, dict) and isinstance(expected, Mapping):
        for key, value in actual.items():
            step = f"{path}.{key}" if path else key
            yield from _differences(step, expected.get(key, ABSENT), value)
    elif isinstance(actual, list) and isinstance(expected, list):
        if len(actual) != len(expected):
            yield f"{path} (length)", len(expected), len(actual)
        for i, (left, right) in enumerate(zip(expected, actual, strict=False)):
            yield from _differences(f"{path}[{i}]", left, right)
    elif type(actual) is not type(expected) or actual != expected:
        yield path, expected, actual
