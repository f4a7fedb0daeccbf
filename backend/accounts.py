"""Who signs: scrypt keystores with a password, or raw keys on local chains only."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.hdaccount import ETHEREUM_DEFAULT_PATH
from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address

from chainbeasts.backend.cache import write_atomic
from chainbeasts.backend.chain.anvil import MNEMONIC, is_local_chain
from chainbeasts.backend.documents import parse_json
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.settings import Settings

KEYSTORE_VERSION = 3
MOST_SCRYPT_BYTES = 2 << 30
MOST_SCRYPT_WORK = 1 << 26
MOST_ROUNDS = 100_000_000
"""Of PBKDF2. Other wallets write a hundredth of any of these."""

_KDF_NUMBERS = ("n", "r", "p", "c", "dklen")
_DEVNET = re.compile(r"devnet:(\d{1,3})")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
"""What keystores and entries of the address book may be called."""

DEVNET_ADDRESSES = (
    "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
    "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
    "0x90F79bf6EB2c4f870365E785982E1f101E93b906",
    "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65",
    "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc",
    "0x976EA74026E726554dB657fA54763abd0C3a0aa9",
    "0x14dC79964da2C08b23698B3D3cc7Ca32193d9955",
    "0x23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f",
    "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720",
)
"""Of ``devnet_account(0)`` and on: to derive the ten takes longer than most commands."""

Prompt = Callable[[str], str]
"""Asks for a password without echo."""


@cache
def devnet_account(index: int) -> LocalAccount:
    """The ``index``-th of everybody's development accounts."""
    Account.enable_unaudited_hdwallet_features()
    path = f"{ETHEREUM_DEFAULT_PATH.rsplit('/', 1)[0]}/{index}"
    account: LocalAccount = Account.from_mnemonic(MNEMONIC, account_path=path)
    return account


def keystore_path(folder: Path, name: str) -> Path:
    """The file of a named keystore.

    Raises:
        ChainBeastsError: the name could lead out of the folder.
    """
    if not NAME.fullmatch(name):
        raise ChainBeastsError(
            f"{name!r} is no account name.", "Use letters, digits, '.', '-' and '_'."
        )
    return folder / f"{name}.json"


def create_keystore(
    folder: Path, name: str, password: str, account: LocalAccount | None = None
) -> LocalAccount:
    """Write a new (or a given) key as a scrypt keystore with mode 0600.

    Raises:
        ChainBeastsError: the name is taken, or the password empty.
    """
    path = keystore_path(folder, name)
    if path.exists():
        raise ChainBeastsError(f"There is already an account named {name}.", "Take another name.")
    if not password:
        raise ChainBeastsError("The password is empty.", "Choose one that is not.")
    made = account if account is not None else Account.create()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    encrypted = Account.encrypt(made.key, password, kdf="scrypt")
    write_atomic(path, json.dumps(encrypted).encode(), mode=0o600)
    return made


def list_keystores(folder: Path) -> dict[str, str]:
    """Checksummed address by name of all keystores in a folder; no password is needed for that."""
    found = {}
    for path in sorted(folder.glob("*.json")):
        try:
            found[path.stem] = str(to_checksum_address(_read_keystore(path)["address"]))
        except (ChainBeastsError, ValueError, TypeError, KeyError):
            continue  # not a keystore, or not ours to read: it cannot act, so nobody is called so
    return found


