"""Finds out what a wrong segment did differently, by doing it again until the posted hash appears.

A cause is named only if it reproduces the hash exactly. Judges nothing, sends nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from chainbeasts.backend.kernel.board import is_valid
from chainbeasts.backend.kernel.constants import (
    LAYERS,
    SEGMENT_STEPS,
    WEIGHT_MAX,
    WEIGHT_MIN,
    WINDOW_STEPS,
)
from chainbeasts.backend.kernel.labels import label
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.state import State, state_hash
from chainbeasts.backend.kernel.window import learn, sample, step_window
from chainbeasts.backend.kernels import ReferenceKernel, kernel_for
from chainbeasts.validator.evidence.counterfactual import (
    differing_heads,
    other_labels,
    other_samples,
    show_label,
)
from chainbeasts.validator.judge.replay import Window, replay

SEARCH_BUDGET = 10_000_000
"""What is spent on one kind of cause before it is given up, in about microseconds."""

REFERENCE_STEP, COMPILED_STEP, ATTEMPT = 350, 1, 50
"""What a micro-step costs by either kernel, and an attempt besides its steps."""

FEW_WEIGHTS = 64
"""With no more than these different at the end, one weight was probably changed."""

STANDS_OUT = 2
"""Also where one difference is this many times the next: what follows from it is smaller."""

MAX_DRIFT, FAR_DRIFT = 32, 128
"""How far training after a change may have moved the weights that differ most at the end, and the
one that differs most of all: of changes by 128, one in 250 is learned against by more than 32."""

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


def segment_of(step: int) -> int:
    """The segment of a step of the window."""
    return step // SEGMENT_STEPS


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
        posted: its state hash among the opened ones.
    """
    return _Search(window, segment * SEGMENT_STEPS, SEGMENT_STEPS, posted).find()


def find_cause_unanswered(window: Window) -> Cause | None:
    """What turns the true window into h128, where no opened segments say in which one."""
    return _Search(window, 0, WINDOW_STEPS, window.checkpoint.payload.h128).find()


@dataclass(frozen=True, slots=True)
class Difference:
    """The weight in which the published end state differs most from the true one.

    Attributes:
        weight: position in int16[16896].
        by: published minus true, in the weights' units.
        count: weights that differ at all.
    """

    weight: int
    name: str
    head: str
    by: int
    count: int


def most_different(window: Window) -> Difference | None:
    """What a wrong window left behind most visibly; None if its end state is not published."""
    if window.published is None:
        return None
    apart = _apart(window, window.published)
    weight = int(np.abs(apart).argmax())
    if not apart[weight]:
        return None
    name, head = weight_name(weight)
    return Difference(weight, name, head, int(apart[weight]), int(np.count_nonzero(apart)))


def _state(window: Window, steps: int) -> State:
    return replay(window, steps)[0]


def _apart(window: Window, published: State) -> npt.NDArray[np.int32]:
    true_end = _state(window, WINDOW_STEPS)
    return published.weights.astype(np.int32) - true_end.weights.astype(np.int32)


def _records(window: Window) -> Callable[[int], int] | None:
    return None if window.words is None else window.words.__getitem__


class _BudgetSpentError(Exception):
    """A kind of cause took too long."""


