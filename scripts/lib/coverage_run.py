"""Runs pytest under coverage.py and holds the figure to the floor in pyproject.toml.

Every process that the tests start is measured as well: workers, commands, daemons and forks. A run
of some tests alone prints its figure, which says nothing about the whole and is held to nothing.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COVERAGE = (sys.executable, "-m", "coverage")


def run(crowd: Sequence[str], chosen: Sequence[str], root: Path = ROOT) -> int:
    """Run the tests and print what they reached.

    Args:
        crowd: arguments for running many tests at once.
        chosen: arguments that choose tests; with any of them there is no floor.

    Returns:
        pytest's exit code if it is not 0, else that of coverage's report: 0, or 2 below the floor.
    """
    _call(root, "erase")
    tests = _call(root, "run", "-m", "pytest", *crowd, *chosen)
    _call(root, "combine", "--quiet")
    floor = ("--fail-under=0",) if chosen else ()
    report = _call(root, "report", *floor)
    return tests or report


def _call(root: Path, *arguments: str) -> int:
    return subprocess.run([*COVERAGE, *arguments], cwd=root, check=False).returncode


if __name__ == "__main__":
    split = sys.argv.index("--")
    sys.exit(run(sys.argv[1:split], sys.argv[split + 1 :]))
