"""`chainbeasts verify-deployment` and `abi`: what stands on chain, and how it is called."""

from __future__ import annotations

import json
from typing import Any

from chainbeasts.backend.chain.anvil import Anvil, rpc
from chainbeasts.backend.chain.compile import artifact
from chainbeasts.backend.chain.deployment import CONTRACTS
from chainbeasts.backend.chain.selectors import entries
from chainbeasts.backend.chain.verification import differing_words, immutable_places
from tests.cli.conftest import Cli

PUSH_NOTHING, PUSH_ZERO_WORD = b"\x5f", b"\x7f" + bytes(32)


def _code(node: Anvil, address: str) -> bytes:
    return bytes.fromhex(str(rpc(node.url, "eth_getCode", address, "latest"))[2:])


def test_code_is_compared_but_for_its_immutables(deployed: Cli, deployed_node: Anvil) -> None:
    found = {one["contract"]: one for one in deployed.json("verify-deployment")}
    assert list(found) == list(CONTRACTS)
    assert all(one["matches"] and one["creation"] == "as_built" for one in found.values())
    sale, energy = found["EnergySale"], found["Energy"]["address"]
    assert "0x" + 24 * "0" + energy[2:].lower() in sale["immutables"]
    assert 24 * "0" + energy[2:].lower() in sale["arguments"]
    assert "as built" in deployed.run("verify-deployment").stdout

    code = _code(deployed_node, energy)
    place = immutable_places(artifact("Energy").runtime)[0]
    rpc(deployed_node.url, "anvil_setCode", energy, "0x" + _changed(code, place).hex())
    told = deployed.run("verify-deployment", "--json")
    assert told.returncode == 0, told.stderr  # another value there is shown, and is no other code
    (changed,) = (one for one in json.loads(told.stdout) if one["contract"] == "Energy")
    assert changed["immutables"] != found["Energy"]["immutables"]

    rpc(deployed_node.url, "anvil_setCode", energy, "0x" + _changed(code, 0).hex())
    told = deployed.run("verify-deployment", "--json")
    assert told.returncode == 1
    assert "Not this build's: Energy." in told.stderr
    wrong = [one["contract"] for one in json.loads(told.stdout) if not one["matches"]]
    assert wrong == ["Energy"]
    rpc(deployed_node.url, "anvil_setCode", energy, "0x" + code.hex())

    file = next((deployed.home / "deployments").glob("*.json"))
    record = file.read_text()
    other: dict[str, Any] = json.loads(record)
    other["transactions"]["Arena"] = other["transactions"]["Beasts"]
    file.write_text(json.dumps(other))
    told = deployed.run("verify-deployment", "--json")
    assert told.returncode == 1
    assert "Not this build's: Arena." in told.stderr
    other["transactions"]["Arena"] = "0x" + 64 * "1"  # of which the node knows nothing
    file.write_text(json.dumps(other))
    (arena,) = (o for o in deployed.json("verify-deployment") if o["contract"] == "Arena")
    assert (arena["creation"], arena["matches"]) == ("unknown", True)
    file.write_text(record)


def _changed(code: bytes, place: int) -> bytes:
    return code[:place] + bytes([code[place] ^ 1]) + code[place + 1 :]


def test_only_a_pushed_word_of_zeros_may_differ() -> None:
    runtime = PUSH_NOTHING + b"\x61\x7f\x00" + PUSH_ZERO_WORD + bytes(32)
    assert immutable_places(runtime) == [5]  # a 7f that is pushed is no instruction
    value = bytes(range(32))
    assert differing_words(runtime, runtime[:5] + value + bytes(32)) == ("0x" + value.hex(),)
    assert differing_words(runtime, runtime[:-1] + b"\x01") is None
    assert differing_words(runtime, runtime[:-1]) is None


def test_a_contract_tells_its_abi_and_names(cli: Cli) -> None:
    assert cli.json("abi", "Energy") == artifact("Energy").abi
    shown = cli.run("abi", "Energy").stdout
    assert "0xa9059cbb" in shown  # transfer(address,uint256), as the standard has it
    assert "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef" in shown
    assert {"Energy", "KernelInspector"} <= set(cli.json("abi"))
    assert "HostileAccount" not in cli.json("abi")
    cli.refused("There is no contract named Enregy.", "abi", "Enregy")
    kinds = [one.kind for one in entries(artifact("CheckpointLedger").abi)]
    assert kinds == sorted(kinds, key=("function", "event", "error").index)
    assert not cli.home.exists()
