"""Every drill is honest up to the step it names and follows its lie from there on. No chain."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from chainbeasts.backend.chain.seasons import load_profile
from chainbeasts.backend.chain.types import Head
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.genesis import genesis_mask
from chainbeasts.backend.kernel.merkle import root
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.state import Header, State, state_hash
from chainbeasts.backend.kernel.window import WindowContext, genesis_hash, genesis_state
from chainbeasts.trainer.datasets.generate import battle_words
from chainbeasts.trainer.drills.lies import LOGIT_WEIGHTS, Drill, Kind, make_drill, weight_name
from chainbeasts.trainer.submit.window import TrainedWindow
from chainbeasts.trainer.train.windows import WindowStart, train_window

DNA = bytes([9] * 4 + [1, 1] + [7] * 26)  # two sensors and two appendages awake: it can grow
BEAST, PRICE = 3, 10**17
RULES = load_profile("devnet").season.rules
WORDS = tuple(battle_words(50, 3, RULES))
MASK = genesis_mask(DNA)


def window_start(source: Source = Source.CURRICULUM, heads: int = 7) -> WindowStart:
    """Before the first window of a beast."""
    private = source is Source.PRIVATE
    head = Head(DNA, 0, 0, 4, 1, MASK, 9, 0, 0, False, 0, 0, 0, 0, 0)
    ctx = WindowContext(
        dna=DNA,
        epoch_seed=bytes(range(32)),
        heads=heads,
        lr_shift=9,
        source=source,
        rules=RULES,
        owner_secret_fold=77 if private else 0,
        records_root=root(WORDS) if private else bytes(32),
        records_length=len(WORDS) if private else 0,
    )
    return WindowStart(BEAST, head, genesis_state(BEAST, DNA), ctx, WORDS if private else None)


def second_window_start() -> WindowStart:
    """Before the second window."""
    first = window_start()
    window = train_window(first, MASK, PRICE)
    head = replace(first.head, h128=window.h128, head_count=1)
    return replace(first, head=head, state=window.end)


def honest(place: WindowStart) -> TrainedWindow:
    return train_window(place, MASK, PRICE)


def differing_segments(place: WindowStart, drill: Drill) -> list[int]:
    pairs = zip(honest(place).segments, drill.window.segments, strict=True)
    return [k for k, (right, told) in enumerate(pairs) if right != told]


def header_of(window: TrainedWindow) -> Header:
    assert state_hash(window.end) == window.h128
    return window.end.header


def test_a_sample_that_teaches_the_same_is_no_lie() -> None:
    """This beast learns the same from the samples of steps 77 and 78."""
    dna = bytes([9] * 4 + [1, 1] + [2] * 26)
    place = window_start(heads=1)
    head = replace(place.head, h128=genesis_hash(BEAST, dna), active_mask=genesis_mask(dna))
    ctx = replace(place.ctx, dna=dna)
    place = replace(place, head=head, state=genesis_state(BEAST, dna), ctx=ctx)
    drill = make_drill(Kind.SAMPLE, place, head.active_mask, PRICE, step=77)
    right = train_window(place, head.active_mask, PRICE)
    assert drill.step == 78
    assert drill.window.h128 != right.h128


def test_a_label_that_teaches_the_same_is_no_lie() -> None:
    """No unit of this beast is excited, so nothing that it is taught changes a weight."""
    place = window_start()
    place.state.weights[:LOGIT_WEIGHTS] = 0
    with pytest.raises(ChainBeastsError, match="whose change shows"):
        make_drill(Kind.LABEL, place, MASK, PRICE, step=77)


@pytest.mark.parametrize("source", [Source.CURRICULUM, Source.SELF_PLAY, Source.PRIVATE])
@pytest.mark.parametrize("kind", [Kind.WEIGHT, Kind.SILENT, Kind.LABEL, Kind.SAMPLE])
@pytest.mark.parametrize("step", [0, 79, 120])
def test_wrong_from_the_named_segment_to_the_end(kind: Kind, source: Source, step: int) -> None:
    place = window_start(source)
    drill = make_drill(kind, place, MASK, PRICE, step=step)
    assert drill.step is not None
    assert drill.step >= step
    assert drill.step == step or kind in (Kind.LABEL, Kind.SAMPLE)  # as in the test above
    assert drill.segment == drill.step // 8
    assert differing_segments(place, drill) == list(range(drill.segment, 16))
    assert drill.window.segments[-1] == drill.window.h128 == drill.window.payload.h128
    assert drill.answered is (kind is not Kind.SILENT)


def test_weight_changes_one_weight_as_told_and_nothing_else() -> None:
    place = window_start()
    drill = make_drill(Kind.WEIGHT, place, MASK, PRICE, step=127, weight=5_000, by=1)
    right, told = honest(place).end, drill.window.end
    difference = told.weights.astype(int) - right.weights
    assert np.flatnonzero(difference).tolist() == [5_000]
    assert abs(difference[5_000]) == 1
    assert told.header == right.header


def test_weight_that_is_not_named_is_felt_by_the_next_step() -> None:
    place = window_start()
    drill = make_drill(Kind.WEIGHT, place, MASK, PRICE, step=7)
    assert "W4[" in drill.lie
    difference = drill.window.end.weights.astype(int) - honest(place).end.weights
    assert np.count_nonzero(difference) > 1


def test_weight_at_its_bound_stays_within_it() -> None:
    place = window_start()
    place.state.weights[7] = 16_383
    drill = make_drill(Kind.WEIGHT, place, MASK, PRICE, step=127, weight=7)
    assert drill.window.end.weights.max() <= 16_383
    assert differing_segments(place, drill) == [15]


def test_weights_are_named_by_layer_row_and_column() -> None:
    names = [weight_name(i) for i in (0, 128, 4_096, 16_895)]
    assert names == ["W1[0][0]", "W1[1][0]", "W2[0][0]", "W4[63][7]"]
    with pytest.raises(ChainBeastsError, match="no weight 16896"):
        weight_name(16_896)


def test_loss_lies_in_the_payload_alone() -> None:
    place = window_start()
    drill = make_drill(Kind.LOSS, place, MASK, PRICE)
    right = honest(place)
    assert drill.window.segments == right.segments
    stated = drill.window.payload
    assert stated.window_loss < right.payload.window_loss
    assert replace(stated, window_loss=right.payload.window_loss) == right.payload
    assert (drill.step, drill.segment) == (None, None)


def test_growth_trains_a_slot_that_the_payload_does_not_pay_for() -> None:
    place = window_start()
    drill = make_drill(Kind.GROWTH, place, MASK, PRICE)
    mask = header_of(drill.window).active_mask
    assert mask & ~MASK
    assert (drill.window.payload.active_mask, drill.window.payload.energy_burn) == (MASK, PRICE)
    with pytest.raises(ChainBeastsError, match="All slots"):
        make_drill(Kind.GROWTH, place, 0xFF, PRICE)


def test_parent_claims_the_head_and_starts_elsewhere() -> None:
    place = second_window_start()
    drill = make_drill(Kind.PARENT, place, MASK, PRICE)
    header = header_of(drill.window)
    assert header.parent == place.head.h128
    assert header.global_step == honest(place).end.header.global_step
    assert differing_segments(place, drill) == list(range(16))
    with pytest.raises(ChainBeastsError, match="no checkpoint"):
        make_drill(Kind.PARENT, window_start(), MASK, PRICE)


def test_private_trains_on_other_records_from_the_step_it_names() -> None:
    place = window_start(Source.PRIVATE)
    drill = make_drill(Kind.PRIVATE, place, MASK, PRICE)
    assert drill.segment is not None
    assert differing_segments(place, drill) == list(range(drill.segment, 16))
    with pytest.raises(ChainBeastsError, match="private dataset"):
        make_drill(Kind.PRIVATE, window_start(), MASK, PRICE)


def test_invented_states_what_the_ledger_expects_and_learned_more_than_a_window_can() -> None:
    place = window_start()
    drill = make_drill(Kind.INVENTED, place, MASK, PRICE)
    payload, header = drill.window.payload, header_of(drill.window)
    right = honest(place)
    assert (payload.source, payload.source_id) == (Source.PRIVATE, 0)
    assert (header.parent, header.global_step) == (genesis_hash(BEAST, DNA), 128)
    assert (header.active_mask, header.window_loss) == (MASK, payload.window_loss)
    assert replace(payload, h128=b"", window_loss=0, source=right.payload.source) == replace(
        right.payload, h128=b"", window_loss=0
    )
    moved = np.abs(drill.window.end.weights.astype(int) - place.state.weights).sum()
    assert moved > 2 * np.abs(right.end.weights.astype(int) - place.state.weights).sum()
    assert (drill.answered, drill.blind, drill.step) == (False, True, None)


def test_withheld_is_a_window_of_the_curriculum_that_ends_in_no_state() -> None:
    place = second_window_start()
    first, again = (make_drill(Kind.WITHHELD, place, MASK, PRICE) for _ in range(2))
    assert first.window.h128 != again.window.h128
    assert first.window.payload.source is Source.CURRICULUM
    assert (first.window.index, first.window.parent) == (1, place.head.h128)
    assert first.window.segments[-1] == first.window.h128
    assert (first.answered, first.blind) == (False, True)


def test_honest_window_begins_at_genesis_and_leaves_it_alone() -> None:
    place = window_start()
    before = state_hash(place.state)
    window = honest(place)
    assert state_hash(place.state) == before == genesis_hash(BEAST, DNA)
    assert header_of(window).parent == before
    assert isinstance(window.end, State)
    assert window.payload.global_step == 128
