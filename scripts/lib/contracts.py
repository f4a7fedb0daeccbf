"""Compiles the contracts where the cache lacks them: a minute once, then no time at all."""

from __future__ import annotations

import sys

from backend.chain.compile import compile_units, source_units
from backend.cli.output import note, print_error, progress
from backend.errors import ChainBeastsError


def main() -> int:
    """Compile; the exit code."""
    units = source_units()
    try:
        with progress() as bar:
            task = bar.add_task("compiling the contracts", total=len(units))
            for _ in compile_units(units):
                bar.advance(task)
    except ChainBeastsError as error:
        print_error(error)
        return 1
    note(f"{len(units)} Solidity sources are compiled.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
