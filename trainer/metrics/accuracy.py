"""What a brain got right: loss, moves, attack power and blocks, counted over positions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import numpy.typing as npt

from chainbeasts.backend.kernel.constants import LAYERS
from chainbeasts.backend.kernel.features import features
from chainbeasts.backend.kernel.labels import label
from chainbeasts.backend.kernel.network import Weights, logits
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.traces import Traces
from chainbeasts.backend.kernel.window import StepTrace

Bytes = npt.NDArray[np.uint8]

INPUTS = LAYERS[0]

ATTACK_UNIT = 4
"""Logit 4 per unit of attack power."""

SELF_BYTE, ENEMY_BYTE = 15, 8
"""Where a word's big-endian bytes have the two positions."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts over positions; tallies add up.

    Attributes:
        loss: Σ|e_k| in the kernel's unit (1024 = 1.0).
        moves, blocks: positions with such a label; ``…_right`` of them the brain met.
        attacks: positions with the enemy in reach; ``attack_error`` sums 4·|z4/4 − label|.
    """

    steps: int = 0
    loss: int = 0
    moves: int = 0
    moves_right: int = 0
    attacks: int = 0
    attack_error: int = 0
    blocks: int = 0
    blocks_right: int = 0

    def __add__(self, other: Self) -> Tally:
        return Tally(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    @property
    def mean_loss(self) -> float:
        """Loss per micro-step; 0 without any."""
        return self.loss / self.steps if self.steps else 0.0

    @property
    def move_accuracy(self) -> float | None:
        """Share of labelled moves that the brain chose; None without any."""
        return self.moves_right / self.moves if self.moves else None

    @property
    def attack_mae(self) -> float | None:
        """Mean |z4/4 − label| with the enemy in reach; None without any."""
        return self.attack_error / (ATTACK_UNIT * self.attacks) if self.attacks else None

    @property
    def block_accuracy(self) -> float | None:
        """Share of block labels that the brain met; None without any."""
        return self.blocks_right / self.blocks if self.blocks else None


def tally(traces: Traces) -> Tally:
    """What some micro-steps got right before they learned; a null step counts by its loss alone."""
    rows = traces.rows
    labelled = rows[rows["null"] == 0]
    logits, words = labelled["logits"], labelled["word"]
    moving = labelled["move"] >= 0
    reach = _in_reach(words[:, SELF_BYTE], words[:, ENEMY_BYTE])
    missed = np.abs(logits[:, 4] - ATTACK_UNIT * labelled["attack"].astype(np.int64))
    return Tally(
        steps=len(rows),
        loss=int(rows["loss"].sum(dtype=np.int64)),
        moves=int(moving.sum()),
        moves_right=int((moving & (logits[:, :4].argmax(axis=1) == labelled["move"])).sum()),
        attacks=int(reach.sum()),
        attack_error=int(missed[reach].sum()),
        blocks=len(labelled),
        blocks_right=int(((logits[:, 5] > 0) == (labelled["block"] == 1)).sum()),
    )


def _in_reach(one: Bytes, other: Bytes) -> npt.NDArray[np.bool_]:
    """Whether tiles are neighbours on the 8 × 8 board."""
    a, b = one.astype(np.int32), other.astype(np.int32)
    reach: npt.NDArray[np.bool_] = abs(a % 8 - b % 8) + abs(a // 8 - b // 8) == 1
    return reach


class Probe:
    """Boards that brains are examined on without learning, labelled once.

    Args:
        words: valid positions.
    """

    def __init__(self, words: Sequence[int], rules: Rules) -> None:
        steps = [StepTrace(0, word, label(word, rules), (0,) * 8, 0) for word in words]
        self._rows = Traces.of(steps).rows
        self._inputs = np.array([features(word) for word in words], np.int32).reshape(-1, INPUTS)

    def tally(self, weights: Weights, active_mask: int) -> Tally:
        """What a brain gets right on them; its loss is not counted."""
        rows = self._rows.copy()
        rows["logits"] = logits(weights, active_mask, self._inputs)
        return tally(Traces(rows))
