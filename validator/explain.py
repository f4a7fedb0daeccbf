"""Finds out what a wrong segment did differently, by doing it again until the posted hash appears.

A cause is named only if it reproduces the hash exactly. Judges nothing, sends nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice, product

import numpy as np
import numpy.typing as npt

from backend.kernel.board import is_valid
from backend.kernel.constants import (
    HEAD_ATTACK,
    HEAD_BLOCK,
    HEAD_MOVE,
    LAYERS,
    NULL_LOSS,
    SEGMENT_STEPS,
    WEIGHT_MAX,
    WEIGHT_MIN,
    WINDOW_STEPS,
)
from backend.kernel.features import features
from backend.kernel.labels import Label, label
from backend.kernel.network import step
from backend.kernel.samples import Source, play_on, window_seed
from backend.kernel.state import State, state_hash
from backend.kernel.window import MASK32, WindowContext, sample, sample_index, step_window
from validator.replay import Window, replay

MAX_TRIALS = 6_000
"""Reproductions tried for one kind of cause; about a second per thousand."""

FEW_WEIGHTS = 64
"""With no more than these different at the end, one weight was probably changed."""

MAX_DRIFT = 32
"""How far training after a change may have moved the weights that differ most at the end."""

NEIGHBOURHOOD = 128
"""How far away another sample is looked for, in steps or records."""

LAYER_NAMES = ("W1", "W2", "W3", "W4")
HEAD_OF_LOGIT = ("move",) * 4 + ("attack", "block", "none", "none")


@dataclass(frozen=True, slots=True)
class Cause:
    """What was done instead, reproduced to the bit.

    Attributes:
        step: in the window, 0 to 127; the change came with this step, or right after it.
        last_step: where later steps explain the hash as well, the last of them; else ``step``.
        head: the head that learned wrongly, where one can be named.
        weight: position in int16[16896], where one weight was changed.
    """

    kind: str
    step: int
    last_step: int
    head: str
    what: str
    weight: int | None = None


def weight_name(position: int) -> tuple[str, str]:
    """(``W3[row][column]``, head): the head is named for the last layer only."""
    for name, rows, columns in zip(LAYER_NAMES, LAYERS[:-1], LAYERS[1:], strict=True):
        if position < rows * columns:
            row, column = divmod(position, columns)
            head = HEAD_OF_LOGIT[column] if name == LAYER_NAMES[-1] else "all"
            return f"{name}[{row}][{column}]", head
        position -= rows * columns
    raise ValueError("there is no such weight")


def find_cause(window: Window, segment: int, posted: bytes) -> Cause | None:
    """What turns the segment's true beginning into the posted hash; None if nothing tried does.

    Args:
        segment: the first wrong one, so that the state before it is the true one.
        posted: its state hash in the response.
    """
    done = segment * SEGMENT_STEPS
    starts = [_state(window, done)]
    for _ in range(SEGMENT_STEPS):
        state = starts[-1].copy()
        step_window(window.context, state, _records(window))
        starts.append(state)
    return _Trial(window, starts, done, posted).find()


def _state(window: Window, steps: int) -> State:
    return replay(window, steps)[0]


def _records(window: Window) -> Callable[[int], int] | None:
    return None if window.words is None else window.words.__getitem__


@dataclass(frozen=True, slots=True)
class _Trial:
    """One segment: its true states before and after each step, and the hash to reproduce."""

    window: Window
    starts: list[State]
    done: int
    posted: bytes

    def _ends_as_posted(self, state: State, steps_left: int) -> bool:
        for _ in range(steps_left):
            step_window(self.window.context, state, _records(self.window))
        return state_hash(state) == self.posted

    def _at(self, first: int, last: int | None = None) -> tuple[int, int]:
        return self.done + first, self.done + (first if last is None else last)

    def find(self) -> Cause | None:
        """The first kind of cause that fits; by weights first if only a few ended up different."""
        kinds = [self.other_label, self.other_sample, self.other_weight]
        if self._few_weights_differ():
            kinds = [self.other_weight, self.other_label, self.other_sample]
        return next((cause for kind in kinds if (cause := kind()) is not None), None)

    def _few_weights_differ(self) -> bool:
        published = self.window.published
        return (
            published is not None and int(np.count_nonzero(self._apart(published))) <= FEW_WEIGHTS
        )

    def _apart(self, published: State) -> npt.NDArray[np.int32]:
        true_end = _state(self.window, WINDOW_STEPS)
        return published.weights.astype(np.int32) - true_end.weights.astype(np.int32)

    def other_label(self) -> Cause | None:
        """One step that learned another label."""
        ctx = self.window.context
        for offset, before in enumerate(self.starts[:-1]):
            word = sample(ctx, before.header, _records(self.window))
            if not is_valid(word):
                continue
            right = label(word, ctx.rules)
            for wrong in _other_labels(right, ctx.heads):
                state = before.copy()
                learn(ctx, state, word, wrong)
                if self._ends_as_posted(state, SEGMENT_STEPS - 1 - offset):
                    heads = [n for n in ("move", "attack", "block") if _differ(n, right, wrong)]
                    what = f"learned the label {_show(wrong)} instead of {_show(right)}"
                    return Cause("label", *self._at(offset), " and ".join(heads), what)
        return None

    def other_sample(self) -> Cause | None:
        """One step that trained on another position."""
        for offset, before in enumerate(self.starts[:-1]):
            for name, word in _other_samples(self.window, before):
                state = before.copy()
                learn(self.window.context, state, word)
                if self._ends_as_posted(state, SEGMENT_STEPS - 1 - offset):
                    return Cause("sample", *self._at(offset), "all", f"trained on {name}")
        return None

    def other_weight(self) -> Cause | None:
        """One weight changed after one step, guessed from the published end state."""
        published = self.window.published
        if published is None:
            return None
        for weight, delta, offset in self._changes(published):
            if self._change_fits(weight, delta, offset):
                fits = [o for o in range(SEGMENT_STEPS) if self._change_fits(weight, delta, o)]
                right = int(self.starts[fits[0] + 1].weights[weight])
                name, head = weight_name(weight)
                what = f"{name} was changed from {right} to {right + delta}"
                return Cause("weight", *self._at(fits[0], fits[-1]), head, what, weight)
        return None

    def _change_fits(self, weight: int, delta: int, offset: int) -> bool:
        """Whether adding ``delta`` to one weight after a step ends in the posted hash."""
        state = self.starts[offset + 1].copy()
        wrong = int(state.weights[weight]) + delta
        if not WEIGHT_MIN <= wrong <= WEIGHT_MAX:
            return False
        state.weights[weight] = wrong
        return self._ends_as_posted(state, SEGMENT_STEPS - 1 - offset)

    def _changes(self, published: State) -> Iterator[tuple[int, int, int]]:
        """(weight, delta, offset of the step) to try, the likeliest first."""
        apart = self._apart(published)
        order = np.argsort(-np.abs(apart), kind="stable")
        weights = [int(weight) for weight in order if apart[weight]]
        drifts = [sign * size for size in range(1, MAX_DRIFT + 1) for sign in (1, -1)]
        stages = ((weights[:200], [0]), (weights[:4], drifts), (weights[:200], [1, -1, 2, -2]))
        changes = (
            (weight, int(apart[weight]) + drift, offset)
            for chosen, spread in stages
            for weight in chosen
            for drift in spread
            for offset in reversed(range(SEGMENT_STEPS))
        )
        return islice((change for change in changes if change[1]), MAX_TRIALS)


def learn(ctx: WindowContext, state: State, word: int, wanted: Label | None = None) -> None:
    """One micro-step on a given word and label, in place: ``step_window`` with its inputs forced.

    Args:
        wanted: the label to learn; the word's own if None.
    """
    before = state.header
    following = (before.global_step + 1) & MASK32
    if not is_valid(word):
        state.update(global_step=following, window_loss=(before.window_loss + NULL_LOSS) & MASK32)
        return
    learned = wanted or label(word, ctx.rules)
    loss, z = step(
        state.weights, before.active_mask, features(word), learned, ctx.heads, ctx.lr_shift
    )
    arena = before.arena
    if ctx.source is Source.SELF_PLAY:
        seed = window_seed(ctx.dna, before.parent)
        arena = play_on(word, [int(v) for v in z], seed, before.global_step, ctx.rules)
    total = (before.window_loss + loss) & MASK32
    state.update(global_step=following, window_loss=total, arena=arena)


def _other_labels(right: Label, heads: int) -> Iterator[Label]:
    """Every label that differs in an unlocked head, those first that differ in one."""
    moves = (None, 0, 1, 2, 3) if heads & HEAD_MOVE else (right.move,)
    attacks = range(16) if heads & HEAD_ATTACK else (right.attack,)
    blocks = (0, 1) if heads & HEAD_BLOCK else (right.block,)
    made = (Label(*values) for values in product(moves, attacks, blocks))
    names = ("move", "attack", "block")
    yield from sorted(
        (found for found in made if found != right),
        key=lambda found: sum(_differ(name, right, found) for name in names),
    )


def _differ(name: str, right: Label, wrong: Label) -> bool:
    return bool(getattr(right, name) != getattr(wrong, name))


def _show(found: Label) -> str:
    move = "none" if found.move is None else "NSEW"[found.move]
    return f"(move {move}, attack {found.attack}, block {found.block})"


def _other_samples(window: Window, before: State) -> Iterator[tuple[str, int]]:
    """(description, word) of samples that a step might have taken instead of its own."""
    ctx, header = window.context, before.header
    if window.words is not None:
        own, count = sample_index(ctx, header.global_step), len(window.words)
        nearest = sorted(range(count), key=lambda index: abs(index - own))
        for index in nearest[1 : 2 * NEIGHBOURHOOD]:
            yield f"record {index} instead of record {own}", window.words[index]
        return
    for distance in range(1, NEIGHBOURHOOD):
        for other in (header.global_step - distance, header.global_step + distance):
            if other >= 0:
                moved = replace(header, global_step=other & MASK32)
                yield f"the sample of step {other}", sample(ctx, moved)
