"""The Solidity kernel steps like the NumPy kernel, to the bit, from any state."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from chainbeasts.backend.chain.evm_kernel import EvmKernel
from chainbeasts.backend.kernel.board import is_valid
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.state import serialize_weights, state_hash
from chainbeasts.backend.kernel.window import sample, step_window, witnesses
from tests.conftest import NIGHTLY
from tests.support.states import case

BATCHES = 25 if not NIGHTLY else 250
STEPS = 4


@pytest.mark.parametrize("batch", range(BATCHES))
def test_steps_agree(evm: EvmKernel, batch: int) -> None:
    """100 steps by default, 1,000 nightly, from states of every kind."""
    rng = random.Random(batch)
    given = case(rng)
    state = given.state.copy()
    header, weights, before = state.header, serialize_weights(state.weights), state_hash(state)
    proof = witnesses(given.ctx, header.global_step, STEPS, given.records)
    for _ in range(STEPS):
        step_window(given.ctx, state, given.records.__getitem__)
    assert evm.run(given.ctx, before, header, weights, STEPS, proof) == state_hash(state)


def test_the_cases_cover_what_they_should() -> None:
    """All sources, null steps, hostile arenas and saturated weights occur by default."""
    seen: Counter[str] = Counter()
    for batch in range(25):
        given = case(random.Random(batch))
        seen[given.ctx.source.name] += 1
        word = sample(given.ctx, given.state.header, given.records.__getitem__)
        seen["null" if not is_valid(word) else "real"] += 1
        if given.ctx.source is Source.SELF_PLAY and given.state.header.arena:
            seen["arena"] += 1
        seen[f"heads {given.ctx.heads}"] += 1
        if abs(given.state.weights).max() >= 16_383:
            seen["saturated"] += 1
    wanted = [source.name for source in Source]
    wanted += ["null", "real", "arena", "heads 1", "heads 3", "heads 7", "saturated"]
    assert not [name for name in wanted if not seen[name]], seen
