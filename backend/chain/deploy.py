"""Deploys the contracts step by step; every finished step is on record before the next begins.

Order: timelock, season registry with the deployment's limits, energy, its sale, beasts, referee of
steps, dataset stage, archives of states and records, ledger, vault, referee of windows, court,
match referee, arena; the ledger is bound to its court and its arena; then the first season and the
registry's hand-over to the timelock, the rights of sale and arena to mint, and the faucet of a
devnet. At the end nobody can ever let anybody else mint ENERGY: the deployer, who has given that
right, renounces the role that gives it.

An interrupted deployment may wait for long. So the registry goes before the sale may mint: never
does the deployer set the price of an open sale without delay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_hash.auto import keccak
from web3 import Web3

from chainbeasts.backend.chain.client import Chain, check_chain, connect, read
from chainbeasts.backend.chain.compile import EVM_VERSION, artifact
from chainbeasts.backend.chain.deployment import CONTRACTS, Deployment
from chainbeasts.backend.chain.errors import ChainError, WrongChainError
from chainbeasts.backend.chain.seasons import Profile
from chainbeasts.backend.chain.toolchain import solc_version
from chainbeasts.backend.chain.transactions import Receipt, TransactionManager
from chainbeasts.backend.chain.types import ZERO_ADDRESS

MINTER_ROLE = bytes(keccak(b"MINTER_ROLE"))
ADMIN_ROLE = bytes(32)
PARTS: dict[str, tuple[str, ...]] = {
    "EnergySale": ("Energy", "SeasonRegistry", "TimelockController"),
    "Beasts": ("Energy", "SeasonRegistry"),
    "StepReferee": (),
    "DatasetStage": (),
    "StateArchive": ("StepReferee",),
    "RecordArchive": ("Beasts", "DatasetStage"),
    "CheckpointLedger": ("Energy", "Beasts", "SeasonRegistry"),
    "DisputeVault": ("CheckpointLedger",),
    "WindowReferee": (
        "CheckpointLedger",
        "Beasts",
        "SeasonRegistry",
        "RecordArchive",
        "StepReferee",
    ),
    "DisputeCourt": ("DisputeVault", "SeasonRegistry", "WindowReferee", "StateArchive"),
    "MatchReferee": (),
    "Arena": (
        "Energy",
        "Beasts",
        "SeasonRegistry",
        "CheckpointLedger",
        "MatchReferee",
        "StateArchive",
    ),
}
"""Contracts that a constructor is given, in its order; each stands after those it is given."""


CREATION_GAS, CODE_BYTE_GAS, SENT_BYTE_GAS = 150_000, 200, 17
"""Of a contract: its transaction, constructor and the calls that bind it; a byte of code kept, and
one sent, which takes 16 gas and its share of the words of initcode."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing a deployment does; ``run`` sends at most one transaction."""

    name: str
    run: Callable[[], None]


def open_record(
    w3: Web3, rpc_url: str, folder: Path, profile: Profile, deployer: str, *, fresh: bool = False
) -> Deployment:
    """The record to go on with: the present one if it fits the chain, else a new one.

    Raises:
        WrongChainError: the record is of another chain with the same id, or its code is gone.
        ChainError: it has another profile.
        ChainBeastsError: an older version made it.
    """
    chain_id = read(lambda: w3.eth.chain_id, rpc_url)
    found = None if fresh else Deployment.find(folder, chain_id)
    if found is not None:
        check_chain(w3, rpc_url, found)
        found.check_contracts()
        _check_code(w3, rpc_url, found)
        if found.profile != profile.name:
            raise ChainError(
                f"The deployment on this chain has the profile {found.profile}.",
                f"Add --fresh for a new one with {profile.name}, or change the season: "
                "chainbeasts season propose",
            )
        return found
    return Deployment(
        chain_id=chain_id,
        genesis="0x" + bytes(read(lambda: w3.eth.get_block(0)["hash"], rpc_url)).hex(),
        profile=profile.name,
        deployer=deployer,
        start_block=read(lambda: w3.eth.block_number, rpc_url),
        compiler=f"solc {solc_version()}, viaIR, optimized, {EVM_VERSION}",
    )


def _check_code(w3: Web3, rpc_url: str, deployment: Deployment) -> None:
    for name, address in deployment.addresses.items():
        if _code_hash(w3, rpc_url, address) != deployment.code_hashes[name]:
            raise WrongChainError(
                f"The code of {name} at {address} is not the deployed one.",
                "Use the node of the deployment, or deploy anew with `chainbeasts deploy --fresh`.",
            )


def _code_hash(w3: Web3, rpc_url: str, address: str) -> str:
    code = read(lambda: w3.eth.get_code(Web3.to_checksum_address(address)), rpc_url)
    return "0x" + keccak(bytes(code)).hex()


def deployment_gas(record: Deployment) -> int:
    """About the gas that is left to pay for a deployment: creating contracts is nearly all of it.

    Args:
        record: how far it has come.
    """
    left = [artifact(name) for name in CONTRACTS if name not in record.addresses]
    code = sum(len(one.runtime) for one in left)
    sent = sum(len(one.bytecode) for one in left)
    return CREATION_GAS * len(left) + CODE_BYTE_GAS * code + SENT_BYTE_GAS * sent


