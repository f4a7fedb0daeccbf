"""What runs on a cluster's worker: who it is, and batches of windows. No chain, no database.

A worker keeps nothing on disk; states that it fetched or computed stay in its memory for a while,
so that a beast's next window finds its parent there.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from chainbeasts.backend.graph_cache.build import build
from chainbeasts.backend.graph_cache.compilers import CompilerError
from chainbeasts.backend.kernel.native.graph import Graph, source
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.state import encode_state
from chainbeasts.backend.kernel.tables import KERNEL_ID
from chainbeasts.backend.kernel.window import WindowContext, genesis_state, open_window
from chainbeasts.backend.kernels import chosen, kernel_for, state_hash
from chainbeasts.backend.store.places import open_place
from chainbeasts.backend.store.published import PublishedStates
from chainbeasts.validator.judge.batch import Batch, Outcome, replay_batch, resolved, runs_of

PROCESS = secrets.token_hex(8)
"""Tells this process from the one that had its address before."""

ALL_AWAKE = 0xFF
MOST_STATES = 512
"""States in memory, 34 kB each."""


class AnotherProcessError(RuntimeError):
    """The worker was started anew since it was checked."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a process replays windows with.

    Attributes:
        process: names the process.
        kernel_id: 32 bytes.
        source: SHA-256 of the compiled kernel's C source, hex.
        variation: digest of everything its object depends on (source, compiler, flags, CPU), hex;
            empty for the NumPy reference or an object that is not kept.
        object: SHA-256 of the object, hex; empty likewise.
        probe: state hash after a window that everybody computes alike.
    """

    process: str
    kernel_id: bytes
    source: str
    variation: str
    object: str
    probe: bytes


def identity() -> Identity:
    """This process's identity."""
    texts = source(Graph(ALL_AWAKE))
    digest = hashlib.sha256("\0".join(f"{n}\0{texts[n]}" for n in sorted(texts)).encode())
    variation = compiled = ""
    if chosen() != "numpy":
        try:
            kept = build(Graph(ALL_AWAKE)).object
        except CompilerError:
            kept = None
        if kept is not None:
            variation = kept.digest
            compiled = hashlib.sha256(kept.path.read_bytes()).hexdigest()
    return Identity(PROCESS, KERNEL_ID, digest.hexdigest(), variation, compiled, _probe())


def _probe() -> bytes:
    """The state hash after one self-play window with every slot awake."""
    dna = bytes(range(32))
    state = open_window(genesis_state(1, dna), ALL_AWAKE)
    ctx = WindowContext(dna, bytes(32), 7, 9, Source.SELF_PLAY, Rules())
    kernel_for(ALL_AWAKE).run(ctx, state)
    return state_hash(state)


def difference(ours: Identity, theirs: Identity) -> str | None:
    """Why a worker's results cannot count; None if it computes what we compute."""
    if theirs.kernel_id != ours.kernel_id:
        return "it runs another kernel"
    if theirs.source != ours.source:
        return "its compiled kernel has another source"
    same = bool(ours.variation) and theirs.variation == ours.variation
    if same and theirs.object != ours.object:
        return "its compiled kernel is not the object that the same compiler made here"
    if theirs.probe != ours.probe:
        return "it computes another state from the same window"
    return None


def work(process: str, batch: Batch) -> Outcome:
    """Judge a batch.

    The ends of runs whose starts were fetched stay here: the daemon can fetch them, too.

    Args:
        process: whom the daemon checked.

    Raises:
        AnotherProcessError: that is not this process.
    """
    if process != PROCESS:
        raise AnotherProcessError
    if not batch.fetched:
        return replay_batch(batch)
    whole = resolved(batch, lambda h: _states.get(h) or _fetch(h, batch.places))
    for row in batch.fetched.keys() - whole.fetched.keys():
        _remember(batch.fetched[row], whole.states[row].tobytes())
    found, runs = replay_batch(whole), runs_of(whole)
    stays = np.isin(runs[found.last], list(batch.fetched))
    for place in np.flatnonzero(stays):
        _remember(whole.h128[found.last[place]].tobytes(), found.ends[place].tobytes())
    return replace(found, last=found.last[~stays], ends=found.ends[~stays])


class Replayer:
    """What a daemon has on a worker: an actor of dask, whose calls pass the scheduler by."""

    def __init__(self) -> None:
        from distributed import get_worker

        # Of its own, as many as the operator gave it: all actors of a worker share one of dask's.
        self._threads = ThreadPoolExecutor(get_worker().state.nthreads, "replay")

    def identity(self) -> Identity:
        """See ``identity``."""
        return identity()

    async def work(self, process: str, batch: Batch) -> Outcome:
        """See ``work``."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, work, process, batch)


_states: OrderedDict[bytes, bytes] = OrderedDict()


def _remember(h: bytes, state: bytes) -> None:
    _states[h] = state
    _states.move_to_end(h)
    while len(_states) > MOST_STATES:
        _states.popitem(last=False)


def _fetch(h: bytes, places: Sequence[str]) -> bytes | None:
    for url in places:
        state = _place(url).get(h)
        if state is not None:
            return encode_state(state)
    return None


@cache
def _place(url: str) -> PublishedStates:
    return PublishedStates(open_place(url))
