"""Whole matches, their logs and roots are the reference's, on both of the kernel's code paths."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from eth_hash.auto import keccak
from hypothesis import given
from hypothesis import strategies as st

from chainbeasts.backend.graph_cache.build import build
from chainbeasts.backend.graph_cache.targets import Target
from chainbeasts.backend.kernel import merkle
from chainbeasts.backend.kernel.board import ATTACK, BLOCK, MOVE, REST, unpack
from chainbeasts.backend.kernel.combat import DRAW, Match
from chainbeasts.backend.kernel.fighters import Fighter, fight
from chainbeasts.backend.kernel.native.abi import NativeKernel
from chainbeasts.backend.kernel.native.graph import Graph
from chainbeasts.backend.kernel.rng import draw
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.window import WindowContext, genesis_state, open_window
from chainbeasts.backend.kernels import CHOICE, ReferenceKernel, kernel_for, play
from tests.native.test_steps import TARGETS
from tests.support import strategies
from tests.support.states import WEIGHT_KINDS, rules

WINDOWS = 300


@pytest.fixture(scope="module", params=TARGETS, ids=lambda target: str(target.name))
def kernel(request: pytest.FixtureRequest) -> NativeKernel:
    target: Target = request.param
    return build(Graph(0xFF), target=target).kernel


def anybody(rng: random.Random) -> Fighter:
    """A fighter with any body, any slots awake and weights of any kind, hostile ones included."""
    return Fighter(rng.randbytes(32), rng.choice(WEIGHT_KINDS)(rng), rng.getrandbits(8))


def trained(dna: bytes) -> Fighter:
    """A beast that has learned to walk, to hit and to block."""
    state = genesis_state(1, dna)
    ctx = WindowContext(dna, dna[::-1], 7, 9, Source.CURRICULUM, Rules())
    for _ in range(WINDOWS):
        state = open_window(state, 0xFF)
        kernel_for(0xFF).run(ctx, state)
    return Fighter.of(dna, state)


def test_matches_between_anybody_agree(kernel: NativeKernel) -> None:
    """Any weights, masks, bodies, seeds and seasons."""
    rng = random.Random("anybody")
    seen = set()
    for number in range(40):
        a, b, seed = anybody(rng), anybody(rng), rng.getrandbits(64)
        b = replace(b, dna=rng.choice([a.dna, b.dna]))  # alike in body, some end in a draw
        season = replace(rules(rng), max_turns=rng.choice([1, 2, 60, rng.randint(1, 254)]))
        found = kernel.play(a, b, seed, season)
        assert found == fight(a, b, seed, season), number
        seen.add(found.winner)
    assert seen == {0, 1, DRAW}


def test_every_mask_agrees(kernel: NativeKernel) -> None:
    """A masked unit stays silent whatever its weights are."""
    rng, season = random.Random("masks"), Rules(max_turns=6)
    for mask in range(256):
        a, b = (replace(anybody(rng), active_mask=m) for m in (mask, mask ^ 0xFF))
        seed = rng.getrandbits(64)
        assert kernel.play(a, b, seed, season) == fight(a, b, seed, season), mask


def test_matches_of_trained_beasts_agree(kernel: NativeKernel) -> None:
    a, b = trained(bytes(range(32))), trained(bytes(range(100, 132)))
    newborn = Fighter.of(b.dna, genesis_state(2, b.dna))
    actions = set()
    for number in range(6):
        for other in (b, newborn):
            seed = draw(1, number)
            found = kernel.play(a, other, seed, Rules())
            assert found == fight(a, other, seed, Rules())
            actions |= {unpack(word).enemy.last_action for word in found.words}
    assert actions == {REST, MOVE, ATTACK, BLOCK}


def test_longest_match_agrees(kernel: NativeKernel) -> None:
    """254 turns: the log of nobody who can walk fills every word there is."""
    idle = Fighter(bytes(32), np.zeros(16_896, np.int16), 0)
    found = kernel.play(idle, idle, 0, Rules(max_turns=254))
    assert found == fight(idle, idle, 0, Rules(max_turns=254))
    assert found.turns == 254


def test_kernel_of_fewer_slots_plays_for_those(kernel: NativeKernel) -> None:
    few = build(Graph(0x31)).kernel
    rng = random.Random("few")
    a, b = (replace(anybody(rng), active_mask=mask) for mask in (0x31, 0x10))
    assert few.play(a, b, 9, Rules()) == kernel.play(a, b, 9, Rules())
    with pytest.raises(ValueError, match="mask 0x33 on the kernel of 0x31"):
        few.play(a, replace(b, active_mask=0x33), 9, Rules())
    with pytest.raises(ValueError, match="int16"):
        few.play(a, replace(b, weights=b.weights[:-1]), 9, Rules())


def test_playing_changes_no_weights(kernel: NativeKernel) -> None:
    rng = random.Random("unchanged")
    a, b = anybody(rng), anybody(rng)
    before = a.weights.copy(), b.weights.copy()
    kernel.play(a, b, 3, Rules())
    assert np.array_equal(a.weights, before[0])
    assert np.array_equal(b.weights, before[1])


def test_without_a_compiler_the_reference_plays(monkeypatch: pytest.MonkeyPatch) -> None:
    rng, season = random.Random("either"), Rules(max_turns=9)
    a, b = anybody(rng), anybody(rng)
    found: list[Match] = []
    for choice in ("numpy", "native"):
        monkeypatch.setenv(CHOICE, choice)
        found.append(play(a, b, 77, season))
    assert found[0] == found[1] == fight(a, b, 77, season)


@given(st.binary(max_size=600))
def test_keccak_agrees(data: bytes) -> None:
    assert build(Graph(0xFF)).kernel.keccak(data) == bytes(keccak(data))


@pytest.mark.parametrize("length", [0, 1, 135, 136, 137, 271, 272, 33_792])
def test_keccak_agrees_at_block_ends(kernel: NativeKernel, length: int) -> None:
    data = bytes(i * 131 % 256 for i in range(length))
    assert kernel.keccak(data) == bytes(keccak(data))


@given(st.lists(strategies.u256, min_size=1, max_size=20))
def test_roots_agree(words: list[int]) -> None:
    assert build(Graph(0xFF)).kernel.root(words) == merkle.root(words)


@pytest.mark.parametrize("length", [127, 128, 129, 254, 256])
def test_roots_of_long_logs_agree(kernel: NativeKernel, length: int) -> None:
    words = list(range(7, 7 + length))
    assert kernel.root(words) == merkle.root(words)


@pytest.mark.parametrize("length", [0, 257])
def test_roots_beyond_the_bounds_are_refused(kernel: NativeKernel, length: int) -> None:
    with pytest.raises(ValueError, match="1 to 256"):
        kernel.root([1] * length)


def test_winners_of_many_seeds_are_those_of_their_matches(kernel: NativeKernel) -> None:
    rng = random.Random("winners")
    a, b, seeds = anybody(rng), anybody(rng), [rng.getrandbits(64) for _ in range(40)]
    season = Rules(max_turns=30)
    found = kernel.winners(a, b, seeds, season)
    assert found == [kernel.play(a, b, seed, season).winner for seed in seeds]
    assert found[:6] == ReferenceKernel().winners(a, b, seeds[:6], season)
    assert kernel.winners(a, b, [], season) == []
