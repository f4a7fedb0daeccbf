"""Windows made by hand with the kernel, honest or with one lie; no chain."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from chainbeasts.backend.chain.types import NO_CHECKPOINT, Checkpoint, CheckpointPayload
from chainbeasts.backend.kernel.constants import SEGMENT_STEPS, WINDOW_STEPS
from chainbeasts.backend.kernel.labels import Label, label
from chainbeasts.backend.kernel.merkle import root
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.samples import Source, random_position
from chainbeasts.backend.kernel.state import State
from chainbeasts.backend.kernel.window import (
    WindowContext,
    genesis_state,
    learn,
    open_window,
    sample,
)
from chainbeasts.backend.kernels import state_hash
from chainbeasts.validator.judge.replay import Window
from tests.support.stepping import advance

DNA = bytes(range(32))
RULES = Rules(256, 0, 32, 96, 16, 2, 2, 60, 4, 5)
BEAST = 3


@dataclass
class Lies:
    """What goes wrong at one step (0 to 127) of a window."""

    step: int = 0
    weight: tuple[int, int] | None = None
    label: Callable[[Label], Label] | None = None
    sample_of: int | None = None


def context(
    source: Source = Source.CURRICULUM, words: Sequence[int] = (), heads: int = 7
) -> WindowContext:
    """What the window is computed with."""
    private = source is Source.PRIVATE
    return WindowContext(
        dna=DNA,
        epoch_seed=bytes(32),
        heads=heads,
        lr_shift=9,
        source=source,
        rules=RULES,
        owner_secret_fold=77 if private else 0,
        records_root=root(words) if private else bytes(32),
        records_length=len(words) if private else 0,
    )


def private_words(count: int = 12) -> tuple[int, ...]:
    return tuple(random_position(seed, None, RULES) for seed in range(count))


def make(
    source: Source = Source.CURRICULUM,
    words: Sequence[int] = (),
    lies: Lies | None = None,
    *,
    heads: int = 7,
    **payload: int,
) -> tuple[Window, list[bytes]]:
    """A first window as the validator gets it, and the segments that its trainer computed."""
    ctx, wrong = context(source, words, heads), lies or Lies(-1)
    parent = genesis_state(BEAST, DNA)
    state = open_window(parent, parent.header.active_mask)
    segments = []
    for end in range(SEGMENT_STEPS, WINDOW_STEPS + 1, SEGMENT_STEPS):
        done = end - SEGMENT_STEPS
        if done <= wrong.step < end:
            advance(ctx, state, wrong.step - done, words)
            _lie(ctx, state, wrong, words.__getitem__ if words else None)
            done = wrong.step + 1
        advance(ctx, state, end - done, words)
        segments.append(state_hash(state))
    header = state.header
    stated = CheckpointPayload(
        0, segments[-1], 1, 9, header.active_mask, 128, header.window_loss, source
    )
    record: Checkpoint = replace(NO_CHECKPOINT, payload=replace(stated, **payload))
    return Window(BEAST, record, ctx, parent, words or None, state), segments


def _lie(
    ctx: WindowContext, state: State, wrong: Lies, records: Callable[[int], int] | None
) -> None:
    header = state.header
    if wrong.sample_of is not None:
        header = replace(header, global_step=wrong.sample_of)
    word = sample(ctx, header, records)
    learn(ctx, state, word, None if wrong.label is None else wrong.label(label(word, RULES)))
    if wrong.weight is not None:
        position, delta = wrong.weight
        state.weights[position] += delta
