"""How commands speak: results on stdout (text or JSON), everything else on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from backend.chain.amounts import show_energy
from backend.errors import ChainBeastsError
from backend.redact import redact_text

stdout = Console(highlight=False, soft_wrap=True)
stderr = Console(stderr=True, highlight=False, soft_wrap=True)


_named: Callable[[str], str] = str


def name_addresses(show: Callable[[str], str]) -> None:
    """Let addresses that people read from here on be shown with their names.

    Args:
        show: puts the names into a text.
    """
    global _named
    _named = show


def plain(value: Any) -> Any:
    """A value as JSON types: bytes as 0x-hex, integers over 53 bits as decimal strings."""
    if isinstance(value, bytes | bytearray):
        return "0x" + bytes(value).hex()
    if isinstance(value, Enum):
        return value.name.lower()
    if isinstance(value, bool) or value is None or isinstance(value, str | float):
        return value
    if isinstance(value, int):
        return value if abs(value) < 1 << 53 else str(value)
    if isinstance(value, Path):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Iterable):
        return [plain(item) for item in value]
    return str(value)


def print_json(value: Any) -> None:
    """One JSON document on stdout."""
    sys.stdout.write(json.dumps(plain(value), indent=2) + "\n")
    sys.stdout.flush()


def print_view(view: RenderableType) -> None:
    """A result for people on stdout."""
    stdout.print(_with_names(view) if isinstance(view, str) else view)


def print_error(error: ChainBeastsError) -> None:
    """The sentence and the hint of an error, on stderr."""
    stderr.print(
        f"Error: {redact_text(_with_names(error.message))}", style="bold red", markup=False
    )
    if error.hint:
        stderr.print(error.hint, markup=False)


def note(text: str) -> None:
    """A line about what is going on, on stderr."""
    stderr.print(_with_names(text), markup=False)


def _with_names(text: str) -> str:
    # A text without an address asks nobody: names are read from files.
    return _named(text) if "0x" in text else text


def table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], *, named: bool = True
) -> Table:
    """A table of plain cells.

    Args:
        named: show addresses with the names that they have here; not where a column has them.
    """
    made = Table(title=title, title_justify="left")
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        cells = (str(cell) for cell in row)
        made.add_row(*(_with_names(cell) if named else cell for cell in cells))
    return made


def fields(title: str, values: Mapping[str, object]) -> Table:
    """A two-column table of names and values."""
    return table(title, ("", ""), values.items())


def progress() -> Progress:
    """A progress bar on stderr; quiet when that is not a terminal."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=stderr,
        disable=not stderr.is_terminal,
    )


def energy(wei: int) -> str:
    """An amount of ENERGY for people, exact to the unit."""
    return show_energy(wei)
