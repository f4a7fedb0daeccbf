"""What speaks against a window whose two states are published and whose samples are not: pure.

First what no window of 128 steps can do, whatever it trains on; then what no honest life did that
was ever measured (``scripts/bench --only plausibility``), which an honest one may still do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from chainbeasts.backend.chain.types import Checkpoint
from chainbeasts.backend.kernel.constants import (
    HEAD_ATTACK,
    HEAD_BLOCK,
    HEAD_MOVE,
    MAX_WINDOW_LOSS,
    NULL_LOSS,
    WINDOW_STEPS,
)
from chainbeasts.backend.kernel.features import INPUT_MAX
from chainbeasts.backend.kernel.held_out import MoveExam
from chainbeasts.backend.kernel.network import (
    ACTIVATION_MAX,
    ERROR_MAX,
    ERROR_ONE,
    Ints,
    layers,
    unit_masks,
)
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.state import State
from chainbeasts.validator.judge.replay import contradiction

MATRICES = ("W1", "W2", "W3", "W4")
MOVE_COLUMNS, ATTACK_COLUMN, BLOCK_COLUMN = slice(0, 4), 4, 5
MOST_ERRORS = 6
"""Outputs that can have an error in one step."""


@dataclass(frozen=True, eq=False)
class PublishedWindow:
    """A window of which only the two ends are known.

    Attributes:
        parent_hash: that the header of ``after`` must call its parent, the hash of ``before``.
        heads: that learn in the window's epoch.
    """

    beast_id: int
    checkpoint: Checkpoint
    parent_hash: bytes
    before: State
    after: State
    heads: int
    rules: Rules

    @property
    def lr_shift(self) -> int:
        return self.checkpoint.payload.lr_shift

    @property
    def loss(self) -> int:
        return self.checkpoint.payload.window_loss

    @cached_property
    def changes(self) -> list[Ints]:
        """What was added to the weights of each matrix, int32."""
        pairs = zip(layers(self.before.weights), layers(self.after.weights), strict=True)
        return [after.astype(np.int32) - before for before, after in pairs]


def objection(window: PublishedWindow) -> str:
    """What speaks against a window, in a sentence; empty if nothing does."""
    return impossible(window) or unlikely(window)


# --- what no window can do ------------------------------------------------------------------------


def impossible(window: PublishedWindow) -> str:
    """What no 128 steps can do, on whatever samples; empty if they can. Never false."""
    return _header(window) or _frozen(window) or _steps(window) or _loss(window)


def _header(window: PublishedWindow) -> str:
    header = window.after.header
    lie = contradiction(header, window.beast_id, window.checkpoint, window.parent_hash)
    if lie is not None:
        return lie
    if window.before.header.active_mask & ~header.active_mask:
        return "the window puts a slot to sleep"
    if header.arena:  # opened with 0, and only SELF_PLAY sets it
        return "the window's end carries an arena, which only self-play has"
    if window.loss > MAX_WINDOW_LOSS:
        return f"the window's loss is {window.loss}, 128 steps lose {MAX_WINDOW_LOSS} at most"
    return ""


def learning_weights(active_mask: int, heads: int) -> list[npt.NDArray[np.bool_]]:
    """The weights of each matrix that some step can change."""
    # A unit that sleeps is 0, so its row stays; its slope is 0, so its column has no error. An
    # input that is always 0 has a row like that; an output no head trains a column like that.
    awake = [mask.astype(np.bool_) for mask in unit_masks(active_mask)]
    outputs = np.zeros(8, dtype=np.bool_)
    outputs[MOVE_COLUMNS] = bool(heads & HEAD_MOVE)
    outputs[ATTACK_COLUMN] = bool(heads & HEAD_ATTACK)
    outputs[BLOCK_COLUMN] = bool(heads & HEAD_BLOCK)
    units = [np.array(INPUT_MAX) > 0, *awake, outputs]
    return [np.outer(rows, columns) for rows, columns in pairwise(units)]


def _frozen(window: PublishedWindow) -> str:
    learning = learning_weights(window.after.header.active_mask, window.heads)
    for name, delta, free in zip(MATRICES, window.changes, learning, strict=True):
        wrong = int(np.count_nonzero(delta[~free]))
        if wrong:
            return f"{wrong} weights of {name} changed that no step of this window can change"
    return ""


def step_bounds(lr_shift: int) -> list[Ints]:
    """The most that one step adds to or takes from a weight of each matrix, by its row."""
    # (a·e + half) >> S with the greatest a and |e|; a half rounds upwards, so that taking away
    # is never more.
    half = 1 << (lr_shift - 1)
    hidden = np.array([(ACTIVATION_MAX * ERROR_MAX + half) >> lr_shift])
    inputs = (np.array(INPUT_MAX) * ERROR_MAX + half) >> lr_shift
    outputs = np.array([(ACTIVATION_MAX * ERROR_ONE + half) >> lr_shift])
    return [inputs, hidden, hidden, outputs]


def learning_steps(loss: int, heads: int) -> tuple[int, int]:
    """How many steps of a window can have learned, and what these lost, at most."""
    # What is beyond the most that real steps lose under these heads comes from null steps. Only a
    # step with an error learns, and that has a loss of 1 at least.
    most = sum(
        lost
        for head, lost in ((HEAD_MOVE, 2_048), (HEAD_ATTACK, ERROR_MAX), (HEAD_BLOCK, ERROR_ONE))
        if heads & head
    )
    beyond = max(loss - WINDOW_STEPS * most, 0)
    nulls = -(-beyond // (NULL_LOSS - most)) if beyond else 0
    lost = max(loss - nulls * NULL_LOSS, 0)
    return min(WINDOW_STEPS - nulls, lost), lost


def _steps(window: PublishedWindow) -> str:
    steps, _ = learning_steps(window.loss, window.heads)
    bounds = step_bounds(window.lr_shift)
    for name, delta, bound in zip(MATRICES, window.changes, bounds, strict=True):
        most = np.abs(delta).max(axis=1)
        allowed = np.broadcast_to(steps * bound, most.shape)
        row = int((most - allowed).argmax())
        if most[row] > allowed[row]:
            return (
                f"a weight of {name} changed by {most[row]}, a window of loss {window.loss} at "
                f"shift {window.lr_shift} changes it by {allowed[row]} at most"
            )
    return ""


def _loss(window: PublishedWindow) -> str:
    """The weights of the outputs change in proportion to the errors, which the loss adds up."""
    # Each update is |a·e| / 2^S, rounded by a half at most, and 0 where the quotient is below a
    # half: so it is at most the double of the quotient, too. Clamping only takes away.
    steps, lost = learning_steps(window.loss, window.heads)
    exact = ACTIVATION_MAX * lost / (1 << window.lr_shift)
    errors = min(lost, steps * MOST_ERRORS)
    most = min(2 * exact, exact + errors / 2)
    changed = int(np.abs(window.changes[3]).sum(axis=1).max())
    if changed > most:
        return (
            f"a row of W4 changed by {changed} in all, a loss of {window.loss} at shift "
            f"{window.lr_shift} changes it by {int(most)} at most"
        )
    return ""


# --- what no honest life did ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Limits:
    """What no measured honest window went beyond.

    Attributes:
        distance: Euclidean length of the change of all weights.
        gain: by which the share of optimal moves on held-out boards rises.
    """

    distance: float
    gain: float


BOARDS = 600
"""Held-out boards; about two in three have a move to choose."""

LIMITS = {
    9: Limits(6_500, 0.37),
    10: Limits(2_400, 0.07),
    11: Limits(950, 0.025),
    12: Limits(525, 0.015),
    13: Limits(190, 0.0075),
}
"""By ``lrShift``, those of the default schedule; at others only what is impossible is objected to.

