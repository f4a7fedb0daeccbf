"""Who may do what to a deployment, and what the timelock can do, as the chain has it now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from eth_hash.auto import keccak
from web3 import Web3
from web3.contract import Contract

from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.deploy import ADMIN_ROLE, MINTER_ROLE
from chainbeasts.backend.chain.errors import ChainError, NodeUnavailableError
from chainbeasts.backend.chain.types import ZERO_ADDRESS

PROPOSER_ROLE, EXECUTOR_ROLE, CANCELLER_ROLE = (
    bytes(keccak(role)) for role in (b"PROPOSER_ROLE", b"EXECUTOR_ROLE", b"CANCELLER_ROLE")
)

TIMELOCK_CAN = (
    "add a season within the registry's limits; an epoch that has begun keeps its own season",
    "set the price of ENERGY in it, and buy with coin that the sale brings back to it",
    "send away the native coin that the sale has brought it",
    "change its own delay, proposers, cancellers and executors",
)
TIMELOCK_CANNOT = (
    "mint ENERGY past the sale, or let anybody mint it",
    "pause, replace or upgrade a contract",
    "slash, save or settle anything, or touch an escrow, a bond or a stake",
)


@dataclass(frozen=True, slots=True)
class Powers:
    """Holders of every role, as addresses; the zero address stands for anybody.

    Attributes:
        delay: seconds from a proposal to its execution.
        former_minters: who once could mint ENERGY and cannot any more.
        timelock_admins: who may change the timelock's roles.
        treasury: gets the proceeds of the sale.
        deployer_keeps: what the deployer still may do.
        complete: whether everybody who holds a role of the timelock is named, and every former
            minter; else the node does not serve the logs that tell, and only the deployer, our
            contracts and anybody were asked for.
    """

    deployer: str
    minters: tuple[str, ...]
    minter_admins: tuple[str, ...]
    registry_owner: str
    treasury: str
    delay: int
    proposers: tuple[str, ...]
    cancellers: tuple[str, ...]
    executors: tuple[str, ...]
    timelock_admins: tuple[str, ...]
    deployer_keeps: tuple[str, ...]
    former_minters: tuple[str, ...] = ()
    complete: bool = True
    timelock_can: tuple[str, ...] = TIMELOCK_CAN
    timelock_cannot: tuple[str, ...] = TIMELOCK_CANNOT


def powers_of(chain: Chain) -> Powers:
    """Everybody's powers over a deployment.

    Raises:
        NodeUnavailableError: nobody answers.
    """
    energy, deployer = chain.energy.functions, chain.deployment.deployer
    minters, admins = (
        tuple(map(str, chain.call(energy.getRoleMembers(role))))
        for role in (MINTER_ROLE, ADMIN_ROLE)
    )
    owner = str(chain.call(chain.seasons.functions.owner()))
    ever_minters, minters_told = _ever_granted(chain, chain.energy, MINTER_ROLE)
    granted, roles_told = _ever_granted(chain, chain.timelock)
    proposers, cancellers, executors, timelock_admins = (
        tuple(one for one in granted if chain.call(chain.timelock.functions.hasRole(role, one)))
        for role in (PROPOSER_ROLE, CANCELLER_ROLE, EXECUTOR_ROLE, ADMIN_ROLE)
    )
    roles = {
        "mint ENERGY": minters,
        "name who mints ENERGY": admins,
        "add seasons at once": (owner,),
        "propose to the timelock": proposers,
        "cancel what is in the timelock": cancellers,
        "change the timelock's roles at once": timelock_admins,
    }
    return Powers(
        deployer=deployer,
        minters=minters,
        minter_admins=admins,
        registry_owner=owner,
        treasury=str(chain.call(chain.sale.functions.treasury())),
        delay=int(chain.call(chain.timelock.functions.getMinDelay())),
        proposers=proposers,
        cancellers=cancellers,
        executors=executors,
        timelock_admins=timelock_admins,
        deployer_keeps=tuple(
            power for power, holders in roles.items() if deployer.lower() in _lower(holders)
        ),
        # Of those who were merely asked for nobody knows whether they ever could.
        former_minters=tuple(one for one in ever_minters if one not in minters)
        if minters_told
        else (),
        complete=minters_told and roles_told,
    )


def _ever_granted(
    chain: Chain, contract: Contract, role: bytes | None = None
) -> tuple[tuple[str, ...], bool]:
    """Whoever was ever given a role of a contract, as its events tell; whether that is all.

    Args:
        role: that one; any of them if None.

    Raises:
        NodeUnavailableError: nobody answers.
    """
    granted, first = contract.events.RoleGranted(), chain.deployment.start_block
    try:
        logs = chain.read(lambda: granted.get_logs(from_block=first))
    except NodeUnavailableError:
        raise
    except ChainError:  # so many blocks at once, or such old ones, are not served
        logs = []
    # A constructor names an administrator. Without that event the logs begin later: a node that has
    # forgotten old ones says nothing, and a record may name a later block than the first.
    if not any(bytes(log["args"]["role"]) == ADMIN_ROLE for log in logs):
        known = (chain.deployment.deployer, *chain.deployment.addresses.values(), ZERO_ADDRESS)
        return tuple(dict.fromkeys(map(Web3.to_checksum_address, known))), False
    wanted = (log["args"] for log in logs if role in (None, bytes(log["args"]["role"])))
    return tuple(dict.fromkeys(str(one["account"]) for one in wanted)), True


def _seasons_without_delay(chain: Chain) -> int:
    """How many seasons, if several, were there when the timelock got the registry.

    Beasts that hatched in one of them keep it for an epoch, at whatever price it had. Where the
    node does not serve the logs: 0.
    """
    registry, first = chain.seasons.events, chain.deployment.start_block
    timelock = chain.timelock.address
    try:
        given = chain.read(
            lambda: registry.OwnershipTransferred().get_logs(
                argument_filters={"newOwner": timelock}, from_block=first
            )
        )
        added = chain.read(lambda: registry.SeasonAdded().get_logs(from_block=first))
    except NodeUnavailableError:
        raise
    except ChainError:
        return 0
    until = max((_place(log) for log in given), default=None)
    count = sum(until is not None and _place(log) < until for log in added)
    return count if count > 1 else 0


def _place(log: Any) -> tuple[int, int]:
    """Where an event stands in the chain."""
    return int(log["blockNumber"]), int(log["logIndex"])


def _lower(addresses: Iterable[str]) -> set[str]:
    return {address.lower() for address in addresses}


def holder_name(chain: Chain, address: str) -> str:
    """A holder as people read it: a contract of ours, the deployer, anybody, or the address."""
    if address == ZERO_ADDRESS:
        return "anybody"
    known = {where.lower(): name for name, where in chain.deployment.addresses.items()}
    known.setdefault(chain.deployment.deployer.lower(), "the deployer")
    name = known.get(address.lower())
    return address if name is None else f"{name} ({address})"


def names_of(chain: Chain, holders: Iterable[str]) -> str:
    """Some holders, or that there is none."""
    return ", ".join(holder_name(chain, one) for one in holders) or "nobody"


def violations(chain: Chain, powers: Powers) -> list[str]:
    """What is not as a deployment leaves it, a sentence each.

    A profile without a faucet leaves two minters, the sale and the arena; with one, the deployer
    besides, who may hand out ENERGY on a devnet.
    """
    addresses = chain.deployment.addresses
    timelock = addresses["TimelockController"].lower()
    ours = _lower((addresses["EnergySale"], addresses["Arena"]))
    if chain.deployment.transactions.get("faucet"):
        ours.add(chain.deployment.deployer.lower())
    found = []
    if strangers := [one for one in powers.minters if one.lower() not in ours]:
        found.append(f"ENERGY is minted by {names_of(chain, strangers)}, too.")
    # Whoever names the minters can name itself, mint, and leave no other trace than this.
    if once := [one for one in powers.former_minters if one.lower() not in ours]:
        found.append(f"{names_of(chain, once)} could mint ENERGY once.")
    if powers.minter_admins:
        found.append(f"{names_of(chain, powers.minter_admins)} can name who mints ENERGY.")
    if powers.registry_owner.lower() != timelock:
        found.append(f"{holder_name(chain, powers.registry_owner)} adds seasons without delay.")
    if powers.treasury.lower() != timelock:
        found.append(f"The sale's proceeds go to {holder_name(chain, powers.treasury)}.")
    if before := _seasons_without_delay(chain):
        found.append(f"{before} seasons were added without delay; the first one alone had to be.")
    if others := [one for one in powers.timelock_admins if one.lower() != timelock]:
        found.append(f"{names_of(chain, others)} can change the timelock's roles without delay.")
    return found
