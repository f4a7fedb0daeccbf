"""A newborn: its slots, its weights, and silent growth (K8)."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from chainbeasts.backend.kernel.constants import WEIGHTS
from chainbeasts.backend.kernel.features import features
from chainbeasts.backend.kernel.genesis import genesis_mask, genesis_weights
from chainbeasts.backend.kernel.network import forward, layers
from chainbeasts.backend.kernel.rng import draw, fold64
from chainbeasts.backend.kernel.state import state_hash
from chainbeasts.backend.kernel.window import genesis_hash, genesis_state
from tests.support.strategies import bytes32, u256, valid_words


@given(bytes32)
def test_mask(dna: bytes) -> None:
    sensors, appendages = 1 + dna[4] % 4, 1 + dna[5] % 4
    bits = ("1" * appendages).rjust(4, "0") + ("1" * sensors).rjust(4, "0")
    assert f"{genesis_mask(dna):08b}" == bits


@given(bytes32, st.lists(st.integers(0, WEIGHTS - 1), min_size=20, max_size=20))
def test_weights_by_their_formula(dna: bytes, indices: list[int]) -> None:
    weights, mask = genesis_weights(dna), genesis_mask(dna)
    for index in indices:
        wanted = ((draw(fold64(dna), index) >> 2) % 17 - 8) * 128
        if 4096 <= index < 12_288:  # W2: the row is a sensor's unit
            wanted *= mask >> ((index - 4096) // 64 // 32) & 1
        elif index >= 16_384:  # W4: the row is an appendage's unit, the column a logit
            row, column = divmod(index - 16_384, 8)
            wanted *= (mask >> (4 + row // 16) & 1) * (column < 6)
        assert weights[index] == wanted


@given(bytes32, valid_words)
def test_waking_slots_changes_no_output_at_hatch(dna: bytes, word: int) -> None:
    weights, mask, x = genesis_weights(dna), genesis_mask(dna), features(word)
    asleep = forward(weights, mask, x)[-1]
    for grown in (mask, mask | 0x0F, mask | 0xF0, 0xFF):
        assert (forward(weights, grown, x)[-1] == asleep).all()


@given(bytes32)
def test_padding_logits_are_zero(dna: bytes) -> None:
    assert not layers(genesis_weights(dna))[3][:, 6:].any()
    assert np.abs(genesis_weights(dna)).max() == 1024


@given(bytes32, u256)
def test_genesis_state(dna: bytes, beast_id: int) -> None:
    state = genesis_state(beast_id, dna)
    header = state.header
    assert (header.beast_id, header.parent, header.active_mask) == (
        beast_id,
        dna,
        genesis_mask(dna),
    )
    assert (header.global_step, header.window_loss, header.arena) == (0, 0, 0)
    assert genesis_hash(beast_id, dna) == state_hash(state)
