"""How fast windows run: the compiled kernel against the reference, replays, processes, start."""

from __future__ import annotations

import multiprocessing
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from eth_hash.auto import keccak

from chainbeasts.backend.kernel.constants import STATE_BYTES, WINDOW_STEPS
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.state import State
from chainbeasts.backend.kernel.window import WindowContext, open_window, step_window
from chainbeasts.backend.kernels import kernel_for, state_hash
from scripts.lib.bench.beasts import Birth, context, train
from scripts.lib.bench.figures import Figure
from scripts.lib.bench.learning import DOCUMENTED, PLANS

ROUNDS = 9
REFERENCE_STEPS = 256
NATIVE_WINDOWS = 200
SLICE_SECONDS, GAIN_ROUNDS = 1.0, 15


def best(run: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Least seconds of some runs: what the machine can do when nothing else disturbs it."""
    found = []
    for _ in range(rounds):
        begun = time.perf_counter()
        run()
        found.append(time.perf_counter() - begun)
    return min(found)


def native_step(state: State, ctx: WindowContext) -> float:
    """Seconds for one compiled micro-step, samples and labels included."""
    kernel = kernel_for(state.header.active_mask)
    steps = WINDOW_STEPS * NATIVE_WINDOWS

    def run() -> None:
        kernel.run(ctx, state.copy(), steps)

    return best(run) / steps


def reference_step(state: State, ctx: WindowContext) -> float:
    """Seconds for one micro-step of the NumPy reference, samples and labels included."""

    def run() -> None:
        own = state.copy()
        for _ in range(REFERENCE_STEPS):
            step_window(ctx, own)

    return best(run, 3) / REFERENCE_STEPS


def replay(state: State, ctx: WindowContext, parent_hash: bytes) -> bytes:
    """What a validator computes for a window: samples, steps, and the hash of the end."""
    end = open_window(state, state.header.active_mask, parent_hash)
    kernel_for(state.header.active_mask).run(ctx, end)
    return state_hash(end)


def _replay_for(
    seconds: float, state: State, ctx: WindowContext, parent_hash: bytes
) -> tuple[int, float]:
    """Windows replayed, and the seconds that took."""
    replay(state, ctx, parent_hash)
    done, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < seconds:
        for _ in range(50):
            replay(state, ctx, parent_hash)
        done += 50
    return done, time.perf_counter() - begun


def _hash_for(seconds: float) -> tuple[int, float]:
    """Hashes of a serialised state made, and the seconds that took."""
    data = bytes(STATE_BYTES)
    done, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < seconds:
        for _ in range(50):
            keccak(data)
        done += 50
    return done, time.perf_counter() - begun


def parallel_gains(*work: Any) -> tuple[float, float]:
    """What two processes do together over what they do alone: replaying, and only hashing.

    The machine's speed drifts; so each round lets the first, both, and the second work in turn, and
    the median of the rounds' ratios counts. Processes that only hash share nothing: theirs is what
    the machine itself gives.
    """
    spawn: Any = multiprocessing.get_context("spawn")
    with (
        ProcessPoolExecutor(1, mp_context=spawn) as first,
        ProcessPoolExecutor(1, mp_context=spawn) as second,
    ):

        def together(*pools: ProcessPoolExecutor, hashes: bool) -> float:
            task, given = (_hash_for, ()) if hashes else (_replay_for, work)
            started = [pool.submit(task, SLICE_SECONDS, *given) for pool in pools]
            return sum(done / seconds for done, seconds in (one.result() for one in started))

        def gain(hashes: bool) -> float:
            before = together(first, hashes=hashes)
            both = together(first, second, hashes=hashes)
            return 2 * both / (before + together(second, hashes=hashes))

        gain(hashes=False)  # imports, and the first use of the kernel
        rounds = [(gain(hashes=False), gain(hashes=True)) for _ in range(GAIN_ROUNDS)]
        replays, hashes = zip(*rounds, strict=True)
        return statistics.median(replays), statistics.median(hashes)


START = """
import time
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.window import WindowContext, genesis_state
from chainbeasts.backend.kernels import kernel_for
begun = time.perf_counter()
dna = bytes(range(32))
state = genesis_state(1, dna)
ctx = WindowContext(dna, bytes(32), 7, 9, Source.CURRICULUM, Rules())
kernel_for(state.header.active_mask).run(ctx, state, 1)
print(time.perf_counter() - begun)
"""


def start() -> float:
    """Seconds from the end of the imports to the end of the first step, in a new process."""
    root = Path(__file__).resolve().parents[3]

    def run() -> float:
        done = subprocess.run(
            [sys.executable, "-c", START], cwd=root, capture_output=True, text=True, check=True
        )
        return float(done.stdout.splitlines()[-1])

    run()
    return statistics.median(run() for _ in range(5))


def measure(born: Sequence[Birth], tell: Callable[[str], None]) -> list[Figure]:
    """All figures, on the first beast after its documented plan."""
    birth = born[0]
    tell("training a beast to measure on")
    state = train(birth, PLANS[DOCUMENTED])
    ctx = context(birth, 1_999, Source.CURRICULUM)
    tell("micro-steps")
    native, reference = native_step(state, ctx), reference_step(state, ctx)
    parent_hash = state_hash(state)
    tell("replays")
    windows = max(done / took for done, took in _several(state, ctx, parent_hash))
    floor = 1 / (best(lambda: [state_hash(state) for _ in range(20)]) / 20)
    tell("processes")
    gain, ceiling = parallel_gains(state, ctx, parent_hash)
    tell("start")
    warm = start()
    curriculum = "all slots awake, source curriculum"
    return [
        Figure("native micro-step, trained net", native * 1e6, "µs",
               method=f"{curriculum}, sample and label included, least of {ROUNDS} runs"),
        Figure("ratio to the NumPy reference", reference / native, "×", 350,
               method=f"same run, same state; the reference takes {reference * 1e6:,.0f} µs"),
        Figure("window replay, one core", windows, "windows/s", 2_500,
               method="open, 128 steps, state hash; the best of three times two seconds"),
        Figure("share of the hashing floor", 100 * windows / floor, "%",
               method=f"hashing one state and nothing else: {floor:,.0f} a second"),
        Figure("two processes over one", gain, "×", 1.9,
               method="replays; the first, both and the second process in turn for "
               f"{SLICE_SECONDS:g} s each, median of {GAIN_ROUNDS} ratios; {os.cpu_count()} cores, "
               f"which give {ceiling:.2f} × to processes that only hash, measured in between"),
        Figure("start to first step, warm caches", warm * 1e3, "ms", 100, True,
               "a new process, from the end of its imports; the median of five"),
    ]  # fmt: skip


def _several(state: State, ctx: WindowContext, parent_hash: bytes) -> list[tuple[int, float]]:
    return [_replay_for(2.0, state, ctx, parent_hash) for _ in range(3)]
