"""Stakes as the tests of the ledger and of the vault move them."""

from __future__ import annotations

from typing import Any

from tests.support.protocol import Checkpoint, World
from tests.support.snapshots import set_base_fee


def mine_at(world: World, fee: int) -> None:
    """A block with that base fee, which calls then run in."""
    set_base_fee(world.rpc, fee)
    world.mine()


def stake_of(world: World, beast: int, trainer: str) -> tuple[int, int, int]:
    """Amount, head count at the announcement, first second of a withdrawal."""
    amount, barred_at, withdrawable_at = world.ledger.functions.stakeOf(beast, trainer).call()
    return amount, barred_at, withdrawable_at


def announce(world: World, beast: int, trainer: str) -> int:
    """Announce a withdrawal; the first second at which it is open."""
    world.send(world.ledger.functions.announceWithdrawal(beast), trainer)
    return stake_of(world, beast, trainer)[2]


def withdraw_call(world: World, beast: int, to: str) -> Any:
    return world.ledger.functions.withdrawStake(beast, to)


def authorise(world: World, beast: int, owner: str, trainer: str) -> None:
    world.send(world.beasts.functions.setTrainer(beast, trainer, True), owner)


def transfer(world: World, beast: int, owner: str, to: str) -> None:
    world.send(world.beasts.functions.transferFrom(owner, to, beast), owner)


def finalize(world: World, beast: int, *checkpoints: Checkpoint) -> None:
    world.travel(world.season.economics.challengePeriod)
    world.finalize(beast, *checkpoints)
