"""Runs pytest; where few tests fail among all others, their files are run once more, alone.

With their files, since some tests go on where the one before has ended. A test that fails in the
crowd and passes alone has a race in it, or in what it tests. It is told of by its name, as a fault
to be mended, but does not hold up a change that has nothing to do with it. The nightly run does not
forgive it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

MOST = 3
"""Of more failures the machine is not to blame."""

TESTS_FAILED = 1
"""pytest's exit code when all was collected and run, and something failed."""


def failures(root: Path) -> list[str]:
    """The ids of the tests that failed in the last run of pytest under a folder."""
    noted = root / ".pytest_cache" / "v" / "cache" / "lastfailed"
    return sorted(json.loads(noted.read_text())) if noted.exists() else []


def run(command: Sequence[str], crowd: Sequence[str], arguments: Sequence[str], root: Path) -> int:
    """Run pytest, and the files of its failures again if these are few.

    Args:
        command: pytest.
        crowd: arguments for running many tests at once, left out the second time.
        arguments: all others.

    Returns:
        pytest's exit code; 0 if all that failed passed alone.
    """
    # What an earlier run left is no failure of this one.
    (root / ".pytest_cache" / "v" / "cache" / "lastfailed").unlink(missing_ok=True)
    code = subprocess.run([*command, *crowd, *arguments], cwd=root, check=False).returncode
    failed = failures(root)
    if code != TESTS_FAILED or not 0 < len(failed) <= MOST:
        return code
    print(f"\n{len(failed)} failed among the others; again, their files alone:", flush=True)
    files = dict.fromkeys(name.partition("::")[0] for name in failed)
    again = subprocess.run([*command, *files], cwd=root, check=False).returncode
    if again == 0:
        print("\nUNSTEADY, to be mended (passed alone, failed among the others):")
        for name in failed:
            print(f"  {name}")
    return again


if __name__ == "__main__":
    here = Path(__file__).resolve().parents[2]
    split = sys.argv.index("--")
    pytest = str(here / ".venv" / "bin" / "pytest")
    sys.exit(run([pytest], sys.argv[1:split], sys.argv[split + 1 :], here))