Each is the greatest of 32,128 honest windows, rounded up: eight beasts, and for each the lives of
``scripts/bench --only plausibility``, which measures on others how often that is too strict. The
greatest belong to boards that are learned again after something else was learned in public.
"""

RATIO = 18_000
"""The most that ``distance · 2^lrShift / √windowLoss`` may be: a step moves the weights by the size
of its error, and errors that point anywhere add up like their square root. From the same lives.
"""


@dataclass(frozen=True, slots=True)
class Measures:
    """What the limits are about.

    Attributes:
        ratio: see ``RATIO``.
    """

    distance: float
    ratio: float
    gain: float


def measure(window: PublishedWindow) -> Measures:
    """How far a window's weights moved, and how much better they play."""
    squares = sum(float(np.square(delta, dtype=np.float64).sum()) for delta in window.changes)
    distance = math.sqrt(squares)
    exam, mask = _exam(window.rules), window.after.header.active_mask
    before, after = (exam.accuracy(one.weights, mask) for one in (window.before, window.after))
    ratio = distance * (1 << window.lr_shift) / math.sqrt(max(window.loss, 1))
    return Measures(distance, ratio, after - before)


def unlikely(window: PublishedWindow) -> str:
    """What no measured honest window did; empty if this one did not, either. May be false."""
    limits = LIMITS.get(window.lr_shift)
    if limits is None:
        return ""
    found = measure(window)
    at = f"at shift {window.lr_shift}"
    if found.distance > limits.distance:
        return (
            f"the weights moved by {found.distance:.0f}, 128 honest steps {at} move them by "
            f"{limits.distance:.0f} at most"
        )
    if found.ratio > RATIO:
        return (
            f"the weights moved by {found.distance:.0f}, further than a loss of {window.loss} "
            f"{at} moves them"
        )
    if found.gain > limits.gain:
        return (
            f"optimal moves on held-out boards rose by {100 * found.gain:.1f} points, 128 honest "
            f"steps {at} raise them by {100 * limits.gain:.1f} at most"
        )
    return ""


@lru_cache(maxsize=8)
def _exam(rules: Rules) -> MoveExam:
    return MoveExam.of(BOARDS, rules)
