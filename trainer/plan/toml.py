"""Plans in TOML: ``[[train]]`` names a source and its windows, ``[[grow]]`` what wakes when."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from chainbeasts.backend.chain.growth import (
    Growth,
    merge_growth,
    parse_growth,
    slots_mask,
    window_number,
)
from chainbeasts.backend.documents import read_toml
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.trainer.plan.plan import Plan, PlanRange
from chainbeasts.trainer.plan.sources import TrainingSource
from chainbeasts.trainer.plan.text import parse_plan, parse_source

_FIELDS = {"train": ("source", "first", "last"), "grow": ("window", "wake")}


def make_plan(plan: str | None, grow: str | None, source: TrainingSource) -> Plan:
    """The plan of the command line's options.

    Args:
        plan: items, or the path of a TOML file; None: every window from ``source``.
        grow: growth besides that of the file.

    Raises:
        ChainBeastsError: either says something that cannot be.
    """
    if plan is None:
        parsed = Plan(rest=(source,))
    elif plan.endswith(".toml"):
        parsed = read_plan(Path(plan))
    else:
        parsed = parse_plan(plan)
    if grow is None:
        return parsed
    growth = merge_growth([*parsed.growth, *parse_growth(grow)])
    return Plan(parsed.ranges, parsed.rest, growth)


def read_plan(path: Path) -> Plan:
    """The plan in a TOML file.

    Raises:
        ChainBeastsError: unreadable, not TOML, or no plan.
    """
    return plan_of(read_toml(path, f"The plan {path}"))


def plan_of(data: dict[str, Any]) -> Plan:
    """The plan of a TOML document.

    Raises:
        ChainBeastsError: a table or a value does not fit; the table is named.
    """
    for name in data:
        if name not in _FIELDS:
            raise ChainBeastsError(
                f"The plan has an unknown {name!r}.", "It holds tables [[train]] and [[grow]]."
            )
    ranges: list[PlanRange] = []
    rest: list[TrainingSource] = []
    for where, table in _tables(data, "train"):
        source = parse_source(_text(table, "source", where), where)
        if "first" not in table:
            if "last" in table:
                raise ChainBeastsError(f"{where} has a last window and no first.")
            rest.append(source)
            continue
        last = _window(table, "last", where) if "last" in table else None
        ranges.append(PlanRange(source, _window(table, "first", where), last))
    growth = [
        Growth(_window(table, "window", where), slots_mask(_slots(table, where), where))
        for where, table in _tables(data, "grow")
    ]
    return Plan(tuple(ranges), tuple(rest), merge_growth(growth))


def _tables(data: dict[str, Any], name: str) -> list[tuple[str, dict[str, Any]]]:
    given = data.get(name, [])
    if not isinstance(given, list) or not all(isinstance(table, dict) for table in given):
        raise ChainBeastsError(f"{name} is no list of tables.", f"Begin each one with [[{name}]].")
    named = [(f"[[{name}]] {number}", table) for number, table in enumerate(given, start=1)]
    for where, table in named:
        unknown = [key for key in table if key not in _FIELDS[name]]
        if unknown:
            raise ChainBeastsError(
                f"{where} has an unknown {unknown[0]!r}.", f"It takes {', '.join(_FIELDS[name])}."
            )
    return named


def _text(table: dict[str, Any], field: str, where: str) -> str:
    value = table.get(field)
    if not isinstance(value, str):
        raise ChainBeastsError(f"{where} has no {field} in quotes.")
    return value


def _window(table: dict[str, Any], field: str, where: str) -> int:
    value = table.get(field)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ChainBeastsError(f"{where} has no {field} that is a window's number.")
    return window_number(value, where)


def _slots(table: dict[str, Any], where: str) -> list[str]:
    value = table.get("wake")
    if not isinstance(value, list) or not value or not all(isinstance(s, str) for s in value):
        raise ChainBeastsError(f"{where} names no slots.", 'Write wake = ["s1"], say.')
    return value
