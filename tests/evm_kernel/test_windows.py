"""Whole windows, opened from genesis and from a parent's state, agree to the bit."""

from __future__ import annotations

import random

import pytest

from chainbeasts.backend.chain.evm_kernel import EvmKernel
from chainbeasts.backend.kernel.merkle import Tree
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.samples import Source, random_position
from chainbeasts.backend.kernel.state import State, serialize_weights, state_hash
from chainbeasts.backend.kernel.window import (
    WindowContext,
    genesis_state,
    open_window,
    run_window,
    witnesses,
)

CHUNK = 32
CHUNKS = 4


def context(rng: random.Random, dna: bytes, source: Source, records: list[int]) -> WindowContext:
    """A window of the third season part: all heads learn."""
    reads = source in (Source.BATTLE, Source.PRIVATE)
    return WindowContext(
        dna=dna,
        epoch_seed=rng.randbytes(32),
        heads=7,
        lr_shift=9,
        source=source,
        rules=Rules(),
        owner_secret_fold=rng.getrandbits(64) if source is Source.PRIVATE else 0,
        records_root=Tree(records).root if reads else bytes(32),
        records_length=len(records) if reads else 0,
    )


def finish(evm: EvmKernel, ctx: WindowContext, state: State, records: list[int]) -> None:
    """Run the chunks after the first, each from the state that the one before left."""
    for _ in range(CHUNKS - 1):
        header, weights, before = (
            state.header,
            serialize_weights(state.weights),
            state_hash(state),
        )
        proof = witnesses(ctx, header.global_step, CHUNK, records)
        run_window(ctx, state, CHUNK, records.__getitem__)
        assert evm.run(ctx, before, header, weights, CHUNK, proof) == state_hash(state)


@pytest.mark.parametrize("source", list(Source))
def test_first_and_second_window_of_a_beast(evm: EvmKernel, source: Source) -> None:
    """Genesis made in the EVM, 128 steps, then growth into a second window."""
    rng = random.Random(int(source))
    dna = rng.randbytes(4) + bytes([1, 0]) + rng.randbytes(26)
    records = [random_position(rng.getrandbits(64), None, Rules()) for _ in range(21)]
    ctx = context(rng, dna, source, records)
    newborn = genesis_state(5, dna)
    mask = newborn.header.active_mask
    state = open_window(newborn, mask)
    proof = witnesses(ctx, 0, CHUNK, records)
    run_window(ctx, state, CHUNK, records.__getitem__)
    assert evm.run_from_genesis(ctx, 5, mask, CHUNK, proof) == state_hash(state)
    finish(evm, ctx, state, records)

    grown = mask | 0b1000_0100
    parent = state.copy()
    state = open_window(parent, grown)
    proof = witnesses(ctx, 128, CHUNK, records)
    run_window(ctx, state, CHUNK, records.__getitem__)
    opened = evm.run_from_parent(
        ctx,
        state_hash(parent),
        parent.header,
        serialize_weights(parent.weights),
        grown,
        CHUNK,
        proof,
    )
    assert opened == state_hash(state)
    finish(evm, ctx, state, records)


def test_no_steps_only_opens_the_window(evm: EvmKernel) -> None:
    dna = random.Random(9).randbytes(32)
    newborn = genesis_state(2, dna)
    opened = open_window(newborn, 0xFF)
    ctx = context(random.Random(9), dna, Source.CURRICULUM, [])
    assert evm.run_from_genesis(ctx, 2, 0xFF, 0) == state_hash(opened)
