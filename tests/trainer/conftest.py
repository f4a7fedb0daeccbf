"""A deployed chain, and the real command line against it, for the trainer's tests."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner

from chainbeasts.backend.accounts import devnet_account
from chainbeasts.backend.chain.anvil import Anvil, rpc
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.escrow import deposit_energy
from chainbeasts.backend.chain.transactions import Receipt, TransactionManager
from chainbeasts.backend.chain.types import Commitments
from chainbeasts.backend.cli.battle import app as battle
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.indexer.records import checkpoint_of
from chainbeasts.backend.settings import Settings
from chainbeasts.trainer.cli.beast import app as beast
from chainbeasts.trainer.cli.checkpoint import app as checkpoint
from chainbeasts.trainer.cli.trainer import app as trainer
from chainbeasts.trainer.workspace import TrainerWorkspace, open_workspace
from tests.support.forked import Process, Program
from tests.support.hatching import pay_hatch
from tests.support.patience import eventually
from tests.support.snapshots import set_base_fee

DEPLOYER, TRAINER, CHALLENGER, OTHER = range(4)
ENERGY = 10**18
ROOT = Path(__file__).parents[2]
NOUNS = {"battle": battle, "beast": beast, "checkpoint": checkpoint, "trainer": trainer}


@dataclass
class Farm:
    """One home on one deployed chain, worked by the command line."""

    chain: Chain
    home: Path
    program: Program

    def arguments(self, who: int | None, *args: str) -> list[str]:
        """A command's arguments with home, node and account."""
        common = ["--home", str(self.home), "--rpc-url", self.chain.rpc_url, "--json"]
        return [*args, *common, *([] if who is None else ["--account", f"devnet:{who}"])]

    def invoke(self, noun: str, *args: str, who: int | None = TRAINER) -> Any:
        """Run a command in this process; typer's result."""
        result = CliRunner().invoke(NOUNS[noun], self.arguments(who, *args))
        structlog.reset_defaults()  # its logs went to a stream that is closed by now
        return result

    def done(self, noun: str, *args: str, who: int | None = TRAINER) -> Any:
        """The JSON that a command prints when it succeeds."""
        result = self.invoke(noun, *args, who=who)
        if result.exception is not None:
            raise result.exception
        return json.loads(result.stdout)

    def refused(self, noun: str, *args: str, who: int | None = TRAINER) -> ChainBeastsError:
        """The error of a command that is refused; it must be a user's, in one line."""
        error = self.invoke(noun, *args, who=who).exception
        assert isinstance(error, ChainBeastsError), error
        assert "\n" not in error.message
        return error

    def process(self, *args: str, who: int | None = TRAINER) -> Process:
        """The same command as a process of its own."""
        return self.program.begin(self.arguments(who, *args), os.environ)

    def killed(self, when: str, label: str, *args: str) -> subprocess.CompletedProcess[str]:
        """The same command as a process that kills itself (see killed.py)."""
        given = [when, label, *self.arguments(TRAINER, *args)]
        return self.program.run(given, os.environ, module="tests.trainer.killed")

    @property
    def settings(self) -> Settings:
        return Settings(home=self.home, rpc_url=self.chain.rpc_url, account=f"devnet:{TRAINER}")

    def workspace(self) -> TrainerWorkspace:
        """The trainer's workspace, read up to the chain's head."""
        workspace = open_workspace(self.settings, self.chain)
        workspace.sync()
        return workspace

    def sender(self, who: int) -> TransactionManager:
        return TransactionManager(self.chain, devnet_account(who), self.home / "locks")

    def send(self, who: int, call: Any, value: int = 0) -> Receipt:
        return self.sender(who).send(call, label="test", value=value)

    def file(self, beast: int, index: int = -1, who: int = CHALLENGER) -> int:
        """Dispute a checkpoint, the latest if no other is named; the dispute's id."""
        self.fund(who)
        deposit_energy(self.chain, self.sender(who), 10 * ENERGY)
        record = checkpoint_of(self.workspace().live(beast)[index])
        quote = self.chain.filing_quote(beast, record)
        call = self.chain.court.functions.file(beast, record.to_abi())
        self.send(who, call, value=2 * quote.opening_bond)
        return int(self.chain.call(self.chain.court.functions.disputeCount()))

    def balance(self, who: int) -> int:
        """An account's native coin, wei."""
        return int(self.chain.w3.eth.get_balance(devnet_account(who).address))

    def set_balance(self, who: int, wei: int) -> None:
        rpc(self.chain.rpc_url, "anvil_setBalance", devnet_account(who).address, hex(wei))

    def mine(self, blocks: int) -> None:
        rpc(self.chain.rpc_url, "anvil_mine", hex(blocks))

    def set_base_fee(self, wei: int) -> None:
        """Mine a block with that base fee."""
        set_base_fee(partial(rpc, self.chain.rpc_url), wei)
        self.mine(1)

    def events(self, name: str) -> list[Any]:
        """The arguments of all events of a name."""
        found = self.chain.events(self.chain.deployment.start_block, self.chain.block().number)
        return [event.args for event in found if event.name == name]

    def fund(self, who: int, amount: int = 1_000 * ENERGY) -> None:
        """Mint ENERGY into an account's wallet."""
        mint = self.chain.energy.functions.mint(devnet_account(who).address, amount)
        self.send(DEPLOYER, mint)

    def request_hatch(self, who: int = TRAINER) -> int:
        """Ask for a beast by hand, with ENERGY given for it; its id."""
        pay_hatch(self.chain, self.sender(DEPLOYER), self.sender(who))
        self.send(who, self.chain.beasts.functions.requestHatch(*Commitments().to_abi()))
        return self.chain.beast_count()

    def travel(self, seconds: int) -> None:
        """Mine a block that many seconds after the last one."""
        rpc(self.chain.rpc_url, "evm_setNextBlockTimestamp", self.chain.now() + seconds)
        rpc(self.chain.rpc_url, "anvil_mine", "0x1")

    def nonce(self, who: int) -> int:
        """Transactions that an account has made."""
        return int(self.chain.w3.eth.get_transaction_count(devnet_account(who).address))

    def secrets(self) -> list[str]:
        """Every secret below this home, in hex."""
        return [path.read_text().strip() for path in self.home.rglob("secret.hex")]


@pytest.fixture
def farm(deployed: tuple[Chain, Path], anvil: Anvil, program: Program, tmp_path: Path) -> Farm:
    """An empty home with a funded trainer; the chain is undone after the test."""
    chain, folder = deployed
    home = tmp_path / "home"
    (home / "deployments").mkdir(parents=True)
    for record in folder.glob("*.json"):
        shutil.copy(record, home / "deployments")
    made = Farm(chain, home, program)
    made.fund(TRAINER)
    return made


def wait_for(condition: Callable[[], Any], process: Process) -> None:
    """Look until something is so, while a process runs."""

    def look() -> Any:
        assert process.poll() is None, process.err.read_text()
        return condition()

    eventually(look, process.err.read_text)