def _read_keystore(path: Path) -> dict[str, Any]:
    """A keystore of version 3, whose parameters are of the right kinds and within reason.

    Raises:
        ChainBeastsError: it is none.
    """
    try:
        found = parse_json(path.read_bytes())
    except OSError as error:
        raise ChainBeastsError(f"The keystore {path} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise _no_keystore(path, f"it is not JSON ({error})") from None
    if not isinstance(found, dict):
        raise _no_keystore(path, "it is no JSON object")
    if found.get("version") != KEYSTORE_VERSION:
        raise _no_keystore(path, f"its version is not {KEYSTORE_VERSION}")
    lowered = {str(name).lower(): value for name, value in found.items()}  # some write "Crypto"
    crypto = lowered.get("crypto")
    parameters = crypto.get("kdfparams") if isinstance(crypto, dict) else None
    if not isinstance(parameters, dict):
        raise _no_keystore(path, "it has no crypto with kdfparams")
    numbers = [parameters.get(name, 1) for name in _KDF_NUMBERS]
    if not all(type(number) is int and number > 0 for number in numbers):
        raise _no_keystore(path, f"{', '.join(_KDF_NUMBERS)} are not all whole numbers")
    n, r, p, c, _ = numbers
    if n * r > MOST_SCRYPT_BYTES // 128 or n * r * p > MOST_SCRYPT_WORK or c > MOST_ROUNDS:
        raise _no_keystore(path, "opening it would take more time or memory than this machine has")
    return found


def _no_keystore(path: Path, reason: str) -> ChainBeastsError:
    return ChainBeastsError(
        f"{path} is no keystore: {reason}.",
        "Put back its copy, or make the account anew from its key: chainbeasts account import NAME",
    )


def read_password(settings: Settings, prompt: Prompt, question: str) -> str:
    """The password: first line of the password file, else asked for.

    Raises:
        ChainBeastsError: the file cannot be read.
    """
    if settings.password_file is None:
        return prompt(question)
    try:
        lines = settings.password_file.read_text("utf-8").splitlines()
    except OSError as error:
        raise ChainBeastsError(
            f"The password file {settings.password_file} cannot be read ({error.strerror})."
        ) from None
    return lines[0] if lines else ""


def load_account(
    settings: Settings, *, chain_id: int, rpc_url: str, prompt: Prompt
) -> LocalAccount:
    """The account that the settings name.

    Raises:
        ChainBeastsError: none is named, a raw key is used beyond a local chain, or the keystore
            cannot be opened.
    """
    local = is_local_chain(chain_id, rpc_url)
    if settings.private_key is not None:
        if not local:
            raise ChainBeastsError(
                "A raw private key is accepted on a local chain only.",
                "Import it into a keystore: chainbeasts account import NAME",
            )
        try:
            raw: LocalAccount = Account.from_key(settings.private_key.get_secret_value())
        except (ValueError, TypeError):
            raise ChainBeastsError("CHAINBEASTS_PRIVATE_KEY is not a 32-byte hex key.") from None
        return raw
    if settings.account is None:
        raise ChainBeastsError(
            "No account is named.",
            "Pass --account NAME (see `chainbeasts account list`), or devnet:0 on a local chain.",
        )
    development = _DEVNET.fullmatch(settings.account)
    if development:
        if not local:
            raise ChainBeastsError(
                f"{settings.account} is everybody's key, and chain {chain_id} is not a local one.",
                "Make an own account: chainbeasts account new NAME",
            )
        return devnet_account(int(development[1]))
    return _open_keystore(settings, settings.account, prompt)


def account_address(settings: Settings) -> str | None:
    """Whom the settings name, without a password; None if nobody, or nobody that is known.

    Only for looking: whether it may act on a chain is what ``load_account`` says.
    """
    if settings.private_key is not None:
        try:
            return str(Account.from_key(settings.private_key.get_secret_value()).address)
        except (ValueError, TypeError):
            return None
    if settings.account is None:
        return None
    development = _DEVNET.fullmatch(settings.account)
    if development:
        return str(devnet_account(int(development[1])).address)
    keystores = list_keystores(settings.keystore_dir)
    own = {address.lower(): address for address in keystores.values()}
    return keystores.get(settings.account) or own.get(settings.account.lower())


def _open_keystore(settings: Settings, name: str, prompt: Prompt) -> LocalAccount:
    keystores = list_keystores(settings.keystore_dir)
    named = [one for one, address in keystores.items() if address.lower() == name.lower()]
    path = keystore_path(settings.keystore_dir, named[0] if named else name)
    if not path.exists():
        known = ", ".join(keystores) or "none"
        near = get_close_matches(name, keystores, n=1)
        meant = f" Did you mean {near[0]}?" if near else ""
        raise ChainBeastsError(
            f"There is no account named {name} in {settings.keystore_dir} (known: {known}).{meant}",
            "Make one: chainbeasts account new NAME",
        )
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise ChainBeastsError(
            f"The keystore {path} can be read by others.", f"Run: chmod 600 {path}"
        )
    keystore = _read_keystore(path)
    password = read_password(settings, prompt, f"Password of {name}: ")
    try:
        key = Account.decrypt(keystore, password)
    except ValueError as error:
        if "MAC mismatch" not in str(error):
            raise _no_keystore(path, str(error)) from None
        raise ChainBeastsError(f"The password does not open the keystore {name}.") from None
    except (KeyError, TypeError, AssertionError, NotImplementedError, OverflowError) as error:
        raise _no_keystore(path, f"it cannot be opened ({error!r})") from None
    account: LocalAccount = Account.from_key(key)
    return account
