"""Which other labels and samples a wrong micro-step may have learned from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from chainbeasts.backend.kernel.constants import HEAD_ATTACK, HEAD_BLOCK, HEAD_MOVE
from chainbeasts.backend.kernel.labels import Label
from chainbeasts.backend.kernel.state import State
from chainbeasts.backend.kernel.window import MASK32, sample, sample_index
from chainbeasts.validator.judge.replay import Window

NEIGHBOURHOOD = 128
"""How far away another sample is looked for, in steps or records."""

LABEL_PARTS = ("move", "attack", "block")


def other_labels(right: Label, heads: int) -> Iterator[Label]:
    """Every label that differs in an unlocked head, those first that differ in one."""
    moves = (None, 0, 1, 2, 3) if heads & HEAD_MOVE else (right.move,)
    attacks = range(16) if heads & HEAD_ATTACK else (right.attack,)
    blocks = (0, 1) if heads & HEAD_BLOCK else (right.block,)
    labels = (Label(*values) for values in product(moves, attacks, blocks))
    yield from sorted(
        (found for found in labels if found != right),
        key=lambda found: len(differing_heads(right, found)),
    )


def differing_heads(right: Label, wrong: Label) -> list[str]:
    """The heads that two labels teach differently."""
    return [name for name in LABEL_PARTS if getattr(right, name) != getattr(wrong, name)]


def show_label(found: Label) -> str:
    """A label for people."""
    move = "none" if found.move is None else "NSEW"[found.move]
    return f"(move {move}, attack {found.attack}, block {found.block})"


def other_samples(window: Window, before: State) -> Iterator[tuple[str, int]]:
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
