"""A local chain with its players, each a process and a home of its own, worked by the command line.

For the demonstration and the end-to-end tests. Only the node's clock is reached past the commands.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from chainbeasts.backend.accounts import devnet_account
from chainbeasts.backend.chain.anvil import DEVNET_CHAIN_ID, rpc

T = TypeVar("T")

COMMAND = Path(sys.executable).with_name("chainbeasts")
PATIENCE = 600.0
"""Seconds until a command is held to hang."""

STOP_SECONDS = 15.0
LAST_LINES = 40
SHORTEST_PAUSE, PAUSE_SHARE = 0.1, 2.0
"""Between two looks: as seconds, and in what a look takes, which may be a whole command."""

DEPLOYER = 0


class StageError(Exception):
    """A command failed, or something that had to happen did not."""


class Process(Protocol):
    """A command that was started; ``subprocess.Popen`` is one."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...

    def send_signal(self, number: int, /) -> None: ...

    def kill(self) -> None: ...


class Program(Protocol):
    """How `chainbeasts` is run, each command as a process of its own."""

    def run(
        self, arguments: Sequence[str], environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        ...

    def start(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> Process:
        """Start a command, all its output added to a file."""
        ...


class Installed:
    """The installed `chainbeasts`."""

    def run(
        self, arguments: Sequence[str], environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end.

        Raises:
            StageError: it does not end in time.
        """
        try:
            return subprocess.run(
                [str(COMMAND), *arguments],
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=False,
            )
        except subprocess.TimeoutExpired:
            words = " ".join(arguments)
            raise StageError(f"`chainbeasts {words}` did not end in {PATIENCE:g} s.") from None

    def start(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> Process:
        """Start a command, all its output added to a file."""
        with log.open("ab") as out:
            return subprocess.Popen(
                [str(COMMAND), *arguments],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )


@dataclass
class Player:
    """Somebody with an account and a home: an owner, a trainer, a validator."""

    name: str
    number: int
    home: Path
    published: Path
    rpc_url: str
    program: Program
    daemons: list[Process] = field(default_factory=list)
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return str(devnet_account(self.number).address)

    def environment(self) -> dict[str, str]:
        """No setting of whoever started the stage reaches the players."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("CHAINBEASTS_")}
        return kept | {
            "CHAINBEASTS_HOME": str(self.home),
            "CHAINBEASTS_RPC_URL": self.rpc_url,
            "CHAINBEASTS_ACCOUNT": f"devnet:{self.number}",
            "CHAINBEASTS_SNAPSHOTS": str(self.published),
            "CHAINBEASTS_LOG_JSON": "true",
            **self.extra,
        }

    def run(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, whatever it says."""
        return self.program.run([str(argument) for argument in arguments], self.environment())

    def do(self, *arguments: object) -> Any:
        """The JSON of a command that succeeds.

        Raises:
            StageError: it fails.
        """
        done = self.run(*arguments, "--json")
        if done.returncode != 0:
            words = " ".join(map(str, arguments))
            raise StageError(f"`chainbeasts {words}` by {self.name}: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def log(self, daemon: str) -> Path:
        """Where a daemon's log goes."""
        return self.home / f"{daemon}.log"

    def start(self, daemon: str, *arguments: object) -> Process:
        """Start a command that runs until it is stopped."""
        given = [str(argument) for argument in arguments]
        process = self.program.start(given, self.environment(), self.log(daemon))
        self.daemons.append(process)
        return process

    def events(self, daemon: str, name: str) -> list[dict[str, Any]]:
        """What a daemon logged under a name, oldest first."""
        if not self.log(daemon).exists():
            return []
        found = []
        for line in self.log(daemon).read_text("utf-8").splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict) and entry.get("event") == name:
                found.append(entry)
        return found

    def stop(self) -> None:
        """End this player's daemons, each by its process id."""
        for process in self.daemons:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.daemons:
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.daemons.clear()


class Stage:
    """A devnet with the contracts deployed, and players on it. Use it as a context manager.

    Args:
        rpc_url: a local chain that runs already and goes on after the stage; without it the stage
            has a devnet of its own.
        patience: seconds for which it waits for something to happen.
    """

    def __init__(
        self,
        folder: Path,
        program: Program | None = None,
        rpc_url: str = "",
        patience: float = PATIENCE,
    ) -> None:
        self.folder = folder
        self._patience = patience
        self._own_node = not rpc_url
        self._program = program or Installed()
        self.published = folder / "snapshots"
        self.published.mkdir(parents=True)
        self.players: list[Player] = []
        self.rpc_url = rpc_url
        self.host = self._player("host", DEPLOYER)

    def _player(self, name: str, number: int) -> Player:
        home = self.folder / name
        home.mkdir()
        made = Player(name, number, home, self.published, self.rpc_url, self._program)
        self.players.append(made)
        return made

    def start(self) -> Self:
        """Start the devnet, if it is the stage's own."""
        if not self._own_node:
            return self
        devnet = self._host_command("devnet", "up", "--detach")
        self.rpc_url = str(devnet["rpc_url"])
        self.host.rpc_url = self.rpc_url
        return self

    def _host_command(self, *arguments: str) -> Any:
        """A command of the host before, or after, there is a node to name."""
        environment = self.host.environment()
        del environment["CHAINBEASTS_RPC_URL"]
        done = self._program.run([*arguments, "--json"], environment)
        if done.returncode != 0:
            raise StageError(f"`chainbeasts {' '.join(arguments)}`: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def deploy(self, profile: str = "devnet") -> Any:
        """Deploy the contracts with a profile's season, built in or of a file."""
        return self.host.do("deploy", "--profile", profile)

    def enter(self, name: str, number: int, energy: int = 0) -> Player:
        """A new player with its own home, the public deployment record, and some ENERGY."""
        player = self._player(name, number)
        record = self.host.home / "deployments" / f"{DEVNET_CHAIN_ID}.json"
        (player.home / "deployments").mkdir()
        shutil.copy(record, player.home / "deployments")
        if energy:
            self.host.do("energy", "faucet", energy, "--to", player.address)
        return player

    def restart_node(self) -> None:
        """End the node and start it again where it was, with the chain that it kept."""
        self._host_command("devnet", "down")
        self._host_command("devnet", "up", "--detach")

    def travel(self, seconds: int) -> None:
        """Move the chain's clock on."""
        rpc(self.rpc_url, "evm_increaseTime", seconds)
        rpc(self.rpc_url, "evm_mine")

    def wait(self, what: str, look: Callable[[], T | None], seconds: float | None = None) -> T:
        """Look until there is something to see.

        Raises:
            StageError: there is nothing in time, or a daemon has died.
        """
        seconds = self._patience if seconds is None else seconds
        deadline = time.monotonic() + seconds
        while True:
            began = time.monotonic()
            found = look()
            if found:
                return found
            pause = max(SHORTEST_PAUSE, PAUSE_SHARE * (time.monotonic() - began))
            for player in self.players:
                for daemon in player.daemons:
                    if daemon.poll() is not None:
                        raise StageError(
                            f"A daemon of {player.name} ended early.\n{self.last_words()}"
                        )
            if time.monotonic() > deadline:
                raise StageError(f"Waited {seconds:g} s in vain: {what}.\n{self.last_words()}")
            time.sleep(pause)

    def last_words(self) -> str:
        """The ends of all daemons' logs, so that a failure tells its reason."""
        found = []
        for player in self.players:
            for log in sorted(player.home.glob("*.log")):
                lines = log.read_text("utf-8", "replace").splitlines()[-LAST_LINES:]
                found += [f"--- {player.name}, {log.name}", *lines]
        return "\n".join(found)

    def close(self) -> None:
        """End everything that was started."""
        for player in reversed(self.players):
            player.stop()
        if self._own_node:
            self._host_command("devnet", "down")

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
