"""`chainbeasts account` and `chainbeasts energy` as processes: keys, faucet, escrow."""

from __future__ import annotations

import json
import stat
import subprocess
from pathlib import Path

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
    assert deployed.json("energy", "balance", *owner)["balance"] == 0
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
    deployed.hinted(
        "is not an address", "40 hex digits", "energy", "balance", "--of", "0x12", *mine
    )
    assert deployed.json("energy", "balance", *mine) == took

    wrong = tmp_path / "wrong"
    wrong.write_text("horse\n")
    deployed.refused(
        "password", "energy", "balance", "--account", "dora", "--password-file", str(wrong)
    )
    deployed.refused("nobody", "energy", "balance", "--account", "nobody", *owner[:2])


def who(cli: Cli, *account: str) -> str:
    """The address of an account."""
    return str(cli.json("energy", "balance", *account)["address"])
