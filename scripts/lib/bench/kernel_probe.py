"""Measures the kernel of the tree that it is run in, this one or an older one: prints JSON.

A program of its own, for `scripts.lib.bench.kernel`: it uses nothing but what both trees have, and
the newer tree's doors where they are there.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from eth_hash.auto import keccak

from chainbeasts.backend import kernels
from chainbeasts.backend.kernel.fighters import Fighter
from chainbeasts.backend.kernel.rules import Rules, Schedule
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.state import State, encode_state, serialize_weights, state_hash
from chainbeasts.backend.kernel.window import WindowContext, genesis_state, open_window

WINDOWS, FIGHTERS = 2_000, 8
BATCH = 50
SECONDS = 0.6


def least(run: Callable[[], object], times: int) -> float:
    """Least seconds of processor time of some runs of `times` calls, a call."""
    run()
    found: list[float] = []
    begun = time.perf_counter()
    while time.perf_counter() - begun < SECONDS or len(found) < 3:
        start = time.process_time()
        run()
        found.append((time.process_time() - start) / times)
    return min(found)


def trained(number: int) -> tuple[WindowContext, State]:
    """A beast after 2,000 curriculum windows with every slot awake, and its last context."""
    dna, schedule = bytes(keccak(b"beast %d" % number)), Schedule()
    state = genesis_state(1, dna)
    for window in range(WINDOWS):
        epoch = window // schedule.epoch_windows
        ctx = WindowContext(
            dna=dna,
            epoch_seed=bytes(keccak(dna + epoch.to_bytes(4))),
            heads=schedule.heads(epoch),
            lr_shift=schedule.lr_shift(epoch),
            source=Source.CURRICULUM,
            rules=Rules(),
        )
        state = open_window(state, 0xFF, dna)
        kernels.kernel_for(0xFF).run(ctx, state)
    return ctx, state


def replayer(ctx: WindowContext, state: State) -> tuple[Callable[[], object], int]:
    """Windows judged on one core: from the parent's state to the hash of the end."""
    parent = state_hash(state)
    if hasattr(kernels, "replay_windows"):
        import numpy as np

        from chainbeasts.backend.kernel import replay

        row = replay.window_row(ctx, 0xFF, parent, 0)
        windows, states = np.array([row] * BATCH), replay.state_rows([encode_state(state)])
        return lambda: kernels.replay_windows(windows, states), BATCH

    def run() -> None:
        for _ in range(BATCH):
            end = open_window(state, 0xFF, parent)
            kernels.kernel_for(0xFF).run(ctx, end)
            state_hash(end)

    return run, BATCH


def hashes(state: State) -> dict[str, float]:
    """Seconds for a state's hash, and for its bytes' alone, by vector extension."""
    door: Any = getattr(kernels, "state_hash", state_hash)
    found = {"state hash": least(lambda: [door(state) for _ in range(BATCH)], BATCH)}
    encoded = serialize_weights(state.weights)
    if not hasattr(kernels, "replay_windows"):
        found["bytes"] = least(lambda: [keccak(encoded) for _ in range(BATCH)], BATCH)
        return found
    from chainbeasts.backend.graph_cache.build import build
    from chainbeasts.backend.graph_cache.targets import vector_targets
    from chainbeasts.backend.kernel.native.graph import Graph
    from chainbeasts.backend.kernel.replay import state_rows

    rows = state_rows([encode_state(state)] * BATCH)
    for target in vector_targets():
        kernel = build(Graph(0xFF), target=target).kernel
        name = target.name.rpartition("-")[2]
        found[f"bytes {name}"] = least(lambda one=kernel: one.weights_roots(rows), BATCH)  # type: ignore[misc]
    return found


def main() -> None:
    """Measure and print."""
    beasts = [trained(number) for number in range(FIGHTERS)]
    ctx, state = beasts[0]
    kernel = kernels.kernel_for(0xFF)
    found = hashes(state)
    steps = 128 * BATCH
    found["micro-step"] = least(lambda: kernel.run(ctx, state.copy(), steps), steps)
    found["window"] = least(*replayer(ctx, state))
    fighters = [Fighter.of(ctx.dna, state) for ctx, state in beasts]
    pairs = [(a, b, seed) for seed, (a, b) in enumerate(pairwise(fighters))]
    matches = [(a, b, 64 * round_ + seed) for round_ in range(8) for a, b, seed in pairs]

    def play() -> int:
        return sum(kernels.play(a, b, seed, Rules()).turns for a, b, seed in matches)

    found["match"], found["turns"] = least(play, len(matches)), play() / len(matches)
    sys.stdout.write(f"\n{json.dumps(found)}\n")


if __name__ == "__main__":
    main()
