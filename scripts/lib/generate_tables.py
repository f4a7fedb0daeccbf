"""Writes contracts/kernel/KernelTables.sol from the tables that the NumPy kernel reads.

The tables have one source, backend/kernel/tables.json; a Solidity file edited by hand fails
``--check``.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from chainbeasts.backend.kernel.tables import VERSION, exp_bytes, template_bytes

TARGET = Path(__file__).resolve().parents[2] / "contracts" / "kernel" / "KernelTables.sol"
LINE_BYTES = 48

SOURCE = """\
// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

// Generated from backend/kernel/tables.json, the tables' one source; do not edit.

/// @title The kernel's version and tables
library KernelTables {{
    string internal constant VERSION = "{version}";

    /// @dev floor(32767 * exp(-d / 32) + 1/2) for d = 0 to 255, big-endian uint16.
    bytes internal constant EXP =
{exp};

    /// @dev 64 curriculum templates: walls and hazards as big-endian uint64.
    bytes internal constant TEMPLATES =
{templates};
}}
"""


def _literal(data: bytes) -> str:
    lines = [data[start : start + LINE_BYTES].hex() for start in range(0, len(data), LINE_BYTES)]
    return "\n".join(f'        hex"{line}"' for line in lines)


def solidity() -> str:
    """The text of KernelTables.sol."""
    return SOURCE.format(
        version=VERSION, exp=_literal(exp_bytes()), templates=_literal(template_bytes())
    )


def main() -> int:
    """Write or compare; 0 if the file is right afterwards."""
    parser = argparse.ArgumentParser(prog="scripts/generate_tables", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    wanted = solidity()
    if not parser.parse_args().check:
        TARGET.write_text(wanted, "utf-8")
        return 0
    if TARGET.exists() and TARGET.read_text("utf-8") == wanted:
        return 0
    print(f"{TARGET} is not what backend/kernel/tables.json says. Run scripts/generate_tables.")
    return 1


if __name__ == "__main__":
    sys.exit(main())
