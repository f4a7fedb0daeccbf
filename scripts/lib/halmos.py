"""Runs the symbolic proofs of tests/halmos: what they say holds for every input, or is refuted.

Each proof is a function ``check_…``; docs/audit/halmos.md says what they prove, and what not.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

from chainbeasts.backend.cache import cache_dir
from chainbeasts.backend.cli.output import note, print_error
from chainbeasts.backend.errors import ChainBeastsError
from scripts.lib.forge_project import forge_environment
from scripts.lib.tool_env import ROOT, tool_bin

PROOFS = ROOT / "tests" / "halmos"
SECONDS = 900
"""For one question to the solver."""


def main() -> int:
    """Prove; the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/halmos", description=__doc__)
    _, extra = parser.parse_known_args()
    try:
        halmos = tool_bin("halmos") / "halmos"
        cache = cache_dir("halmos")
        environment = forge_environment()
    except ChainBeastsError as error:
        print_error(error)
        return 1
    environment |= {"FOUNDRY_OUT": str(cache / "out"), "FOUNDRY_CACHE_PATH": str(cache / "cache")}
    command = [str(halmos), "--root", str(PROOFS), "--forge-build-out", str(cache / "out")]
    command += ["--solver", "z3", "--solver-timeout-assertion", str(1_000 * SECONDS), *extra]
    note("halmos: for all inputs, by an SMT solver")
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