class Deployer:
    """Carries a deployment to its end.

    Args:
        record: where it stands; changed and saved after every step.
        folder: the home's deployments folder.
    """

    def __init__(
        self, chain: Chain, sender: TransactionManager, profile: Profile, folder: Path
    ) -> None:
        self.chain = chain
        self.record = chain.deployment
        self._sender = sender
        self._profile = profile
        self._folder = folder

    def steps(self) -> list[Step]:
        """All steps in order."""
        me, timelock = self._sender.address, "TimelockController"
        delay = self._profile.timelock_delay
        limits = self._profile.limits
        creations: list[tuple[str, Callable[[], list[Any]]]] = [
            (timelock, lambda: [delay, [me], [ZERO_ADDRESS], ZERO_ADDRESS]),
            ("SeasonRegistry", lambda: [me, limits.to_abi()]),
            ("Energy", lambda: [me]),
            *((name, self._parts(name)) for name in PARTS),
        ]
        steps = [Step(name, self._creation(name, arguments)) for name, arguments in creations]
        steps += [
            Step("bind court and arena", self._bind),
            Step("first season", self._first_season),
            Step("seasons to timelock", self._give_seasons),
            Step("sale mints", lambda: self._let_mint("sale mints", "EnergySale")),
            Step("arena mints", lambda: self._let_mint("arena mints", "Arena")),
            Step("faucet", self._faucet),
            Step("minters fixed", self._renounce_energy_admin),
        ]
        return steps

    def run(self) -> Iterator[str]:
        """Do what is left to do; yields the name of each step once it is on record."""
        for step in self.steps():
            if step.name not in self.record.transactions:
                step.run()
                self.record.transactions.setdefault(step.name, "")
                self.record.save(self._folder)
            yield step.name
        self.record.kernel_id = (
            "0x" + bytes(self.chain.call(self.chain.referee.functions.kernelId())).hex()
        )
        self.record.complete = True
        self.record.save(self._folder)

    def _address(self, name: str) -> str:
        return Web3.to_checksum_address(self.record.addresses[name])

    def _parts(self, name: str) -> Callable[[], list[Any]]:
        """What a constructor is given, once it stands: addresses, and the vault's reference fee."""

        def arguments() -> list[Any]:
            given: list[Any] = [self._address(part) for part in PARTS[name]]
            return [*given, self._profile.limits.reference_fee] if name == "DisputeVault" else given

        return arguments

    def _register(self, name: str, address: str) -> None:
        self.record.addresses[name] = address
        self.record.code_hashes[name] = _code_hash(self.chain.w3, self.chain.rpc_url, address)

    def _creation(self, name: str, arguments: Callable[[], list[Any]]) -> Callable[[], None]:
        def create() -> None:
            built = artifact(name)
            factory = self.chain.w3.eth.contract(abi=built.abi, bytecode=built.bytecode)
            call = factory.constructor(*arguments())
            receipt = self._sender.deploy(bytes.fromhex(call.data_in_transaction[2:]), label=name)
            self._register(name, str(receipt.raw["contractAddress"]))
            self._done(name, receipt)

        return create

    def _done(self, step: str, receipt: Receipt) -> None:
        # A run that was cut off before its first step was on record may have sent this already:
        # its block is then older than the head that this run's record began with.
        self.record.start_block = min(self.record.start_block, receipt.block_number)
        self.record.transactions[step] = "0x" + receipt.hash.hex()

    def _send(self, step: str, function: Any) -> None:
        self._done(step, self._sender.send(function, label=step))

    def _bind(self) -> None:
        """The ledger takes one court and one arena, once, from whoever deployed it."""
        court, arena = self._address("DisputeCourt"), self._address("Arena")
        functions = self.chain.ledger.functions
        bound = [
            str(self.chain.call(function)) for function in (functions.court(), functions.arena())
        ]
        if bound != [court, arena]:
            self._send("bind court and arena", functions.bind(court, arena))

    def _let_mint(self, step: str, contract: str) -> None:
        grant = self.chain.energy.functions.grantRole
        self._send(step, grant(MINTER_ROLE, self._address(contract)))

    def _first_season(self) -> None:
        if self.chain.current_season() == 0:
            season = self._profile.season.to_abi()
            self._send("first season", self.chain.seasons.functions.addSeason(season))

    def _faucet(self) -> None:
        if self._profile.faucet:
            grant = self.chain.energy.functions.grantRole(MINTER_ROLE, self._sender.address)
            self._send("faucet", grant)

    def _renounce_energy_admin(self) -> None:
        """The last administrator goes: whoever mints now is all who ever will."""
        renounce = self.chain.energy.functions.renounceRole
        self._send("minters fixed", renounce(ADMIN_ROLE, self._sender.address))

    def _give_seasons(self) -> None:
        registry, timelock = self.chain.seasons.functions, self._address("TimelockController")
        # Mined, and interrupted before it was on record: a second time would be refused.
        if str(self.chain.call(registry.owner())) != timelock:
            self._send("seasons to timelock", registry.transferOwnership(timelock))


def prepare(
    rpc_url: str, folder: Path, profile: Profile, deployer: str, *, fresh: bool = False
) -> Chain:
    """Connect for a deployment, new or interrupted.

    Raises:
        WrongChainError: the record does not fit the node's chain.
        NodeUnavailableError: nobody answers.
    """
    w3 = connect(rpc_url)
    record = open_record(w3, rpc_url, folder, profile, deployer, fresh=fresh)
    return Chain(w3, rpc_url, record)
