"""Boards that brains are compared on: random ones, the same for every beast, with right moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from eth_hash.auto import keccak

from chainbeasts.backend.kernel.features import features
from chainbeasts.backend.kernel.labels import optimal_steps
from chainbeasts.backend.kernel.network import Weights, logits
from chainbeasts.backend.kernel.rng import draw, fold64
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.samples import random_position

BOARDS_TAG = b"chainbeasts/held-out-boards/1"
"""Its keccak-256, folded, seeds the positions."""


def held_out(count: int, rules: Rules) -> list[int]:
    """Random boards, the same for every beast; hardly one of them is ever trained on."""
    seed = fold64(bytes(keccak(BOARDS_TAG)))
    return [random_position(draw(seed, number), None, rules) for number in range(count)]


@dataclass(frozen=True, slots=True, eq=False)
class MoveExam:
    """Held-out boards that have a move to choose.

    Attributes:
        inputs: int32[n][32].
        optimal: bool[n][4], whether a direction begins a cheapest path.
    """

    inputs: npt.NDArray[np.int32]
    optimal: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, count: int, rules: Rules) -> MoveExam:
        """Those of the first ``count`` held-out boards that have a move."""
        inputs, optimal = [], []
        for word in held_out(count, rules):
            steps = optimal_steps(word, rules)
            if steps:
                inputs.append(features(word))
                optimal.append([direction in steps for direction in range(4)])
        return cls(np.array(inputs, dtype=np.int32), np.array(optimal, dtype=np.bool_))

    def accuracy(self, weights: Weights, active_mask: int) -> float:
        """Share of the boards on which a brain chooses an optimal move."""
        chosen = logits(weights, active_mask, self.inputs)[:, :4].argmax(axis=1)
        return float(self.optimal[np.arange(len(chosen)), chosen].mean())
