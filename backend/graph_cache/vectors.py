"""The compiled kernel as test vectors ask it (docs/spec/vectors.md)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chainbeasts.backend.graph_cache.build import build
from chainbeasts.backend.graph_cache.targets import Target
from chainbeasts.backend.graph_cache.tiered import EVERY_SLOT
from chainbeasts.backend.kernel.combat import Action, Match
from chainbeasts.backend.kernel.fighters import Fighter
from chainbeasts.backend.kernel.labels import Label
from chainbeasts.backend.kernel.native.abi import encode_words
from chainbeasts.backend.kernel.native.graph import Graph
from chainbeasts.backend.kernel.replay import empty_replay, state_rows, window_row
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.state import (
    State,
    decode_state,
    encode_state,
    hash_header,
    state_hash,
)
from chainbeasts.backend.kernel.vectors import genesis_hashes
from chainbeasts.backend.kernel.window import WindowContext


class NativeVectors:
    """A ``Kernel`` of the vectors; the state at hatch is the reference's, C begins with steps.

    Args:
        target: what to compile for; this machine's best if None.
        own: compile an object of its own for each window's mask, too, and ask that one.
    """

    def __init__(self, target: Target | None = None, *, own: bool = False) -> None:
        self._target, self._own = target, own
        self._any = build(Graph(EVERY_SLOT), target=target).kernel

    def is_valid(self, word: int) -> bool:
        return self._any.label(word, Rules()) is not None

    def label(self, word: int, rules: Rules) -> Label:
        found = self._any.label(word, rules)
        if found is None:
            raise ValueError(f"word 0x{word:064x} is not valid")
        return found

    def features(self, word: int) -> Sequence[int]:
        return [int(value) for value in self._any.features(word)]

    def decode(self, logits: Sequence[int], word: int) -> Action:
        return self._any.decode(logits, word)

    def activate(self, word: int, action: Action, rules: Rules, battle_seed: int) -> int:
        return self._any.activate(word, action, rules, battle_seed)

    def play(self, a: Fighter, b: Fighter, battle_seed: int, rules: Rules) -> Match:
        return self._any.play(a, b, battle_seed, rules)

    def outcome(
        self, word: int, dna_a: bytes, dna_b: bytes, battle_seed: int, rules: Rules
    ) -> int | None:
        return self._any.outcome(word, dna_a, dna_b, battle_seed, rules)

    def hash_state(self, state: State) -> tuple[bytes, bytes]:
        root = self._any.weights_roots(state_rows([encode_state(state)]))[0].tobytes()
        return root, hash_header(state.header, root)

    def genesis(self, beast_id: int, dna: bytes) -> tuple[int, bytes, bytes]:
        return genesis_hashes(beast_id, dna)

    def window(
        self, ctx: WindowContext, parent: State, mask: int, records: Sequence[int]
    ) -> tuple[list[bytes], State]:
        kernel = build(Graph(mask), target=self._target).kernel if self._own else self._any
        windows = np.array([window_row(ctx, mask, state_hash(parent), 0)])
        found = empty_replay(1, segments=True)
        order = np.zeros(1, np.uint32)
        start = state_rows([encode_state(parent)])
        kernel.replay(windows, start, encode_words(records), order, found)
        hashes = [digest.tobytes() for digest in found.hashes[0]]
        return hashes, decode_state(found.ends[0].tobytes())
