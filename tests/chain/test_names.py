"""Names of accounts: who is meant by one, what is refused, and how addresses are shown."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from chainbeasts.backend.accounts import create_keystore, devnet_account
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.names import AddressBook, Names, parse_address
from chainbeasts.backend.settings import Settings

BOB = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
EVE = "0x1563915e194D8CfBA1943570603F7606A3115508"
TIMELOCK = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
Refused = Callable[[str], ChainBeastsError]


@pytest.fixture(scope="module")
def keystores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one keystore; to encrypt it takes longer than all of these tests."""
    folder = tmp_path_factory.mktemp("keystores")
    create_keystore(folder, "alice", "password", devnet_account(3))
    return folder


@pytest.fixture
def names(tmp_path: Path, keystores: Path) -> Names:
    settings = Settings(home=tmp_path)
    shutil.copytree(keystores, settings.keystore_dir)
    made = Names(settings, lambda: True, lambda: {"TimelockController": TIMELOCK})
    made.book.add("bob", BOB)
    return made


@pytest.fixture
def refused(names: Names) -> Refused:
    def check(who: str) -> ChainBeastsError:
        with pytest.raises(ChainBeastsError) as caught:
            names.resolve(who)
        return caught.value

    return check


def test_every_kind_of_name_stands_for_its_address(names: Names) -> None:
    assert names.resolve("alice") == names.resolve("devnet:3") == devnet_account(3).address
    assert names.resolve("bob") == BOB
    assert names.resolve("timelock") == names.resolve("TimelockController") == TIMELOCK
    for spelled in (EVE, EVE.lower(), "0x" + EVE[2:].upper()):
        assert names.resolve(spelled) == EVE


def test_an_unknown_name_is_refused_and_the_nearest_offered(refused: Refused) -> None:
    assert "did you mean alice?" in refused("alcie").message
    assert "did you mean devnet:3?" in refused("devnet3").message
    assert refused("nobody-at-all").message == "Nobody is called nobody-at-all here."


def test_a_name_of_two_accounts_is_refused_with_both(names: Names, refused: Refused) -> None:
    names.book.add("alice", EVE)
    message = refused("alice").message
    assert devnet_account(3).address in message
    assert EVE in message
    names.book.add("alice", devnet_account(3).address)  # both mean the same: nothing to choose
    assert names.resolve("alice") == devnet_account(3).address


@pytest.mark.parametrize("who", ["0x12", "0x" + "0g" * 20, EVE + "00", EVE[2:], "0x"])
def test_what_is_no_address_is_none(refused: Refused, who: str) -> None:
    refused(who)


def test_one_wrong_digit_fails_the_checksum(refused: Refused) -> None:
    assert "checksum" in refused(BOB.replace("2A", "2B")).message
    assert "zero address" in refused("0x" + "00" * 20).message


@pytest.mark.parametrize("name", ["", "a b", "../x", "0x12", EVE, "devnet:1", "-x"])
def test_names_that_cannot_be_one(tmp_path: Path, name: str) -> None:
    with pytest.raises(ChainBeastsError):
        AddressBook(tmp_path / "book.json").add(name, EVE)


def test_the_book_is_kept_and_refused_when_it_is_broken(names: Names, tmp_path: Path) -> None:
    names.book.add("carol", EVE)
    assert list(names.book.entries()) == ["bob", "carol"]
    assert names.book.remove("carol") == EVE
    with pytest.raises(ChainBeastsError, match="did you mean bob"):
        names.book.remove("bobb")
    (tmp_path / "addresses.json").write_text('{"bob": "0x12"}')
    with pytest.raises(ChainBeastsError, match="is not an address book"):
        names.resolve("bob")
    assert names.show(EVE) == EVE  # what is shown does not die of it


def test_addresses_are_shown_with_the_name_that_they_have_here(names: Names) -> None:
    own = devnet_account(3).address
    assert names.show(own) == f"alice ({own})"  # its keystore's, not devnet:3
    assert names.show(devnet_account(4).address).startswith("devnet:4 (0x")
    text = f"{BOB.lower()} owes {EVE}; hash 0x{'ab' * 32}, timelock {TIMELOCK}."
    shown = names.show_in(text)
    assert f"bob ({BOB.lower()}) owes {EVE}; hash 0x{'ab' * 32}, timelock timelock (" in shown
    assert names.show_in(shown) == shown  # a name is put there once
    assert parse_address(BOB) == BOB
