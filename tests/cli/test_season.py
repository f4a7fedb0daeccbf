"""`chainbeasts season` as a process: shown, proposed, too early, executed."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from backend.chain.anvil import Anvil, rpc
from backend.chain.seasons import load_profile
from backend.cli.output import plain
from tests.cli.conftest import Cli

DEPLOYER = ("--account", "devnet:0")


def advance(anvil: Anvil, seconds: int) -> None:
    rpc(anvil.url, "evm_increaseTime", hex(seconds))
    rpc(anvil.url, "evm_mine")


def test_a_season_is_changed_through_the_timelock(deployed: Cli, deployed_node: Anvil) -> None:
    first = deployed.json("season", "show")
    assert first["season"] == 1
    assert first["schedule"]["epoch_windows"] == 4
    wanted = first["rules"]["block_gain"] + 8

    assert first["arena"]["record_bond"] == str(20 * 10**18)
    changes = ("--set", f"block_gain={wanted}", "--set", "record_bond=25")
    (proposal,) = deployed.json("season", "propose", *changes, *DEPLOYER)
    assert proposal["changes"] == {"block_gain": wanted, "record_bond": str(25 * 10**18)}
    if proposal["seconds_left"] > 1:
        deployed.hinted("unlocks in", "Try again", "season", "execute", *DEPLOYER)
    assert deployed.json("season", "show")["season"] == 1

    advance(deployed_node, 10)
    (waiting,) = deployed.json("season", "pending")
    assert waiting["operation"] == proposal["operation"]
    assert waiting["seconds_left"] == 0
    done = deployed.json("season", "execute", "--account", "devnet:5")  # anyone may
    assert done["season"] == 2
    assert done["rules"] == first["rules"] | {"block_gain": wanted}
    assert done["arena"] == first["arena"] | {"record_bond": str(25 * 10**18)}
    assert deployed.json("season", "show", "2") == done
    assert deployed.json("season", "show", "1") == first
    assert deployed.json("season", "pending") == []
    deployed.hinted("no such proposal", "season pending", "season", "execute", *DEPLOYER)


def test_what_does_not_fit_is_named(deployed: Cli, tmp_path: Path) -> None:
    def bad(said: str, *arguments: str) -> None:
        deployed.refused(said, "season", "propose", *arguments, *DEPLOYER)

    bad("max_turns", "--set", "max_turns=0")
    bad("lr_base", "--set", "lr_base=99")
    bad("loserReward", "--set", "loser_reward=6")  # losing would pay more than winning
    bad("publicationAge is 60; it must be from", "--set", "publication_age=60")
    bad("would pay 5399999 gas; 5400000 are needed", "--set", "stake_gas=53999999",
        "--set", "proof_bps=4000")  # fmt: skip
    bad("A dispute may last 2505600 s in all", "--set", "response_window=2505600")
    bad("block_gain is 'many', not an integer", "--set", "block_gain=many")
    bad("'wings=2' names no constant", "--set", "wings=2")
    bad("Give either a TOML file or --set")
    bad("cannot be read", str(tmp_path / "none.toml"))
    file = tmp_path / "season.toml"
    file.write_text("[rules]\ndamage_k = 256\n")
    bad("[rules] lacks damage_curve", str(file))
    file.write_text("not toml")
    bad("is not TOML", str(file))
    deployed.refused(
        "does not have the role",
        "season",
        "propose",
        "--set",
        "block_gain=50",
        "--account",
        "devnet:3",
    )  # not a proposer
    deployed.refused("There is no season 99", "season", "show", "99")
    assert deployed.json("season", "pending") == []


def test_people_read_amounts_with_their_unit(deployed: Cli) -> None:
    assert "0.001 ENERGY" in deployed.run("season", "show", "1").stdout
    assert "1 gwei a gas" in deployed.run("season", "limits").stdout
    balance = deployed.run("energy", "balance", "--account", "devnet:3").stdout
    assert "native coin" in balance
    assert "wei" not in balance


def test_the_limits_of_a_deployment_are_its_profiles(deployed: Cli) -> None:
    limits = deployed.json("season", "limits")
    assert limits == plain(asdict(load_profile("devnet").limits))
    assert limits["reference_fee"] == str(10**9)
    assert deployed.json("season", "show")["economics"]["stake_gas"] >= limits["min_stake_gas"]
