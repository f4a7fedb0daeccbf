"""Where all ENERGY came from and went, as events alone tell it, held against its supply.

A mint is the sale's, a claim of rewards, or the faucet's; a burn is whoever's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.support.protocol import ZERO_ADDRESS, World


@dataclass(frozen=True)
class Supply:
    """Wei of ENERGY since the deployment.

    Attributes:
        granted: minted by nobody but the faucet.
        credited: rewards of final matches.
        claimed: rewards that were minted.
        trained: burned by final windows.
    """

    sold: int
    granted: int
    credited: int
    claimed: int
    burned: int
    trained: int

    @property
    def total(self) -> int:
        return self.sold + self.granted + self.claimed - self.burned

    @property
    def unclaimed(self) -> int:
        return self.credited - self.claimed


def read(world: World) -> Supply:
    """The supply's history."""
    minted = _amounts(world, "energy", "Transfer", "value", {"from": ZERO_ADDRESS})
    burned = _amounts(world, "energy", "Transfer", "value", {"to": ZERO_ADDRESS})
    sold = _amounts(world, "sale", "EnergyBought", "out")
    claimed = _amounts(world, "arena", "RewardsClaimed", "amount")
    rewards = [_amounts(world, "arena", "MatchFinalized", side) for side in ("rewardA", "rewardB")]
    beasts = range(1, 1 + world.beasts.functions.lastBeastId().call())
    trained = sum(world.ledger.functions.burnedOf(beast).call() for beast in beasts)
    granted = minted - sold - claimed
    return Supply(sold, granted, sum(rewards), claimed, burned, trained)


def check(world: World) -> Supply:
    """Assert that no ENERGY is there that nobody paid for: invariants P69 and P72."""
    found, energy = read(world), world.energy.functions
    assert energy.totalSupply().call() == found.total
    assert world.sale.functions.sold().call() == found.sold
    assert found.total + found.unclaimed <= found.sold + found.granted
    assert 2 * found.credited <= found.trained <= found.burned
    for beast in range(1, 1 + world.beasts.functions.lastBeastId().call()):
        ever = world.arena.functions.rewardedOf(beast).call()
        assert 2 * ever <= world.ledger.functions.burnedOf(beast).call()
    return found


def _amounts(
    world: World, contract: str, event: str, field: str, filters: dict[str, Any] | None = None
) -> int:
    logs = (
        world.contracts[contract].events[event]().get_logs(from_block=0, argument_filters=filters)
    )
    return sum(int(log["args"][field]) for log in logs)
