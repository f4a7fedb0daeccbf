"""A newborn brain: weights and awake slots from the DNA (docs/spec/network.md §1)."""

from __future__ import annotations

import numpy as np

from chainbeasts.backend.kernel.constants import APPENDAGE_SLOTS, SENSOR_SLOTS, WEIGHTS
from chainbeasts.backend.kernel.network import Weights, layers, unit_masks
from chainbeasts.backend.kernel.rng import GOLDEN, fold64

PADDING_LOGITS = slice(6, 8)
SPREAD = 17
UNIT = 128


def genesis_mask(dna: bytes) -> int:
    """Slots awake at hatch: 1…4 sensors in bits 0–3, 1…4 appendages in bits 4–7."""
    sensors = (1 << (1 + dna[4] % SENSOR_SLOTS)) - 1
    appendages = (1 << (1 + dna[5] % APPENDAGE_SLOTS)) - 1
    return sensors | appendages << SENSOR_SLOTS


def genesis_weights(dna: bytes) -> Weights:
    """The weights at hatch, int16[16896], multiples of 128 in −1024…1024.

    Rows out of a dormant slot are zero, so waking it changes no output at that instant.
    """
    r = _draws(fold64(dna))
    weights = ((((r >> np.uint64(2)) % np.uint64(SPREAD)).astype(np.int16)) - 8) * np.int16(UNIT)
    # Only rows out of sleeping units are cleared. The weights into them stay random: with zeros a
    # slot would wake with activation 0, hence slope 0, and never learn.
    _, w2, _, w4 = layers(weights)
    w4[:, PADDING_LOGITS] = 0
    sensor_units, _, appendage_units = unit_masks(genesis_mask(dna))
    w2[sensor_units == 0] = 0
    w4[appendage_units == 0] = 0
    return weights


def _draws(seed: int) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """``draw(seed, i)`` for every flat weight index i, as uint64 that wraps."""
    # Starting from 1: ``split_mix64`` adds GOLDEN once more to the state of ``draw(seed, i)``.
    z = np.arange(1, WEIGHTS + 1, dtype=np.uint64) * np.uint64(GOLDEN) + np.uint64(seed)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58_476D_1CE4_E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D0_49BB_1331_11EB)
    return z ^ (z >> np.uint64(31))
