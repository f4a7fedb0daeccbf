"""Held-out boards and the batch forward pass that brains are compared with."""

from __future__ import annotations

import numpy as np
import pytest
from eth_hash.auto import keccak

from backend.kernel.features import INPUT_MAX, features
from backend.kernel.genesis import genesis_weights
from backend.kernel.held_out import MoveExam, held_out
from backend.kernel.labels import label
from backend.kernel.network import forward, logits
from backend.kernel.rules import Rules

RULES = Rules()
WORDS = held_out(120, RULES)


@pytest.mark.parametrize("mask", [0x11, 0x37, 0xFF])
@pytest.mark.parametrize("scale", [1, 16])
def test_many_positions_at_once_give_the_logits_of_each(mask: int, scale: int) -> None:
    weights = np.clip(genesis_weights(keccak(bytes([mask]))) * np.int32(scale), -16_384, 16_383)
    weights = weights.astype(np.int16)
    inputs = np.array([features(word) for word in WORDS])
    expected = [forward(weights, mask, x)[-1] for x in inputs]
    assert (logits(weights, mask, inputs) == expected).all()


def test_inputs_stay_below_their_bounds() -> None:
    assert (np.array([features(word) for word in WORDS]) <= INPUT_MAX).all()


def test_the_exam_counts_optimal_moves_of_boards_that_have_one() -> None:
    exam = MoveExam.of(120, RULES)
    moves = [found for word in WORDS if (found := label(word, RULES).move) is not None]
    assert len(exam.inputs) == len(moves)
    assert exam.optimal[np.arange(len(moves)), moves].all()
    weights = genesis_weights(bytes(32))
    chosen = [int(forward(weights, 0xFF, x)[-1][:4].argmax()) for x in exam.inputs]
    right = [bool(row[move]) for row, move in zip(exam.optimal, chosen, strict=True)]
    assert exam.accuracy(weights, 0xFF) == pytest.approx(sum(right) / len(right))
