"""`chainbeasts account` and `chainbeasts energy` as processes: keys, faucet, escrow, sale."""

from __future__ import annotations

import json
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from chainbeasts.backend.accounts import devnet_account
from chainbeasts.backend.chain import attempts
from chainbeasts.backend.chain.anvil import DEVNET_CHAIN_ID, rpc
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.deployment import Deployment
from chainbeasts.backend.chain.errors import Reverted
from chainbeasts.backend.chain.seasons import season_with
from chainbeasts.backend.chain.transactions import TransactionManager, UnknownOutcomeError
from chainbeasts.backend.cli.energy_sale import purchase_label
from scripts.lib.faulty_node import FaultyNode
from tests.cli.conftest import COMMAND, Cli
from tests.support.onchain import mined
from tests.support.patience import PATIENCE
from tests.support.snapshots import go_back

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
    short = deployed.refused("The escrow of", "energy", "withdraw", "1000", *mine)
    assert "Deposit" not in short
    assert "Withdraw less" in short
    deployed.hinted(
        "The escrow of", "Withdraw less", "energy", "withdraw", "99", "--to", "devnet:8", *mine
    )
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


# --- the sale -------------------------------------------------------------------------------------

BUYER = ("--account", "devnet:7")


@contextmanager
def open_sale(deployed: Cli, price: str) -> Iterator[Chain]:
    """A season that sells ENERGY at that price, which is undone."""
    assert deployed.rpc_url is not None
    record = Deployment.load(deployed.home / "deployments", DEVNET_CHAIN_ID)
    chain = Chain.connect(deployed.rpc_url, record)
    snapshot = rpc(deployed.rpc_url, "evm_snapshot")
    set_price(chain, price)
    yield chain
    go_back(partial(rpc, deployed.rpc_url), snapshot)


def set_price(chain: Chain, price: str) -> None:
    """As the timelock would after its delay."""
    owner = chain.w3.to_checksum_address(chain.deployment.addresses["TimelockController"])
    rpc(chain.rpc_url, "anvil_setBalance", owner, hex(ENERGY))
    rpc(chain.rpc_url, "anvil_impersonateAccount", owner)
    season = season_with(chain.season(chain.current_season()), [f"energy_price={price}"])
    sent = chain.seasons.functions.addSeason(season.to_abi()).transact({"from": owner})
    mined(chain.w3, sent)
    rpc(chain.rpc_url, "anvil_mine", "0x1")


def test_a_closed_sale_says_so_and_takes_nothing(deployed: Cli) -> None:
    shown = deployed.json("energy", "price")
    assert (shown["open"], shown["price"], shown["season"]) == (False, "0", 1)
    assert shown["hatch_cost"] == str(ENERGY // 10)
    before = deployed.json("energy", "balance", *BUYER)
    deployed.hinted("sale is closed", "faucet", "energy", "buy", "5", *BUYER)
    deployed.hinted("sale is closed", "faucet", "energy", "buy", "--spend", "0.1", *BUYER)
    assert deployed.json("energy", "balance", *BUYER) == before


def test_energy_is_bought_by_amount_or_by_coin_and_never_for_less(deployed: Cli) -> None:
    with open_sale(deployed, "0.003") as chain:
        assert deployed.json("energy", "price")["price"] == str(3 * ENERGY // 1_000)
        got = deployed.json("energy", "buy", "10", *BUYER)
        assert (int(got["bought"]), int(got["paid"])) == (10 * ENERGY, 3 * ENERGY // 100)
        got = deployed.json("energy", "buy", "--spend", "0.001", "--to", "devnet:8", *BUYER)
        assert got["bought"] == str(ENERGY // 3)
        assert deployed.json("energy", "balance", "devnet:8")["balance"] == got["balance"]
        assert chain.energy_sold() == 10 * ENERGY + ENERGY // 3
        timelock = chain.deployment.addresses["TimelockController"]
        # ... what it was lent for the season's gas, less that, and the proceeds.
        assert chain.coin_of(timelock) > 31 * ENERGY // 1_000

        before = deployed.json("energy", "balance", *BUYER)
        for said, hint, *given in (
            ("How much", "--spend", "buy"),
            ("How much", "--spend", "buy", "1", "--spend", "1"),
            ("buys no ENERGY", "0.003", "buy", "0"),
            ("buys no ENERGY", "0.003", "buy", "--spend", "0"),
            ("less than --min-out 2", "accept less", "buy", "1", "--min-out", "2"),
            ("no percentage", "", "buy", "1", "--slippage", "101"),
            ("no percentage", "", "buy", "1", "--slippage", "some"),
            ("are needed", "native coin", "buy", "--spend", "1000000", "--yes"),
            ("is lost", "deposit", "buy", "1", "--to", chain.arena.address),
            ("Nothing was sent", "--yes", "buy", "100"),  # 0.3 of the coin: nobody to ask
        ):
            deployed.hinted(said, hint, "energy", *given, *BUYER)
        assert deployed.json("energy", "balance", *BUYER) == before


def test_a_price_that_rises_before_the_purchase_is_mined_buys_nothing(
    deployed: Cli, tmp_path: Path
) -> None:
    """The least that is accepted is what the price gave when it was looked at."""
    with open_sale(deployed, "0.003") as chain:
        buyer = devnet_account(7)
        sender = TransactionManager(chain, buyer, tmp_path / "locks")
        paid, least = 3 * ENERGY // 1_000, chain.energy_for(3 * ENERGY // 1_000)
        assert least == ENERGY
        set_price(chain, "0.0031")
        before = chain.coin_of(buyer.address)
        with pytest.raises(Reverted) as caught:
            sender.send(chain.sale.functions.buy(buyer.address, least), label="buy", value=paid)
        assert caught.value.name == "TooLittleEnergy"
        assert "The price has risen" in caught.value.message
        assert chain.coin_of(buyer.address) == before


def test_a_purchase_of_which_the_end_was_not_seen_is_not_made_twice(
    deployed: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever has changed since: the price, and what the account has left."""
    monkeypatch.setattr(attempts, "UNKNOWN_SECONDS", 1.0)
    with open_sale(deployed, "0.003") as chain:
        buyer = devnet_account(7)
        before, wallet = chain.energy_sold(), chain.energy_of(buyer.address)
        with FaultyNode(chain.rpc_url) as node:
            node.hides_receipts = True
            there = Chain.connect(node.url, chain.deployment)
            locks = deployed.home / "locks"
            sender = TransactionManager(there, buyer, locks, deadline=PATIENCE, bump_after=9.0)
            paid, label = 3 * ENERGY // 100, purchase_label("10", None, buyer.address)
            call = there.sale.functions.buy(buyer.address, chain.energy_for(paid))
            with pytest.raises(UnknownOutcomeError):
                sender.send(call, label=label, value=paid)
        set_price(chain, "0.0031")
        rpc(chain.rpc_url, "anvil_setBalance", buyer.address, hex(ENERGY // 1_000))
        got = deployed.json("energy", "buy", "10", *BUYER)
        assert (got["bought"], got["paid"]) == (str(10 * ENERGY), str(paid))
        assert got["balance"] == str(wallet + 10 * ENERGY)
        assert chain.energy_sold() == before + 10 * ENERGY
        deployed.refused("are needed", "energy", "buy", "10", *BUYER)  # another wish, and no coin
        rpc(chain.rpc_url, "anvil_setBalance", buyer.address, hex(10_000 * ENERGY))
