"""`chainbeasts doctor` on a real chain: all well, and each thing that can be wrong, told apart."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from web3 import Web3

from chainbeasts.backend.chain.anvil import Anvil, rpc
from chainbeasts.backend.chain.client import connect
from chainbeasts.backend.chain.compile import artifact
from chainbeasts.backend.doctor.node import check_clock
from chainbeasts.backend.doctor.report import Check
from chainbeasts.backend.doctor.storage import check_databases
from chainbeasts.backend.graph_cache.objects import ObjectCache, Variation
from chainbeasts.backend.settings import Settings
from chainbeasts.backend.store.session import upgrade_database
from tests.cli.conftest import Cli
from tests.support.ports import free_port
from tests.support.snapshots import go_back

CODE = "0x60016000526020"  # other code than any contract's


def checks(cli: Cli, *arguments: str, code: int) -> dict[str, dict[str, str]]:
    """The checks by name; of those with one name the worst."""
    done = cli.run("doctor", *arguments, "--json")
    assert done.returncode == code, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    found: dict[str, dict[str, str]] = {}
    worse = ("ok", "warning", "failed").index
    for check in json.loads(done.stdout):
        before = found.get(check["name"])
        assert (check["result"] == "ok") <= (check["do"] == "")
        assert "\n" not in check["found"] + check["do"]
        if before is None or worse(check["result"]) > worse(before["result"]):
            found[check["name"]] = check
    return found


def results(found: dict[str, dict[str, str]]) -> dict[str, str]:
    return {name: check["result"] for name, check in found.items()}


@pytest.fixture
def patient(deployed: Cli, deployed_node: Anvil) -> Iterator[Cli]:
    """The deployed chain; what a test does to it is undone."""
    snapshot = rpc(deployed_node.url, "evm_snapshot")
    deployed.extra.clear()
    yield deployed
    deployed.extra.clear()
    rpc(deployed_node.url, "anvil_setChainId", 31337)
    go_back(partial(rpc, deployed_node.url), snapshot)


def test_all_is_well_with_a_deployment_a_key_and_money(patient: Cli, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("correct horse\n")
    password.chmod(0o600)
    owner = ("--account", "olga", "--password-file", str(password))
    address = patient.json("account", "new", "olga", *owner[2:])["address"]
    poor = checks(patient, *owner, code=1)
    assert (poor["gas money"]["result"], poor["ENERGY"]["result"]) == ("failed", "warning")

    rpc(patient.rpc_url or "", "anvil_setBalance", address, hex(10**18))
    patient.json("energy", "faucet", "12", "--to", address, "--account", "devnet:0")
    patient.json("db", "upgrade", "--role", "validator")
    well = checks(patient, *owner, code=0)
    assert set(results(well).values()) == {"ok"}, well
    assert set(well) >= {
        *("node", "websocket", "clock", "chain", "contracts", "binding", "referee", "account"),
        *("minters", "governor", "timelock", "deployer"),
        *("gas money", "ENERGY", "cache", "kernel", "disk of home", "disk of cache", "secrets"),
        *("database of the validator", "database of the trainer"),
    }
    assert address in well["account"]["found"]
    assert "12 ENERGY in the wallet" in well["ENERGY"]["found"]

    said = patient.run("doctor", *owner[:2])  # for people, and with no password file
    assert said.returncode == 0
    assert "warning account: The keystore of olga was not opened" in said.stdout
    assert "correct horse" not in said.stdout + said.stderr

    password.chmod(0o644)
    keystore = patient.home / "keystore" / "olga.json"
    keystore.chmod(0o640)
    loose = checks(patient, *owner, code=1)
    keystore.chmod(0o600)
    assert (loose["secrets"]["result"], loose["account"]["result"]) == ("failed", "failed")
    both = [check for check in both_secrets(patient, *owner) if check["result"] == "failed"]
    assert [str(password) in check["found"] for check in both] == [True]
    assert f"chmod 600 {password}" in both[0]["do"]


def both_secrets(cli: Cli, *arguments: str) -> list[dict[str, Any]]:
    """Every check of the files of secrets."""
    found = json.loads(cli.run("doctor", *arguments, "--json").stdout)
    return [check for check in found if check["name"] == "secrets"]


def test_other_code_and_no_code_are_told_by_the_contracts_name(patient: Cli) -> None:
    url = patient.rpc_url or ""
    record = json.loads((patient.home / "deployments" / "31337.json").read_text())
    rpc(url, "anvil_setCode", record["addresses"]["DisputeCourt"], CODE)
    rpc(url, "anvil_setCode", record["addresses"]["StepReferee"], "0x")
    found = checks(patient, code=1)
    assert found["contracts"]["found"] == "DisputeCourt has other code; StepReferee is gone."
    assert results(found)["referee"] == "failed"
    assert results(found)["node"] == "ok"


def test_a_ledger_of_another_court_is_told(patient: Cli) -> None:
    addresses = patient.json("deploy")["addresses"]
    layout = artifact("CheckpointLedger").storage["storage"]
    slot = next(entry["slot"] for entry in layout if entry["label"] == "court")
    other = "0x" + bytes.fromhex(addresses["Arena"][2:]).rjust(32, b"\0").hex()
    place = "0x" + int(slot).to_bytes(32).hex()
    rpc(patient.rpc_url or "", "anvil_setStorageAt", addresses["CheckpointLedger"], place, other)
    found = checks(patient, code=1)["binding"]
    assert (found["result"], found["found"]) == (
        "failed",
        "Not the deployment's: the ledger's court.",
    )


def test_another_kernel_in_the_referee_is_told(patient: Cli) -> None:
    """Code that answers every call with one word: 1."""
    record = json.loads((patient.home / "deployments" / "31337.json").read_text())
    answer = "0x600160005260206000f3"
    rpc(patient.rpc_url or "", "anvil_setCode", record["addresses"]["StepReferee"], answer)
    found = checks(patient, code=1)["referee"]
    assert found["result"] == "failed"
    assert "It runs kernel 0x0000000000000000…" in found["found"]


def test_another_chain_and_another_genesis_are_told_apart(patient: Cli) -> None:
    rpc(patient.rpc_url or "", "anvil_setChainId", 5)
    other = checks(patient, code=1)["chain"]
    assert other["result"] == "failed"
    assert "The node serves chain 5" in other["found"]
    assert "has deployments on 31337" in other["found"]
    rpc(patient.rpc_url or "", "anvil_setChainId", 31337)
    path = patient.home / "deployments" / "31337.json"
    kept = path.read_text()
    path.write_text(json.dumps(json.loads(kept) | {"genesis": "0x" + "00" * 32}))
    try:
        assert "its first block differs" in checks(patient, code=1)["chain"]["found"]
    finally:
        path.write_text(kept)


def test_without_a_deployment_the_rest_is_still_checked(cli: Cli, deployed_node: Anvil) -> None:
    cli.rpc_url = deployed_node.url
    found = checks(cli, "--account", "devnet:3", code=1)
    assert found["chain"]["result"] == "failed"
    assert "chainbeasts deploy" in found["chain"]["do"]
    assert results(found)["gas money"] == "ok"
    assert results(found)["kernel"] == "ok"
    assert not cli.home.exists()


def test_a_dead_node_is_reported_and_its_credentials_are_not(cli: Cli) -> None:
    cli.rpc_url = f"http://user:pass@127.0.0.1:{free_port()}/v3/key-of-node"
    found = checks(cli, code=1)
    assert found["node"]["result"] == "failed"
    assert found["account"]["result"] == "warning"
    assert results(found)["database of the validator"] == "ok"
    done = cli.run("doctor")
    for secret in ("user", "pass@", "key-of-node"):
        assert secret not in done.stdout + done.stderr
    assert not cli.home.exists()


def test_a_changed_kernel_in_the_cache_is_found(
    cli: Cli, deployed_node: Anvil, tmp_path: Path
) -> None:
    cli.rpc_url = deployed_node.url
    cli.extra = {"HARMONICS_CACHE_DIR": str(tmp_path / "cache"), "CHAINBEASTS_KERNEL": "numpy"}
    cache = ObjectCache(tmp_path / "cache" / "kernels")
    kept = cache.put(Variation("graph", "00", "cc 1", (), "any"), b"object")
    assert results(checks(cli, code=1))["cache"] == "ok"
    kept.path.write_bytes(b"another")
    found = checks(cli, code=1)
    assert found["cache"]["result"] == "warning"
    assert f"{kept.digest[:12]}: it is not as recorded" in found["cache"]["found"]
    assert "cache clear" in found["cache"]["do"]
    assert found["kernel"]["result"] == "warning"  # the reference was asked for


def database(url: str, tmp_path: Path) -> Check:
    """The one check of a database that all roles share."""
    (found,) = check_databases(Settings(home=tmp_path, database_url=url))
    return found


def test_databases_that_are_old_new_or_none_are_told_apart(tmp_path: Path) -> None:
    file = tmp_path / "one.sqlite3"
    url = f"sqlite:///{file}"
    assert "does not exist yet" in database(url, tmp_path).found
    assert not file.exists()
    upgrade_database(url, "0001")
    old = database(url, tmp_path)
    assert (old.result, "db upgrade" in old.do) == ("warning", True)
    upgrade_database(url)
    assert database(url, tmp_path).result == "ok"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    assert "unknown schema 9999" in database(url, tmp_path).found
    file.write_bytes(b"no database at all" * 100)
    assert database(url, tmp_path).result == "failed"
    away = database(f"postgresql://me:hush@127.0.0.1:{free_port()}/x", tmp_path)
    assert away.result == "failed"
    assert "hush" not in away.found + away.do


def test_the_clock_is_only_warned_of_on_a_local_chain(patient: Cli) -> None:
    url = patient.rpc_url or ""
    w3: Web3 = connect(url)
    head = int(w3.eth.get_block("latest")["timestamp"])
    for now, local, distant in (
        (head + 5, "ok", "ok"),
        (head - 3_600, "warning", "failed"),
        (head + 3_600, "warning", "failed"),
    ):
        assert [c.result for c in check_clock(w3, url, now)] == [local]
        rpc(url, "anvil_setChainId", 5)
        assert [c.result for c in check_clock(connect(url), url, now)] == [distant]
        rpc(url, "anvil_setChainId", 31337)
    rpc(url, "evm_increaseTime", 86_400)
    rpc(url, "anvil_mine", "0x1")
    assert int(w3.eth.get_block("latest")["timestamp"]) > time.time() + 3_600
    assert results(checks(patient, code=0))["clock"] == "warning"
