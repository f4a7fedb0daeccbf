"""One lie per kind: how a window that holds it is trained. Submits nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise

from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.board import is_valid
from chainbeasts.backend.kernel.constants import LAYERS, SEGMENT_STEPS, WEIGHT_MAX, WEIGHTS
from chainbeasts.backend.kernel.features import features
from chainbeasts.backend.kernel.labels import Label, label
from chainbeasts.backend.kernel.network import forward
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.state import State
from chainbeasts.backend.kernel.window import (
    RecordSource,
    WindowContext,
    genesis_state,
    learn,
    sample,
    step_window,
)
from chainbeasts.trainer.drills.blind import UNSEEN_WINDOWS, invented_window, withheld_window
from chainbeasts.trainer.submit.window import TrainedWindow
from chainbeasts.trainer.train.windows import Stepper, WindowStart, train_window

LOGIT_WEIGHTS = WEIGHTS - LAYERS[-2] * LAYERS[-1]
"""Flat index of W4's first weight."""


class Kind(StrEnum):
    """What is wrong with the window."""

    WEIGHT = "weight"
    LABEL = "label"
    SAMPLE = "sample"
    GROWTH = "growth"
    LOSS = "loss"
    PARENT = "parent"
    SILENT = "silent"
    PRIVATE = "private"
    INVENTED = "invented"
    WITHHELD = "withheld"


BLIND = (Kind.INVENTED, Kind.WITHHELD)
"""Made without the state that they claim to start from, and opened to nobody."""


@dataclass(frozen=True, slots=True)
class Drill:
    """A wrong window, and what is wrong with it.

    Attributes:
        step: the first wrong micro-step, 0 to 127; None where no step is.
        lie: what is wrong, in words.
        answered: whether a defender is to answer a dispute over it.
    """

    kind: Kind
    window: TrainedWindow
    step: int | None
    lie: str

    @property
    def segment(self) -> int | None:
        """The first wrong segment, 0 to 15."""
        return None if self.step is None else self.step // SEGMENT_STEPS

    @property
    def answered(self) -> bool:
        return self.kind is not Kind.SILENT and not self.blind

    @property
    def blind(self) -> bool:
        """Whether neither the window's segments nor the state it ends in are kept or published."""
        return self.kind in BLIND


def weight_name(index: int) -> str:
    """A weight by its place, such as ``W2[17][3]``.

    Raises:
        ChainBeastsError: there is no such weight.
    """
    start = 0
    for layer, (rows, columns) in enumerate(pairwise(LAYERS), start=1):
        if start <= index < start + rows * columns:
            row, column = divmod(index - start, columns)
            return f"W{layer}[{row}][{column}]"
        start += rows * columns
    raise ChainBeastsError(f"There is no weight {index}.", f"They are 0 to {WEIGHTS - 1}.")


def make_drill(
    kind: Kind,
    start: WindowStart,
    mask: int,
    energy_burn: int,
    *,
    step: int = 77,
    weight: int | None = None,
    by: int = 128,
) -> Drill:
    """Train the next window with a lie in it.

    Args:
        step: the micro-step that is to go wrong, 0 to 127, where the kind has one.
        weight: flat index of the weight to change (weight, silent); one that the next step feels
            if None.
        by: how much it changes, 4096 for 1.0.

    Raises:
        ChainBeastsError: this beast's next window cannot hold this lie.
    """
    makers: dict[Kind, Callable[[], Drill]] = {
        Kind.WEIGHT: lambda: _weight(kind, start, mask, energy_burn, step, weight, by),
        Kind.SILENT: lambda: _weight(kind, start, mask, energy_burn, step, weight, by),
        Kind.LABEL: lambda: _label(start, mask, energy_burn, step),
        Kind.SAMPLE: lambda: _sample(start, mask, energy_burn, step),
        Kind.GROWTH: lambda: _growth(start, mask, energy_burn),
        Kind.LOSS: lambda: _loss(start, mask, energy_burn),
        Kind.PARENT: lambda: _parent(start, mask, energy_burn),
        Kind.PRIVATE: lambda: _private(start, mask, energy_burn),
        Kind.INVENTED: lambda: _blind(kind, invented_window(start, mask, energy_burn)),
        Kind.WITHHELD: lambda: _blind(kind, withheld_window(start, mask, energy_burn)),
    }
    return makers[kind]()


