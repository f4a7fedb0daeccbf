"""``chainbeasts dataset``: convert files of battle records, and look into them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group
from rich.text import Text

from chainbeasts.backend.cli.output import table
from chainbeasts.backend.cli.session import Session, command
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.trainer.datasets.formats import FORMATS, write_words
from chainbeasts.trainer.datasets.picture import LEGEND, Balance, balance, draw_boards
from chainbeasts.trainer.datasets.reader import read_records

app = typer.Typer(help="Files of battle records.", no_args_is_help=True)

SUFFIXES = ", ".join(FORMATS)
Input = Annotated[Path, typer.Argument(metavar="FILE", help="CSV, HDF5, binary words or zstd.")]


def converted(source: Path, output: Path) -> dict[str, object]:
    """Convert a file; what was done.

    Raises:
        ChainBeastsError: the input is no dataset, or the output cannot be written.
    """
    words = read_records(source)
    size = write_words(output, words, source.stat().st_mode & 0o666)
    return {"input": source, "output": output, "records": len(words), "bytes": size}


@command(app, "convert", example="chainbeasts dataset convert battle.csv battle.hdf5")
def convert(
    session: Session,
    source: Input,
    output: Annotated[Path, typer.Argument(help=f"Its suffix is the format: {SUFFIXES}.")],
) -> None:
    """Write a dataset in another format; .zst is the frame that a hatch commits to."""
    facts = converted(source, output)
    session.show(facts, f"{facts['records']} records in {output} ({facts['bytes']} bytes).")


def _view(path: Path, found: Balance, words: tuple[int, ...], first: int, rules: Rules) -> Group:
    total = found.records
    rows = [(f"move {name}", count, _share(count, total)) for name, count in found.moves.items()]
    rows += [(f"attack {power}", count, _share(count, total)) for power, count in _attacks(found)]
    rows.append(("block pays", found.block, _share(found.block, total)))
    rows.append(("repeated records", found.repeated, _share(found.repeated, total)))
    title = f"{path.name}: {total} records"
    parts: list[object] = [table(title, ("label", "records", "share"), rows)]
    if words:
        parts += [draw_boards(words, first, rules), Text(LEGEND)]
    return Group(*parts)  # type: ignore[arg-type]


def _attacks(found: Balance) -> list[tuple[int, int]]:
    return sorted(found.attacks.items())


def _share(count: int, total: int) -> str:
    return f"{100 * count / total:.1f} %"


@command(app, "inspect", example="chainbeasts dataset inspect examples/battle_samples.csv")
def inspect(
    session: Session,
    file: Input,
    boards: Annotated[int, typer.Option(min=0, help="How many boards to draw.")] = 4,
    first: Annotated[int, typer.Option(min=0, help="Number of the first one drawn.")] = 0,
) -> None:
    """Count a dataset's labels and draw some of its boards. The rules are the default season's."""
    words, rules = read_records(file), Rules()
    found = balance(words, rules)
    drawn = words[first : first + boards]
    session.show(
        {
            "file": file,
            "records": found.records,
            "repeated": found.repeated,
            "moves": found.moves,
            "attacks": found.attacks,
            "block": found.block,
        },
        lambda: _view(file, found, drawn, first, rules),
    )
