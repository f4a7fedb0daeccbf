"""Whole stories on a devnet of their own, every actor a process with its own home and account."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.lib.deadlines import PATIENT
from scripts.lib.stage import Stage
from tests.conftest import NIGHTLY
from tests.support.forked import Program

FUNDS = 1_000

# Another node has to be installed for these, and each story takes a minute.
collect_ignore = [] if NIGHTLY else ["test_second_node.py"]


@pytest.fixture
def stage(program: Program, tmp_path: Path) -> Iterator[Stage]:
    """A devnet with the contracts deployed, whose deadlines pass when a test travels, only then."""
    with Stage(tmp_path / "stage", program) as made:
        made.deploy(str(PATIENT.profile(tmp_path)))
        yield made
