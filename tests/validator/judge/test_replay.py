"""Replay on windows made by hand: every kind of lie is found, and its cause where it can be."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest

from chainbeasts.backend.kernel.constants import WEIGHTS
from chainbeasts.backend.kernel.labels import Label
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.state import State, state_hash
from chainbeasts.backend.store.daemons import Mode, Verdict
from chainbeasts.validator.evidence.explain import (
    Cause,
    find_cause,
    find_cause_unanswered,
    most_different,
    segment_of,
    weight_name,
)
from chainbeasts.validator.judge.replay import (
    Window,
    first_divergent,
    judge,
    judge_light,
    state_after,
)
from tests.validator.windows import Lies, make, private_words


@pytest.mark.parametrize("source", [Source.CURRICULUM, Source.SELF_PLAY, Source.PRIVATE])
def test_honest_window_is_valid(source: Source) -> None:
    words = private_words() if source is Source.PRIVATE else ()
    window, segments = make(source, words)
    judgement = judge(pickle.loads(pickle.dumps(window)))  # as a worker process gets it
    assert (judgement.verdict, judgement.mode) == (Verdict.VALID, Mode.FULL)
    assert list(judgement.segments) == segments
    assert judgement.end is not None
    assert state_hash(judgement.end) == window.checkpoint.payload.h128
    assert first_divergent(judgement.segments, segments) is None


def another_block(found: Label) -> Label:
    return replace(found, block=1 - found.block)


def another_move(found: Label) -> Label:
    return replace(found, move=1 if found.move == 0 else 0)


LIES = {
    "first weight, first step": Lies(0, weight=(0, 1)),
    "last weight, last step": Lies(127, weight=(WEIGHTS - 1, -1)),
    "label": Lies(66, label=another_block),
    "sample": Lies(20, sample_of=21),
}


@pytest.mark.parametrize("name", LIES)
def test_one_lie_is_found_in_its_segment(name: str) -> None:
    window, segments = make(lies=LIES[name])
    judgement = judge(window)
    assert judgement.verdict is Verdict.INVALID
    assert not judgement.header_lie
    assert first_divergent(judgement.segments, segments) == LIES[name].step // 8


@pytest.mark.parametrize(
    ("field", "value"), [("window_loss", 5), ("active_mask", 0xFF), ("global_step", 256)]
)
def test_payload_that_contradicts_its_state(field: str, value: int) -> None:
    window, _ = make()
    payload = replace(window.checkpoint.payload, **{field: value})
    forged = replace(window, checkpoint=replace(window.checkpoint, payload=payload))
    judgement = judge(forged)
    assert judgement.verdict is Verdict.INVALID
    assert judgement.header_lie
    assert judgement.end is not None
    assert state_hash(judgement.end) == payload.h128  # what the court must be shown
    assert field.replace("_", " ").split()[-1] in judgement.reason


def test_a_mask_that_drops_a_slot_is_not_judged() -> None:
    window, _ = make(active_mask=0)
    assert judge(window).verdict is Verdict.UNAVAILABLE  # the court could not re-execute it


def test_state_after_is_the_parent_before_the_first_step() -> None:
    window, segments = make()
    assert state_after(window, 0) is window.parent
    assert state_hash(state_after(window, 8)) == segments[0]


def test_light_mode_knows_lineage_and_loss_only() -> None:
    window, _ = make(Source.PRIVATE, private_words(), Lies(3, weight=(9, 1)))
    checkpoint, parent = window.checkpoint, state_hash(window.parent)

    def light(end: State | None, parent_hash: bytes = parent, loss: int | None = None) -> Verdict:
        stated = checkpoint.payload.window_loss if loss is None else loss
        record = replace(checkpoint, payload=replace(checkpoint.payload, window_loss=stated))
        return judge_light(window.beast_id, record, parent_hash, end).verdict

    assert light(None) is Verdict.UNAVAILABLE
    assert light(window.published) is Verdict.VALID  # the weight is beyond its sight
    assert light(window.published, loss=1) is Verdict.INVALID
    assert light(window.published, parent_hash=bytes(32)) is Verdict.INVALID


def cause_of(window: Window, segments: list[bytes]) -> Cause:
    segment = first_divergent(judge(window).segments, segments)
    assert segment is not None
    cause = find_cause(window, segment, segments[segment])
    assert cause is not None
    return cause


def test_explains_a_weight_a_label_and_a_sample() -> None:
    weight = cause_of(*make(lies=Lies(37, weight=(100, 1))))
    assert (weight.kind, weight.weight) == ("weight", 100)
    assert weight.step <= 37 <= weight.last_step
    label = cause_of(*make(lies=LIES["label"]))
    assert (label.kind, label.step, label.head) == ("label", 66, "block")
    words = private_words()
    sample = cause_of(*make(Source.PRIVATE, words, Lies(122, sample_of=121), heads=1))
    assert (sample.kind, sample.step) == ("sample", 122)


def test_explains_a_weight_that_training_moved_far_after_the_change() -> None:
    for weight, by, moved in ((16_635, 1_500, 127), (16_482, 700, -34)):
        step = 1 if moved > 0 else 40
        window, segments = make(lies=Lies(step, weight=(weight, by)), heads=1)
        left = most_different(window)
        assert left is not None
        assert (left.weight, left.by) == (weight, by + moved)
        cause = cause_of(window, segments)
        assert (cause.kind, cause.weight) == ("weight", weight)
        assert cause.step <= step <= cause.last_step


def test_explains_without_a_response_from_h128_alone() -> None:
    """Also early in the window, where most steps have to be done again."""
    last, _ = make(lies=Lies(126, label=another_move), heads=1)
    assert found_unanswered(last) == ("label", 126, "move")
    early, _ = make(lies=Lies(18, label=another_move), heads=1)
    assert found_unanswered(early) == ("label", 18, "move")
    assert found_unanswered(replace(early, published=None)) == ("label", 18, "move")
    step = 30
    drifted, _ = make(lies=Lies(step, weight=(WEIGHTS - 8 * 40, 128)))  # a move's logit learns on
    cause = find_cause_unanswered(drifted)
    assert cause is not None
    assert (cause.kind, cause.head, cause.weight) == ("weight", "move", WEIGHTS - 8 * 40)
    assert cause.step <= step <= cause.last_step


def found_unanswered(window: Window) -> tuple[str, int, str]:
    cause = find_cause_unanswered(window)
    assert cause is not None
    assert segment_of(cause.step) == cause.step // 8
    return cause.kind, cause.step, cause.head


def test_tells_the_weight_that_a_lie_left_most_different() -> None:
    window, _ = make(lies=Lies(127, weight=(16_400, 700)))
    found = most_different(window)
    assert found is not None
    assert (found.weight, found.by, found.count) == (16_400, 700, 1)
    assert found.name == "W4[2][0]"
    assert found.head == "move"
    assert most_different(make()[0]) is None


def test_explains_nothing_that_it_cannot_reproduce(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chainbeasts.validator.evidence.explain.SEARCH_BUDGET", 200_000)
    window, _ = make(heads=1)
    garbage = bytes(31) + b"\x01"
    assert find_cause(window, 15, garbage) is None


def test_weight_names() -> None:
    assert weight_name(0) == ("W1[0][0]", "all")
    assert weight_name(32 * 128 + 64) == ("W2[1][0]", "all")
    assert weight_name(WEIGHTS - 8 + 4) == ("W4[63][4]", "attack")
