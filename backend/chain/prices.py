"""What windows and disputes cost, as the contracts compute it (docs/spec/protocol.md, prices)."""

from __future__ import annotations

from chainbeasts.backend.chain.types import Economics, Opening, opening_bit
from chainbeasts.backend.kernel.constants import (
    APPENDAGE_PARAMS,
    APPENDAGE_SLOTS,
    SENSOR_PARAMS,
    SENSOR_SLOTS,
    STATE_BYTES,
    WEIGHTS,
    WINDOW_STEPS,
)
from chainbeasts.backend.kernel.merkle import depth

BASIS_POINTS = 10_000
UNIT = 10**18
"""Wei of one ENERGY, which is what the sale's price is for."""

FEE_HEADROOM = 4
"""An opening bond pays openings at up to this multiple of the fee that it was reckoned at."""

MAX_BOND_MULTIPLE = 8
"""The n-th open dispute of a beast asks for n opening bonds, up to this."""

# OpeningGas, which the gas report holds against what openings take.
_SEGMENTS_GAS = 325_000
_STATE_GAS = 203_000 + 40 * STATE_BYTES
_RECORDS_GAS = 450_000
_HASH_GAS = 1_300
_WINDOW_LEVELS = (WINDOW_STEPS - 1).bit_length()
_SENSORS = (1 << SENSOR_SLOTS) - 1
_ALL = (1 << (SENSOR_SLOTS + APPENDAGE_SLOTS)) - 1


def active_params(mask: int) -> int:
    """Weights that belong to awake slots."""
    sensors = (mask & _SENSORS).bit_count()
    appendages = (mask >> SENSOR_SLOTS).bit_count()
    return SENSOR_PARAMS * sensors + APPENDAGE_PARAMS * appendages


def window_price(economics: Economics, parent_mask: int, mask: int) -> int:
    """Wei of ENERGY that a window with ``mask`` burns after one with ``parent_mask``."""
    step_cost = -(-economics.base_cost * active_params(mask) // WEIGHTS)
    woken = (mask & ~parent_mask & _ALL).bit_count()
    return WINDOW_STEPS * step_cost + economics.growth_cost * woken


def window_lock(economics: Economics, parent_mask: int, mask: int) -> int:
    """What submitting the window locks: its price and the trainer's bond, wei of ENERGY."""
    return window_price(economics, parent_mask, mask) * (1 + economics.trainer_bond_multiple)


def latest_finality(economics: Economics) -> int:
    """Seconds from a right window's submission to its finality, whatever anybody does.

    A dispute is filed within the challenge period only, and ends by itself.
    """
    return economics.challenge_period + economics.response_window + economics.proof_window


def coin_for(energy: int, energy_price: int) -> int | None:
    """The least native coin, wei, for which the sale gives that much ENERGY; None if it is closed.

    Args:
        energy: wei of ENERGY.
        energy_price: wei of native coin for one ENERGY, 0 where none is sold.
    """
    # Up, as the sale rounds what it gives down: the sum that is named must never be a wei short.
    return -(-energy * energy_price // UNIT) if energy_price else None


def stake_price(economics: Economics, fee: int) -> int:
    """The stake that a submission asks for, wei of native coin.

    Args:
        fee: the block's base fee, or the deployment's reference fee if that is higher.
    """
    return economics.stake_gas * fee


def dispute_bond(economics: Economics, energy_burn: int) -> int:
    """What filing over a window of that price takes from the filer's escrow, wei of ENERGY."""
    return economics.dispute_bond_multiple * energy_burn


def opening_gas(missing: int, dataset_length: int = 0) -> int:
    """The most gas that the openings of a mask are paid as; see ``opening_bit``.

    Args:
        dataset_length: records of the private dataset; read only if records are missing.
    """
    gas = 0
    if missing & opening_bit(Opening.SEGMENTS):
        gas += _SEGMENTS_GAS
    if missing & opening_bit(Opening.STATE):
        gas += _STATE_GAS
    if missing & opening_bit(Opening.RECORDS):
        # Above the lowest levels 128 paths share no more nodes; below, there is one sibling each.
        levels = max(depth(dataset_length) - _WINDOW_LEVELS, 1)
        gas += _RECORDS_GAS + _HASH_GAS * WINDOW_STEPS * (1 + levels)
    return gas


def opening_bond(gas: int, fee: int, open_disputes: int = 0) -> int:
    """What filing asks for besides, wei of native coin.

    Args:
        gas: see ``opening_gas``.
        fee: the block's base fee, or the deployment's reference fee if that is higher.
        open_disputes: over other checkpoints of the beast.
    """
    return gas * FEE_HEADROOM * fee * min(open_disputes + 1, MAX_BOND_MULTIPLE)
