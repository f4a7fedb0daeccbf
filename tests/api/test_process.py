"""`chainbeasts serve` as a process: it follows, reports, ends in order, or says why it cannot."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from backend.api.server import bind
from backend.store.session import upgrade_database
from tests.api.conftest import Scene
from tests.api.test_behind import eventually

COMMAND = str(Path(sys.executable).with_name("chainbeasts"))


def command(scene: Scene, *arguments: str) -> subprocess.Popen[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("CHAINBEASTS_")}
    place = ("--home", str(scene.folder), "--rpc-url", scene.chain.rpc_url)
    return subprocess.Popen(
        [COMMAND, "serve", *place, *arguments],
        env=kept | {"NO_COLOR": "1", "COLUMNS": "200"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def served(scene: Scene, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A running server, and what it printed."""
    process = command(scene, "--port", "0", "--json", "--poll", "0.1", *arguments)
    assert process.stdout is not None
    try:
        lines = [process.stdout.readline() for _ in range(4)]
        yield process, json.loads("".join(lines))
    finally:
        process.kill()
        process.communicate()


def get(url: str) -> httpx.Response:
    return httpx.get(url, trust_env=False)


def test_it_follows_the_chain_and_ends_in_order(scene: Scene) -> None:
    with served(scene) as (process, facts):
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
                process.send_signal(signal.SIGTERM)
                try:
                    async with asyncio.timeout(30):
                        while True:
                            await socket.recv()
                except ConnectionClosed:
                    pass

        asyncio.run(main())
        assert process.wait(30) == 0
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()


def test_it_reads_a_database_that_another_daemon_fills(scene: Scene, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/other.sqlite3"
    upgrade_database(url)
    with served(scene, "--database", url) as (_, facts):
        status = eventually(
            lambda: (found := get(f"{facts['url']}/v1/status").json())["node"]["answers"] and found
        )
        assert status["indexed"] is None
        assert status["node"]["number"] >= 1


def test_an_older_schema_is_left_alone(scene: Scene, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/older.sqlite3"
    upgrade_database(url, "0003")
    _, said = command(scene, "--database", url).communicate(timeout=60)
    assert "Error: The database's schema is 0003" in said
    assert "Let the daemon that fills it" in said


def test_a_port_that_is_taken_is_said(scene: Scene) -> None:
    with bind(0) as taken:
        taken.listen()
        process = command(scene, "--port", str(taken.getsockname()[1]))
        _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "cannot be used" in said
    assert "--port" in said