@dataclass
class _Stepper:
    """Honest micro-steps, but for one."""

    wrong_step: int
    wrong: Stepper
    done: int = 0

    def __call__(
        self, ctx: WindowContext, state: State, records: RecordSource | None = None
    ) -> object:
        step = self.wrong if self.done == self.wrong_step else step_window
        self.done += 1
        return step(ctx, state, records)


def _weight(
    kind: Kind,
    start: WindowStart,
    mask: int,
    energy_burn: int,
    step: int,
    weight: int | None,
    by: int,
) -> Drill:
    lies: list[str] = []
    if weight is not None:
        weight_name(weight)

    def wrong(ctx: WindowContext, state: State, records: RecordSource | None) -> object:
        step_window(ctx, state, records)
        index = _noticeable_weight(ctx, state, records) if weight is None else weight
        before = int(state.weights[index])
        after = before + by if before + by <= WEIGHT_MAX else before - by
        state.weights[index] = after
        lies.append(f"weight {index}, {weight_name(index)}, is {after} and not {before}")
        return None

    window = train_window(start, mask, energy_burn, step=_Stepper(step, wrong))
    return Drill(kind, window, step, f"after step {step}, {lies[0]}")


def _noticeable_weight(ctx: WindowContext, state: State, records: RecordSource | None) -> int:
    """A weight of the first logit, from the unit that the next step's sample excites most."""
    word = sample(ctx, state.header, records)
    if not is_valid(word):
        return LOGIT_WEIGHTS
    activations = forward(state.weights, state.header.active_mask, features(word))
    return LOGIT_WEIGHTS + int(activations[3].argmax()) * LAYERS[-1]


def _late(step: int, wrong: Stepper) -> Stepper:
    """Honest micro-steps before ``step``, then the others."""

    def either(ctx: WindowContext, state: State, records: RecordSource | None) -> object:
        late = state.header.global_step % 128 >= step
        return (wrong if late else step_window)(ctx, state, records)

    return either


def _same(one: State, other: State) -> bool:
    return one.header == other.header and bool((one.weights == other.weights).all())


def _label(start: WindowStart, mask: int, energy_burn: int, step: int) -> Drill:
    wrong_steps: list[int] = []

    def wrong(ctx: WindowContext, state: State, records: RecordSource | None) -> object:
        word = sample(ctx, state.header, records)
        right = label(word, ctx.rules) if not wrong_steps else None
        if right is None or right.move is None:
            return step_window(ctx, state, records)
        step, taught = state.header.global_step % 128, state.copy()
        learn(ctx, taught, word, Label((right.move + 1) % 4, right.attack, right.block))
        step_window(ctx, state, records)
        if not _same(taught, state):  # where no unit is excited, every label teaches the same
            wrong_steps.append(step)
            state.header = taught.header
            state.weights[:] = taught.weights
        return None

    window = train_window(start, mask, energy_burn, step=_late(step, wrong))
    if not wrong_steps:
        raise ChainBeastsError(
            f"No step from {step} on has a move label whose change shows.",
            "Choose an earlier --step, or another beast.",
        )
    return Drill(Kind.LABEL, window, wrong_steps[0], f"step {wrong_steps[0]} learns another move")


