"""Checks of the deployment: is it this chain's, is its code unchanged, does it run this kernel?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from eth_hash.auto import keccak
from web3 import Web3
from web3.contract import Contract

from chainbeasts.backend.chain.client import Chain, check_chain, read
from chainbeasts.backend.chain.deployment import Deployment
from chainbeasts.backend.chain.errors import NodeUnavailableError, Reverted
from chainbeasts.backend.chain.kernel_check import USE_ITS_VERSION, kernel_of
from chainbeasts.backend.doctor.report import Check, failed, ok
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.tables import KERNEL_ID, kernel_name

FIX_CODE = "Use the node of the deployment, or deploy anew with `chainbeasts deploy --fresh`."


def find_deployment(w3: Web3, rpc_url: str, folder: Path) -> Deployment:
    """The record for the node's chain.

    Raises:
        ChainBeastsError: there is none, or it is of another chain.
    """
    chain_id = read(lambda: w3.eth.chain_id, rpc_url)
    known = sorted(path.stem for path in folder.glob("*.json"))
    if known and str(chain_id) not in known:
        raise ChainBeastsError(
            f"The node serves chain {chain_id}; {folder} has deployments on {', '.join(known)}.",
            "Name the right node, or deploy on this chain with `chainbeasts deploy`.",
        )
    record = Deployment.load(folder, chain_id)
    check_chain(w3, rpc_url, record)
    return record


def check_chain_id(record: Deployment) -> Iterator[Check]:
    """Told once the record was found to fit; see ``find_deployment``."""
    yield ok("chain", f"Chain {record.chain_id}, with the first block of the deployment's record.")


def check_code(chain: Chain) -> Iterator[Check]:
    """The code at every address is the deployed one."""
    record, wrong = chain.deployment, []
    for name, address in sorted(record.addresses.items()):
        where = Web3.to_checksum_address(address)
        code = bytes(chain.read(lambda where=where: chain.w3.eth.get_code(where)))  # type: ignore[misc]
        if not code:
            wrong.append(f"{name} is gone")
        elif "0x" + keccak(code).hex() != record.code_hashes.get(name):
            wrong.append(f"{name} has other code")
    if wrong:
        yield failed("contracts", f"{'; '.join(wrong)}.", FIX_CODE)
    else:
        yield ok("contracts", f"The code of all {len(record.addresses)} is the deployed one.")


def check_binding(chain: Chain) -> Iterator[Check]:
    """The ledger obeys the deployment's court, whose money is in the deployment's vault; what is
    paid for ENERGY is the timelock's.
    """
    ledger, court = chain.ledger.functions, chain.court.functions
    named = {
        "the ledger's court": (ledger.court(), "DisputeCourt"),
        "the ledger's arena": (ledger.arena(), "Arena"),
        "the court's ledger": (court.ledger(), "CheckpointLedger"),
        "the court's vault": (court.vault(), "DisputeVault"),
        "the court's referee": (court.referee(), "WindowReferee"),
        "the court's archive of states": (court.states(), "StateArchive"),
        "the court's archive of records": (court.records(), "RecordArchive"),
        "the vault's ledger": (chain.vault.functions.ledger(), "CheckpointLedger"),
        "what the sale sells": (chain.sale.functions.energy(), "Energy"),
        "the sale's seasons": (chain.sale.functions.seasons(), "SeasonRegistry"),
        "the sale's treasury": (chain.sale.functions.treasury(), "TimelockController"),
        "what hatches burn": (chain.beasts.functions.energy(), "Energy"),
        "the arena's ledger": (chain.arena.functions.ledger(), "CheckpointLedger"),
        "the arena's archive of states": (chain.arena.functions.states(), "StateArchive"),
    }
    addresses = chain.deployment.addresses
    wrong = [
        what
        for what, (function, name) in named.items()
        if str(chain.call(function)).lower() != addresses[name].lower()
    ]
    if wrong:
        yield failed("binding", f"Not the deployment's: {', '.join(wrong)}.", FIX_CODE)
    else:
        yield ok("binding", "Ledger, court, vault, archives and arena name each other.")


def check_referee(chain: Chain) -> Iterator[Check]:
    """The kernel of the referee of windows is this installation's."""
    yield from _check_kernel("referee", chain, chain.referee)


def check_match_referee(chain: Chain) -> Iterator[Check]:
    """The kernel of the referee of matches is this installation's."""
    yield from _check_kernel("match referee", chain, chain.match_referee)


def _check_kernel(name: str, chain: Chain, referee: Contract) -> Iterator[Check]:
    try:
        theirs = kernel_of(chain, referee)
    except (Reverted, NodeUnavailableError):
        yield failed(name, "The referee does not tell its kernel.", FIX_CODE)
        return
    if theirs == KERNEL_ID:
        yield ok(name, f"It runs this installation's kernel, {kernel_name(theirs)}.")
    else:
        yield failed(
            name,
            f"It runs kernel {kernel_name(theirs)}, this installation {kernel_name(KERNEL_ID)}.",
            USE_ITS_VERSION,
        )
