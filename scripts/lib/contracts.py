"""Compiles the contracts where the cache lacks them: a minute once, then no time at all."""

from __future__ import annotations

import sys

from backend.cli.compiling import compile_contracts
from backend.cli.output import note, print_error
from backend.errors import ChainBeastsError


def main() -> int:
    """Compile; the exit code."""
    try:
        units = compile_contracts(None)
    except ChainBeastsError as error:
        print_error(error)
        return 1
    note(f"{units} Solidity sources are compiled.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
