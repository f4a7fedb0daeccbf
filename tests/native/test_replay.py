"""Windows from bytes to bytes, any number of any beasts, are the reference's to the bit."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import pytest

from chainbeasts.backend.graph_cache.build import build
from chainbeasts.backend.graph_cache.targets import Target, portable_target, vector_targets
from chainbeasts.backend.graph_cache.tiered import EVERY_SLOT
from chainbeasts.backend.kernel.constants import SEGMENTS
from chainbeasts.backend.kernel.native.abi import encode_words
from chainbeasts.backend.kernel.native.graph import Graph
from chainbeasts.backend.kernel.replay import (
    Replayed,
    Status,
    Windows,
    batches,
    empty_replay,
    replay_in_order,
    state_rows,
    window_row,
)
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.state import (
    ENCODED_BYTES,
    HEADER_BYTES,
    Header,
    decode_state,
    encode_state,
    state_hash,
    weights_root,
)
from chainbeasts.backend.kernel.window import WindowContext, genesis_state
from chainbeasts.backend.kernels import replay_windows
from tests.support.states import WEIGHT_KINDS, Case, case

TARGETS = tuple({one.name: one for one in (*vector_targets(), portable_target())}.values())
MASK = 0x9A


@pytest.fixture(scope="module", params=TARGETS, ids=lambda target: str(target.name))
def target(request: pytest.FixtureRequest) -> Target:
    found: Target = request.param
    return found


@dataclass
class Call:
    """A call's arguments."""

    windows: Windows
    states: np.ndarray[tuple[int, int], np.dtype[np.uint8]]
    records: bytes


def hostile_call() -> Call:
    """Windows of beasts from anywhere: every source, chains, grown masks, and starts that fail."""
    cases = [hostile(f"replay {source.name}", source) for source in Source]
    states = [encode_state(one.state) for one in cases]
    states.append(states[0][:HEADER_BYTES] + bytes(2) + states[0][HEADER_BYTES + 2 :])
    states.append(bytes(64) + b"\1" + states[0][65:])
    rows, records, firsts = [], b"", []
    for number, one in enumerate(cases):
        firsts.append(len(records) // 32)
        records += encode_words(one.records)
        rows.append(window_row(one.ctx, MASK, bytes([number]) * 32, number, firsts[-1]))
    ctx = replace(cases[0].ctx, lr_shift=9)
    for mask, start in (
        (MASK, ~0),  # goes on from another window's end
        (MASK, ~1),
        (0xFF, ~4),  # grows after that
        (MASK, 4),  # a clear guard bit
        (MASK, ~7),  # from what has no end
        (MASK, 5),  # a field beyond its type
        (0x10, ~2),  # drops slots
        (MASK, ~0),  # a second child of the first
        (MASK, ~11),  # goes on from what was replayed just before, rows unchanged are not hashed
        (MASK, ~12),
    ):
        rows.append(window_row(ctx, mask, bytes([200]) * 32, start, firsts[0]))
    return Call(np.array(rows), state_rows(states), records)


def hostile(seed: str, source: Source) -> Case:
    """A case of one source, with slots awake that the window's mask has."""
    numbers = (case(random.Random(f"{seed} {number}")) for number in range(99))
    found = next(one for one in numbers if one.ctx.source is source)
    found.state.update(active_mask=MASK & found.state.header.active_mask)
    return found


@pytest.fixture(scope="module")
def call() -> Call:
    return hostile_call()


@pytest.fixture(scope="module")
def wanted(call: Call) -> Replayed:
    found = empty_replay(len(call.windows), segments=True)
    for _, order in batches(call.windows):
        replay_in_order(call.windows, call.states, call.records, order, found)
    return found


def replayed(call: Call, target: Target, *, segments: bool, own: bool) -> Replayed:
    found = empty_replay(len(call.windows), segments=segments)
    for mask, order in batches(call.windows):
        kernel = build(Graph(mask if own else EVERY_SLOT), target=target).kernel
        kernel.replay(call.windows, call.states, call.records, order, found)
    return found


@pytest.mark.parametrize("own", [False, True], ids=["every slot's object", "each mask's own"])
@pytest.mark.parametrize("segments", [False, True])
def test_windows_agree(
    call: Call, wanted: Replayed, target: Target, segments: bool, own: bool
) -> None:
    found = replayed(call, target, segments=segments, own=own)
    assert found.status.tolist() == wanted.status.tolist()
    done = wanted.status == Status.DONE
    assert np.array_equal(found.ends[done], wanted.ends[done])
    hashes = wanted.hashes if segments else wanted.hashes[:, -1:]
    assert np.array_equal(found.hashes[done], hashes[done])


def test_every_status_occurs(wanted: Replayed) -> None:
    assert set(wanted.status) == set(Status)
    h128 = wanted.hashes[0, SEGMENTS - 1].tobytes()
    assert h128 == state_hash(decode_state(wanted.ends[0].tobytes()))


def test_the_door_takes_ends_and_any_order_of_masks(call: Call, wanted: Replayed) -> None:
    ends = np.zeros((len(call.windows), ENCODED_BYTES), np.uint8)
    found = replay_windows(call.windows, call.states, call.records, ends=ends)
    done = wanted.status == Status.DONE
    assert found.ends is ends
    assert np.array_equal(ends[done], wanted.ends[done])
    assert np.array_equal(found.hashes[done, 0], wanted.hashes[done, -1])


def test_threads_share_the_work(call: Call, wanted: Replayed) -> None:
    """Nothing in C is shared between calls."""
    with ThreadPoolExecutor(4) as pool:
        calls = [
            pool.submit(replay_windows, call.windows, call.states, call.records) for _ in range(8)
        ]
    for one in calls:
        assert one.result().status.tolist() == wanted.status.tolist()
        done = wanted.status == Status.DONE
        assert np.array_equal(one.result().hashes[done, 0], wanted.hashes[done, -1])


def test_roots_of_hostile_weights_agree(target: Target) -> None:
    kernel, rng = build(Graph(EVERY_SLOT), target=target).kernel, random.Random("roots")
    states = [genesis_state(7, bytes(range(32)))]
    for kind in WEIGHT_KINDS:
        states.append(replace(states[0], weights=kind(rng)))
    found = kernel.weights_roots(state_rows([encode_state(one) for one in states]))
    assert [root.tobytes() for root in found] == [weights_root(one.weights) for one in states]
    assert [kernel.state_hash(one) for one in states] == [state_hash(one) for one in states]


CTX = WindowContext(bytes(32), bytes(32), 7, 9, Source.CURRICULUM, Rules())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("start", 1),
        ("start", ~0),
        ("active_mask", 256),
        ("source", 4),
        ("heads", 2),
        ("lr_shift", 2),
        ("lr_shift", 16),
        ("rules", 0),
        ("records", 2),
    ],
)
def test_what_c_relies_on_is_checked(field: str, value: int) -> None:
    """The message names the window and the field."""
    window = window_row(CTX, 0xFF, bytes(32), 0)
    if field == "records":
        window["source"], window["records_start"], window["records_length"] = 2, 2**64 - 1, value
    else:
        window[field] = value
    state = state_rows([encode_state(genesis_state(1, bytes(32)))])
    expected = r"damage_k" if field == "rules" else rf"window 0: {field} is out of range"
    with pytest.raises(ValueError, match=expected):
        replay_windows(np.array([window]), state, bytes(64))


