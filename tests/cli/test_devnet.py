"""`chainbeasts devnet` as a process: it keeps its chain, and says what stands in its way."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest

from chainbeasts.backend.chain.anvil import rpc
from scripts.lib.wire import Wire
from tests.cli.conftest import Cli
from tests.support.patience import PATIENCE, eventually
from tests.support.ports import free_port


@pytest.fixture
def home(cli: Cli) -> Iterator[Cli]:
    """A home whose devnet is ended after the test."""
    yield cli
    cli.run("devnet", "down")


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def start(home: Cli, *options: str) -> Any:
    """Start a devnet on a port that stays this test process's when nobody listens there."""
    return home.json("devnet", "up", "--detach", "--port", str(free_port()), *options)


def test_up_status_and_down_keep_the_chain(home: Cli) -> None:
    assert home.json("devnet", "status")["running"] is False
    record = start(home, "--block-time", "60")
    url = record["rpc_url"]
    assert url == f"http://127.0.0.1:{record['port']}"
    rpc(url, "anvil_mine", "0x5")
    rpc(url, "anvil_setBalance", "0x" + "42" * 20, "0x1234")
    status = home.json("devnet", "status")
    assert status["running"] is True
    assert status["pid"] == record["pid"]
    assert status["block_number"] >= 5
    shown = home.run("devnet", "status").stdout
    assert "started" not in shown  # clock ticks of processes, which tell people nothing
    assert str(record["pid"]) in shown
    home.hinted("already runs on port", "devnet down", "devnet", "up", "--detach")

    stopped = home.json("devnet", "down")["stopped"]
    assert stopped == record
    assert not listens(record["port"])
    home.hinted("No devnet runs", "devnet up", "devnet", "down")

    again = home.json("devnet", "up", "--detach", "--block-time", "60")
    assert again["port"] == record["port"]  # where daemons look for it
    assert home.json("devnet", "status")["block_number"] >= 5
    assert rpc(again["rpc_url"], "eth_getBalance", "0x" + "42" * 20, "latest") == "0x1234"
    home.json("devnet", "down")

    secret = home.home / "beasts" / str(record["chain_id"]) / "1" / "secret"
    secret.parent.mkdir(parents=True)
    secret.write_text("kept")
    fresh = home.json("devnet", "up", "--detach", "--fresh", "--block-time", "60")
    assert rpc(fresh["rpc_url"], "eth_getBalance", "0x" + "42" * 20, "latest") == "0x0"
    (kept,) = (home.home / "old").glob("*/*/1/secret")
    assert kept.read_text() == "kept"
    assert not secret.exists()


BUSY = "0x5b600056"
"""Code that runs in a circle until its gas is used up."""


def test_a_chain_that_is_ended_in_the_middle_of_a_block_keeps_all_of_it_or_nothing(
    home: Cli,
) -> None:
    """An account's nonce counts its transactions in blocks; a kept chain has both or neither."""
    url = home.json("devnet", "up", "--detach", "--block-time", "60")["rpc_url"]
    (sender, *_) = cast("list[str]", rpc(url, "eth_accounts"))
    call = {"from": sender, "data": BUSY, "gas": hex(16_000_000)}
    calls = [
        {
            "jsonrpc": "2.0",
            "id": n,
            "method": "eth_sendTransaction",
            "params": [{**call, "nonce": n}],
        }
        for n in range(60)
    ]
    with closing(Wire(url, PATIENCE)) as wire:  # all in one request, however slow the machine is
        answers = json.loads(wire.post(json.dumps(calls).encode()))
    assert all("result" in answer for answer in answers)
    assert int(str(rpc(url, "eth_blockNumber")), 16) < 60  # the others wait for their blocks
    home.json("devnet", "down")

    url = home.json("devnet", "up", "--detach", "--block-time", "60")["rpc_url"]
    last = int(str(rpc(url, "eth_blockNumber")), 16)
    found = [
        cast("list[str]", cast("dict[str, object]", block)["transactions"])
        for block in (rpc(url, "eth_getBlockByNumber", hex(n), False) for n in range(last + 1))
    ]
    assert int(str(rpc(url, "eth_getTransactionCount", sender, "latest")), 16) == sum(
        map(len, found)
    )
    for hashes in found:
        for one in hashes:
            assert rpc(url, "eth_getTransactionReceipt", one) is not None


def test_backup_and_restore_go_back_to_a_chain(home: Cli, tmp_path: Path) -> None:
    file, deployment = tmp_path / "a.devnet.gz", home.home / "deployments" / "31337.json"
    home.hinted("has no devnet", "devnet up", "devnet", "backup", str(file))
    up = ("devnet", "up", "--detach", "--block-time", "3600")
    url = home.json(*up)["rpc_url"]
    rpc(url, "anvil_mine", "0x3")
    deployment.parent.mkdir()
    deployment.write_text('{"kept": 1}')
    made = home.json("devnet", "backup", str(file))
    assert (made["block_number"], made["deployment"]) == (3, True)
    rpc(url, "anvil_mine", "0x4")
    home.hinted("devnet runs", "devnet down", "devnet", "restore", str(file))
    home.json("devnet", "down")
    deployment.write_text('{"kept": 2}')
    database = home.home / "trainer.sqlite3"
    database.write_text("of this chain")

    found = home.json("devnet", "restore", str(file))
    assert found["block_number"] == 3
    assert json.loads(deployment.read_text()) == {"kept": 1}
    assert database.exists(), "the same chain at another time: it is followed like a reorg"
    aside = Path(found["set_aside"])
    assert json.loads((aside / "31337.json").read_text()) == {"kept": 2}
    url = home.json(*up)["rpc_url"]
    assert int(str(rpc(url, "eth_blockNumber")), 16) == 3
    home.json("devnet", "down")

    # a copy that a disk damaged: said so, and one command from the last good one
    state = home.home / "devnet" / "state.json"
    state.write_bytes(state.read_bytes()[:-100])
    previous = home.home / "devnet" / "state.previous.json"
    home.hinted("is damaged", f"devnet restore {previous}", *up)
    home.refused("no backup", "devnet", "restore", str(database))
    assert home.json("devnet", "restore", str(previous))["block_number"] == 3
    assert json.loads(deployment.read_text()) == {"kept": 1}

    file.write_bytes(file.read_bytes()[:-20])
    home.refused("no backup", "devnet", "restore", str(file))


