"""Batches: the same verdicts as the reference's, whatever is wrong with which window of a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.state import encode_state, state_hash
from chainbeasts.backend.kernel.window import open_window
from chainbeasts.backend.kernels import kernel_for
from chainbeasts.validator.judge import batch
from chainbeasts.validator.judge.batch import (
    Batch,
    Run,
    batch_of,
    part_of,
    replay_batch,
    resolved,
    runs_of,
)
from chainbeasts.validator.judge.replay import Window
from tests.validator.windows import BEAST, Lies, context, make, private_words


def chain(count: int, source: Source = Source.CURRICULUM) -> list[Window]:
    """Consecutive honest windows of a beast."""
    words = private_words() if source is Source.PRIVATE else ()
    first, _ = make(source, words)
    found, parent, ctx = [], first.parent, context(source, words)
    for index in range(count):
        state = open_window(parent, parent.header.active_mask)
        kernel_for(state.header.active_mask).run(ctx, state, records=words or None)
        payload = replace(
            first.checkpoint.payload,
            h128=state_hash(state),
            global_step=state.header.global_step,
            window_loss=state.header.window_loss,
        )
        before = state_hash(parent) if index else bytes(32)
        record = replace(first.checkpoint, index=index, parent=before, payload=payload)
        found.append(Window(BEAST, record, ctx, parent, words or None))
        parent = state
    return found


def run_of(windows: list[Window], *, fetched: bool = False) -> Run:
    return Run(
        BEAST,
        [one.checkpoint for one in windows],
        [one.context for one in windows],
        [one.parent_hash for one in windows],
        None if fetched else encode_state(windows[0].parent),
        [one.words for one in windows],
    )


def stated(window: Window, **changes: Any) -> Window:
    payload = replace(window.checkpoint.payload, **changes)
    return replace(window, checkpoint=replace(window.checkpoint, payload=payload))


def test_runs_of_all_sources_side_by_side() -> None:
    sources = (Source.CURRICULUM, Source.SELF_PLAY, Source.PRIVATE)
    chains = [chain(3, source) for source in sources]
    given = batch_of([run_of(one) for one in chains])
    assert len(given.records) == 32 * len(private_words())  # once, for all its windows
    found = replay_batch(given)
    assert found.right.all()
    assert not found.absent.any()
    assert found.last.tolist() == [2, 5, 8]
    hashes = [one[2].checkpoint.payload.h128 for one in chains]
    rows = [given.h128[row].tobytes() for row in found.last]
    assert rows == hashes


@pytest.mark.parametrize(
    "lie",
    [
        lambda window: stated(window, h128=bytes(32)),
        lambda window: stated(window, window_loss=window.checkpoint.payload.window_loss + 1),
        lambda window: stated(window, global_step=1),
        lambda window: stated(window, active_mask=0xFF),
        lambda window: stated(window, active_mask=0),
    ],
)
def test_nothing_after_a_wrong_window_is_right(lie: Callable[[Window], Window]) -> None:
    windows = chain(4)
    wrong = [*windows[:2], lie(windows[2]), windows[3]]
    found = replay_batch(batch_of([run_of(wrong), run_of(windows)]))
    assert found.right.tolist() == [True, True, False, False, *[True] * 4]
    assert found.last.tolist() == [1, 7]
    assert found.ends[0].tobytes() == encode_state(windows[2].parent)


def test_a_state_of_another_beast_is_no_start() -> None:
    windows = chain(1)
    run = replace(run_of(windows), beast_id=BEAST + 1)
    assert not replay_batch(batch_of([run])).right.any()


def test_one_weight_is_seen() -> None:
    window, _ = make(lies=Lies(37, weight=(100, 1)))
    assert not replay_batch(batch_of([run_of([window])])).right.any()


def test_states_by_their_hash() -> None:
    windows = chain(3)
    known = {windows[1].parent_hash: encode_state(windows[1].parent)}
    runs = [run_of(windows[:1]), run_of(windows[1:], fetched=True)]
    given = batch_of(runs, ("https://there",))
    assert given.fetched == {1: windows[1].parent_hash}
    assert given.places == ("https://there",)
    absent = replay_batch(resolved(given, lambda h: None))
    assert absent.absent.tolist() == [False, True, True]
    assert absent.right.tolist() == [True, False, False]
    found = replay_batch(resolved(given, known.get))
    assert found.right.all()
    assert not found.absent.any()


def test_a_part_of_a_batch_is_a_batch() -> None:
    chains = [chain(2), chain(3, Source.SELF_PLAY), chain(1)]
    whole: Batch = batch_of([run_of(one) for one in chains])
    assert runs_of(whole).tolist() == [0, 0, 1, 1, 1, 2]
    part, rows = part_of(whole, {1, 2})
    assert rows.tolist() == [2, 3, 4, 5]
    assert replay_batch(part).right.all()
    assert np.array_equal(part.h128, whole.h128[rows])


def test_a_large_batch_is_replayed_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what follows a wrong window, and what a run ends in, as if it were replayed at once."""
    right = chain(3)
    wrong = [right[0], stated(right[1], h128=bytes(32)), right[2]]
    given = batch_of([run_of(right), run_of(wrong), run_of(right)])
    whole = replay_batch(given)
    monkeypatch.setattr(batch, "AT_ONCE", 4)
    found = replay_batch(given)
    assert found.right.tolist() == whole.right.tolist() == [True] * 4 + [False] * 2 + [True] * 3
    assert found.last.tolist() == whole.last.tolist() == [2, 3, 8]
    assert np.array_equal(found.ends, whole.ends)
