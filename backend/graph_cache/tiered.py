"""The compiled kernel of a mask in two tiers: an object for every mask, and its own once that pays.

The object with every slot awake serves brains with fewer, too, at up to 18 % more time for a window
(AVX-512); an object of their own takes a second or two to compile. So a new graph costs nobody a
wait, and whoever replays for days has the faster one.
"""

from __future__ import annotations

import threading

import structlog

from chainbeasts.backend.graph_cache.build import build, find_kept
from chainbeasts.backend.graph_cache.compilers import CompilerError
from chainbeasts.backend.kernel.native.abi import NativeKernel
from chainbeasts.backend.kernel.native.graph import Graph

log = structlog.get_logger()

EVERY_SLOT = 0xFF
"""The graph that serves all others."""

WORTH_WINDOWS = 131_072
"""Windows of a graph after which a process compiles its own object: about as many as have cost by
then, at ten microseconds each, what compiling costs. Whatever is still to come, the two together
cost at most twice what was best."""


class Tiers:
    """Which object serves a graph now; threads may share it.

    Args:
        first: the graph's own, or the one that serves every mask.
        worth: windows after which the graph has its own.
    """

    def __init__(self, graph: Graph, first: NativeKernel, worth: int = WORTH_WINDOWS) -> None:
        self._graph, self._kernel, self._left = graph, first, worth
        self._compiling = threading.Lock()

    def kernel(self, windows: int) -> NativeKernel:
        """The object to run so many windows with; compiles the graph's own when that pays."""
        if self._kernel.graph == self._graph:
            return self._kernel
        # Threads may count over each other: it decides when to compile, and nothing else.
        self._left -= windows
        if self._left <= 0 and self._compiling.acquire(blocking=False):
            # Never released: it is tried once, while other threads go on with what there is.
            try:
                self._kernel = build(self._graph).kernel
            except CompilerError as error:
                log.warning("a graph goes on with the kernel of all", reason=error.message)
        return self._kernel


def tiers_of(mask: int) -> Tiers:
    """A mask's tiers: its own object if somebody compiled it before, else the one for all first.

    Raises:
        CompilerError: neither is there, and no compiler, or it fails or miscompiles.
    """
    graph = Graph(mask)
    return Tiers(graph, (find_kept(graph) or build(Graph(EVERY_SLOT))).kernel)
