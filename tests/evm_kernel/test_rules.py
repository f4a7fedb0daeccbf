"""Single rules: the Solidity kernel answers like the NumPy kernel for any valid position."""

from __future__ import annotations

import random

import pytest

from chainbeasts.backend.chain.errors import Reverted
from chainbeasts.backend.chain.evm_kernel import EvmKernel
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
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.samples import random_position
from chainbeasts.backend.kernel.tables import KERNEL_ID
from chainbeasts.backend.kernel.window import genesis_state, state_hash
from tests.conftest import NIGHTLY
from tests.support.states import rules, word

SEEDS = range(600 if NIGHTLY else 60)
BITS = 256


def valid_word(rng: random.Random, season: Rules) -> int:
    """A position that may be trained on."""
    while True:
        found = word(rng, season)
        if is_valid(found):
            return found


def test_the_kernels_have_one_id(evm: EvmKernel) -> None:
    assert evm.kernel_id() == KERNEL_ID
    assert bytes(evm.inspector.functions.kernelId().call()) == KERNEL_ID


def test_validity_agrees_on_every_flipped_bit(evm: EvmKernel) -> None:
    """Each bit of a valid word flipped: the two kernels accept and refuse the same ones."""
    start = random_position(7, None, Rules())
    flipped = [start ^ (1 << bit) for bit in range(BITS)]
    verdicts = [is_valid(candidate) for candidate in flipped]
    assert 0 < sum(verdicts) < BITS
    assert [evm.is_valid(candidate) for candidate in flipped] == verdicts


@pytest.mark.parametrize("seed", SEEDS)
def test_labels_features_and_activations_agree(evm: EvmKernel, seed: int) -> None:
    rng = random.Random(seed)
    season = rules(rng)
    position = valid_word(rng, season)
    assert evm.label(position, season) == label(position, season)
    assert evm.features(position) == features(position).tolist()
    spread = rng.choice([1, 4, 1 << 15])  # small ones tie
    logits = [rng.randrange(-spread, spread) for _ in range(8)]
    assert evm.decode(logits, position) == decode_action(logits, position)
    if not is_over(unpack(position), season):
        action = Action(rng.randint(0, 3), rng.randint(0, 15), rng.random() < 0.5)
        seed64 = rng.getrandbits(64)
        ours = activate(position, action, season, seed64)
        assert evm.activate(position, action, season, seed64) == ours


@pytest.mark.parametrize("slots", range(16))
def test_genesis_agrees(evm: EvmKernel, slots: int) -> None:
    """Every combination of sensor and appendage slots at hatch."""
    dna = bytes([slots, 1, 2, 3, slots % 4, slots // 4]) + random.Random(slots).randbytes(26)
    ours = genesis_state(slots, dna)
    mask, _, h = evm.genesis(slots, dna)
    assert (mask, h) == (ours.header.active_mask, state_hash(ours))


def test_single_rules_refuse_what_they_cannot_answer(evm: EvmKernel) -> None:
    season = Rules()
    good = random_position(7, None, season)
    invalid = good & ~(0xFF << 136)  # hp 0
    over = good | season.max_turns << 240
    act = evm.inspector.functions.activate
    attempts = {
        "BadAction": lambda: evm._call(act(good, 4, 0, False, season.values(), 0)),
        "InvalidWord": lambda: evm.label(invalid, season),
        "MatchOver": lambda: evm._call(act(over, 0, 0, False, season.values(), 0)),
    }
    for name, attempt in attempts.items():
        with pytest.raises(Reverted) as caught:
            attempt()
        assert caught.value.name == name
    for refused in (over, good | 5 << 178, good | 7 << 234):  # over, and headings that are none
        with pytest.raises(RefusedWordError):
            evm.activate(refused, Action(0, 0, False), season, 0)
    with pytest.raises(Reverted, match="InvalidWord"):
        evm.decode([0] * 8, good | 5 << 178)
