"""Whole stories on a devnet of their own, every actor a process with its own home and account."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.lib.deadlines import PATIENT
from scripts.lib.stage import Stage
from tests.conftest import NIGHTLY
from tests.support.forked import Program
from tests.support.worlds import deployed_world

FUNDS = 1_000

# Another node has to be installed for these, and each story takes a minute.
collect_ignore = [] if NIGHTLY else ["test_second_node.py"]


@pytest.fixture
def stage(
    program: Program, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """A devnet with the contracts deployed, whose deadlines pass when a test travels, only then."""
    made = Stage(tmp_path / "stage", program)
    deployed_world(tmp_path_factory, program, PATIENT).copy_to(made.host.home)
    with made:
        yield made
