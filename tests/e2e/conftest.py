"""Whole stories on a devnet of their own, every actor a process with its own home and account."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.lib.deadlines import PATIENT
from scripts.lib.stage import Stage
from tests.support.forked import Server

FUNDS = 1_000


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One loaded process for all short commands of this test process."""
    made = Server()
    yield made
    made.end()


@pytest.fixture
def stage(server: Server, tmp_path: Path) -> Iterator[Stage]:
    """A devnet with the contracts deployed, whose deadlines pass when a test travels, only then.

    Daemons run from the installed executable.
    """
    numbers = itertools.count()

    def run(arguments: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        number = next(numbers)
        out, err = tmp_path / f"{number}.out", tmp_path / f"{number}.err"
        code = server.run(arguments, environment, out, err)
        return subprocess.CompletedProcess(arguments, code, out.read_text(), err.read_text())

    with Stage(tmp_path / "stage", run) as made:
        made.deploy(str(PATIENT.profile(tmp_path)))
        yield made
