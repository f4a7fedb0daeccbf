"""The brain: one SGD micro-step in integers (docs/spec/network.md), in the order of its data flow.

    x[32] → a1[128] → a2[64] → a3[64] → z[8]        16,896 weights, row = source unit

No floats and no overflow: activations are 0…127, weights 15 bits, errors 11 bits, sums below 2^31.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from chainbeasts.backend.kernel.constants import (
    APPENDAGE_SLOTS,
    APPENDAGE_UNITS,
    HEAD_ATTACK,
    HEAD_BLOCK,
    HEAD_MOVE,
    LAYERS,
    SENSOR_SLOTS,
    SENSOR_UNITS,
    WEIGHT_MAX,
    WEIGHT_MIN,
)
from chainbeasts.backend.kernel.features import Inputs
from chainbeasts.backend.kernel.labels import Label
from chainbeasts.backend.kernel.tables import EXP

Weights = npt.NDArray[np.int16]
"""int16[16896]: W1, W2, W3, W4, each row-major."""

Ints = npt.NDArray[np.int32]

SHIFT = 12
ACTIVATION_MAX = 127
ERROR_ONE = 1024
ERROR_MAX = ERROR_ONE - 1


Number = TypeVar("Number", bound=np.generic)


def _clip(values: npt.NDArray[Number], least: int, most: int) -> npt.NDArray[Number]:
    """``np.clip``, which takes as long for our few values as the arithmetic around it."""
    clipped: npt.NDArray[Number] = np.minimum(np.maximum(values, least), most)
    return clipped


def layers(weights: Weights) -> list[Weights]:
    """The four matrices as views: ``W1[32][128] W2[128][64] W3[64][64] W4[64][8]``."""
    views, start = [], 0
    for rows, columns in pairwise(LAYERS):
        views.append(weights[start : start + rows * columns].reshape(rows, columns))
        start += rows * columns
    return views


def unit_masks(active_mask: int) -> tuple[Ints, Ints, Ints]:
    """1 for an awake unit, 0 for a masked one, for the hidden layers a1, a2 and a3."""
    sensors = [(active_mask >> s) & 1 for s in range(SENSOR_SLOTS)]
    appendages = [(active_mask >> (SENSOR_SLOTS + k)) & 1 for k in range(APPENDAGE_SLOTS)]
    return (
        np.repeat(np.array(sensors, dtype=np.int32), SENSOR_UNITS),
        np.ones(LAYERS[2], dtype=np.int32),
        np.repeat(np.array(appendages, dtype=np.int32), APPENDAGE_UNITS),
    )


def forward(weights: Weights, active_mask: int, x: Inputs) -> list[Ints]:
    """Activations of all layers [x, a1, a2, a3, z]; the last are the eight logits."""
    activations = [x]
    masks = (*unit_masks(active_mask), None)
    for matrix, mask in zip(layers(weights), masks, strict=True):
        source = activations[-1]
        # Rows out of units that are 0 add nothing. At most 128 of them are left: every partial sum,
        # in any order, is at most 128 · 127 · 2^14 < 2^28, so int32 holds it.
        awake = np.flatnonzero(source)
        total = source[awake] @ matrix[awake].astype(np.int32)
        total >>= SHIFT  # arithmetic: rounds down, also below 0
        activations.append(total if mask is None else _clip(total, 0, ACTIVATION_MAX) * mask)
    return activations


def logits(weights: Weights, active_mask: int, inputs: Ints) -> Ints:
    """The logits of many positions at once, ``int32[n][8]``, each row as ``forward`` gives it."""
    found = inputs.astype(np.float64)
    masks = (*unit_masks(active_mask), None)
    for matrix, mask in zip(layers(weights), masks, strict=True):
        # Floats because NumPy multiplies integer matrices slowly. Exact: sums are integers below
        # 2^28, a division by a power of two loses nothing, and 2^53 is far.
        found = np.floor(found @ matrix.astype(np.float64) / (1 << SHIFT))
        if mask is not None:
            found = _clip(found, 0, ACTIVATION_MAX) * mask
    return found.astype(np.int32)


def _ex(distance: int) -> int:
    """The EXP table, zero beyond its end."""
    return EXP[distance] if distance < len(EXP) else 0


def output_errors(logits: Sequence[int], label: Label, heads: int) -> Ints:
    """Errors of the eight logits, scale 2^−10.

    Move: softmax cross-entropy. Attack: squared error. Block: binary cross-entropy.
    """
    z = [int(value) for value in logits]
    e = [0] * LAYERS[-1]
    # Each e_k is within ±1024: a share of 1024, less 1024 for the label. The move's four absolutes
    # add up to 2048 at most, attack's is 1023, block's 1024: together 4095, which is NULL_LOSS.
    if heads & HEAD_MOVE and label.move is not None:
        top = max(z[:4])
        u = [_ex(top - value) for value in z[:4]]
        # The top's own u is EXP[0] = 32,767: the divisor is never 0, and 2^15 · 2^10 fits uint32.
        e[:4] = [value * ERROR_ONE // sum(u) for value in u]
        e[label.move] -= ERROR_ONE
    if heads & HEAD_ATTACK:
        e[4] = min(max((z[4] - 4 * label.attack) * 64, -ERROR_MAX), ERROR_MAX)
    if heads & HEAD_BLOCK:
        top = max(z[5], 0)  # so one of the two distances is 0, and again nothing is divided by 0
        yes, no = _ex(top - z[5]), _ex(top)
        e[5] = yes * ERROR_ONE // (yes + no) - ERROR_ONE * label.block
    return np.array(e, dtype=np.int32)


def backward(weights: Weights, activations: list[Ints], errors: Ints, lr_shift: int) -> None:
    """Carry the errors down and update every weight in place, each row with its old weights."""
    half = 1 << (lr_shift - 1)  # rounds to the nearest; halves upwards, also below 0
    for matrix, source in zip(reversed(layers(weights)), reversed(activations[:-1]), strict=True):
        columns = np.flatnonzero(errors)
        if not columns.size:
            return  # no update here, and nothing to carry: exact, not a short cut
        # A unit that was clipped at either end has slope 0. A sum over 64 columns is within
        # 64 · 2^14 · 1024 = 2^30; over W1's 128, whose errors are within ±1023, 2^31 − 2^21: int32.
        open_rows = np.flatnonzero((source > 0) & (source < ACTIVATION_MAX))
        carried = matrix[open_rows].astype(np.int32) @ errors
        previous = np.zeros(source.size, dtype=np.int32)
        previous[open_rows] = _clip((carried + (1 << 11)) >> SHIFT, -ERROR_MAX, ERROR_MAX)

        # After ``carried``: errors are carried by the weights that the forward pass used. |a·e| is
        # below 2^17 and lr_shift at least 3, so |delta| ≤ 16,256 and the difference fits int16 too,
        # which the compiled kernel relies on.
        rows = np.flatnonzero(source)
        delta = (np.outer(source[rows], errors) + half) >> lr_shift
        matrix[rows] = _clip(matrix[rows] - delta, WEIGHT_MIN, WEIGHT_MAX)
        errors = previous


def step(
    weights: Weights, active_mask: int, x: Inputs, label: Label, heads: int, lr_shift: int
) -> tuple[int, Ints]:
    """One micro-step: forward, errors, backward and update in place.

    Args:
        weights: int16[16896], changed in place.
        heads: bit mask of the unlocked heads (1 move, 2 attack, 4 block).
        lr_shift: 3 to 15.

    Returns:
        The step's loss Σ|e_k| and the int32[8] logits of the forward pass.
    """
    activations = forward(weights, active_mask, x)
    errors = output_errors(activations[-1].tolist(), label, heads)
    backward(weights, activations, errors, lr_shift)
    return int(np.abs(errors).sum()), activations[-1]
