"""What micro-steps did, as columns: from either kernel, for whoever measures learning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from chainbeasts.backend.kernel.board import word_bytes
from chainbeasts.backend.kernel.window import StepTrace

TRACE = np.dtype(
    [
        ("word", np.uint8, 32),
        ("logits", np.int32, 8),
        ("loss", np.uint32),
        ("move", np.int8),
        ("attack", np.uint8),
        ("block", np.uint8),
        ("null", np.uint8),
    ]
)
"""One step: the word's 32 big-endian bytes, logits, Σ|e|, labels (move −1: none), null step."""


@dataclass(frozen=True, slots=True)
class Traces:
    """Consecutive micro-steps.

    Attributes:
        rows: TRACE[n].
    """

    rows: npt.NDArray[Any]

    @classmethod
    def of(cls, steps: Sequence[StepTrace]) -> Traces:
        """The reference's traces as columns."""
        rows = np.zeros(len(steps), TRACE)
        for row, step in zip(rows, steps, strict=True):
            row["word"] = np.frombuffer(word_bytes(step.word), np.uint8)
            row["loss"] = step.loss
            row["move"] = -1
            row["null"] = step.null
            if step.label is not None and step.logits is not None:
                row["logits"] = step.logits
                row["move"] = -1 if step.label.move is None else step.label.move
                row["attack"], row["block"] = step.label.attack, step.label.block
        return cls(rows)

    def __len__(self) -> int:
        return len(self.rows)
