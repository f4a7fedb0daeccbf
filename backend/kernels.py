"""Which kernel runs windows and matches: the compiled one where there is one, else the reference.

Both give the same bits; a caller never needs to know which one it has.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import cache
from typing import Protocol

import numpy as np
import numpy.typing as npt
import structlog

from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.graph_cache.compilers import INSTALL_HINT, CompilerError
from chainbeasts.backend.graph_cache.tiered import EVERY_SLOT, Tiers, tiers_of
from chainbeasts.backend.kernel import replay
from chainbeasts.backend.kernel.combat import Match
from chainbeasts.backend.kernel.constants import SEGMENT_STEPS, SEGMENTS, WINDOW_STEPS
from chainbeasts.backend.kernel.fighters import Fighter, fight
from chainbeasts.backend.kernel.replay import Bytes, Replayed, Windows
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.state import State
from chainbeasts.backend.kernel.state import state_hash as reference_state_hash
from chainbeasts.backend.kernel.traces import Traces
from chainbeasts.backend.kernel.window import WindowContext, learn, step_window

log = structlog.get_logger()

CHOICE = "CHAINBEASTS_KERNEL"
CHOICES = ("auto", "native", "numpy")


class WindowKernel(Protocol):
    """Runs micro-steps on a state, in place, as ``backend.kernel.window`` defines them."""

    def run(
        self,
        ctx: WindowContext,
        state: State,
        steps: int = WINDOW_STEPS,
        records: Sequence[int] | None = None,
        *,
        traced: bool = False,
    ) -> Traces | None:
        """Steps of a window, like ``step_window`` repeated; what each did, if ``traced``."""
        ...

    def replay(
        self,
        windows: Windows,
        states: Bytes,
        records: bytes,
        order: npt.NDArray[np.uint32],
        found: Replayed,
    ) -> None:
        """Windows of one mask from bytes to bytes, like ``replay.replay_in_order``."""
        ...

    def learn(
        self, ctx: WindowContext, state: State, words: Sequence[int], *, traced: bool = False
    ) -> Traces | None:
        """A step on each of the given words, like ``window.learn`` repeated."""
        ...

    def play(self, a: Fighter, b: Fighter, battle_seed: int, rules: Rules) -> Match:
        """A whole match, like ``fighters.fight``."""
        ...

    def winners(
        self, a: Fighter, b: Fighter, battle_seeds: Sequence[int], rules: Rules
    ) -> list[int]:
        """Who wins a match on each seed, as ``Match.winner`` says it."""
        ...

    def state_hash(self, state: State) -> bytes:
        """Like ``state.state_hash``, whatever slots are awake."""
        ...


class ReferenceKernel:
    """The NumPy reference as a window kernel."""

    def run(
        self,
        ctx: WindowContext,
        state: State,
        steps: int = WINDOW_STEPS,
        records: Sequence[int] | None = None,
        *,
        traced: bool = False,
    ) -> Traces | None:
        read = records.__getitem__ if records is not None and ctx.reads_records else None
        done = [step_window(ctx, state, read) for _ in range(steps)]
        return Traces.of(done) if traced else None

    def replay(
        self,
        windows: Windows,
        states: Bytes,
        records: bytes,
        order: npt.NDArray[np.uint32],
        found: Replayed,
    ) -> None:
        replay.replay_in_order(windows, states, records, order, found)

    def learn(
        self, ctx: WindowContext, state: State, words: Sequence[int], *, traced: bool = False
    ) -> Traces | None:
        done = [learn(ctx, state, word) for word in words]
        return Traces.of(done) if traced else None

    def play(self, a: Fighter, b: Fighter, battle_seed: int, rules: Rules) -> Match:
        return fight(a, b, battle_seed, rules)

    def winners(
        self, a: Fighter, b: Fighter, battle_seeds: Sequence[int], rules: Rules
    ) -> list[int]:
        return [fight(a, b, seed, rules).winner for seed in battle_seeds]

    def state_hash(self, state: State) -> bytes:
        return reference_state_hash(state)


def chosen() -> str:
    """What ``CHAINBEASTS_KERNEL`` asks for: auto, native or numpy.

    Raises:
        ChainBeastsError: none of them.
    """
    choice = os.environ.get(CHOICE, CHOICES[0])
    if choice not in CHOICES:
        raise ChainBeastsError(f"{CHOICE} is {choice!r}.", f"It is one of {', '.join(CHOICES)}.")
    return choice


def kernel_for(active_mask: int, windows: int = 1) -> WindowKernel:
    """The kernel for states with these slots awake.

    The first of a process may be compiled, which takes a second or two; a mask's own is when that
    pays.

    Args:
        windows: how many it is going to run.

    Raises:
        ChainBeastsError: ``CHAINBEASTS_KERNEL=native``, and there is none.
    """
    found = _kernel(active_mask, chosen())
    return found.kernel(windows) if isinstance(found, Tiers) else found


def play(a: Fighter, b: Fighter, battle_seed: int, rules: Rules) -> Match:
    """The match of A against B, by the fastest kernel there is.

    Raises:
        ChainBeastsError: ``CHAINBEASTS_KERNEL=native``, and there is none.
    """
    return kernel_for(EVERY_SLOT).play(a, b, battle_seed, rules)


def winners(a: Fighter, b: Fighter, battle_seeds: Sequence[int], rules: Rules) -> list[int]:
    """Who wins the matches of A against B on some seeds: 0 for A, 1 for B, ``DRAW`` for neither.

    Raises:
        ChainBeastsError: ``CHAINBEASTS_KERNEL=native``, and there is none.
    """
    return kernel_for(EVERY_SLOT).winners(a, b, battle_seeds, rules)


def state_hash(state: State) -> bytes:
    """The hash of a state, by the fastest kernel there is.

    Raises:
        ChainBeastsError: ``CHAINBEASTS_KERNEL=native``, and there is none.
    """
    return kernel_for(EVERY_SLOT).state_hash(state)


def segment_hashes(
    ctx: WindowContext,
    state: State,
    records: Sequence[int] | None = None,
    on_traces: Callable[[Traces], None] | None = None,
) -> list[bytes]:
    """Run a whole window on its opened state, in place, like ``run_window``.

    Args:
        on_traces: told what the steps of each segment did.

    Returns:
        The state hash after each segment of 8 steps: 16, the last is h128.
    """
    kernel = kernel_for(state.header.active_mask)
    hashes = []
    for _ in range(SEGMENTS):
        traces = kernel.run(ctx, state, SEGMENT_STEPS, records, traced=on_traces is not None)
        if on_traces is not None and traces is not None:
            on_traces(traces)
        hashes.append(kernel.state_hash(state))
    return hashes


def replay_windows(
    windows: Windows,
    states: Bytes,
    records: bytes = b"",
    *,
    segments: bool = False,
    ends: Bytes | None = None,
) -> Replayed:
    """Replay any number of windows of any beasts, from the bytes of states to those of their ends.

    The compiled kernel runs without the GIL, so callers may share the work among threads.

    Args:
        windows: what to compute, see ``replay.WINDOW``. A window that starts from another's end
            comes after it.
        states: ``uint8[n][33984]``, encoded states, as ``state.encode_state`` makes them.
        records: 32-byte words that BATTLE and PRIVATE windows read.
        segments: give the hash after each of the 16 segments, not h128 alone.
        ends: where to put the states at the ends, such as shared memory; else a new array.

    Raises:
        ValueError: a window is not computable whatever its state is; ``Status`` has what the
            states' own bytes decide.
        ChainBeastsError: ``CHAINBEASTS_KERNEL=native``, and there is none.
    """
    replay.check_windows(windows, states, records)
    windows, states = np.ascontiguousarray(windows), np.ascontiguousarray(states)
    found = replay.empty_replay(len(windows), segments=segments, ends=ends)
    for mask, order in replay.batches(windows):
        kernel_for(mask, len(order)).replay(windows, states, records, order, found)
    return found


@cache
def _kernel(active_mask: int, choice: str) -> Tiers | ReferenceKernel:
    if choice == "numpy":
        return ReferenceKernel()
    try:
        return tiers_of(active_mask)
    except CompilerError as error:
        if choice == "native":
            raise
        _warn(error.message, error.hint or INSTALL_HINT)
        return ReferenceKernel()


@cache
def _warn(reason: str, hint: str) -> None:
    """Once per process and reason."""
    log.warning(
        "windows and matches run on the NumPy reference, hundreds of times slower",
        reason=reason,
        do=hint,
    )