def test_restoring_another_chain_sets_this_homes_files_aside(cli: Cli, tmp_path: Path) -> None:
    def chain(genesis: str) -> str:
        header = {"number": "0x0", "timestamp": genesis}
        return json.dumps({"blocks": [{"header": header}], "accounts": {}})

    state, database = cli.home / "devnet" / "state.json", cli.home / "trainer.sqlite3"
    state.parent.mkdir(parents=True)
    state.write_text(chain("0x1"))
    database.write_text("of this chain")
    (tmp_path / "other.json").write_text(chain("0x2"))
    aside = Path(cli.json("devnet", "restore", str(tmp_path / "other.json"))["set_aside"])
    assert not database.exists()
    assert (aside / database.name).read_text() == "of this chain"
    assert (aside / "state.json").read_text() == chain("0x1")
    assert json.loads(state.read_text()) == json.loads(chain("0x2"))


def test_without_its_keeper_the_devnet_says_so(home: Cli) -> None:
    record = home.json("devnet", "up", "--detach", "--block-time", "60")
    assert home.json("devnet", "status")["kept"] is True
    os.kill(record["keeper"], signal.SIGKILL)  # started by this test, by its id
    eventually(lambda: not home.json("devnet", "status")["kept"])
    assert "Nobody mines idle blocks" in home.run("devnet", "status").stderr
    rpc(record["rpc_url"], "anvil_mine", "0x3")
    home.json("devnet", "down")  # and nothing is lost
    assert "0x3" in (home.home / "devnet" / "state.json").read_text()


def test_fund_gives_gas_to_an_address_or_a_keystore(home: Cli, tmp_path: Path) -> None:
    home.hinted("No devnet runs", "devnet up", "devnet", "fund", "0x" + "42" * 20)
    home.json("devnet", "up", "--detach", "--block-time", "60")
    shown = home.json("devnet", "fund", "0x" + "42" * 20, "--amount", "2.5")
    assert shown["balance_wei"] == str(25 * 10**17)
    (tmp_path / "password").write_text("correct horse\n")
    home.json("account", "new", "alice", "--password-file", str(tmp_path / "password"))
    assert home.json("devnet", "fund", "alice")["balance_wei"] == str(10**19)
    home.hinted("Nobody is called nobody", "account list", "devnet", "fund", "nobody")
    listed = {row["name"] for row in home.json("account", "list")}
    assert {"alice", "devnet:0", "devnet:9"} <= listed


def test_a_port_in_use_is_named(home: Cli) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        home.refused(str(port), "devnet", "up", "--detach", "--port", str(port))
    assert home.json("devnet", "status")["running"] is False


def test_a_missing_anvil_is_named(cli: Cli) -> None:
    cli.extra["ANVIL_BINARY"] = str(cli.home / "anvil")
    cli.refused("ANVIL_BINARY", "devnet", "up", "--detach")
    assert cli.json("devnet", "status")["running"] is False


def test_a_killed_anvil_is_noticed_and_its_kept_chain_goes_on(home: Cli) -> None:
    record = start(home, "--block-time", "60")
    rpc(record["rpc_url"], "anvil_setBalance", "0x" + "42" * 20, "0x1234")
    rpc(record["rpc_url"], "anvil_mine", "0x5")
    file = home.home / "devnet" / "state.json"
    eventually(lambda: file.exists() and "42" * 20 in file.read_text())
    os.kill(record["pid"], signal.SIGKILL)  # started by this test, by its id
    eventually(lambda: not listens(record["port"]))
    assert home.json("devnet", "status")["running"] is False
    home.hinted("No node answers", "devnet up", "deploy")
    home.hinted("No devnet runs", "devnet up", "devnet", "down")

    again = home.json("devnet", "up", "--detach", "--block-time", "60")
    assert again["port"] == record["port"]  # where daemons look for it
    assert home.json("devnet", "status")["pid"] == again["pid"] != record["pid"]
    assert rpc(again["rpc_url"], "eth_getBalance", "0x" + "42" * 20, "latest") == "0x1234"


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_in_the_foreground_it_ends_with_its_command(cli: Cli, ending: signal.Signals) -> None:
    record = cli.home / "devnet.json"
    process = cli.start("devnet", "up")
    try:
        while not record.exists() or not (written := record.read_bytes()):
            assert process.poll() is None
        process.send_signal(ending)  # in the moment in which others may know of it
        status = json.loads(written)
        process.wait()
    finally:
        process.kill()
    assert process.returncode == 0
    assert not listens(status["port"])
    assert cli.json("devnet", "status")["running"] is False


def test_a_record_of_a_dead_devnet_counts_as_none(home: Cli) -> None:
    record = start(home)
    file = home.home / "devnet.json"
    kept = file.read_bytes()
    home.json("devnet", "down")
    file.write_bytes(kept)
    assert home.json("devnet", "status")["running"] is False
    assert not listens(record["port"])