def _sample(start: WindowStart, mask: int, energy_burn: int, step: int) -> Drill:
    wrong_steps: list[int] = []

    def wrong(ctx: WindowContext, state: State, records: RecordSource | None) -> object:
        before = state.copy()
        step_window(ctx, state, records)
        if wrong_steps:
            return None
        header = before.header
        elsewhere = replace(header, global_step=(header.global_step + 1) % (1 << 32), arena=0)
        learn(ctx, before, sample(ctx, elsewhere, records))
        if not _same(before, state):  # a beast of few senses may see no difference
            wrong_steps.append(header.global_step % 128)
            state.header = before.header
            state.weights[:] = before.weights
        return None

    window = train_window(start, mask, energy_burn, step=_late(step, wrong))
    if not wrong_steps:
        raise ChainBeastsError(
            f"From step {step} on the beast learns the same from the next step's sample.",
            "Choose an earlier --step.",
        )
    return Drill(
        Kind.SAMPLE,
        window,
        wrong_steps[0],
        f"step {wrong_steps[0]} trains on the next step's sample",
    )


def _growth(start: WindowStart, mask: int, energy_burn: int) -> Drill:
    asleep = ~mask & 0xFF
    if not asleep:
        raise ChainBeastsError(
            f"All slots of beast {start.beast_id} are awake.", "Drill with another beast."
        )
    grown = mask | (asleep & -asleep)
    window = train_window(start, grown, energy_burn)
    window = replace(window, payload=replace(window.payload, active_mask=mask))
    lie = f"trained with mask {grown:#04x}, and paid for {mask:#04x}"
    return Drill(Kind.GROWTH, window, 0, lie)


def _loss(start: WindowStart, mask: int, energy_burn: int) -> Drill:
    window = train_window(start, mask, energy_burn)
    right = window.payload.window_loss
    window = replace(window, payload=replace(window.payload, window_loss=right // 2))
    return Drill(Kind.LOSS, window, None, f"states a loss of {right // 2}, it was {right}")


def _parent(start: WindowStart, mask: int, energy_burn: int) -> Drill:
    if start.head.head_count == 0:
        raise ChainBeastsError(
            f"Beast {start.beast_id} has no checkpoint to leave out.", "Train a window first."
        )
    newborn = genesis_state(start.beast_id, start.ctx.dna)
    forgetful = State(start.state.header, newborn.weights)

    def pretend(ctx: WindowContext, state: State, records: RecordSource | None) -> object:
        if state.header.parent != start.head.h128:
            state.update(parent=start.head.h128)
        return step_window(ctx, state, records)

    window = train_window(replace(start, state=forgetful), mask, energy_burn, step=pretend)
    return Drill(Kind.PARENT, window, 0, "goes on from the weights at hatch, not from its parent's")


def _blind(kind: Kind, window: TrainedWindow) -> Drill:
    lies = {
        Kind.INVENTED: f"{UNSEEN_WINDOWS} windows of other training, entered as one private window",
        Kind.WITHHELD: "a random hash that stands for no state, as a window of the curriculum",
    }
    return Drill(kind, window, None, lies[kind])


def _private(start: WindowStart, mask: int, energy_burn: int) -> Drill:
    words = start.words
    if start.ctx.source is not Source.PRIVATE or words is None:
        raise ChainBeastsError(
            "This drill needs a beast with a private dataset.", "Use --source private."
        )
    others = words[::-1]
    if list(others) == list(words):
        raise ChainBeastsError("The dataset reads the same backwards.", "Use another one.")
    first: list[int] = []

    def notice(ctx: WindowContext, state: State, records: RecordSource | None) -> object:
        before = state.copy()
        step_window(ctx, state, records)
        if not first:
            step_window(ctx, before, words.__getitem__)  # what it should have become
            if not _same(before, state):
                first.append((state.header.global_step - 1) % 128)
        return None

    window = train_window(replace(start, words=others), mask, energy_burn, step=notice)
    if not first:
        raise ChainBeastsError("The window meets no record that differs.", "Use another dataset.")
    return Drill(Kind.PRIVATE, window, first[0], "trained on the records in reverse order")
