"""How commands speak: results on stdout (text or JSON), everything else on stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from chainbeasts.backend.chain.amounts import show_energy
from chainbeasts.backend.cli.units import is_amount, is_time, iso, iso_time, readable
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.redact import redact_text

UNBOUNDED = 10_000
"""Columns of what is no terminal: whoever reads a pipe wants each row on a line of its own."""


def _console(file: TextIO | None, *, to_stderr: bool) -> Console:
    told = os.environ.get("COLUMNS", "").isdigit()
    width = None if told or (file is not None and file.isatty()) else UNBOUNDED
    return Console(stderr=to_stderr, width=width, highlight=False, soft_wrap=True)


stdout = _console(sys.stdout, to_stderr=False)
stderr = _console(sys.stderr, to_stderr=True)


_named: Callable[[str], str] = str


def name_addresses(show: Callable[[str], str]) -> None:
    """Let addresses that people read from here on be shown with their names.

    Args:
        show: puts the names into a text.
    """
    global _named
    _named = show


def plain(value: Any, name: str = "") -> Any:
    """A value as JSON types; docs/guides/json.md is its schema.

    Amounts are strings of wei, times ISO 8601 in UTC, bytes 0x-hex, and integers over 53 bits
    decimal strings.

    Args:
        name: of the field that has it, which says what an integer is.
    """
    if isinstance(value, bytes | bytearray):
        return "0x" + bytes(value).hex()
    if isinstance(value, Enum):
        return value.name.lower()
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, bool) or value is None or isinstance(value, str | float):
        return value
    if isinstance(value, int):
        return _plain_number(value, name)
    if isinstance(value, Path):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): plain(item, str(key)) for key, item in value.items()}
    if isinstance(value, Iterable):
        return [plain(item, name) for item in value]
    return str(value)


def _plain_number(value: int, name: str) -> int | str | None:
    if is_amount(name):
        return str(value)
    if is_time(name):
        return iso_time(value) if value else None  # the contracts' way to say never
    return value if abs(value) < 1 << 53 else str(value)


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


class _Listed(Table):
    """A table that is written row by row where its columns do not fit beside each other."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        unbounded = options.update(max_width=UNBOUNDED)
        needed = Measurement.get(console, unbounded, self).minimum
        if needed <= options.max_width or not self.row_count:
            yield from super().__rich_console__(console, options)
            return
        if self.title:
            yield Text(str(self.title), style="bold")
        names = [str(column.header) for column in self.columns]
        for cells in zip(*(column.cells for column in self.columns), strict=True):
            if self.show_header:
                yield Text("")
                pairs = zip(names, cells, strict=True)
            else:
                pairs = zip([str(cells[0])], cells[1:], strict=True)
            for name, cell in pairs:
                if str(cell):
                    yield Text(f"{name}: {cell}")


def table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    named: bool = True,
    header: bool = True,
) -> Table:
    """A table of plain cells; numbers in columns of amounts and times get their unit.

    Args:
        named: show addresses with the names that they have here; not where a column has them.
        header: show the columns' names.
    """
    made = _Listed(title=title, title_justify="left", show_header=header)
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        values = [str(readable(name, cell)) for name, cell in zip(columns, row, strict=True)]
        made.add_row(*(_with_names(cell) if named else cell for cell in values))
    return made


def fields(title: str, values: Mapping[str, object]) -> Table:
    """A table of names and values."""
    shown = ((name, readable(name, value)) for name, value in values.items())
    return table(title, ("name", "value"), shown, header=False)


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
