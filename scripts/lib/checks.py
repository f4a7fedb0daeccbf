"""Runs every check of the project and ends with a summary: what scripts/test does after set-up."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from backend.chain.toolchain import find_node
from backend.cli.output import stderr, table
from tests.support.postgres import ABSENT, find_binaries

ROOT = Path(__file__).resolve().parents[2]
BIN = ROOT / ".venv" / "bin"
MODULES = ROOT / "node_modules"
SOLIDITY = "contracts/**/*.sol"


@dataclass(frozen=True)
class Check:
    """A named command; ``slow`` ones are left out by --fast."""

    name: str
    command: list[str | Path]
    slow: bool = False


def checks(pytest_arguments: list[str], *, fast: bool) -> list[Check]:
    """All checks, the quick ones first; ``fast`` leaves the end-to-end tests out."""
    chosen = [*(["--ignore=tests/e2e"] if fast else []), *pytest_arguments]
    node = find_node()
    prettier = MODULES / "prettier" / "bin" / "prettier.cjs"
    solhint = MODULES / "solhint" / "solhint.js"
    return [
        Check("lint", [BIN / "ruff", "check", "."]),
        Check("format", [BIN / "ruff", "format", "--check", "."]),
        Check("Solidity format", [node, prettier, "--check", "--log-level=warn", SOLIDITY]),
        Check(
            "Solidity lint",
            [node, solhint, "--disc", "--noPoster", "--max-warnings", "0", SOLIDITY],
        ),
        Check("types", [BIN / "mypy"]),
        Check("generated tables", [ROOT / "scripts" / "generate_tables", "--check"]),
        Check("contracts", [BIN / "python", "-m", "scripts.lib.contracts"]),
        Check("tests", [BIN / "pytest", "-n", "2", *chosen]),
        Check("gas report", [ROOT / "scripts" / "gas_report", "--check"], slow=True),
    ]


def run(check: Check, environment: dict[str, str]) -> tuple[bool, float]:
    """Run one check with its output on the terminal; (passed, seconds)."""
    stderr.rule(check.name, align="left")
    started = time.monotonic()
    command = [str(part) for part in check.command]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False)
    return done.returncode == 0, time.monotonic() - started


def main() -> int:
    """Run the checks; the exit code."""
    parser = argparse.ArgumentParser(
        prog="scripts/test",
        description="Set-up, then every check. Other arguments go to pytest.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="examples:\n  scripts/test\n  scripts/test --fast\n  scripts/test -k kernel",
    )
    parser.add_argument("--fast", action="store_true", help="no end-to-end tests, no gas report")
    parser.add_argument(
        "--nightly", action="store_true", help="more random cases (CHAINBEASTS_NIGHTLY=1)"
    )
    options, rest = parser.parse_known_args()
    environment = dict(os.environ)
    environment["PATH"] = f"{BIN}{os.pathsep}{environment.get('PATH', '')}"
    if options.nightly:
        environment["CHAINBEASTS_NIGHTLY"] = "1"
    rows, failed = [], 0
    for check in checks(rest, fast=options.fast):
        if options.fast and check.slow:
            continue
        passed, seconds = run(check, environment)
        failed += not passed
        rows.append((check.name, "passed" if passed else "FAILED", f"{seconds:.1f} s"))
    stderr.print()
    stderr.print(table("scripts/test", ("check", "result", "took"), rows))
    if find_binaries() is None:
        stderr.print(ABSENT)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
