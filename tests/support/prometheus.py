"""A real Prometheus for the tests, and promtool, which checks its files."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.patience import PATIENCE
from tests.support.ports import free_port

ABSENT = (
    "Prometheus is not installed: the test that loads alarms and dashboard into it is skipped. "
    "Debian's package is `prometheus`."
)


def find_tool(name: str) -> str | None:
    """``prometheus`` or ``promtool``; None if it is absent."""
    return shutil.which(name)


def needed(name: str) -> str:
    """The same; skips where it is not installed."""
    found = find_tool(name)
    if found is None:
        pytest.skip(ABSENT)
    return found


def promtool(*arguments: object, cwd: Path) -> None:
    """Run promtool; what it says is the failure."""
    command = [needed("promtool"), *map(str, arguments)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


class Prometheus:
    """One that runs and answers."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, trust_env=False, timeout=PATIENCE)

    def ask(self, path: str, **parameters: str) -> Any:
        """What the API answers."""
        answer = self._client.get(f"/api/v1/{path}", params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def ready(self) -> bool:
        """Whether it answers yet."""
        try:
            return self._client.get("/-/ready").status_code == 200
        except httpx.TransportError:
            return False


@contextmanager
def prometheus(config: Path, folder: Path) -> Iterator[Prometheus]:
    """Prometheus with a configuration, on a free port of loopback, while the context is open."""
    address = f"127.0.0.1:{free_port()}"
    command = [
        needed("prometheus"),
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address={address}",
    ]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
    try:
        found, deadline = Prometheus(f"http://{address}"), time.monotonic() + PATIENCE
        while not found.ready():
            assert process.poll() is None, (folder / "prometheus.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield found
    finally:
        process.kill()  # it keeps nothing that is worth a good end
        process.wait()
