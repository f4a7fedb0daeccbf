"""Clients that import nothing of ours dispute a window, from the published ABI alone."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from eth_account import Account

from chainbeasts.backend.chain.providers import make_web3
from chainbeasts.backend.chain.toolchain import find_cast
from tests.support import artifacts
from tests.support.money import energy_bond
from tests.support.protocol import DISPUTED, ETHER, FILED, World
from tests.support.steady import steady_anvil

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = ROOT / "examples" / "foreign_client"
PYTHON, SHELL = CLIENTS / "file_dispute.py", CLIENTS / "file_dispute.sh"
STRANGER = Account.from_key("0x" + "5e" * 32)
HOLDS = 100 * ETHER


@dataclass(frozen=True)
class Place:
    """A deployment, as a stranger is told of it."""

    world: World
    url: str
    record: Path


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with steady_anvil() as node:
        world = World.deploy(make_web3(node.url), artifacts.load())
        names = {"CheckpointLedger": "ledger", "DisputeCourt": "court", "Energy": "energy"}
        addresses = {name: world.contracts[short].address for name, short in names.items()}
        record = tmp_path_factory.mktemp("record") / "31337.json"  # as `deploy` writes it
        text = json.dumps({"start_block": 0, "addresses": addresses}, indent=1)
        record.write_text(text, "utf-8")
        yield Place(world, node.url, record)


def run(*command: object) -> str:
    """What a client prints; with a stranger's key, and Cast at hand."""
    environment = {
        "PATH": f"{find_cast().parent}{os.pathsep}{os.environ['PATH']}",
        "FOREIGN_KEY": STRANGER.key.to_0x_hex(),
    }
    words = [str(word) for word in command]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("client", ["web3", "cast"])
def test_a_foreign_client_disputes_a_window(place: Place, client: str) -> None:
    world, owner = place.world, place.world.accounts[1]
    stranger = STRANGER.address
    world.rpc("anvil_setBalance", stranger, hex(HOLDS))
    beast = world.hatch(owner)
    checkpoint = world.submit(beast, owner)
    world.send(world.energy.functions.mint(stranger, HOLDS), world.accounts[0])
    before = world.energy.functions.balanceOf(stranger).call()

    if client == "web3":
        given = ("--rpc", place.url, "--deployment", place.record, "--abi", ROOT / "docs/abi")
        told = run(sys.executable, "-I", PYTHON, *given, beast, 0)
    else:
        told = run("sh", SHELL, place.url, place.record, beast, 0)

    number = world.court.functions.disputeCount().call()
    assert told.startswith(f"dispute {number}")
    dispute = world.dispute(number)
    assert (dispute.filer, dispute.status) == (stranger, FILED)
    assert world.status(beast, checkpoint) == DISPUTED
    after = world.energy.functions.balanceOf(stranger).call()
    assert before - after == energy_bond(world, checkpoint)
    assert world.ledger.functions.escrowOf(stranger).call() == 0


def test_the_clients_need_nothing_of_ours() -> None:
    tree = ast.parse(PYTHON.read_text("utf-8"))
    imported = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [str(node.module)]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported - set(sys.stdlib_module_names) == {"web3", "eth_account"}


@pytest.mark.parametrize(
    "command",
    [
        (sys.executable, "-I", PYTHON, "--abi", ROOT / "docs/abi", "--rpc"),
        ("sh", SHELL),
    ],
)
def test_a_window_that_is_not_there_is_said_so(place: Place, command: tuple[object, ...]) -> None:
    words = [*command, place.url, *(["--deployment"] if len(command) > 2 else []), place.record]
    with pytest.raises(AssertionError, match=r"has no window 9"):
        run(*words, 77, 9)
