"""Checks of the acting account: its key, and what it can pay."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from eth_typing import ChecksumAddress
from web3 import Web3

from chainbeasts.backend.accounts import keystore_path, list_keystores
from chainbeasts.backend.accounts import load_account as open_key
from chainbeasts.backend.chain.amounts import show_energy
from chainbeasts.backend.chain.client import Chain, read
from chainbeasts.backend.chain.escrow import GET_ENERGY
from chainbeasts.backend.doctor.report import Check, failed, ok, warning
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.settings import Settings

LITTLE_ETHER = 10**16
"""0.01, in wei: below it, gas may run out in the middle of a dispute."""

Found = Callable[[ChecksumAddress], None]


def check_key(
    settings: Settings, chain_id: int | None, rpc_url: str, found: Found
) -> Iterator[Check]:
    """The key can be used without anybody at a terminal.

    Args:
        chain_id: None where no node tells it; then only a keystore can be checked.
        found: told the account's address, also where the key stays closed.
    """
    name = "account"
    if settings.account is None and settings.private_key is None:
        do = "Name one with --account (see `chainbeasts account list`)."
        yield warning(name, "No account is named: a validator can only --dry-run.", do)
        return
    named = settings.account or ""
    keystore = settings.private_key is None and not named.startswith("devnet:")
    if keystore and keystore_path(settings.keystore_dir, named).exists():
        address = list_keystores(settings.keystore_dir)[named]
        found(Web3.to_checksum_address(address))
        if settings.password_file is None:
            do = "Give a password file (CHAINBEASTS_PASSWORD_FILE) to a daemon without a terminal."
            yield warning(name, f"The keystore of {named} was not opened: no password file.", do)
            return
    elif chain_id is None:
        yield warning(name, "Not checked, since no node answers.", "See to the node first.")
        return
    account = open_key(settings, chain_id=chain_id or 0, rpc_url=rpc_url, prompt=_nobody)
    found(account.address)
    yield ok(name, f"{named or 'The raw key'} opens: {account.address}.")


def _nobody(_: str) -> str:
    raise ChainBeastsError("A password is needed.", "Pass --password-file FILE.")


def check_ether(w3: Web3, rpc_url: str, address: ChecksumAddress) -> Iterator[Check]:
    """Native coin for gas."""
    name = "gas money"
    wei = read(lambda: w3.eth.get_balance(address), rpc_url)
    shown = f"{address} has {Web3.from_wei(wei, 'ether'):f} of the native coin."
    if wei == 0:
        yield failed(name, shown, "Send it some; on a devnet: chainbeasts devnet fund NAME")
    elif wei < LITTLE_ETHER:
        yield warning(name, shown, "Send it more, before a dispute has to be finished.")
    else:
        yield ok(name, shown)


def check_energy(chain: Chain, address: ChecksumAddress) -> Iterator[Check]:
    """ENERGY for bonds, in the wallet and in escrow."""
    name = "ENERGY"
    wallet, escrow = chain.energy_of(address), chain.escrow_of(address)
    shown = f"{show_energy(wallet)} in the wallet, {show_energy(escrow)} in escrow."
    if wallet + escrow == 0:
        do = f"Without ENERGY no bond can be posted. Get some: {GET_ENERGY}"
        yield warning(name, shown, do)
    else:
        yield ok(name, shown)
