"""Windows replayed from bytes to bytes, many beasts in one call (docs/spec/state.md).

A caller describes its windows in one array and hands over the states that they start from in
another; there are no objects for single windows. `backend.kernels.replay_windows` is the door: it
takes the compiled kernel where there is one. Here are the layouts, what is checked before, and the
reference's own way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chainbeasts.backend.kernel.constants import HEAD_SETS, MAX_RECORDS, SEGMENTS
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.state import (
    ENCODED_BYTES,
    MalformedStateError,
    decode_state,
    encode_state,
)
from chainbeasts.backend.kernel.window import WindowContext, open_window, run_window

WORD_BYTES: Final = 32

WINDOW: Final = np.dtype(
    [
        ("dna", np.uint8, 32),
        ("epoch_seed", np.uint8, 32),
        ("parent", np.uint8, 32),
        ("owner_secret_fold", np.uint64),
        ("records_start", np.uint64),
        ("records_length", np.uint64),
        ("start", np.int64),
        ("active_mask", np.uint32),
        ("source", np.uint32),
        ("heads", np.uint32),
        ("lr_shift", np.uint32),
        ("rules", np.uint32, len(Rules().values())),
    ],
    align=True,
)
"""One window. C reads these rows as they are (``source/replay.h``).

``parent`` is the state hash of its parent checkpoint, ``start`` where that state is: a row of the
given states, or, as ``~row`` (−1 − row), the end of an earlier window of the same call.
``records_start`` and ``records_length`` count words of the call's records, for BATTLE and PRIVATE.
"""

Windows = npt.NDArray[Any]
"""WINDOW[n]."""

Bytes = npt.NDArray[np.uint8]


class Status(IntEnum):
    """Why a window has no end."""

    DONE = 0
    MALFORMED_START = 1
    """The bytes it starts from are no state."""
    NO_START = 2
    """The window it starts from has no end itself."""
    DROPS_SLOTS = 3
    """Its mask puts to sleep what its parent has awake."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a call computed, row by row as the windows were given.

    Attributes:
        status: uint8[n] of ``Status``; where it is not DONE, the other rows are zero.
        hashes: uint8[n][1][32], h128; or uint8[n][16][32] with the hash after each segment.
        ends: uint8[n][33984], encoded states.
    """

    status: npt.NDArray[np.uint8]
    hashes: Bytes
    ends: Bytes


def window_row(
    ctx: WindowContext, active_mask: int, parent: bytes, start: int, records_start: int = 0
) -> np.void:
    """The row of one window, for callers that have its context."""
    rows = np.zeros(1, WINDOW)
    row = rows[0]
    for name in ("dna", "epoch_seed"):
        row[name] = np.frombuffer(getattr(ctx, name), np.uint8)
    row["parent"] = np.frombuffer(parent, np.uint8)
    row["owner_secret_fold"] = ctx.owner_secret_fold
    row["records_start"], row["records_length"] = records_start, ctx.records_length
    row["start"], row["active_mask"], row["source"] = start, active_mask, ctx.source
    row["heads"], row["lr_shift"], row["rules"] = ctx.heads, ctx.lr_shift, ctx.rules.values()
    found: np.void = row
    return found


def state_rows(states: Sequence[bytes]) -> Bytes:
    """Encoded states as the rows that a call takes."""
    return np.frombuffer(b"".join(states), np.uint8).reshape(len(states), ENCODED_BYTES)


def check_windows(windows: Windows, states: Bytes, records: bytes) -> None:
    """Everything that C relies on; what depends on a state's bytes is C's to check.

    Raises:
        ValueError: a field is out of range, or a start or record is not there.
    """
    if windows.dtype != WINDOW or windows.ndim != 1:
        raise ValueError("windows must be a WINDOW[n]")
    if states.dtype != np.uint8 or states.ndim != 2 or states.shape[1] != ENCODED_BYTES:
        raise ValueError(f"states must be uint8[n][{ENCODED_BYTES}]")
    if len(records) % WORD_BYTES:
        raise ValueError(f"{len(records)} bytes of records are no words of {WORD_BYTES}")
    own, start = np.arange(len(windows)), windows["start"]
    reads = windows["source"] >= Source.BATTLE
    begin, length = windows["records_start"], windows["records_length"]
    there = np.uint64(len(records) // WORD_BYTES)
    wrong = {
        "start": (start >= len(states)) | (start < -own),
        "active_mask": windows["active_mask"] > 0xFF,
        "source": windows["source"] > max(Source),
        "heads": ~np.isin(windows["heads"], HEAD_SETS),
        "lr_shift": (windows["lr_shift"] < 3) | (windows["lr_shift"] > 15),
        "records": reads
        & ((length < 1) | (length > MAX_RECORDS) | (begin > there) | (length > there - begin)),
    }
    for name, rows in wrong.items():
        if rows.any():
            raise ValueError(f"window {int(np.argmax(rows))}: {name} is out of range")
    for values in {tuple(row) for row in np.unique(windows["rules"], axis=0).tolist()}:
        Rules(*values)


def along_chains(
    start: npt.NDArray[np.int64],
    values: npt.NDArray[Any],
    combine: Callable[[npt.NDArray[Any], npt.NDArray[Any]], npt.NDArray[Any]],
) -> npt.NDArray[Any]:
    """Of each window what an associative function makes of its value and those of all windows that
    lead to it.

    Args:
        start: as windows have it.
        combine: given values of windows, and of those before them.
    """
    # Each pass doubles how far back a window looks: a loop over the windows in Python would cost
    # some of them a hundredth of their replay.
    found, before = values.copy(), start.copy()
    while (left := np.flatnonzero(before < 0)).size:
        at = ~before[left]
        found[left] = combine(found[left], found[at])
        before[left] = before[at]
    return found


def batches(windows: Windows) -> Iterator[tuple[int, npt.NDArray[np.uint32]]]:
    """Masks and the numbers of windows to replay with them: every window after its start's.

    A kernel is compiled for one mask, so a window whose mask has grown is in a later batch than
    the window that it starts from.
    """
    masks, start = windows["active_mask"], windows["start"]
    later = start < 0
    grown = np.zeros(len(windows), np.uint32)
    grown[later] = masks[later] != masks[~start[later]]
    level = along_chains(start, grown, np.add)
    keys, which = np.unique(level.astype(np.uint64) << 8 | masks, return_inverse=True)
    for batch, key in enumerate(keys):
        yield int(key & 0xFF), np.flatnonzero(which == batch).astype(np.uint32)


def replay_in_order(
    windows: Windows,
    states: Bytes,
    records: bytes,
    order: npt.NDArray[np.uint32],
    found: Replayed,
) -> None:
    """Replay the windows whose numbers are in ``order`` by the reference; checked windows only."""
    for number in order:
        window = windows[number]
        start = int(window["start"])
        if start < 0 and found.status[~start] != Status.DONE:
            found.status[number] = Status.NO_START
            continue
        try:
            parent = decode_state((states[start] if start >= 0 else found.ends[~start]).tobytes())
        except MalformedStateError:
            found.status[number] = Status.MALFORMED_START
            continue
        mask = int(window["active_mask"])
        if parent.header.active_mask & ~mask:
            found.status[number] = Status.DROPS_SLOTS
            continue
        state = open_window(parent, mask, window["parent"].tobytes())
        hashes = run_window(_context(window), state, records=_words(window, records).__getitem__)
        kept = hashes[-found.hashes.shape[1] :]
        found.hashes[number] = np.frombuffer(b"".join(kept), np.uint8).reshape(-1, 32)
        found.ends[number] = np.frombuffer(encode_state(state), np.uint8)


def empty_replay(count: int, *, segments: bool, ends: Bytes | None = None) -> Replayed:
    """Rows to fill in.

    Raises:
        ValueError: ``ends`` are not uint8[count][33984] in one piece.
    """
    shape = (count, ENCODED_BYTES)
    if ends is None:
        ends = np.zeros(shape, np.uint8)
    elif ends.dtype != np.uint8 or ends.shape != shape or not ends.flags.c_contiguous:
        raise ValueError(f"ends must be uint8[{count}][{ENCODED_BYTES}] in one piece")
    hashes = np.zeros((count, SEGMENTS if segments else 1, 32), np.uint8)
    return Replayed(np.zeros(count, np.uint8), hashes, ends)


def _context(window: np.void) -> WindowContext:
    source = Source(int(window["source"]))
    reads = source in (Source.BATTLE, Source.PRIVATE)
    return WindowContext(
        dna=window["dna"].tobytes(),
        epoch_seed=window["epoch_seed"].tobytes(),
        heads=int(window["heads"]),
        lr_shift=int(window["lr_shift"]),
        source=source,
        rules=Rules(*window["rules"].tolist()),
        owner_secret_fold=int(window["owner_secret_fold"]),
        records_length=int(window["records_length"]) if reads else 0,
    )


def _words(window: np.void, records: bytes) -> list[int]:
    first = int(window["records_start"])
    starts = range(first, first + int(window["records_length"]))
    return [int.from_bytes(records[WORD_BYTES * i : WORD_BYTES * (i + 1)]) for i in starts]
