"""The compiled kernel of a mask in two tiers: an object for every mask, and its own once that pays.

The object with every slot awake serves brains with fewer, too, at 0 to 18 % more time for a window
(AVX-512); an object of their own takes a second or two to compile. So a new graph costs nobody a
wait, and whoever replays for days has the faster one.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import structlog

from chainbeasts.backend.graph_cache.build import build, find_kept
from chainbeasts.backend.graph_cache.compilers import CompilerError
from chainbeasts.backend.kernel.combat import Match
from chainbeasts.backend.kernel.constants import WINDOW_STEPS
from chainbeasts.backend.kernel.fighters import Fighter
from chainbeasts.backend.kernel.native.abi import NativeKernel
from chainbeasts.backend.kernel.native.graph import Graph
from chainbeasts.backend.kernel.replay import Bytes, Replayed, Windows
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.state import State
from chainbeasts.backend.kernel.traces import Traces
from chainbeasts.backend.kernel.window import WindowContext

log = structlog.get_logger()

EVERY_SLOT = 0xFF
"""The graph that serves all others."""

WORTH_WINDOWS = 131_072
"""Windows of a graph after which a process compiles its own object: about as many as have cost by
then, at ten microseconds each, what compiling costs. Whatever is still to come, the two together
cost at most twice what was best."""


class TieredKernel:
    """A window kernel for states with some slots awake; threads may share it.

    Args:
        every: the object that serves every mask.
        graph: what to compile an object for.
        worth: after how many windows.
    """

    def __init__(self, every: NativeKernel, graph: Graph, worth: int = WORTH_WINDOWS) -> None:
        self.graph = graph
        self._kernel = every
        self._left = worth * WINDOW_STEPS
        self._compiling = threading.Lock()

    def run(
        self,
        ctx: WindowContext,
        state: State,
        steps: int = WINDOW_STEPS,
        records: Sequence[int] | None = None,
        *,
        traced: bool = False,
    ) -> Traces | None:
        """See ``NativeKernel.run``."""
        self._check(state)
        return self._for(steps).run(ctx, state, steps, records, traced=traced)

    def replay(
        self,
        windows: Windows,
        states: Bytes,
        records: bytes,
        order: npt.NDArray[np.uint32],
        found: Replayed,
    ) -> None:
        """See ``NativeKernel.replay``."""
        self._for(len(order) * WINDOW_STEPS).replay(windows, states, records, order, found)

    def learn(
        self, ctx: WindowContext, state: State, words: Sequence[int], *, traced: bool = False
    ) -> Traces | None:
        """See ``NativeKernel.learn``."""
        self._check(state)
        return self._for(len(words)).learn(ctx, state, words, traced=traced)

    def play(self, a: Fighter, b: Fighter, battle_seed: int, rules: Rules) -> Match:
        """See ``NativeKernel.play``."""
        return self._kernel.play(a, b, battle_seed, rules)

    def winners(
        self, a: Fighter, b: Fighter, battle_seeds: Sequence[int], rules: Rules
    ) -> list[int]:
        """See ``NativeKernel.winners``."""
        return self._kernel.winners(a, b, battle_seeds, rules)

    def state_hash(self, state: State) -> bytes:
        """See ``NativeKernel.state_hash``."""
        return self._kernel.state_hash(state)

    def _check(self, state: State) -> None:
        """Whether a state is this graph's must not depend on which object serves it now.

        Raises:
            ValueError: it has more slots awake.
        """
        self.graph.check(state.header.active_mask, "a state")

    def _for(self, steps: int) -> NativeKernel:
        """The object to run so many steps with; compiles the graph's own when it is worth it."""
        # Threads may count over each other: it decides when to compile, and nothing else.
        self._left -= steps
        if self._left <= 0 and self._compiling.acquire(blocking=False):
            # Never released: it is tried once, while other threads go on with what there is.
            try:
                self._kernel = build(self.graph).kernel
            except CompilerError as error:
                log.warning("a graph goes on with the kernel of all", reason=error.message)
        return self._kernel


def tiered(mask: int) -> TieredKernel | NativeKernel:
    """A mask's kernel: its own object if somebody compiled it before, else the one for all first.

    Raises:
        CompilerError: neither is there, and no compiler, or it fails or miscompiles.
    """
    graph = Graph(mask)
    own = find_kept(graph)
    if own is not None:
        return own.kernel
    every = build(Graph(EVERY_SLOT)).kernel
    return every if mask == EVERY_SLOT else TieredKernel(every, graph)
