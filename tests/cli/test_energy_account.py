"""`chainbeasts account` and `chainbeasts energy` as processes: keys, faucet, escrow."""

from __future__ import annotations

import json
import stat
import subprocess
from pathlib import Path

from backend.accounts import devnet_account
from tests.cli.conftest import COMMAND, Cli

ENERGY = 10**18  # wei; JSON has integers that large as strings
KEY = "0x" + "11" * 32  # a key for tests alone
OTHER_KEY = "0x" + "22" * 32
KEY_ADDRESS = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"


def test_keystores_are_made_imported_listed_and_used(cli: Cli, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("correct horse\n")
    given = ("--password-file", str(password))
    made = cli.json("account", "new", "alice", *given)
    file = Path(made["file"])
    assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0
    cli.refused("alice", "account", "new", "alice", *given)
    cli.extra["CHAINBEASTS_PRIVATE_KEY"] = KEY
    assert cli.json("account", "import", "bob", *given)["address"] == KEY_ADDRESS
    cli.extra["CHAINBEASTS_PRIVATE_KEY"] = "0x1234"
    assert "1234" not in cli.refused("not a 32-byte hex key", "account", "import", "eve", *given)
    del cli.extra["CHAINBEASTS_PRIVATE_KEY"]
    piped = subprocess.run(
        [COMMAND, "account", "import", "piped", *given, "--json"],
        env=cli.environment(),
        input=f"{OTHER_KEY}\n",
        capture_output=True,
        text=True,
        check=True,
    )
    other = json.loads(piped.stdout)["address"]
    assert OTHER_KEY[2:] not in piped.stdout + piped.stderr
    listed = {entry["name"]: entry["address"] for entry in cli.json("account", "list")}
    assert listed == {"alice": made["address"], "bob": KEY_ADDRESS, "piped": other}
    cli.hinted("no terminal", "--password-file", "account", "new", "carol")


def test_energy_goes_from_the_faucet_through_escrow_and_back(deployed: Cli, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("correct horse\n")
    owner = ("--password-file", str(password), "--account", "dora")
    address = deployed.json("account", "new", "dora", *owner[:2])["address"]
    assert deployed.json("energy", "balance", *owner)["balance"] == "0"
    faucet = ("energy", "faucet", "12.5", "--to", address)
    shown = deployed.json(*faucet, "--account", "devnet:0")
    assert (shown["address"], shown["balance"]) == (address, str(12 * ENERGY + ENERGY // 2))
    deployed.hinted("may not mint", "devnet:0", *faucet, "--account", "devnet:4")

    mine = ("--account", "devnet:1")
    deployed.json("energy", "faucet", "10", "--to", who(deployed, *mine), "--account", "devnet:0")
    put = deployed.json("energy", "deposit", "4", *mine)
    assert (put["balance"], put["escrow"]) == (str(6 * ENERGY), str(4 * ENERGY))
    took = deployed.json("energy", "withdraw", "1.5", *mine)
    assert (took["balance"], took["escrow"]) == (str(75 * ENERGY // 10), str(25 * ENERGY // 10))

    deployed.hinted("1,000 ENERGY are needed", "faucet", "energy", "deposit", "1000", *mine)
    deployed.hinted("The escrow of", "energy deposit", "energy", "withdraw", "1000", *mine)
    deployed.refused("'lots' is not an amount", "energy", "deposit", "lots", *mine)
    deployed.hinted("is not an address", "40 hex digits", "energy", "balance", "0x12", *mine)
    assert deployed.json("energy", "balance", *mine) == took

    wrong = tmp_path / "wrong"
    wrong.write_text("horse\n")
    sealed = ("--account", "dora", "--password-file", str(wrong))
    deployed.refused("password", "energy", "withdraw", "1", *sealed)
    assert (
        deployed.json("energy", "balance", *sealed)["address"] == address
    )  # looked at, not opened
    error = deployed.refused("nobody", "energy", "balance", "--account", "nobody", *owner[:2])
    assert "Did you mean" not in error
    deployed.refused("Did you mean dora?", "energy", "balance", "--account", "doar", *owner[:2])


def test_coins_are_sent_to_whom_a_name_means(deployed: Cli, tmp_path: Path) -> None:
    ben = devnet_account(6).address
    deployed.json("account", "book", "add", "ben", ben.lower())
    assert deployed.json("account", "book", "list") == [{"name": "ben", "address": ben}]
    faucet = ("energy", "faucet", "100", "--to", "devnet:2", "--account", "devnet:0")
    assert deployed.json(*faucet)["name"] == "devnet:2"
    mine = ("--account", "devnet:2")
    sent = deployed.json("energy", "send", "ben", "2.5", *mine)
    assert (sent["to"], sent["name"], sent["amount"]) == (ben, "ben", str(25 * ENERGY // 10))
    assert deployed.json("energy", "balance", "ben")["balance"] == str(25 * ENERGY // 10)
    shown = deployed.run("energy", "send", "ben", "1", *mine).stdout
    assert f"ben ({ben})" in shown
    assert f"devnet:2 ({devnet_account(2).address})" in shown

    much = ("energy", "send", "ben", "50", *mine)
    said = deployed.refused("no terminal to ask on", *much)
    assert "50 ENERGY and 0.000" in said
    assert "gas." in said
    assert deployed.json(*much, "--yes")["left"] == str(465 * ENERGY // 10)
    for who, why in (
        ("bne", "did you mean ben?"),
        (f"0x{'00' * 20}", "zero address"),
        ("Energy", "sent to the contract Energy is lost"),
        ("Arena", "sent to the contract Arena is lost"),
    ):
        deployed.refused(why, "energy", "send", who, "1", *mine)
    deployed.hinted("has 46.5 ENERGY", "withdraw", "energy", "send", "ben", "47", *mine)
    deployed.refused("nothing to send", "energy", "send", "ben", "0", *mine)

    before = int(deployed.json("energy", "balance", "ben")["native"])
    paid = deployed.json("account", "send", "ben", "0.01", *mine)
    assert (paid["to"], paid["amount"]) == (ben, str(ENERGY // 100))
    assert int(deployed.json("energy", "balance", "ben")["native"]) == before + ENERGY // 100
    deployed.refused("no terminal to ask on", "account", "send", "ben", "1", *mine)
    deployed.json("account", "send", "timelock", "0.01", *mine)  # a contract that takes it
    deployed.hinted(
        "does not take native coin", "another receiver", "account", "send", "Arena", "0.01", *mine
    )
    deployed.refused("are needed", "account", "send", "ben", "99999999", "--yes", *mine)
    deployed.refused("'lots' is not an amount", "account", "send", "ben", "lots", *mine)

    password = tmp_path / "password"
    password.write_text("correct horse\n")
    deployed.refused(f"ben ({ben}) is in the address book", "account", "new", "ben")
    deployed.json("account", "new", "cleo", "--password-file", str(password))
    deployed.refused("a keystore of this home", "account", "book", "add", "cleo", ben)
    deployed.json("account", "book", "remove", "ben")
    deployed.refused("Nobody is called ben", "energy", "send", "ben", "1", *mine)


def who(cli: Cli, *account: str) -> str:
    """The address of an account."""
    return str(cli.json("energy", "balance", *account)["address"])
