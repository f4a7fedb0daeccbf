"""The Solidity kernel as test vectors ask it (docs/spec/vectors.md)."""

from __future__ import annotations

from collections.abc import Sequence

from chainbeasts.backend.chain.evm_kernel import EvmKernel
from chainbeasts.backend.kernel.constants import SEGMENT_STEPS, SEGMENTS
from chainbeasts.backend.kernel.state import State, serialize_weights, state_hash
from chainbeasts.backend.kernel.window import (
    WindowContext,
    genesis_hash,
    open_window,
    run_window,
    witnesses,
)


class EvmVectors(EvmKernel):
    """A ``Kernel`` of the vectors: each segment of a window re-executed as a court would.

    The states that the segments open come from the reference, so a segment that differs is judged
    by itself, like any other.
    """

    def window(
        self, ctx: WindowContext, parent: State, mask: int, records: Sequence[int]
    ) -> tuple[list[bytes], State]:
        """The 16 segment hashes as the referee finds them, and the reference's last state."""
        state = open_window(parent, mask)
        hashes = []
        for segment in range(SEGMENTS):
            proof = witnesses(ctx, state.header.global_step, SEGMENT_STEPS, records)
            if segment == 0:
                hashes.append(self._first(ctx, parent, mask, proof))
            else:
                weights = serialize_weights(state.weights)
                opened = state_hash(state)
                hashes.append(self.run(ctx, opened, state.header, weights, SEGMENT_STEPS, proof))
            run_window(ctx, state, SEGMENT_STEPS, records.__getitem__)
        return hashes, state

    def _first(self, ctx: WindowContext, parent: State, mask: int, proof: bytes) -> bytes:
        header, opened = parent.header, state_hash(parent)
        if opened == genesis_hash(header.beast_id, ctx.dna):
            return self.run_from_genesis(ctx, header.beast_id, mask, SEGMENT_STEPS, proof)
        weights = serialize_weights(parent.weights)
        return self.run_from_parent(ctx, opened, header, weights, mask, SEGMENT_STEPS, proof)