class _Search:
    """Looks for one change in ``count`` steps after the first ``done`` that ends in a hash."""

    def __init__(self, window: Window, done: int, count: int, posted: bytes) -> None:
        self.window = window
        self.done = done
        self.count = count
        self.posted = posted
        self._budget = 0
        self._kernel = kernel_for(window.checkpoint.payload.active_mask)
        fast = not isinstance(self._kernel, ReferenceKernel)
        self._step_cost = COMPILED_STEP if fast else REFERENCE_STEP
        self.starts = [_state(window, done)]
        for _ in range(count):
            state = self.starts[-1].copy()
            step_window(window.context, state, _records(window))
            self.starts.append(state)

    def find(self) -> Cause | None:
        """The first kind of cause that fits; by weights first if the end looks like that."""
        kinds = [self.other_label, self.other_sample, self.other_weight]
        if self._one_weight_is_likely():
            kinds = [self.other_weight, self.other_label, self.other_sample]
        for kind in (*kinds, self.far_weight):
            self._budget = SEARCH_BUDGET
            try:
                cause = kind()
            except _BudgetSpentError:
                continue
            if cause is not None:
                return cause
        return None

    def _ends_as_posted(self, state: State, offset: int) -> bool:
        """Whether the steps after ``offset``, done on that state, end in the posted hash."""
        following = self.count - 1 - offset
        self._spend(ATTEMPT + following * self._step_cost)
        self._kernel.run(self.window.context, state, following, self.window.words)
        published = self.window.published
        if published is not None and self.posted == self.window.checkpoint.payload.h128:
            # the state behind h128 is at hand, and comparing is quicker than hashing
            same = np.array_equal(state.weights, published.weights)
            return same and state.header == published.header
        return state_hash(state) == self.posted

    def _spend(self, cost: int) -> None:
        self._budget -= cost
        if self._budget < 0:
            raise _BudgetSpentError

    def _at(self, first: int, last: int | None = None) -> tuple[int, int]:
        return self.done + first, self.done + (first if last is None else last)

    def _backwards(self) -> range:
        """Offsets of the steps, those first after which least is to be done again."""
        return range(self.count - 1, -1, -1)

    def _one_weight_is_likely(self) -> bool:
        published = self.window.published
        if published is None:
            return False
        apart = np.abs(_apart(self.window, published))
        second, first = (int(size) for size in np.partition(apart, -2)[-2:])
        return int(np.count_nonzero(apart)) <= FEW_WEIGHTS or first >= STANDS_OUT * second

    def other_label(self) -> Cause | None:
        """One step that learned another label."""
        ctx = self.window.context
        for offset in self._backwards():
            before = self.starts[offset]
            word = sample(ctx, before.header, _records(self.window))
            if not is_valid(word):
                continue
            right = label(word, ctx.rules)
            for wrong in other_labels(right, ctx.heads):
                state = before.copy()
                self._spend(REFERENCE_STEP)  # the compiled kernel takes no forced label
                learn(ctx, state, word, wrong)
                if self._ends_as_posted(state, offset):
                    heads = " and ".join(differing_heads(right, wrong))
                    what = f"learned the label {show_label(wrong)} instead of {show_label(right)}"
                    return Cause("label", *self._at(offset), heads, what)
        return None

    def other_sample(self) -> Cause | None:
        """One step that trained on another position."""
        for offset in self._backwards():
            before = self.starts[offset]
            for name, word in other_samples(self.window, before):
                state = before.copy()
                self._learn(state, word)
                if self._ends_as_posted(state, offset):
                    return Cause("sample", *self._at(offset), "all", f"trained on {name}")
        return None

    def _learn(self, state: State, word: int) -> None:
        """One step on a given word, by the fastest kernel that does it."""
        ctx = self.window.context
        if ctx.source is Source.SELF_PLAY:  # given words are not played on, except by the reference
            self._spend(REFERENCE_STEP)
            learn(ctx, state, word)
        else:
            self._spend(self._step_cost)
            self._kernel.learn(ctx, state, [word])

    def other_weight(self) -> Cause | None:
        """One weight changed after one step, guessed from the published end state."""
        return self._one_weight(_near)

    def far_weight(self) -> Cause | None:
        """The one that differs most at the end, which training has moved far after the change."""
        return self._one_weight(_far)

    def _one_weight(
        self, candidates: Callable[[list[int]], Iterator[tuple[int, int]]]
    ) -> Cause | None:
        """One weight changed after one step by what is left of it at the end, but for a drift.

        Args:
            candidates: (weight, drift) to try, of the weights that differ, most different first.
        """
        published = self.window.published
        if published is None:
            return None
        apart = _apart(self.window, published)
        order = np.argsort(-np.abs(apart), kind="stable")
        for weight, drift in candidates([int(weight) for weight in order if apart[weight]]):
            delta = int(apart[weight]) + drift
            for offset in self._backwards() if delta else ():
                if self._change_fits(weight, delta, offset):
                    return self._changed(weight, delta)
        return None

    def _change_fits(self, weight: int, delta: int, offset: int) -> bool:
        """Whether adding ``delta`` to one weight after a step ends in the posted hash."""
        state = self.starts[offset + 1].copy()
        wrong = int(state.weights[weight]) + delta
        if not WEIGHT_MIN <= wrong <= WEIGHT_MAX:
            return False
        state.weights[weight] = wrong
        return self._ends_as_posted(state, offset)

    def _changed(self, weight: int, delta: int) -> Cause:
        """The cause, with all steps after which the change has the same effect."""
        self._budget = SEARCH_BUDGET
        fits = [o for o in range(self.count) if self._change_fits(weight, delta, o)]
        right = int(self.starts[fits[0] + 1].weights[weight])
        name, head = weight_name(weight)
        what = f"{name} was changed from {right} to {right + delta}"
        return Cause("weight", *self._at(fits[0], fits[-1]), head, what, weight)


def _near(order: list[int]) -> Iterator[tuple[int, int]]:
    for weight in order[:4]:
        for drift in (0, *_both_ways(1, MAX_DRIFT)):
            yield weight, drift
    for weight in order[4:200]:
        yield weight, 0


def _far(order: list[int]) -> Iterator[tuple[int, int]]:
    for weight in order[:1]:
        for drift in _both_ways(MAX_DRIFT + 1, FAR_DRIFT):
            yield weight, drift


def _both_ways(first: int, last: int) -> Iterator[int]:
    for size in range(first, last + 1):
        yield size
        yield -size
