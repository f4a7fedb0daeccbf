"""Keys: at rest behind a password, raw on local chains alone, and shown nowhere."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount

from chainbeasts.backend.accounts import (
    DEVNET_ADDRESSES,
    create_keystore,
    devnet_account,
    list_keystores,
    load_account,
)
from chainbeasts.backend.cache import write_atomic
from chainbeasts.backend.chain.anvil import DEVNET_ACCOUNTS, DEVNET_CHAIN_ID, Anvil, rpc
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.settings import Settings, load_settings

KEY = "0x" + "5a" * 31 + "01"
LOCAL = "http://127.0.0.1:8545"
REMOTE = "https://rpc.example.org"
PASSWORD = "correct horse"


def no_prompt(question: str) -> str:
    raise AssertionError(f"asked: {question}")


def load(
    settings: Settings, chain_id: int = 1, url: str = REMOTE, answer: str = ""
) -> LocalAccount:
    def prompt(question: str) -> str:
        assert question == "Password of dora: "
        return answer

    return load_account(
        settings, chain_id=chain_id, rpc_url=url, prompt=prompt if answer else no_prompt
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one keystore; scrypt is slow by design."""
    folder = tmp_path_factory.mktemp("home")
    create_keystore(folder / "keystore", "dora", PASSWORD, Account.from_key(KEY))
    return folder


def test_keystores_are_for_their_owner_alone(home: Path) -> None:
    path = home / "keystore" / "dora.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    text = path.read_text("utf-8").lower()
    assert '"kdf": "scrypt"' in text
    assert KEY[2:] not in text
    assert PASSWORD not in text
    address = Account.from_key(KEY).address
    assert {k: v.lower() for k, v in list_keystores(path.parent).items()} == {
        "dora": address.lower()
    }


def test_the_password_opens_the_keystore_on_any_chain(home: Path) -> None:
    settings = Settings(home=home, account="dora")
    assert load(settings, answer=PASSWORD).address == Account.from_key(KEY).address


