"""Held-out boards, and what a brain gets right on them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from chainbeasts.backend.kernel.board import adjacent, unpack
from chainbeasts.backend.kernel.features import features
from chainbeasts.backend.kernel.held_out import held_out
from chainbeasts.backend.kernel.labels import label, optimal_steps
from chainbeasts.backend.kernel.native.abi import encode_words
from chainbeasts.backend.kernel.rules import Rules

Logits = npt.NDArray[np.floating] | npt.NDArray[np.int32]
BOARDS = 6_000


@dataclass(frozen=True, slots=True)
class Marks:
    """Percentages, and the mean error of the attack head next to an enemy, in units of power."""

    exact: float
    optimal: float
    attack_mae: float
    block: float


class Exam:
    """Random boards that no run trains on, with their labels.

    Args:
        boards: how many; about two in three have a move to choose.
    """

    def __init__(self, boards: int = BOARDS, rules: Rules | None = None) -> None:
        rules = rules or Rules()
        self.words = held_out(boards, rules)
        labels = [label(word, rules) for word in self.words]
        self._move = np.array([-1 if one.move is None else one.move for one in labels])
        self._attack = np.array([one.attack for one in labels])
        self._block = np.array([one.block for one in labels])
        self._optimal = np.zeros((boards, 4), bool)
        self._near = np.zeros(boards, bool)
        for row, word in enumerate(self.words):
            p = unpack(word)
            self._near[row] = adjacent(p.self_.pos, p.enemy.pos)
            for direction in optimal_steps(word, rules):
                self._optimal[row, direction] = True

    @cached_property
    def encoded(self) -> bytes:
        """The boards as the compiled kernel reads them."""
        return encode_words(self.words)

    @cached_property
    def inputs(self) -> npt.NDArray[np.int32]:
        """The boards as inputs, int32[n][32]."""
        return np.array([features(word) for word in self.words])

    @property
    def moves(self) -> int:
        """Boards that have a move to choose."""
        return int((self._move >= 0).sum())

    def mark(self, logits: Logits, unit: float = 4.0) -> Marks:
        """What logits [n][8] get right; ``unit`` is one of attack power in logit 4."""
        labelled = self._move >= 0
        chosen = logits[:, :4].argmax(axis=1)
        rows = np.arange(len(chosen))
        return Marks(
            exact=100 * float((chosen == self._move)[labelled].mean()),
            optimal=100 * float(self._optimal[rows, chosen][labelled].mean()),
            attack_mae=float(np.abs(logits[:, 4] / unit - self._attack)[self._near].mean()),
            block=100 * float(((logits[:, 5] > 0) == (self._block == 1)).mean()),
        )
