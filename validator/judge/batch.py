"""Windows of many beasts judged in one call: arrays in, verdicts and the last states out.

A run is consecutive windows of one beast: the first starts from a given state, each later one from
the end of the one before. No chain, no database, so that it runs in any executor.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from chainbeasts.backend.chain.types import Checkpoint
from chainbeasts.backend.kernel.board import word_bytes
from chainbeasts.backend.kernel.replay import WINDOW, Bytes, Status, Windows, along_chains
from chainbeasts.backend.kernel.state import ENCODED_BYTES
from chainbeasts.backend.kernel.window import WindowContext
from chainbeasts.backend.kernels import replay_windows

STATED_BYTES = 5 * 32
"""Of a header: beast, parent, global step, mask and window loss, which the payload states. The
sixth field, the arena, it does not."""

AT_ONCE = 256
"""Windows of a batch, or about as many, whose ends are in memory together."""


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive windows of one beast.

    Attributes:
        parent: the encoded state that the first one starts from; None for whoever replays it to
            fetch.
        parents: the state hash that each starts from.
        words: of each the records that it reads, by index; None for one that reads none.
    """

    beast_id: int
    checkpoints: Sequence[Checkpoint]
    contexts: Sequence[WindowContext]
    parents: Sequence[bytes]
    parent: bytes | None
    words: Sequence[Sequence[int] | None]


@dataclass(frozen=True, slots=True)
class Batch:
    """Runs as arrays.

    Attributes:
        windows: WINDOW[n]; see ``backend.kernel.replay``.
        h128: uint8[n][32], as the checkpoints state it.
        stated: uint8[n][160], the beginning of the header that each end must have.
        states: uint8[m][33984], where the runs start.
        records: words of BATTLE and PRIVATE windows.
        fetched: rows of ``states`` that are zeros, each with the hash of the state that belongs
            there.
        places: URLs that serve those.
    """

    windows: Windows
    h128: Bytes
    stated: Bytes
    states: Bytes
    records: bytes = b""
    fetched: dict[int, bytes] = field(default_factory=dict)
    places: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.windows)

    @property
    def local(self) -> bool:
        """Whether it must not leave this machine: a private dataset is its owner's secret."""
        return bool(self.records)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a batch's replay found.

    Attributes:
        right: of each window whether it, and all before it in its run, are recomputed, with the
            stated hash and header.
        absent: of each window whether the state that its run starts from was not to be had.
        last: windows whose ends are given: of each run the last right one.
        ends: uint8[k][33984], their encoded ends.
        seconds: that it took.
    """

    right: npt.NDArray[np.bool_]
    absent: npt.NDArray[np.bool_]
    last: npt.NDArray[np.int64]
    ends: Bytes
    seconds: float = 0.0


def batch_of(runs: Sequence[Run], places: tuple[str, ...] = ()) -> Batch:
    """The arrays of some runs."""
    count = sum(len(run.checkpoints) for run in runs)
    windows = np.zeros(count, WINDOW)
    contexts = [ctx for run in runs for ctx in run.contexts]
    records = [(run, record) for run in runs for record in run.checkpoints]
    payloads = [record.payload for _, record in records]
    parents = _rows([parent for run in runs for parent in run.parents], 32)
    windows["dna"] = _rows([ctx.dna for ctx in contexts], 32)
    windows["epoch_seed"] = _rows([ctx.epoch_seed for ctx in contexts], 32)
    windows["parent"] = parents
    windows["owner_secret_fold"] = [ctx.owner_secret_fold for ctx in contexts]
    windows["records_length"] = [ctx.records_length for ctx in contexts]
    windows["active_mask"] = [payload.active_mask for payload in payloads]
    windows["source"] = [int(ctx.source) for ctx in contexts]
    windows["heads"] = [ctx.heads for ctx in contexts]
    windows["lr_shift"] = [ctx.lr_shift for ctx in contexts]
    windows["rules"] = [ctx.rules.values() for ctx in contexts]
    starts = np.zeros(count, np.int64)
    first, fetched, states = 0, dict[int, bytes](), []
    for number, run in enumerate(runs):
        length = len(run.checkpoints)
        starts[first] = number
        starts[first + 1 : first + length] = [~row for row in range(first, first + length - 1)]
        if run.parent is None:
            fetched[number] = run.parents[0]
        states.append(run.parent or bytes(ENCODED_BYTES))
        first += length
    windows["start"] = starts
    windows["records_start"], words = _records([words for run in runs for words in run.words])
    stated = np.zeros((count, 5, 32), np.uint8)
    stated[:, 0] = _rows([run.beast_id.to_bytes(32) for run, _ in records], 32)
    stated[:, 1] = parents
    for place, name in ((2, "global_step"), (3, "active_mask"), (4, "window_loss")):
        values = np.array([getattr(payload, name) for payload in payloads], ">u4")
        stated[:, place, 28:] = values.view(np.uint8).reshape(count, 4)
    return Batch(
        windows,
        _rows([payload.h128 for payload in payloads], 32),
        stated.reshape(count, STATED_BYTES),
        _rows(states, ENCODED_BYTES),
        words,
        fetched,
        places if fetched else (),
    )


def _records(read: Sequence[Sequence[int] | None]) -> tuple[list[int], bytes]:
    """Where each window's records begin, and all of them; those of one dataset once."""
    places, starts, data = dict[int, int](), [], bytearray()
    for words in read:
        if words is not None and id(words) not in places:
            places[id(words)] = len(data) // 32
            data += b"".join(map(word_bytes, words))
        starts.append(0 if words is None else places[id(words)])
    return starts, bytes(data)


