"""``dataset_convert --csv IN -o OUT.hdf5``: one dataset from one format into another."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from chainbeasts.backend.cli.output import print_error, print_json, stdout
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.trainer.cli.dataset import SUFFIXES, converted

app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command(epilog="Example: dataset_convert --csv examples/battle_samples.csv -o battle.hdf5")
def convert(
    output: Annotated[
        Path, typer.Option("--output", "-o", help=f"Its suffix is the format: {SUFFIXES}.")
    ],
    csv: Annotated[Path | None, typer.Option(help="Read CSV.")] = None,
    hdf5: Annotated[Path | None, typer.Option(help="Read HDF5.")] = None,
    words: Annotated[Path | None, typer.Option(help="Read binary words, plain or zstd.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Convert battle records; whatever is wrong in them is named by its row."""
    given = [path for path in (csv, hdf5, words) if path is not None]
    if len(given) != 1:
        raise typer.BadParameter("give one of --csv, --hdf5 and --words")
    facts = converted(given[0], output)
    if as_json:
        print_json(facts)
    else:
        stdout.print(f"{facts['records']} records in {output}.", markup=False)


def main() -> None:
    """Exit 0 on success, 1 on an error, 2 on wrong usage."""
    try:
        app()
    except ChainBeastsError as error:
        print_error(error)
        sys.exit(1)
