"""Compiles the contracts where the cache lacks them: a minute once, then no time at all."""

from __future__ import annotations

import argparse
import sys

from chainbeasts.backend.chain.deployment import CONTRACTS
from chainbeasts.backend.cli.compiling import compile_contracts
from chainbeasts.backend.cli.output import note, print_error
from chainbeasts.backend.errors import ChainBeastsError


def main() -> int:
    """Compile; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m scripts.lib.contracts", description=__doc__)
    parser.add_argument("--deployed", action="store_true", help="none that only tests want")
    deployed = parser.parse_args().deployed
    try:
        units = compile_contracts(CONTRACTS if deployed else None)
    except ChainBeastsError as error:
        print_error(error)
        return 1
    note(f"{units} Solidity sources are compiled.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
