"""What a window costs, as the ledger computes it (docs/spec/protocol.md, prices)."""

from __future__ import annotations

from backend.chain.types import Economics
from backend.kernel.constants import (
    APPENDAGE_PARAMS,
    APPENDAGE_SLOTS,
    SENSOR_PARAMS,
    SENSOR_SLOTS,
    WEIGHTS,
    WINDOW_STEPS,
)

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
