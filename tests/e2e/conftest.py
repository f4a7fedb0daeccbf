"""Whole stories on a devnet of their own, every actor a process with its own home and account."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.lib.stage import Stage

FUNDS = 1_000


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A devnet with the contracts deployed."""
    with Stage(tmp_path / "stage") as made:
        made.deploy()
        yield made
