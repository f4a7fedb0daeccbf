"""Money of disputes in tests: who has what in both currencies, what openings and stakes pay.

The formulas are those of docs/spec/protocol.md, written apart from the contracts.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from tests.support.protocol import Checkpoint, Economics, World

SEGMENTS_GAS = 325_000
STATE_GAS = 203_000
RECORDS_GAS = 450_000
BYTE_GAS, ZERO_BYTE_GAS, HASH_GAS = 40, 10, 1_300
STATE_BYTES = 33_792
STEPS = 128
MAX_MULTIPLE = 8
FEE_HEADROOM = 4
CHEAP_GAS, PROOF_GAS = 400_000, 2_500_000
STEP_GAS = 200_000
MAX_BPS = 10_000


class Money(NamedTuple):
    """What an account has: ENERGY in the ledger's escrow, native coin as if gas were free."""

    energy: int
    coin: int

    def since(self, before: Money) -> Money:
        return Money(self.energy - before.energy, self.coin - before.coin)


NOTHING = Money(0, 0)


def money(world: World, account: str) -> Money:
    """Credit in the vault counts as coin; stakes do not."""
    coin = world.coin(account) + world.credit(account) + world.gas_spent.get(account, 0)
    return Money(world.escrow(account), coin)


class Shares(NamedTuple):
    """What a slashed amount is split into."""

    filing: int
    proof: int
    burned: int


def shares(amount: int, economics: Economics, steps: int | None = None) -> Shares:
    """Filing share, proof share, and what burns.

    Args:
        steps: committed steps that share the proof share; None if there is a prover.
    """
    filing = amount * economics.filingBps // MAX_BPS
    proof = amount * economics.proofBps // MAX_BPS
    if steps is not None:
        proof = proof * steps // STEPS
    return Shares(filing, proof, amount - filing - proof)


def base_fee(world: World, block: int | str = "latest") -> int:
    return int(world.w3.eth.get_block(block)["baseFeePerGas"])  # type: ignore[arg-type]


def bond_fee(world: World, block: int | str = "latest") -> int:
    """Wei that a gas of a bond, a stake or a taken-over reward is counted as."""
    reference = int(world.seasons.functions.referenceFee().call())
    return max(base_fee(world, block), reference)


def opening_fee(world: World, receipt: Any) -> int:
    """Wei that a gas of an opening in that transaction is paid."""
    base = base_fee(world, receipt["blockNumber"])
    reference = int(world.seasons.functions.referenceFee().call())
    return max(reference, base + int(min(receipt["effectiveGasPrice"] - base, base // 4)))


def state_gas(weights: bytes) -> int:
    zeros = weights.count(0)
    return STATE_GAS + BYTE_GAS * (len(weights) - zeros) + ZERO_BYTE_GAS * zeros


def records_gas(words: int, siblings: int) -> int:
    return RECORDS_GAS + HASH_GAS * (words + siblings)


def gas_owed(*, state: bool = False, records: int = 0) -> int:
    """The most that a dispute's openings can cost; `records` is the length of the dataset."""
    owed = SEGMENTS_GAS
    if state:
        owed += STATE_GAS + BYTE_GAS * STATE_BYTES
    if records:
        depth = (records - 1).bit_length()
        owed += records_gas(STEPS, STEPS * (depth - 7) if depth > 7 else STEPS)
    return owed


def opening_bond(world: World, block: int, gas: int, open_disputes: int = 1) -> int:
    """The bond asked for in a block for the n-th open dispute of a beast."""
    base = gas * FEE_HEADROOM * bond_fee(world, block)
    return base * min(open_disputes, MAX_MULTIPLE)


def energy_bond(world: World, checkpoint: Checkpoint) -> int:
    return world.season.economics.disputeBondMultiple * checkpoint.payload.energyBurn


def step_pay(world: World, checkpoint: Checkpoint, steps: int, block: int) -> int:
    """ENERGY that committed steps take out of the bond of a window that they proved right."""
    bond, price = energy_bond(world, checkpoint), world.season.economics.energyPrice
    if price == 0:
        return bond * steps // STEPS
    return min(bond, steps * STEP_GAS * base_fee(world, block) * 10**18 // price)
