"""The locks serve every Python and system that continuous integration names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement

from tests.wheel.conftest import ROOT

WORKFLOW = (ROOT / ".github" / "workflows" / "test.yml").read_text("utf-8")
PYTHONS = json.loads(re.findall(r"python: (\[.+\])", WORKFLOW)[0])
SYSTEMS = {
    "linux": {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"},
    "macos": {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix"},
}
LOCKS = ("requirements.lock", "requirements-dev.lock")


def lines(lock: Path) -> Iterator[Requirement]:
    for line in lock.read_text("utf-8").replace("\\\n", " ").splitlines():
        if line and not line.startswith((" ", "#")):
            yield Requirement(line.partition(" --hash=")[0].strip())


@pytest.mark.parametrize("lock", LOCKS)
@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("python", PYTHONS)
def test_a_lock_pins_every_package_once(lock: str, system: str, python: str) -> None:
    """And for each what pyproject.toml asks for, so nothing is left to be resolved."""
    machine = "arm64" if system == "macos" else "x86_64"
    environment = {
        **default_environment(),
        **SYSTEMS[system],
        "platform_machine": machine,
        "python_version": python,
        "python_full_version": f"{python}.1",
    }
    pinned = [
        one.name.lower()
        for one in lines(ROOT / lock)
        if one.marker is None or one.marker.evaluate(environment)
    ]
    assert len(pinned) == len(set(pinned))
    assert {"numpy", "web3", "sqlalchemy", "h5py", "pydantic-core"} <= set(pinned)
    assert ("pytest" in pinned) == (lock == "requirements-dev.lock")
