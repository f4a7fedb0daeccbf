"""HostileAccount: a contract that does several things in one transaction and refuses coin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from web3.contract import Contract

from chainbeasts.backend.chain.views import call_data
from tests.support.protocol import ZERO_ADDRESS, World

Step = tuple[str, int, bytes]
"""Callee, value, calldata."""


def step(contract: Contract, call: Any, value: int = 0) -> Step:
    return contract.address, value, call_data(call)


@dataclass
class HostileAccount:
    """Acts for whoever sends to it."""

    world: World
    keeper: str
    contract: Contract

    @classmethod
    def create(cls, world: World, keeper: str) -> HostileAccount:
        return cls(world, keeper, world.create("HostileAccount"))

    @property
    def address(self) -> str:
        return str(self.contract.address)

    def execute_call(self, *steps: Step) -> Any:
        return self.contract.functions.execute(list(steps))

    def execute(self, *steps: Step, value: int = 0) -> Any:
        return self.world.send(self.execute_call(*steps), self.keeper, value)

    def refuse(self, refuses: bool = True) -> None:
        self.world.send(self.contract.functions.setRefuses(refuses), self.keeper)

    def answer(self, callback: Step = (ZERO_ADDRESS, 0, b"")) -> None:
        """Call back when coin comes in."""
        self.world.send(self.contract.functions.setAnswer(callback), self.keeper)

    @property
    def refusal(self) -> bytes:
        """What its last call back failed with."""
        return bytes(self.contract.functions.refusal().call())

    def fund(self, energy: int, coin: int) -> None:
        """ENERGY into its escrow in the ledger, coin into its balance."""
        world = self.world
        world.fund(self.keeper, energy)
        move = world.ledger.functions.moveEscrow(self.address, energy)
        world.send(move, self.keeper)
        world.send(self.contract.functions.fund(), self.keeper, coin)
