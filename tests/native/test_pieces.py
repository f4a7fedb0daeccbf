"""Labels, inputs, activations and logits of the compiled kernel are the reference's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainbeasts.backend.graph_cache.build import build
from chainbeasts.backend.graph_cache.targets import Target, this_target
from chainbeasts.backend.graph_cache.vectors import NativeVectors
from chainbeasts.backend.kernel import vectors
from chainbeasts.backend.kernel.board import is_valid, unpack
from chainbeasts.backend.kernel.combat import (
    Action,
    RefusedWordError,
    activate,
    decode_action,
    is_over,
)
from chainbeasts.backend.kernel.features import features
from chainbeasts.backend.kernel.labels import label
from chainbeasts.backend.kernel.native.graph import Graph
from chainbeasts.backend.kernel.network import Weights, forward
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.vector_check import check_case
from chainbeasts.backend.kernel.vector_fields import read_document
from tests.conftest import NIGHTLY
from tests.kernel.test_vectors import FOLDER
from tests.native.test_steps import TARGETS
from tests.support import strategies

OWN = TARGETS if NIGHTLY else (this_target(),)
"""A dozen objects are compiled for each."""

KERNEL = build(Graph(0x5B)).kernel


@given(strategies.valid_words, strategies.seasons)
def test_labels_agree(word: int, rules: Rules) -> None:
    assert KERNEL.label(word, rules) == label(word, rules)


@given(strategies.u256 | strategies.valid_words)
def test_validity_agrees(word: int) -> None:
    assert (KERNEL.label(word, Rules()) is not None) == is_valid(word)


@given(strategies.valid_words)
def test_inputs_agree(word: int) -> None:
    assert np.array_equal(KERNEL.features(word), features(word))


@given(
    strategies.valid_words,
    strategies.seasons,
    strategies.u64,
    st.builds(Action, st.integers(0, 3), st.integers(0, 15), st.booleans()),
)
def test_activations_agree(word: int, rules: Rules, seed: int, action: Action) -> None:
    if is_over(unpack(word), rules):
        with pytest.raises(RefusedWordError, match="finished"):
            KERNEL.activate(word, action, rules, seed)
    else:
        assert KERNEL.activate(word, action, rules, seed) == activate(word, action, rules, seed)


@given(strategies.u256)
def test_words_that_are_not_valid_are_refused(word: int) -> None:
    """By everything that takes a word, and nothing is read for them."""
    if not is_valid(word):
        for call in (
            lambda: KERNEL.activate(word, Action(0, 0, False), Rules(), 0),
            lambda: KERNEL.decode([0] * 8, word),
            lambda: KERNEL.features(word),
            lambda: KERNEL.logits(np.zeros(16_896, np.int16), [word]),
        ):
            with pytest.raises(RefusedWordError, match="not valid"):
                call()


@given(strategies.valid_words, st.lists(st.integers(-(2**15), 2**15), min_size=8, max_size=8))
def test_decoded_actions_agree(word: int, logits: list[int]) -> None:
    assert KERNEL.decode(logits, word) == decode_action(logits, word)


@given(strategies.weights(), st.lists(strategies.valid_words, min_size=1, max_size=4))
def test_logits_agree(weights: Weights, words: list[int]) -> None:
    found = KERNEL.logits(weights, words)
    wanted = [forward(weights, KERNEL.graph.active_mask, features(word))[-1] for word in words]
    assert np.array_equal(found, np.array(wanted))


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: str(target.name))
def test_published_vectors_hold(target: Target) -> None:
    hold(NativeVectors(target))


@pytest.mark.parametrize("target", OWN, ids=lambda target: str(target.name))
def test_published_vectors_hold_with_objects_of_their_own(target: Target) -> None:
    hold(NativeVectors(target, own=True))


def hold(native: NativeVectors) -> None:
    for kind in vectors.KINDS:
        _, cases = read_document(FOLDER / f"{kind}.json", vectors.KINDS)
        for number, one in enumerate(cases):
            assert check_case(native, kind, one, number) == []
