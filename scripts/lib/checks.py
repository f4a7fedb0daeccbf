"""Runs every check of the project and ends with a summary: what scripts/test does after set-up."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from rich.rule import Rule

from chainbeasts.backend.chain.toolchain import find_node
from chainbeasts.backend.cli.output import stderr, table
from scripts.lib.chromium import ABSENT as NO_CHROMIUM
from scripts.lib.chromium import find_chromium
from tests.support.postgres import ABSENT, find_binaries
from tests.support.prometheus import ABSENT as NO_PROMETHEUS
from tests.support.prometheus import find_tool

ROOT = Path(__file__).resolve().parents[2]
BIN = ROOT / ".venv" / "bin"
MODULES = ROOT / "node_modules"
SOLIDITY = "contracts/**/*.sol"
HARNESSES = ("tests/forge/**/*.sol", "tests/halmos/*.sol", "tests/token_standards/*.sol")
SCRIPTS = ("backend/api/page", "tests/page/*.mjs", "tests/second_node/*.js")
WORKERS = ("-n", "4", "--dist", "loadfile", "--no-loadscope-reorder", "--durations=20")
"""Tests wait for chains and processes half of their time, so there are more workers than cores; a
file stays on one, which builds its world once."""

QUICK_TESTS = (
    "tests/kernel",
    "tests/battle",
    "tests/datasets",
    "tests/graph_cache",
    "tests/page",
    "tests/test_imports.py",
)
"""What --quick runs between two edits: no chain, no daemon, no browser; 90 seconds at most."""

QUICK = ("lint", "format", "script format", "types", "tests")
MEASURED = ("contracts", "tests")
KEPT = not os.environ.get("CI")
"""Whether this clone is checked again: else what mypy found out is not written down for that."""

HEAD_COLUMNS = 100

PRINTING = threading.Lock()
YIELDING = ("nice", "-n", "10")
"""Of two that could run the other one does, ten times to one. What yields more than that stands
still on a loaded machine; what yields has no clock but against what hangs."""


@dataclass(frozen=True)
class Check:
    """A named command.

    Attributes:
        first: done before anything else is begun.
        front: shows its progress, and has the machine before what goes on behind it.
        slow: left out by --fast.
    """

    name: str
    command: list[str | Path]
    first: bool = False
    front: bool = False
    slow: bool = False


def checks(
    pytest_arguments: list[str], *, fast: bool, nightly: bool = False, measured: bool = False
) -> list[Check]:
    """All checks; ``fast`` leaves the end-to-end tests out.

    ``nightly`` adds what takes hours. It and ``measured`` run the tests under coverage.py, which
    slows them, and forgive none that fails once.

    The contracts come before the rest, because the tests need them and two compilers keep two cores
    busy.
    """
    chosen = [*(["--ignore=tests/e2e"] if fast else []), *pytest_arguments]
    node = find_node()
    forgiving, measuring = (
        [BIN / "python", "-m", module, *WORKERS, "--", *chosen]
        for module in ("scripts.lib.unsteady", "scripts.lib.coverage_run")
    )
    tests = measuring if measured or nightly else forgiving
    prettier = MODULES / "prettier" / "bin" / "prettier.cjs"
    solhint = MODULES / "solhint" / "solhint.js"
    return [
        Check("contracts", [BIN / "python", "-m", "scripts.lib.contracts"], first=True),
        Check("lint", [BIN / "ruff", "check", "."], first=True),
        Check("format", [BIN / "ruff", "format", "--check", "."], first=True),
        Check(
            "Solidity format",
            [node, prettier, "--check", "--log-level=warn", SOLIDITY, *HARNESSES],
        ),
        Check("script format", [node, prettier, "--check", "--log-level=warn", *SCRIPTS]),
        Check(
            "Solidity lint",
            [node, solhint, "--disc", "--noPoster", "--max-warnings", "0", SOLIDITY],
        ),
        Check("types", [BIN / "mypy", *(() if KEPT else (f"--cache-dir={os.devnull}",))]),
        Check("documentation", [ROOT / "scripts" / "docs", "build", "--quiet"]),
        Check("sanitizers", [BIN / "python", "-m", "scripts.lib.sanitizers"]),
        Check("generated tables", [ROOT / "scripts" / "generate_tables", "--check"]),
        Check("generated ABI", [ROOT / "scripts" / "generate_abi", "--check"]),
        Check("invariants", [ROOT / "scripts" / "forge_invariants"]),
        Check("token standards", [ROOT / "scripts" / "token_standards"]),
        Check("tests", tests, front=True),
        Check("gas report", [ROOT / "scripts" / "gas_report", "--check"], slow=True),
        *(examinations() if nightly else ()),
    ]


def examinations() -> list[Check]:
    """What takes too long for every day: see docs/audit."""
    return [
        Check("static analysis", [ROOT / "scripts" / "slither"], front=True),
        Check("symbolic proofs", [ROOT / "scripts" / "halmos"], front=True),
        Check("mutations", [ROOT / "scripts" / "mutate", "--nightly"], front=True),
        Check("soak", [BIN / "python", "-m", "scripts.lib.soak"], front=True),
    ]


@dataclass(frozen=True)
class Result:
    """What came of a check."""

    name: str
    passed: bool
    seconds: float

    def row(self) -> tuple[str, str, str]:
        return self.name, "passed" if self.passed else "FAILED", f"{self.seconds:.1f} s"


def head(title: str) -> None:
    """Begin a part of the log; what is no terminal has no width that a line could be as long as."""
    stderr.print(Rule(title, align="left"), width=min(stderr.width, HEAD_COLUMNS))


def run(check: Check, environment: dict[str, str], *, behind: bool = False) -> Result:
    """Run one check; its output comes as it goes if it is in front, else when it has ended."""
    started = time.monotonic()
    if check.front:
        head(check.name)
    command = [*(YIELDING if behind else ()), *(str(part) for part in check.command)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        check=False,
        stdout=None if check.front else subprocess.PIPE,
        stderr=None if check.front else subprocess.STDOUT,
        text=True,
    )
    seconds = time.monotonic() - started
    if not check.front:
        with PRINTING:
            head(f"{check.name} ({seconds:.1f} s)")
            stderr.print(done.stdout.strip(), markup=False, highlight=False, soft_wrap=True)
    return Result(check.name, done.returncode == 0, seconds)


def run_all(wanted: Sequence[Check], environment: dict[str, str]) -> list[Result]:
    """Run what comes first; then those in front one by one, with the others behind them.

    The tests wait for chains and processes a third of their time, in which the others get done.
    """
    found: dict[str, Result] = {}
    with ThreadPoolExecutor(2) as pool:
        first = [check for check in wanted if check.first]
        for result in pool.map(lambda check: run(check, environment), first):
            found[result.name] = result
        begun = [
            pool.submit(run, check, environment, behind=True)
            for check in wanted
            if not check.first and not check.front
        ]
        for check in wanted:
            if check.front:
                found[check.name] = run(check, environment)
        for other in begun:
            found[other.result().name] = other.result()
    return [found[check.name] for check in wanted]


def main() -> int:
    """Run the checks; the exit code."""
    parser = argparse.ArgumentParser(
        prog="scripts/test",
        description="Set-up, then every check. Other arguments go to pytest.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="examples:\n  scripts/test --quick\n  scripts/test --fast\n  scripts/test -k kernel",
    )
    parser.add_argument("--fast", action="store_true", help="no end-to-end tests, no gas report")
    parser.add_argument(
        "--quick", action="store_true", help="lint, types, and the tests that need no chain"
    )
    parser.add_argument(
        "--nightly",
        action="store_true",
        help="more random cases, a second node and EVM (CHAINBEASTS_NIGHTLY=1), mutants, a soak",
    )
    parser.add_argument(
        "--coverage", action="store_true", help="the tests alone, their coverage held to its floor"
    )
    options, rest = parser.parse_known_args()
    environment = dict(os.environ)
    environment["PATH"] = f"{BIN}{os.pathsep}{environment.get('PATH', '')}"
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # hundreds of processes load the same modules
    if options.nightly:
        environment["CHAINBEASTS_NIGHTLY"] = "1"
    chosen = [*(QUICK_TESTS if options.quick else ()), *rest]
    found = checks(chosen, fast=options.fast, nightly=options.nightly, measured=options.coverage)
    wanted = [c for c in found if not (options.fast and c.slow)]
    if options.quick:
        wanted = [c for c in wanted if c.name in QUICK]
    if options.coverage and not options.nightly:
        wanted = [c for c in wanted if c.name in MEASURED]
    results = run_all(wanted, environment)
    stderr.print()
    rows = [result.row() for result in results]
    stderr.print(table("scripts/test", ("check", "result", "took"), rows))
    if find_binaries() is None:
        stderr.print(ABSENT)
    if find_chromium() is None:
        stderr.print(NO_CHROMIUM)
    if find_tool("prometheus") is None:
        stderr.print(NO_PROMETHEUS)
    return 0 if all(result.passed for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
