"""The contracts of a deployment, by name, on a node."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, Self, TypeVar

from web3 import Web3
from web3.contract import Contract
from web3.types import BlockIdentifier

from chainbeasts.backend.chain.compile import artifact
from chainbeasts.backend.chain.deployment import Deployment
from chainbeasts.backend.chain.lean import LeanContract
from chainbeasts.backend.chain.reading import check_chain, connect, read
from chainbeasts.backend.chain.views import call_view

T = TypeVar("T")


class Contracts:
    """A deployment, and the node through which it is read."""

    def __init__(self, w3: Web3, rpc_url: str, deployment: Deployment) -> None:
        self.w3 = w3
        self.rpc_url = rpc_url
        self.deployment = deployment

    @classmethod
    def connect(cls, rpc_url: str, deployment: Deployment) -> Self:
        """Open the deployment on a node.

        Raises:
            NodeUnavailableError: nobody answers.
            WrongChainError: the node serves another chain.
        """
        w3 = connect(rpc_url)
        chain = cls(w3, rpc_url, deployment)
        chain.check()
        return chain

    def check(self) -> None:
        """Make sure that the node serves the deployment's chain.

        Raises:
            WrongChainError: it does not.
        """
        check_chain(self.w3, self.rpc_url, self.deployment)

    def _contract(self, name: str) -> Contract:
        address = self.deployment.addresses[name]
        abi = artifact(name).abi
        return LeanContract(self.w3, Web3.to_checksum_address(address), abi)

    @cached_property
    def energy(self) -> Contract:
        return self._contract("Energy")

    @cached_property
    def sale(self) -> Contract:
        return self._contract("EnergySale")

    @cached_property
    def beasts(self) -> Contract:
        return self._contract("Beasts")

    @cached_property
    def ledger(self) -> Contract:
        return self._contract("CheckpointLedger")

    @cached_property
    def court(self) -> Contract:
        return self._contract("DisputeCourt")

    @cached_property
    def vault(self) -> Contract:
        return self._contract("DisputeVault")

    @cached_property
    def states(self) -> Contract:
        return self._contract("StateArchive")

    @cached_property
    def records(self) -> Contract:
        return self._contract("RecordArchive")

    @cached_property
    def windows(self) -> Contract:
        return self._contract("WindowReferee")

    @cached_property
    def seasons(self) -> Contract:
        return self._contract("SeasonRegistry")

    @cached_property
    def referee(self) -> Contract:
        return self._contract("StepReferee")

    @cached_property
    def stage(self) -> Contract:
        return self._contract("DatasetStage")

    @cached_property
    def match_referee(self) -> Contract:
        return self._contract("MatchReferee")

    @cached_property
    def arena(self) -> Contract:
        return self._contract("Arena")

    @cached_property
    def timelock(self) -> Contract:
        return self._contract("TimelockController")

    def read(self, call: Callable[[], T]) -> T:
        """Make an idempotent call with retries; see ``read``."""
        return read(call, self.rpc_url)

    def call(self, function: Any, block: BlockIdentifier = "latest") -> Any:
        """The result of a contract function's ``eth_call``."""
        return self.read(lambda: call_view(function, block=block))
