"""Held-out boards and the batch forward pass that brains are compared with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from eth_hash.auto import keccak
from hypothesis import given

from chainbeasts.backend.kernel.board import REST, Creature, Position, pack
from chainbeasts.backend.kernel.features import INPUT_MAX, features
from chainbeasts.backend.kernel.genesis import genesis_weights
from chainbeasts.backend.kernel.held_out import MoveExam, held_out
from chainbeasts.backend.kernel.labels import label
from chainbeasts.backend.kernel.network import forward, logits
from chainbeasts.backend.kernel.rules import Rules
from tests.support.strategies import valid_words

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


@given(valid_words)
def test_inputs_stay_within_their_bounds(word: int) -> None:
    assert (features(word) <= np.array(INPUT_MAX)).all()


def test_the_bounds_of_inputs_are_reached() -> None:
    corners = ((0, 63), (63, 0), (0, 1))
    words = [_far(own, other, walls) for own, other in corners for walls in (0, 2**64 - 1)]
    assert (np.array([features(word) for word in words]).max(axis=0) == INPUT_MAX).all()


def _far(own: int, other: int, walls: int) -> int:
    """A word with everything at its most."""
    open_tiles = ~(1 << own | 1 << other)
    one = Creature(own, 100, 16, 127, 127, 127, REST)
    return pack(Position(walls & open_tiles, 0, one, replace(one, pos=other), 0, 0))


def test_the_exam_counts_optimal_moves_of_boards_that_have_one() -> None:
    exam = MoveExam.of(120, RULES)
    moves = [found for word in WORDS if (found := label(word, RULES).move) is not None]
    assert len(exam.inputs) == len(moves)
    assert exam.optimal[np.arange(len(moves)), moves].all()
    weights = genesis_weights(bytes(32))
    chosen = [int(forward(weights, 0xFF, x)[-1][:4].argmax()) for x in exam.inputs]
    right = [bool(row[move]) for row, move in zip(exam.optimal, chosen, strict=True)]
    assert exam.accuracy(weights, 0xFF) == pytest.approx(sum(right) / len(right))
