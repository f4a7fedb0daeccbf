"""The record of a deployment: which contracts stand where, on which chain."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from chainbeasts.backend.cache import write_atomic
from chainbeasts.backend.documents import parse_json
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.home import seen_homes

CONTRACTS = (
    "TimelockController",
    "SeasonRegistry",
    "Energy",
    "EnergySale",
    "Beasts",
    "StepReferee",
    "DatasetStage",
    "StateArchive",
    "RecordArchive",
    "CheckpointLedger",
    "DisputeVault",
    "WindowReferee",
    "DisputeCourt",
    "MatchReferee",
    "Arena",
)


@dataclass
class Deployment:
    """A deployment, complete or under way.

    Attributes:
        genesis: hash of the chain's block 0, so that another chain with the same id is told apart.
        start_block: no event of ours is older.
        addresses: by contract name.
        code_hashes: keccak-256 of the code found at each address, 0x-hex.
        transactions: hash of each finished step's transaction, by step.
        complete: whether every step is done.
    """

    chain_id: int
    genesis: str
    profile: str
    deployer: str
    start_block: int
    addresses: dict[str, str] = field(default_factory=dict)
    code_hashes: dict[str, str] = field(default_factory=dict)
    transactions: dict[str, str] = field(default_factory=dict)
    kernel_id: str = ""
    compiler: str = ""
    complete: bool = False

    @staticmethod
    def path(folder: Path, chain_id: int) -> Path:
        """The record's file in a home's deployments folder."""
        return folder / f"{chain_id}.json"

    @classmethod
    def find(cls, folder: Path, chain_id: int) -> Self | None:
        """The record for a chain, None if there is none.

        Raises:
            ChainBeastsError: the file is not a deployment record.
        """
        path = cls.path(folder, chain_id)
        try:
            return cls(**parse_json(path.read_bytes()))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError):
            raise ChainBeastsError(
                f"{path} is not a deployment record.", "Move it away and deploy again."
            ) from None

    @classmethod
    def load(cls, folder: Path, chain_id: int) -> Self:
        """The complete record for a chain.

        Raises:
            ChainBeastsError: there is none, it was interrupted, or it lacks a contract.
        """
        found = cls.find(folder, chain_id)
        if found is None:
            home = seen_homes(folder.parent, f"{folder.name}/{chain_id}.json")
            raise ChainBeastsError(
                f"There is no deployment for chain {chain_id} in {folder}.",
                f"Deploy with `chainbeasts deploy`, or name its --home. {home}",
            )
        if not found.complete:
            raise ChainBeastsError(
                f"The deployment on chain {chain_id} is not complete.",
                "Run `chainbeasts deploy` again; it goes on where it stopped.",
            )
        found.check_contracts()
        return found

    def check_contracts(self) -> None:
        """Make sure that a complete deployment has every contract that this version knows.

        Raises:
            ChainBeastsError: an older version made it.
        """
        missing = [name for name in CONTRACTS if name not in self.addresses]
        if self.complete and missing:
            raise ChainBeastsError(
                f"An older version made the deployment on chain {self.chain_id}: it has no "
                f"{', '.join(missing)}.",
                "Use that version, or deploy anew with `chainbeasts deploy --fresh`.",
            )

    def save(self, folder: Path) -> None:
        """Write the record, whole or not at all."""
        text = json.dumps(asdict(self), indent=2) + "\n"
        write_atomic(self.path(folder, self.chain_id), text.encode())
