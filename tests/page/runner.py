"""Runs a file of Node's test runner over the page's modules."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from chainbeasts.backend.chain.toolchain import find_node

FOLDER = Path(__file__).parent


def run_node(name: str, **environment: str) -> None:
    """Run one file of this folder; its report is the failure."""
    command = [find_node(), "--import", FOLDER / "resolve.mjs", "--test", FOLDER / name]
    done = subprocess.run(
        [str(part) for part in command],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
