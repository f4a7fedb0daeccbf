"""Whole stories on a devnet of their own, every actor a process with its own home and account."""

from __future__ import annotations

import itertools
import re
import subprocess
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest

from scripts.lib.stage import Stage
from tests.support.forked import Server

FUNDS = 1_000
CHALLENGE_PERIOD, RESPONSE_WINDOW, PROOF_WINDOW = 1_800, 600, 600
"""Seconds; longer than any test lasts, so that deadlines pass when a test travels, only then."""


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One loaded process for all short commands of this test process."""
    made = Server()
    yield made
    made.end()


def patient(
    challenge: int = CHALLENGE_PERIOD, response: int = RESPONSE_WINDOW, proof: int = PROOF_WINDOW
) -> str:
    """The devnet's profile with long deadlines, seconds."""
    text = resources.files("backend.chain.profiles").joinpath("devnet.toml").read_text("utf-8")
    for name, seconds in (
        ("challenge_period", challenge),
        ("response_window", response),
        ("proof_window", proof),
    ):
        text, found = re.subn(rf"(?m)^{name} = .*$", f"{name} = {seconds}", text)
        assert found == 1
    return text


@pytest.fixture
def stage(server: Server, tmp_path: Path) -> Iterator[Stage]:
    """A devnet with the contracts deployed. Daemons run from the installed executable."""
    numbers = itertools.count()

    def run(arguments: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        number = next(numbers)
        out, err = tmp_path / f"{number}.out", tmp_path / f"{number}.err"
        code = server.run(arguments, environment, out, err)
        return subprocess.CompletedProcess(arguments, code, out.read_text(), err.read_text())

    with Stage(tmp_path / "stage", run) as made:
        profile = tmp_path / "patient.toml"
        profile.write_text(patient())
        made.deploy(str(profile))
        yield made