def test_a_wrong_password_is_one_sentence(home: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "password"
    wrong.write_text("battery staple\n", "utf-8")
    settings = Settings(home=home, account="dora", password_file=wrong)
    with pytest.raises(ChainBeastsError) as caught:
        load(settings)
    assert str(caught.value) == "The password does not open the keystore dora."
    assert caught.value.__cause__ is None


def keystore_with(home: Path, **changes: object) -> bytes:
    """The keystore with other parameters of its scrypt."""
    found = json.loads((home / "keystore" / "dora.json").read_text())
    found["crypto"]["kdfparams"] |= changes
    return json.dumps(found).encode()


DAMAGED = {
    "empty": lambda home: b"",
    "an object without anything": lambda home: b"{}",
    "a list": lambda home: b"[]",
    "nested": lambda home: b"[" * 100_000,
    "not UTF-8": lambda home: b"\xff\xfe{}",
    "another version": lambda home: b'{"version": 4, "crypto": {"kdfparams": {}}}',
    "a version in quotes": lambda home: b'{"version": "3", "crypto": {"kdfparams": {}}}',
    "no parameters": lambda home: b'{"version": 3, "crypto": {"kdfparams": {}}}',
    "crypto as text": lambda home: b'{"version": 3, "crypto": "scrypt"}',
    "parameters as text": lambda home: keystore_with(home, n="262144"),
    "no power of two": lambda home: keystore_with(home, n=1000),
    "a salt that is none": lambda home: keystore_with(home, salt=7),
    "a terabyte of memory": lambda home: keystore_with(home, n=1 << 33),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_file_that_is_no_keystore_is_one_sentence(home: Path, tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "keystore"
    write_atomic(folder / "dora.json", DAMAGED[kind](home), mode=0o600)
    write_atomic(folder / "good.json", (home / "keystore" / "dora.json").read_bytes())
    with pytest.raises(ChainBeastsError, match=r"dora\.json is no keystore: ") as caught:
        load(Settings(home=tmp_path, account="dora"), answer=PASSWORD)
    assert caught.value.message.endswith(".")
    assert "\n" not in caught.value.message
    assert "account import" in caught.value.hint
    assert "good" in list_keystores(folder)


def test_nesting_without_end_is_an_error_in_every_process() -> None:
    """And not a segmentation fault, whoever sent it: a node, a peer, or a file."""
    program = (
        "import json\n"
        "from chainbeasts.backend.accounts import load_account\n"
        "try: json.loads('[' * 200_000)\n"
        "except RecursionError: print('an error')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "an error\n")


def test_a_keystore_with_a_byte_order_mark_opens(home: Path, tmp_path: Path) -> None:
    data = b"\xef\xbb\xbf" + (home / "keystore" / "dora.json").read_bytes()
    write_atomic(tmp_path / "keystore" / "dora.json", data, mode=0o600)
    assert list(list_keystores(tmp_path / "keystore")) == ["dora"]
    settings = Settings(home=tmp_path, account="dora")
    assert load(settings, answer=PASSWORD).address == Account.from_key(KEY).address


def test_a_missing_password_file_is_one_sentence(home: Path) -> None:
    settings = Settings(home=home, account="dora", password_file=home / "gone")
    with pytest.raises(ChainBeastsError, match=r"gone cannot be read \(No such file"):
        load(settings)


def test_a_keystore_that_others_can_read_is_refused(home: Path) -> None:
    path = home / "keystore" / "dora.json"
    path.chmod(0o640)
    try:
        with pytest.raises(ChainBeastsError, match="can be read by others") as caught:
            load(Settings(home=home, account="dora"))
    finally:
        path.chmod(0o600)
    assert caught.value.hint == f"Run: chmod 600 {path}"


def test_an_unknown_name_is_told_with_the_known_ones(home: Path) -> None:
    with pytest.raises(ChainBeastsError, match="no account named nina") as caught:
        load(Settings(home=home, account="nina"))
    assert "(known: dora)" in caught.value.message
    assert "account new" in caught.value.hint


def test_names_are_not_taken_twice_and_lead_nowhere(home: Path) -> None:
    folder = home / "keystore"
    with pytest.raises(ChainBeastsError, match="already an account named dora"):
        create_keystore(folder, "dora", PASSWORD)
    for name in ("../dora", "", ".hidden", "a/b", "x" * 65):
        with pytest.raises(ChainBeastsError, match="is no account name"):
            create_keystore(folder, name, PASSWORD)
    with pytest.raises(ChainBeastsError, match="password is empty"):
        create_keystore(folder, "nina", "")
    assert sorted(path.name for path in folder.iterdir()) == ["dora.json"]


@pytest.mark.parametrize(
    ("chain_id", "url"),
    [(1, LOCAL), (DEVNET_CHAIN_ID, REMOTE), (DEVNET_CHAIN_ID, "http://127.0.0.1@evil.example")],
)
def test_everybodys_and_raw_keys_are_refused_beyond_local_chains(chain_id: int, url: str) -> None:
    with pytest.raises(ChainBeastsError) as caught:
        load(load_settings(private_key=KEY), chain_id, url)
    assert caught.value.message == "A raw private key is accepted on a local chain only."
    assert "account import" in caught.value.hint
    with pytest.raises(ChainBeastsError, match="is everybody's key"):
        load(load_settings(account="devnet:0"), chain_id, url)


def test_raw_keys_are_taken_on_local_chains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINBEASTS_PRIVATE_KEY", KEY)
    account = load(load_settings(), DEVNET_CHAIN_ID, LOCAL)
    assert account.address == Account.from_key(KEY).address


def test_a_key_is_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINBEASTS_PRIVATE_KEY", KEY)
    settings = load_settings()
    account = load(settings, DEVNET_CHAIN_ID, LOCAL)
    shown = [repr(settings), str(settings), settings.model_dump_json(), repr(account), str(account)]
    bad = KEY[:-2] + "zz"
    with pytest.raises(ChainBeastsError) as caught:
        load(load_settings(private_key=bad), DEVNET_CHAIN_ID, LOCAL)
    assert "is not a 32-byte hex key" in caught.value.message
    assert caught.value.__suppress_context__
    shown += [str(caught.value), repr(caught.value)]
    assert all(KEY[4:40] not in text.lower() for text in shown), shown


def test_development_accounts_are_anvils(anvil: Anvil) -> None:
    accounts = rpc(anvil.url, "eth_accounts")
    assert isinstance(accounts, list)
    for index in (0, 1, 9):
        mine = load(Settings(account=f"devnet:{index}"), DEVNET_CHAIN_ID, anvil.url)
        assert mine.address == devnet_account(index).address
        assert mine.address.lower() == accounts[index].lower()


def test_no_account_is_told_with_the_remedy() -> None:
    with pytest.raises(ChainBeastsError, match="No account is named") as caught:
        load(Settings())
    assert "--account" in caught.value.hint


def test_the_development_accounts_have_the_addresses_that_are_written_down() -> None:
    derived = tuple(devnet_account(index).address for index in range(DEVNET_ACCOUNTS))
    assert derived == DEVNET_ADDRESSES
