"""The real `chainbeasts` process in a home of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from chainbeasts.backend.chain.anvil import Anvil
from chainbeasts.backend.cli.units import is_amount, is_time
from tests.support.forked import Process, Program
from tests.support.worlds import World, deployed_world

COMMAND = str(Path(sys.executable).with_name("chainbeasts"))


LARGE = 10**9
"""No count that a test makes is that large: it would be wei, or seconds since 1970."""


def assert_for_people(text: str) -> None:
    """No table shows wei, or seconds since 1970."""
    bare = re.search(r"(?<![\w.,])\d{10,}(?![\w.,])", text)
    assert bare is None, text


def assert_schema(value: Any, name: str = "") -> None:
    """A document keeps to docs/guides/json.md."""
    if isinstance(value, dict):
        for key, item in value.items():
            assert_schema(item, key)
    elif isinstance(value, list):
        for item in value:
            assert_schema(item, name)
    elif isinstance(value, int) and not isinstance(value, bool):
        assert abs(value) < LARGE or name == "seed", (name, value)
        assert not is_amount(name), (name, value)
        assert not is_time(name), (name, value)
    elif isinstance(value, str) and is_amount(name):
        assert re.fullmatch(r"-?\d+", value), (name, value)
    elif isinstance(value, str) and is_time(name):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value), (name, value)


@dataclass
class Cli:
    """Runs commands against one home, and one node if it has one."""

    program: Program
    home: Path
    rpc_url: str | None = None
    extra: dict[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("CHAINBEASTS_")}
        kept |= {"CHAINBEASTS_HOME": str(self.home), "NO_COLOR": "1", "COLUMNS": "200"}
        if self.rpc_url is not None:
            kept["CHAINBEASTS_RPC_URL"] = self.rpc_url
        return kept | self.extra

    def start(self, *arguments: str) -> Process:
        """Start a command and leave it running."""
        return self.program.begin(arguments, self.environment())

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, as a process forked from one that is loaded."""
        done = self.program.run(arguments, self.environment())
        if "--json" not in arguments:
            assert_for_people(done.stdout)
        return done

    def json(self, *arguments: str) -> Any:
        """The document that a successful command prints with --json, and nothing else."""
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert_schema(found)
        return found

    def refused(self, said: str, *arguments: str) -> str:
        """Assert that a command refuses with one sentence holding ``said``; what it wrote."""
        done = self.run(*arguments)
        assert done.returncode == 1, (done.returncode, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
        assert done.stdout == ""
        errors = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
        assert len(errors) == 1, done.stderr
        assert said in errors[0], done.stderr
        assert errors[0].endswith((".", "?")), done.stderr
        return done.stderr

    def hinted(self, said: str, hint: str, *arguments: str) -> None:
        """Assert a refusal whose next line says what to do."""
        lines = self.refused(said, *arguments).splitlines()
        at = next(i for i, line in enumerate(lines) if line.startswith("Error: "))
        assert hint in " ".join(lines[at + 1 :]), lines


@pytest.fixture(scope="session")
def anvil_process() -> Iterator[Anvil]:
    """A chain for the commands' tests alone, where nothing stands that other tests deployed."""
    with Anvil() as child:
        yield child


@pytest.fixture
def cli(program: Program, tmp_path: Path) -> Cli:
    """An empty home, and no node."""
    return Cli(program, tmp_path / "home")


@pytest.fixture(scope="session")
def world(program: Program, tmp_path_factory: pytest.TempPathFactory) -> World:
    """What a deployment with the devnet's season has left."""
    return deployed_world(tmp_path_factory, program)


@pytest.fixture(scope="module")
def deployed_node(world: World) -> Iterator[Anvil]:
    """A chain of this module's own, on which the contracts stand."""
    with world.node() as child:
        yield child


@pytest.fixture(scope="module")
def deployed(
    program: Program, world: World, deployed_node: Anvil, tmp_path_factory: pytest.TempPathFactory
) -> Cli:
    """A home that knows the contracts on this module's chain."""
    home = tmp_path_factory.mktemp("deployed") / "home"
    world.copy_to(home)
    return Cli(program, home, deployed_node.url)
