"""A devnet whose transactions wait for the next block, and daemons that are easily killed."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from chainbeasts.backend.chain.anvil import AnvilError, rpc
from scripts.lib.deadlines import Deadlines
from scripts.lib.stage import Player, Process, Stage
from tests.support.forked import Program

DEADLINES = Deadlines(challenge_period=18_000, response_window=6_000, proof_window=6_000)
"""The chain's clock runs ahead of ours here, by one second a block at least."""

BLOCK_SECONDS = 0.25
"""A transaction waits that long at most, so that kills find it neither sent nor mined."""


@dataclass
class Mortal:
    """A daemon that is killed and started again."""

    player: Player
    name: str
    arguments: tuple[str, ...]
    process: Process | None = None
    kills: int = 0
    finished: bool = field(default=False)

    def start(self) -> None:
        self.process = self.player.start(self.name, *self.arguments)

    def _let_go(self) -> int:
        assert self.process is not None
        code = self.process.wait()
        self.player.daemons.remove(self.process)
        self.process = None
        return code

    def kill(self) -> None:
        """SIGKILL, wherever it is; a command that came to its end by itself is left alone."""
        if self.process is None or self.ended():
            return
        self.process.kill()
        code = self._let_go()
        assert code in (-signal.SIGKILL, 0), f"{self.name} ended with {code}"
        self.kills += code != 0
        self.finished = code == 0

    def go_on(self) -> None:
        """Start it again, if it has not come to its end."""
        if not self.finished:
            self.start()

    def ended(self) -> bool:
        """Whether it ended by itself; that must have been well."""
        if self.process is None:
            return self.finished
        if self.process.poll() is None:
            return False
        code, self.finished = self._let_go(), True
        assert code == 0, (
            f"{self.name} ended with {code}:\n{self.player.log(self.name).read_text()}"
        )
        return True

    def stop(self) -> None:
        """End it in good order."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self._let_go()


@pytest.fixture
def stage(program: Program, tmp_path: Path) -> Iterator[Stage]:
    """A devnet with the contracts deployed, that mines every ``BLOCK_SECONDS`` only."""
    with Stage(tmp_path / "stage", program) as made:
        made.deploy(str(DEADLINES.profile(tmp_path)))
        yield made


@contextmanager
def slow_blocks(stage: Stage) -> Iterator[Callable[[], None]]:
    """From here on nothing is mined at once; gives what lets it be mined at all."""
    over = threading.Event()

    def mine() -> None:
        while not over.wait(BLOCK_SECONDS):
            try:
                rpc(stage.rpc_url, "anvil_mine", "0x1")
            except AnvilError:  # a machine that is busy; the next one comes
                continue

    rpc(stage.rpc_url, "evm_setAutomine", False)
    miner = threading.Thread(target=mine, name="miner", daemon=True)
    try:
        yield miner.start
    finally:
        over.set()
        if miner.ident is not None:
            miner.join()
