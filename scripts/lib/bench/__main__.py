"""Runs the measurements, prints them, and writes docs/benchmarks.md if asked to."""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from chainbeasts.backend.graph_cache.compilers import find_compiler
from chainbeasts.backend.graph_cache.targets import this_target
from chainbeasts.backend.kernel.tables import VERSION
from chainbeasts.backend.logs import configure_logging
from scripts.lib.bench import (
    api,
    fights,
    frameworks,
    kernel,
    learning,
    matches,
    page,
    plausibility,
    report,
    speed,
    validator,
)
from scripts.lib.bench.beasts import Birth, births
from scripts.lib.bench.figures import Figure
from scripts.lib.bench.learning import Learning

ROOT = Path(__file__).resolve().parents[3]
DOCUMENT = ROOT / "docs" / "benchmarks.md"
GROUPS = (
    "speed", "validator", "plausibility", "learning", "matches", "fights", "frameworks", "api",
    "page",
)  # fmt: skip
OFF_CHAIN = {"fights", "page"}
"""Groups whose beasts need no chain to be born."""


def machine() -> dict[str, str]:
    """What the figures were measured on."""
    compiler = find_compiler()
    return {
        "processor": _processor(),
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        "target": this_target().name,
        "compiler": compiler.version if compiler else "none",
        "kernel": VERSION,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    found = {line.partition(":")[0].strip(): line.partition(":")[2].strip() for line in lines}
    return f"{found.get('model name', 'unknown')}, {found.get('cpu MHz', '?')} MHz"


def show(title: str, figures: Sequence[Figure], console: Console) -> None:
    """A table for people."""
    table = Table(title=title, title_justify="left")
    for column in ("figure", "measured", "at least / at most", "", "method"):
        table.add_column(column, overflow="fold")
    marks = {True: "reached", False: "MISSED", None: ""}
    for one in figures:
        table.add_row(one.name, one.shown, one.wanted, marks[one.reached], one.method)
    console.print(table)


def main() -> int:
    """Measure, print, write; 1 if a figure misses its target."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--only", choices=GROUPS, action="append", help="measure this group")
    parser.add_argument(
        "--beside",
        type=Path,
        metavar="TREE",
        help="measure only the kernel, as ratios to that of another checkout",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    options = parser.parse_args()
    configure_logging("warning")
    progress = Console(stderr=True, highlight=False)

    def tell(text: str) -> None:
        progress.print(f"[bench] {text}", markup=False)

    if options.beside:
        figures = kernel.measure(options.beside.resolve(), tell)
        if options.json:
            rows = [{**asdict(one), "reached": one.reached} for one in figures]
            sys.stdout.write(json.dumps({"machine": machine(), "kernel": rows}, indent=2) + "\n")
        else:
            show("kernel", figures, Console(highlight=False, width=None))
        return 1 if any(one.reached is False for one in figures) else 0
    wanted = options.only or GROUPS
    born: Sequence[Birth] = ()
    if set(wanted) - OFF_CHAIN:
        tell("hatching beasts on a local chain")
        born = births(max(learning.BEASTS, matches.FIGHTERS))
        learning.warm_up()
    found: dict[str, list[Figure]] = {}
    learned: Learning | None = None
    for group in wanted:
        if group == "learning":
            learned = learning.measure(born[: learning.BEASTS], tell)
            found[group] = learned.figures
        else:
            found[group] = MEASURES[group](born, tell)
    if options.json:
        groups: dict[str, Any] = {
            group: [{**asdict(one), "reached": one.reached} for one in figures]
            for group, figures in found.items()
        }
        sys.stdout.write(json.dumps({"machine": machine(), **groups}, indent=2) + "\n")
    else:
        for group, figures in found.items():
            show(group, figures, Console(highlight=False, width=None))
    if options.write:
        document = report.renew(DOCUMENT.read_text("utf-8"), machine(), found, learned)
        DOCUMENT.write_text(document, "utf-8")
        tell(f"wrote {DOCUMENT.relative_to(ROOT)}")
    missed = any(one.reached is False for figures in found.values() for one in figures)
    return 1 if missed else 0


MEASURES: dict[str, Callable[[Sequence[Birth], Callable[[str], None]], list[Figure]]] = {
    "speed": speed.measure,
    "matches": matches.measure,
    "fights": lambda born, tell: fights.measure(tell),
    "frameworks": frameworks.measure,
    "validator": validator.measure,
    "plausibility": plausibility.measure_all,
    "api": api.measure,
    "page": lambda born, tell: page.measure(tell),
}


if __name__ == "__main__":
    sys.exit(main())
