"""Tries a freshly compiled kernel against the reference, so that no miscompiled one is kept."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np

from chainbeasts.backend.kernel.constants import SEGMENT_STEPS, WEIGHT_MAX, WEIGHT_MIN, WEIGHTS
from chainbeasts.backend.kernel.fighters import Fighter, fight
from chainbeasts.backend.kernel.native.abi import NativeKernel
from chainbeasts.backend.kernel.network import Weights
from chainbeasts.backend.kernel.replay import empty_replay, state_rows, window_row
from chainbeasts.backend.kernel.rng import draw, split_mix64
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.samples import Source, random_position
from chainbeasts.backend.kernel.state import Header, State, encode_state, state_hash
from chainbeasts.backend.kernel.traces import Traces
from chainbeasts.backend.kernel.window import WindowContext, open_window, step_window

STEPS = 4
SPREADS = (600, 3_000, 40_000)
"""Half-widths of the weights: like a trained beast's, larger, and mostly at the limits."""

AWAKE = (0xFF, 0x5A, 0xC3)
"""Slots that are left of an object's with each: it serves brains with fewer, too."""

RECORDS = 5
MATCH_TURNS = 24


@cache
def _weights(seed: int, spread: int) -> Weights:
    values = (draw(seed, i) % (2 * spread + 1) - spread for i in range(WEIGHTS))
    made = np.array([min(max(w, WEIGHT_MIN), WEIGHT_MAX) for w in values], dtype=np.int16)
    made.setflags(write=False)
    return made


def agrees_with_reference(kernel: NativeKernel) -> bool:
    """Whether the kernel steps to the same states as the reference, bit for bit.

    A few steps from each of three kinds of state and all sources, with every learning rate and
    fewer slots awake than the object has; and matches between them, which the compiled kernel has
    to lead to the same log and root.
    """
    return _steps_agree(kernel) and _hashes_agree(kernel) and _matches_agree(kernel)


def _hashes_agree(kernel: NativeKernel) -> bool:
    """A window from bytes to bytes, against its steps and the reference's segment hashes."""
    mask = kernel.graph.active_mask
    dna = bytes(range(7, 39))
    ctx = WindowContext(dna, dna[::-1], 7, 9, Source.SELF_PLAY, Rules())
    parent = State(Header(3, dna, 5, mask, 0, 0), _weights(9, SPREADS[0]))
    windows = np.array([window_row(ctx, mask, dna, 0)])
    found = empty_replay(1, segments=True)
    start = state_rows([encode_state(parent)])
    kernel.replay(windows, start, b"", np.zeros(1, np.uint32), found)
    state = open_window(parent, mask, dna)
    for digest in found.hashes[0]:
        kernel.run(ctx, state, SEGMENT_STEPS)
        if not digest.tobytes() == state_hash(state) == kernel.state_hash(state):
            return False
    end: bytes = found.ends[0].tobytes()
    return end == encode_state(state)


def _matches_agree(kernel: NativeKernel) -> bool:
    rules = Rules(max_turns=MATCH_TURNS)
    mask = kernel.graph.active_mask
    fighters = [
        Fighter(bytes(range(trial, trial + 32)), _weights(trial, spread), mask & awake)
        for trial, (spread, awake) in enumerate(zip(SPREADS, AWAKE, strict=True))
    ]
    return all(
        kernel.play(a, b, seed, rules) == fight(a, b, seed, rules)
        for seed, (a, b) in enumerate(pairwise((*fighters, fighters[0])), 60)
    )


def _steps_agree(kernel: NativeKernel) -> bool:
    rules = Rules()
    drawn = (random_position(split_mix64(i), None, rules) for i in range(RECORDS - 1))
    words = (*drawn, 0)  # the last is not valid
    for trial, spread in enumerate(SPREADS):
        weights = _weights(trial, spread)
        for source in Source:
            case = len(Source) * trial + source
            dna = bytes((case * 7 + i * 31) % 256 for i in range(32))
            ctx = WindowContext(
                dna=dna,
                epoch_seed=dna[::-1],
                heads=(7, 3, 1, 7)[case % 4],
                lr_shift=3 + case % 13,
                source=source,
                rules=rules,
                owner_secret_fold=split_mix64(case),
                records_length=RECORDS,
            )
            mask = kernel.graph.active_mask & AWAKE[trial]
            header = Header(1, dna, (1 << 32) - 2, mask, 0, 0)
            wanted, found = State(header, weights.copy()), State(header, weights.copy())
            steps = [step_window(ctx, wanted, words.__getitem__) for _ in range(STEPS)]
            traces = kernel.run(ctx, found, STEPS, words, traced=True)
            same = traces is not None and np.array_equal(traces.rows, Traces.of(steps).rows)
            if not same or wanted.header != found.header:
                return False
            if not np.array_equal(wanted.weights, found.weights):
                return False
    return True
