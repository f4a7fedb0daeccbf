"""The micro-step against a slow one in plain integers, and its bounds (K11)."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from chainbeasts.backend.kernel.constants import WEIGHT_MAX, WEIGHT_MIN
from chainbeasts.backend.kernel.features import features
from chainbeasts.backend.kernel.genesis import genesis_mask, genesis_weights
from chainbeasts.backend.kernel.labels import Label
from chainbeasts.backend.kernel.network import (
    Weights,
    forward,
    layers,
    output_errors,
    step,
    unit_masks,
)
from tests.support import slow_kernel
from tests.support.strategies import (
    bytes32,
    head_sets,
    lr_shifts,
    masks,
    small,
    valid_words,
    weights,
)

teacher = st.builds(Label, st.none() | st.integers(0, 3), st.integers(0, 15), st.integers(0, 1))
inputs = st.lists(small, min_size=32, max_size=32) | valid_words.map(lambda w: features(w).tolist())


def plain(label: Label) -> tuple[int | None, int, int]:
    return label.move, label.attack, label.block


@settings(max_examples=30)
@given(weights(), masks | st.just(255), inputs, teacher, head_sets, lr_shifts)
def test_step_equals_the_slow_one(
    w: Weights, mask: int, x: list[int], label: Label, heads: int, lr_shift: int
) -> None:
    after, loss, z = slow_kernel.step(w.tolist(), mask, x, plain(label), heads, lr_shift)
    ours = w.copy()
    found, logits = step(ours, mask, np.array(x, dtype=np.int32), label, heads, lr_shift)
    assert (found, logits.tolist()) == (loss, z)
    assert ours.tolist() == after


@settings(max_examples=12)
@given(bytes32, valid_words, teacher, head_sets, lr_shifts)
def test_a_newborn_step_equals_the_slow_one(
    dna: bytes, word: int, label: Label, heads: int, lr_shift: int
) -> None:
    w, mask, x = genesis_weights(dna), genesis_mask(dna), features(word)
    after, loss, z = slow_kernel.step(w.tolist(), mask, x.tolist(), plain(label), heads, lr_shift)
    found, logits = step(w, mask, x, label, heads, lr_shift)
    assert (found, logits.tolist(), w.tolist()) == (loss, z, after)


logits = st.lists(st.integers(-40_000, 40_000) | st.integers(-300, 300), min_size=8, max_size=8)


@given(logits, teacher, head_sets)
def test_output_errors(z: list[int], label: Label, heads: int) -> None:
    e = output_errors(z, label, heads).tolist()
    assert e == slow_kernel.errors(z, *plain(label), heads)
    assert max(map(abs, e)) <= 1024
    assert sum(map(abs, e)) <= 4095
    assert e[6:] == [0, 0]
    if label.move is None:
        assert e[:4] == [0] * 4
    else:
        assert e[label.move] <= 0
        assert -4 < sum(e[:4]) <= 0
    if heads == 1:
        assert e[4] == e[5] == 0


@given(weights(), masks, inputs, teacher, lr_shifts)
def test_what_a_step_may_touch(
    w: Weights, mask: int, x: list[int], label: Label, lr_shift: int
) -> None:
    """Weights stay in range; rows of silent units and all of a masked slot stay as they are."""
    before, given_x = w.copy(), np.array(x, dtype=np.int32)
    activations = forward(w, mask, given_x)
    step(w, mask, given_x, label, 7, lr_shift)
    assert WEIGHT_MIN <= w.min() <= w.max() <= WEIGHT_MAX
    for old, new, source in zip(layers(before), layers(w), activations, strict=False):
        assert (old[source == 0] == new[source == 0]).all()
    sensors, _, appendages = unit_masks(mask)
    old, new = layers(before), layers(w)
    assert (old[0][:, sensors == 0] == new[0][:, sensors == 0]).all()
    assert (old[1][sensors == 0] == new[1][sensors == 0]).all()
    assert (old[2][:, appendages == 0] == new[2][:, appendages == 0]).all()
    assert (old[3][appendages == 0] == new[3][appendages == 0]).all()
    assert (old[3][:, 6:] == new[3][:, 6:]).all()


@given(weights(), masks, inputs)
def test_activations_in_range(w: Weights, mask: int, x: list[int]) -> None:
    a = forward(w, mask, np.array(x, dtype=np.int32))
    for hidden in a[1:4]:
        assert 0 <= hidden.min() <= hidden.max() <= 127
    assert [layer.size for layer in a] == [32, 128, 64, 64, 8]


@given(bytes32, lr_shifts)
def test_nothing_to_learn_changes_nothing(dna: bytes, lr_shift: int) -> None:
    """With move alone unlocked and no path, every error is 0."""
    w = genesis_weights(dna)
    before = w.copy()
    loss, _ = step(w, 0xFF, np.full(32, 32, dtype=np.int32), Label(None, 15, 1), 1, lr_shift)
    assert loss == 0
    assert (w == before).all()


def test_it_learns() -> None:
    """The same position again and again: its label's logit ends up the highest."""
    w = genesis_weights(b"\x05" * 32)
    x = np.array([32] * 5 + [0] * 15 + [0, 16, 0, 48, 0, 10, 10, 10, 32, 0, 0, 0], dtype=np.int32)
    losses = [step(w, 0xFF, x, Label(2, 0, 1), 7, 6)[0] for _ in range(60)]
    z = forward(w, 0xFF, x)[-1]
    assert losses[-1] < losses[0] // 4
    assert z[:4].argmax() == 2
    assert z[5] > 0
