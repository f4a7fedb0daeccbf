"""`chainbeasts season` as a process: shown, proposed, too early, executed."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from chainbeasts.backend.accounts import devnet_account
from chainbeasts.backend.chain.anvil import Anvil, rpc
from chainbeasts.backend.chain.client import Chain, connect
from chainbeasts.backend.chain.deployment import Deployment
from chainbeasts.backend.chain.seasons import load_profile
from chainbeasts.backend.chain.transactions import TransactionManager
from chainbeasts.backend.chain.types import ZERO32
from chainbeasts.backend.cli.output import plain
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
        deployed.hinted("unlocks at", "Try again", "season", "execute", *DEPLOYER)
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


def arguments_of(call: Any) -> dict[str, str]:
    """The arguments of a call in the timelock, as people read them."""
    return {one["name"]: one["shown"] for one in call["arguments"]}


def test_nothing_in_the_timelock_is_hidden(deployed: Cli, deployed_node: Anvil) -> None:
    """A trillion ENERGY minted by a call that no command made: it is shown, and taken back."""
    deployment = Deployment.load(deployed.home / "deployments", 31337)
    chain = Chain(connect(deployed_node.url), deployed_node.url, deployment)
    sender = TransactionManager(chain, devnet_account(0), deployed.home / "locks")
    functions, energy, me = chain.timelock.functions, chain.energy, devnet_account(0).address
    thief, stranger = devnet_account(7).address, devnet_account(8).address
    mint = energy.encode_abi("mint", args=[thief, 10**30])
    role = chain.timelock.encode_abi(
        "grantRole", args=[chain.call(functions.PROPOSER_ROLE()), thief]
    )
    shorter = chain.timelock.encode_abi("updateDelay", args=[90_000])
    season = chain.seasons.encode_abi("addSeason", args=[chain.season(1).to_abi()])
    send = lambda call: sender.send(call, label="test")  # noqa: E731
    send(functions.schedule(energy.address, 0, mint, ZERO32, b"\1" * 32, 3600))
    hidden = deployed.json("season", "pending")[0]["operation"]
    send(functions.scheduleBatch(
        [chain.timelock.address, chain.timelock.address, stranger, stranger, energy.address, thief],
        [0, 0, 5, 10**18, 0, 0],
        [role, shorter, "0x12345678", "0x", "0x12345678", season],
        hidden, ZERO32, 3600,
    ))  # fmt: skip
    send(functions.scheduleBatch([], [], [], ZERO32, b"\2" * 32, 3600))  # nothing at all

    first, second = deployed.json("season", "pending")
    (only,) = first["calls"]
    assert (only["contract"], only["function"], only["known"]) == ("Energy", "mint", True)
    assert arguments_of(only) == {"to": thief, "amount": "1,000,000,000,000 ENERGY"}
    assert (first["scheduled_by"], first["changes"]) == (me, {})
    granted, delay, raw, paid, ours, fake = second["calls"]
    assert arguments_of(granted) == {"role": "PROPOSER_ROLE", "account": thief}
    assert arguments_of(delay) == {"newDelay": "1 d 1 h"}
    assert (raw["known"], raw["contract"], raw["data"]) == (False, None, "0x12345678")
    assert (paid["coin"], paid["data"]) == (str(10**18), "0x")
    assert (ours["known"], ours["contract"]) == (False, "Energy")
    assert fake["known"] is False  # a season's bytes, sent to somebody else
    assert (second["predecessor"], second["changes"]) == (hidden, {})
    shown = deployed.run("season", "pending").stdout
    for words in (
        f"Energy.mint(to = devnet:7 ({thief}), amount = 1,000,000,000,000 ENERGY)",
        f"UNKNOWN call to devnet:8 ({stranger}), with 0.000000000000000005 native coin: 0x12345678",
        f"pays 1 native coin to devnet:8 ({stranger})",
        f"only after operation {hidden}",
        f"devnet:0 ({me})",
    ):
        assert words in shown, shown

    deployed.hinted("no such proposal", "pending", "season", "execute", *DEPLOYER)  # not by chance
    deployed.refused("unlocks at", "season", "execute", hidden, *DEPLOYER)
    deployed.refused("There is no such operation", "season", "cancel", "0x00", *DEPLOYER)
    deployed.refused("no terminal to ask on", "season", "cancel", hidden[:10], *DEPLOYER)
    deployed.refused("does not have the role", "season", "cancel", hidden, "--yes",
                     "--account", "devnet:3")  # fmt: skip
    deployed.json("season", "cancel", hidden[:10], "--yes", *DEPLOYER)
    advance(deployed_node, 3600)
    deployed.refused(f"{hidden} has to be executed first", "season", "execute",
                     second["operation"], "--yes", *DEPLOYER)  # fmt: skip
    deployed.json("season", "cancel", second["operation"], "--yes", *DEPLOYER)

    # What the timelock itself may not do, no account of anybody's can.
    send(functions.schedule(energy.address, 0, mint, ZERO32, b"\3" * 32, 3600))
    barred = deployed.json("season", "pending")[0]["operation"]
    advance(deployed_node, 3600)
    said = deployed.refused("the timelock itself does not have the role", "season", "execute",
                            barred, "--yes", *DEPLOYER)  # fmt: skip
    assert "Use the account" not in said
    assert f"season cancel {barred}" in said
    deployed.json("season", "cancel", barred, "--yes", *DEPLOYER)

    # A batch of one call has another id than the call alone.
    later = chain.timelock.encode_abi("updateDelay", args=[2])
    batch = ([chain.timelock.address], [0], [later], ZERO32, ZERO32)
    send(functions.scheduleBatch(*batch, 3600))
    (waiting,) = deployed.json("season", "pending")
    advance(deployed_node, 3600)
    said = deployed.refused("no terminal to ask on", "season", "execute", waiting["operation"],
                            "--account", "devnet:5")  # fmt: skip
    assert "TimelockController.updateDelay(newDelay = 2 s)" in said
    deployed.json("season", "execute", waiting["operation"], "--yes", "--account", "devnet:5")
    assert deployed.json("season", "pending") == []


def test_what_does_not_fit_is_named(deployed: Cli, tmp_path: Path) -> None:
    def bad(said: str, *arguments: str) -> None:
        deployed.refused(said, "season", "propose", *arguments, *DEPLOYER)

    bad("max_turns", "--set", "max_turns=0")
    bad("lr_base", "--set", "lr_base=99")
    bad("loserReward", "--set", "loser_reward=6")  # losing would pay more than winning
    bad("publicationAge is 1 min; it must be from", "--set", "publication_age=60")
    bad("would pay 5399999 gas; 5400000 are needed", "--set", "stake_gas=53999999",
        "--set", "proof_bps=4000")  # fmt: skip
    bad("A dispute may last 29 d in all", "--set", "response_window=2505600")
    bad("block_gain is 'many', not an integer", "--set", "block_gain=many")
    bad("'wings=2' names no constant", "--set", "wings=2")
    bad("Give either a TOML file or --set")
    bad("cannot be read", str(tmp_path / "none.toml"))
    file = tmp_path / "season.toml"
    file.write_text("[rules]\ndamage_k = 256\n")
    bad("[rules] lacks damage_curve", str(file))
    file.write_text("a = " + "[" * 5_000)
    bad("nested too deeply", str(file))
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
    limits = deployed.run("season", "limits").stdout
    assert "1 gwei a gas" in limits
    assert "180 d (15,552,000 s)" in limits  # of max_publication_age
    shown = " ".join(deployed.run("season", "show", "1").stdout.split())
    assert "challenge_period" in shown
    for span in ("30 s", "15 s", "31 d (2,678,400 s)", "10 min (600 s)"):
        assert span in shown, span
    balance = deployed.run("energy", "balance", "--account", "devnet:3").stdout
    assert "native coin" in balance
    assert "wei" not in balance


def test_the_limits_of_a_deployment_are_its_profiles(deployed: Cli) -> None:
    limits = deployed.json("season", "limits")
    assert limits == plain(asdict(load_profile("devnet").limits))
    assert limits["reference_fee"] == str(10**9)
    assert deployed.json("season", "show")["economics"]["stake_gas"] >= limits["min_stake_gas"]
