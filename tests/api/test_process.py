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
from websockets.exceptions import ConnectionClosed

from chainbeasts.backend.api.server import bind
from chainbeasts.backend.store.session import upgrade_database
from scripts.lib.faulty_node import FaultyNode
from tests.api.conftest import Scene
from tests.support.forked import Process, Program
from tests.support.patience import PATIENCE, eventually


@dataclass
class Command:
    """`chainbeasts serve` at the scene's home."""

    program: Program
    scene: Scene

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
        done = self.program.run(["serve", *arguments], self.environment())
        assert done.returncode == 1
        return done.stderr

    @contextmanager
    def started(self, *arguments: str) -> Iterator[Process]:
        """A server's process."""
        given = ["serve", "--port", "0", "--json", "--poll", "0.1", *arguments]
        process = self.program.begin(given, self.environment())
        try:
            yield process
        finally:
            process.kill()

    @contextmanager
    def serving(self, *arguments: str) -> Iterator[tuple[Process, dict[str, Any]]]:
        """A running server, and what it printed."""
        with self.started(*arguments) as process:
            yield process, eventually(lambda: printed(process))


def printed(process: Process) -> Any:
    """The JSON that a process has printed; None while not all of it is there."""
    try:
        return json.loads(process.out.read_text())
    except ValueError:
        return None


@pytest.fixture
def command(program: Program, scene: Scene) -> Command:
    return Command(program, scene)


def get(url: str) -> httpx.Response:
    return httpx.get(url, trust_env=False, timeout=PATIENCE)


def indexed(url: str) -> int:
    """The indexed block's number; -1 before the first."""
    found = get(f"{url}/v1/status").json()["indexed"]
    return -1 if found is None else int(found["number"])


def test_it_follows_the_chain_and_ends_in_order(scene: Scene, command: Command) -> None:
    with command.serving() as (process, facts):
        url = facts["url"]
        head = scene.chain.block().number
        eventually(lambda: indexed(url) >= head)
        scene.world.mine()
        eventually(lambda: indexed(url) > head)
        eventually(lambda: get(f"{facts['health']}/readyz").status_code == 200)
        figure = f"chainbeasts_api_indexed_block {head + 1}.0"  # set at the end of a pass
        eventually(lambda: figure in get(f"{facts['health']}/metrics").text)

        async def main() -> None:
            async with connect(
                f"ws{url.removeprefix('http')}/v1/events", proxy=None, open_timeout=PATIENCE
            ) as socket:
                await socket.recv()
                process.send_signal(signal.SIGTERM)
                with suppress(ConnectionClosed):
                    async with asyncio.timeout(PATIENCE):
                        while True:
                            await socket.recv()

        asyncio.run(main())
        assert process.wait() == 0
        assert "Traceback" not in process.err.read_text()


def test_it_waits_for_its_node_and_ends_when_it_is_told_to(scene: Scene, command: Command) -> None:
    with FaultyNode(scene.chain.rpc_url) as node:
        node.down = True
        given = ("--rpc-url", node.url)
        with command.started(*given) as told, command.started(*given) as process:
            for one in (told, process):
                eventually(lambda one=one: "waiting for the node" in one.err.read_text())
            told.send_signal(signal.SIGTERM)
            assert told.wait() == 0
            assert told.out.read_text() == ""
            node.behave()
            url = eventually(lambda: printed(process))["url"]
            eventually(lambda: indexed(url) >= scene.chain.block().number)
        assert "Traceback" not in told.err.read_text() + process.err.read_text()


def test_it_does_not_wait_on_another_chain(command: Command, tmp_path: Path) -> None:
    (record,) = (command.scene.folder / "deployments").glob("*.json")
    other = tmp_path / "home" / "deployments"
    other.mkdir(parents=True)
    known = json.loads(record.read_text())
    (other / record.name).write_text(json.dumps(known | {"genesis": "0x" + "11" * 32}))
    assert "another chain" in command.refused("--home", str(other.parent))


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
