"""`chainbeasts deploy` as a process: its record, its resumption, and the chains it refuses."""

from __future__ import annotations

import json
import re
import time
from importlib import resources
from pathlib import Path
from typing import Any

from chainbeasts.backend.chain.anvil import Anvil, rpc
from scripts.lib.faulty_node import FaultyNode
from tests.cli.conftest import Cli

CONTRACTS = {
    "TimelockController", "SeasonRegistry", "Energy", "Beasts", "StepReferee", "DatasetStage",
    "StateArchive", "RecordArchive", "CheckpointLedger", "DisputeVault", "WindowReferee",
    "DisputeCourt", "MatchReferee", "Arena", "EnergySale",
}  # fmt: skip


PASSED_ON = 4
"""Transactions of a deployment that is to be killed before its end."""


def record(home: Path, anvil: Anvil) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        (home / "deployments" / f"{anvil.chain_id}.json").read_text()
    )
    return found


def block_number(anvil: Anvil) -> int:
    return int(str(rpc(anvil.url, "eth_blockNumber")), 16)


def nonce(anvil: Anvil, address: str) -> int:
    return int(str(rpc(anvil.url, "eth_getTransactionCount", address, "latest")), 16)


class Swallowing(FaultyNode):
    """Passes a few transactions on, and has none of those after them mined."""

    def forward(self, body: bytes) -> bytes:
        self.swallows = self.calls["eth_sendRawTransaction"] > PASSED_ON
        return super().forward(body)


def test_a_killed_deployment_goes_on_and_repeats_nothing(cli: Cli, anvil: Anvil) -> None:
    file = cli.home / "deployments" / f"{anvil.chain_id}.json"
    with Swallowing(anvil.url) as node:
        cli.rpc_url = node.url
        killed = cli.start("deploy")
        try:
            while not file.exists() or len(record(cli.home, anvil)["addresses"]) < 2:
                assert killed.poll() is None, "it ended before it was killed"
                time.sleep(0.005)
        finally:
            killed.kill()
            killed.wait()
    cli.rpc_url = anvil.url
    before = record(cli.home, anvil)
    assert before["complete"] is False

    shown = cli.json("deploy")
    after = record(cli.home, anvil)
    assert after["complete"] is True
    assert shown["addresses"] == after["addresses"]
    assert set(after["addresses"]) == CONTRACTS
    for name, address in after["addresses"].items():
        assert len(str(rpc(anvil.url, "eth_getCode", address, "latest"))) > 2, name
    assert before["addresses"].items() <= after["addresses"].items()
    assert before["transactions"].items() <= after["transactions"].items()
    sent = [hash for hash in after["transactions"].values() if hash]
    # at most the one transaction in flight at the kill was sent without being on record
    assert nonce(anvil, after["deployer"]) - len(sent) in (0, 1)

    height = block_number(anvil)
    assert cli.json("deploy")["addresses"] == after["addresses"]
    assert block_number(anvil) == height
    assert record(cli.home, anvil) == after


def test_a_record_of_another_chain_is_refused(deployed: Cli, cli: Cli, anvil: Anvil) -> None:
    kept = next((deployed.home / "deployments").glob("*.json"))
    cli.rpc_url = anvil.url
    copy = cli.home / "deployments" / kept.name
    copy.parent.mkdir(parents=True)
    altered = json.loads(kept.read_text())
    altered["genesis"] = "0x" + "00" * 32
    copy.write_text(json.dumps(altered))
    height = block_number(anvil)
    cli.hinted("serves another chain", "deploy --fresh", "deploy")
    cli.refused("serves another chain", "season", "show")
    genesis = rpc(anvil.url, "eth_getBlockByNumber", "0x0", False)
    assert isinstance(genesis, dict)
    altered["genesis"] = genesis["hash"]  # now the chain fits, but nothing stands there
    copy.write_text(json.dumps(altered))
    cli.hinted("is not the deployed one", "deploy --fresh", "deploy")
    assert block_number(anvil) == height


def test_a_profile_may_be_a_file_and_stays_the_deployments(
    cli: Cli, anvil: Anvil, tmp_path: Path
) -> None:
    cli.rpc_url = anvil.url
    text = (
        resources.files("chainbeasts.backend.chain.profiles")
        .joinpath("devnet.toml")
        .read_text("utf-8")
    )
    file = tmp_path / "patient.toml"
    file.write_text(re.sub("challenge_period = .*", "challenge_period = 1234", text))
    assert cli.json("deploy", "--profile", str(file), "--fresh")["profile"] == "patient"
    assert cli.json("season", "show")["economics"]["challenge_period"] == 1234
    cli.hinted("has the profile patient", "--fresh", "deploy", "--profile", "mainnet")
    cli.hinted("no profile nowhere", "devnet", "deploy", "--profile", "nowhere")
    cli.refused("cannot be read", "deploy", "--profile", str(tmp_path / "none.toml"))
    file.write_text(text.replace("faucet = true", "faucet = 1"))
    cli.refused("needs timelock_delay", "deploy", "--profile", str(file))


def test_what_is_missing_is_said(cli: Cli, anvil: Anvil) -> None:
    cli.rpc_url = "http://127.0.0.1:9"
    cli.hinted("127.0.0.1:9", "devnet up", "deploy")
    cli.rpc_url = anvil.url
    cli.hinted(
        "There is no profile moon", "devnet, mainnet, or a file", "deploy", "--profile", "moon"
    )
    cli.hinted("deploy", "chainbeasts deploy", "season", "show")
    done = cli.run("deploy", "--no-such-option")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_an_account_that_cannot_pay_or_open_sends_nothing(
    cli: Cli, anvil: Anvil, tmp_path: Path
) -> None:
    cli.rpc_url = anvil.url
    password, wrong = tmp_path / "password", tmp_path / "wrong"
    password.write_text("correct horse\n")
    wrong.write_text("horse\n")
    cli.json("account", "new", "poor", "--password-file", str(password))
    height = block_number(anvil)
    mine = ("deploy", "--account", "poor", "--password-file")
    cli.refused("password does not open", *mine, str(wrong))
    cli.hinted("cannot pay the gas", "native coin", *mine, str(password))
    assert block_number(anvil) == height
    anvil_record = cli.home / "deployments" / f"{anvil.chain_id}.json"
    assert not anvil_record.exists() or record(cli.home, anvil)["addresses"] == {}


class Prague(Anvil):
    """A chain before Osaka: without CLZ, which the referees run."""

    def _command(self) -> list[str]:
        return ["prague" if word == "osaka" else word for word in super()._command()]


def test_a_chain_that_does_not_carry_the_protocol_is_refused_before_anything_is_sent(
    cli: Cli,
) -> None:
    with Prague() as old:
        cli.rpc_url = old.url
        cli.hinted("does not run CLZ (Osaka)", "chains.md", "deploy")
        assert block_number(old) == 0
        assert not (cli.home / "deployments" / f"{old.chain_id}.json").exists()
        found = {check["name"]: check for check in json.loads(cli.run("doctor", "--json").stdout)}
        assert found["opcodes"]["result"] == "failed"
        assert found["sizes"]["result"] == "ok"
