"""A chain on which the contracts stand: made once for all test processes, a copy for whoever asks.

Deploying takes some three seconds of the processor, and dozens of files begin with it.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

from chainbeasts.backend.chain.anvil import DEVNET_CHAIN_ID, Anvil, rpc
from scripts.lib.deadlines import Deadlines
from scripts.lib.stage import Stage
from tests.support.forked import Program

STATE = Path("devnet") / "state.json"
RECORD = Path("deployments") / f"{DEVNET_CHAIN_ID}.json"


@dataclass(frozen=True)
class World:
    """The home of whoever deployed.

    Attributes:
        home: with the chain as it was afterwards, and the record of the deployment.
    """

    home: Path

    def copy_to(self, home: Path) -> None:
        """Let a home that had no chain yet be as if it had deployed."""
        for path in (STATE, RECORD):
            (home / path).parent.mkdir(parents=True)
            shutil.copy(self.home / path, home / path)

    @contextmanager
    def node(self) -> Iterator[Anvil]:
        """A node that goes on from there."""
        with Anvil(extra=("--load-state", str(self.home / STATE))) as child:
            rpc(child.url, "evm_mine")  # the last block may be minutes old
            yield child


def deployed_world(
    factory: pytest.TempPathFactory, program: Program, deadlines: Deadlines | None = None
) -> World:
    """The world with the devnet's season, or one with other deadlines.

    The first process that wants it deploys; the others wait.
    """
    own = factory.getbasetemp()
    shared = own.parent if own.name.startswith("popen-") else own  # xdist's processes each have one
    name = hashlib.sha256(repr(deadlines).encode()).hexdigest()[:8]
    folder, making = shared / f"world-{name}", shared / f"world-{name}.making"
    with FileLock(shared / f"world-{name}.lock"):
        if not folder.exists():
            shutil.rmtree(making, ignore_errors=True)
            with Stage(making, program) as stage:
                stage.deploy(str(deadlines.profile(making)) if deadlines else "devnet")
            making.rename(folder)
    return World(folder / "host")