def test_other_layouts_are_refused() -> None:
    windows = np.array([window_row(CTX, 0xFF, bytes(32), 0)])
    state = state_rows([encode_state(genesis_state(1, bytes(32)))])
    with pytest.raises(ValueError, match="WINDOW"):
        replay_windows(windows["dna"], state)
    with pytest.raises(ValueError, match="states must be"):
        replay_windows(windows, state[:, :-1])
    with pytest.raises(ValueError, match="ends must be"):
        replay_windows(windows, state, ends=np.zeros((2, ENCODED_BYTES), np.uint8))
    with pytest.raises(ValueError, match="no words"):
        replay_windows(windows, state, bytes(31))


def test_no_windows_are_no_work() -> None:
    windows = np.array([window_row(CTX, 0xFF, bytes(32), 0)])[:0]
    found = replay_windows(windows, np.zeros((0, ENCODED_BYTES), np.uint8))
    assert found.hashes.shape == (0, 1, 32)


def test_a_header_is_kept_whole() -> None:
    """Id, parent, counters and arena of the end stand in its bytes."""
    parent = genesis_state(2**255 + 3, bytes(range(32)))
    parent.update(global_step=2**32 - 5)
    window = window_row(replace(CTX, source=Source.SELF_PLAY), 0xFF, b"\7" * 32, 0)
    found = replay_windows(np.array([window]), state_rows([encode_state(parent)]))
    header = Header.decode(found.ends[0, :HEADER_BYTES].tobytes())
    assert (header.beast_id, header.parent) == (2**255 + 3, b"\7" * 32)
    assert (header.global_step, header.active_mask) == (123, 0xFF)