def _rows(parts: Sequence[bytes], size: int) -> Bytes:
    return np.frombuffer(b"".join(parts), np.uint8).reshape(len(parts), size)


def resolved(batch: Batch, load: Callable[[bytes], bytes | None]) -> Batch:
    """A batch with the states that were to be fetched, as far as they are to be had.

    Args:
        load: an encoded state by its hash, which it has checked.
    """
    if not batch.fetched:
        return batch
    states, absent = batch.states.copy(), dict[int, bytes]()
    for row, h in batch.fetched.items():
        found = load(h)
        if found is None:
            absent[row] = h
        else:
            states[row] = np.frombuffer(found, np.uint8)
    return replace(batch, states=states, fetched=absent)


def runs_of(batch: Batch) -> npt.NDArray[np.int64]:
    """Of each window the row of the state that its run starts from."""
    start = batch.windows["start"]
    return along_chains(start, start, lambda own, before: before)


def part_of(batch: Batch, runs: Collection[int]) -> tuple[Batch, npt.NDArray[np.int64]]:
    """The batch of some runs alone, and which windows of the whole it has."""
    rows = np.flatnonzero(np.isin(runs_of(batch), list(runs)))
    new = {int(old): number for number, old in enumerate(rows)}
    windows = batch.windows[rows].copy()
    for number, start in enumerate(windows["start"]):
        if start < 0:
            windows["start"][number] = ~new[int(~start)]
    stated, h128 = batch.stated[rows], batch.h128[rows]
    fetched = {row: h for row, h in batch.fetched.items() if row in runs}
    return replace(batch, windows=windows, h128=h128, stated=stated, fetched=fetched), rows


def replay_batch(batch: Batch) -> Outcome:
    """Recompute a batch's windows and compare each with its checkpoint, bit for bit.

    What is not right has to be judged again by itself, by the reference: here it is not told what
    is the matter with it.
    """
    begun = time.perf_counter()
    runs, parts = runs_of(batch), list(_parts(batch))
    room = np.zeros((max((len(rows) for _, rows in parts), default=0), ENCODED_BYTES), np.uint8)
    right = np.zeros(len(batch), np.bool_)
    last, ends = list[npt.NDArray[np.int64]](), list[Bytes]()
    for part, rows in parts:
        found = replay_windows(part.windows, part.states, part.records, ends=room[: len(rows)])
        stated = found.status == Status.DONE
        stated &= (found.hashes[:, 0] == part.h128).all(axis=1)
        stated &= (found.ends[:, :STATED_BYTES] == part.stated).all(axis=1)
        starts = part.windows["start"]
        stated = along_chains(starts, stated, lambda own, before: own & before)
        ending = stated.copy()
        ending[~starts[stated & (starts < 0)]] = False
        right[rows] = stated
        last.append(rows[ending])
        # Not copied where all of the room is wanted and nobody writes into it again.
        ends.append(found.ends if len(parts) == 1 and ending.all() else found.ends[ending])
    absent = np.isin(runs, list(batch.fetched))
    seconds = time.perf_counter() - begun
    return Outcome(right, absent, _joined(last), _joined(ends), seconds)


def _joined(parts: list[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """The rows of all parts; of one, those it has: copying states costs a tenth of a replay."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _parts(batch: Batch) -> Iterator[tuple[Batch, npt.NDArray[np.int64]]]:
    """Some runs at a time, and which windows of the whole they are."""
    # The states at the ends of 512 windows are 17 MB, which few caches hold: their memory is used
    # again instead.
    if len(batch) <= AT_ONCE:
        yield batch, np.arange(len(batch), dtype=np.int64)
        return
    own, counts = np.unique(runs_of(batch), return_counts=True)
    part = (np.cumsum(counts) - 1) // AT_ONCE
    for number in np.unique(part):
        yield part_of(batch, own[part == number].tolist())
