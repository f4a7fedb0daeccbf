"""The same network in float32: same shape, same birth, same stream, same schedule, batch of one.

Units: a float is an integer activation over 32, a weight over 4096, a logit over 32, an error over
1024; so the integer update (a·e) >> S is a learning rate of 2^(3 − S). Plain SGD with ReLU: no
clipping, no rounding.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from chainbeasts.backend.kernel.constants import HEAD_ATTACK, HEAD_BLOCK, HEAD_MOVE, LAYERS
from chainbeasts.backend.kernel.features import features
from chainbeasts.backend.kernel.network import unit_masks
from chainbeasts.backend.kernel.state import State
from chainbeasts.backend.kernel.traces import Traces

Floats = npt.NDArray[np.float32]
ACTIVATION, WEIGHT = np.float32(32), np.float32(4096)
ATTACK_SLOPE = np.float32(2)
"""The attack error is (z4 − 4·label)·64 in units of 2^−10 with z4 in units of 2^−5."""


class FloatBrain:
    """A float32 twin of a state at birth."""

    def __init__(self, state: State) -> None:
        self.matrices: list[Floats] = []
        start = 0
        for rows, columns in pairwise(LAYERS):
            part = state.weights[start : start + rows * columns]
            self.matrices.append(part.reshape(rows, columns).astype(np.float32) / WEIGHT)
            start += rows * columns

    def logits(self, inputs: npt.NDArray[np.int32], active_mask: int) -> Floats:
        """float32[n][8] in the integer brain's units."""
        a: Floats = inputs.astype(np.float32) / ACTIVATION
        for matrix, mask in zip(self.matrices[:-1], unit_masks(active_mask), strict=True):
            a = np.maximum(a @ matrix, np.float32(0)) * mask.astype(np.float32)
        return np.asarray(a @ self.matrices[-1] * ACTIVATION, np.float32)

    def learn(self, traces: Traces, active_mask: int, heads: int, lr_shift: int) -> None:
        """One SGD step on each of the integer run's samples, in its order."""
        rate = np.float32(2.0 ** (3 - lr_shift))
        masks = [mask.astype(np.float32) for mask in unit_masks(active_mask)]
        for row in traces.rows:
            if row["null"]:
                continue
            x = features(int.from_bytes(row["word"].tobytes())).astype(np.float32) / ACTIVATION
            layers = [x]
            for matrix, mask in zip(self.matrices[:-1], masks, strict=True):
                layers.append(np.maximum(layers[-1] @ matrix, np.float32(0)) * mask)
            z: Floats = np.asarray(layers[-1] @ self.matrices[-1], np.float32)
            labels = (int(row["move"]), int(row["attack"]), int(row["block"]))
            e = _errors(z, labels, heads)
            for index in (3, 2, 1, 0):
                matrix, a = self.matrices[index], layers[index]
                below = (matrix @ e) * (a > 0) if index else None
                matrix -= rate * np.outer(a, e)
                if below is not None:
                    e = below


def _errors(z: Floats, labels: tuple[int, int, int], heads: int) -> Floats:
    move, attack, block = labels
    e = np.zeros(LAYERS[-1], np.float32)
    if heads & HEAD_MOVE and move >= 0:
        u = np.exp(z[:4] - z[:4].max())
        e[:4] = u / u.sum()
        e[move] -= 1
    if heads & HEAD_ATTACK:
        e[4] = np.clip(ATTACK_SLOPE * z[4] - np.float32(attack / 4), -1, 1)
    if heads & HEAD_BLOCK:
        e[5] = 1 / (1 + np.exp(-z[5])) - block
    return e
