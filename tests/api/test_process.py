"""`chainbeasts serve` as a process: it follows, reports, ends in order, or says why it cannot."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from backend.api.server import bind
from backend.store.session import upgrade_database
from tests.api.conftest import Scene
from tests.api.test_behind import eventually
from tests.support.forked import Server


@pytest.fixture(scope="module")
def program() -> Iterator[Server]:
    """The loaded program; the commands fork from it."""
    made = Server()
    yield made
    made.end()


@dataclass
class Command:
    """`chainbeasts serve` at the scene's home."""

    program: Server
    scene: Scene
    folder: Path

    def __post_init__(self) -> None:
        self.out, self.err = self.folder / "out", self.folder / "err"

    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("CHAINBEASTS_")}
        return kept | {
            "NO_COLOR": "1",
            "COLUMNS": "200",
            "CHAINBEASTS_HOME": str(self.scene.folder),
            "CHAINBEASTS_RPC_URL": self.scene.chain.rpc_url,
        }

    def refused(self, *arguments: str) -> str:
        """What a command says that cannot serve."""
        code = self.program.run(["serve", *arguments], self.environment(), self.out, self.err)
        assert code == 1
        return self.err.read_text()

    @contextmanager
    def serving(self, *arguments: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """A running server: its process id, and what it printed."""
        given = ["serve", "--port", "0", "--json", "--poll", "0.1", *arguments]
        pid = self.program.start(given, self.environment(), self.out, self.err)
        try:
            yield pid, eventually(self._printed)
        finally:
            with suppress(ChildProcessError, ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _printed(self) -> Any:
        try:
            return json.loads(self.out.read_text())
        except (OSError, ValueError):  # not all of it is there yet
            return None


@pytest.fixture
def command(program: Server, scene: Scene, tmp_path: Path) -> Command:
    return Command(program, scene, tmp_path)


def get(url: str) -> httpx.Response:
    return httpx.get(url, trust_env=False)


def test_it_follows_the_chain_and_ends_in_order(scene: Scene, command: Command) -> None:
    with command.serving() as (pid, facts):
        url = facts["url"]
        head = scene.chain.block().number
        eventually(lambda: get(f"{url}/v1/status").json()["indexed"]["number"] >= head)
        scene.world.mine()
        eventually(lambda: get(f"{url}/v1/status").json()["indexed"]["number"] > head)
        assert get(f"{facts['health']}/readyz").status_code == 200
        figures = get(f"{facts['health']}/metrics").text
        assert f"chainbeasts_api_indexed_block {head + 1}.0" in figures

        async def main() -> None:
            async with connect(f"ws{url.removeprefix('http')}/v1/events", proxy=None) as socket:
                await socket.recv()
                os.kill(pid, signal.SIGTERM)
                async with asyncio.timeout(30):
                    async for _ in socket:
                        pass

        asyncio.run(main())
        assert eventually_ended(command, pid) == 0
        assert "Traceback" not in command.err.read_text()


def eventually_ended(command: Command, pid: int) -> int:
    """The exit code, once there is one."""
    (code,) = eventually(
        lambda: None if (found := command.program.ended(pid)) is None else (found,)
    )
    return int(code)


def test_it_reads_a_database_that_another_daemon_fills(command: Command, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/other.sqlite3"
    upgrade_database(url)
    with command.serving("--database", url) as (_, facts):
        status = eventually(
            lambda: (found := get(f"{facts['url']}/v1/status").json())["node"]["answers"] and found
        )
        assert status["indexed"] is None
        assert status["node"]["number"] >= 1


def test_an_older_schema_is_left_alone(command: Command, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/older.sqlite3"
    upgrade_database(url, "0003")
    said = command.refused("--database", url)
    assert "Error: The database's schema is 0003" in said
    assert "Let the daemon that fills it" in said


def test_a_port_that_is_taken_is_said(command: Command) -> None:
    with bind(0) as taken:
        taken.listen()
        said = command.refused("--port", str(taken.getsockname()[1]))
    assert "cannot be used" in said
    assert "--port" in said
