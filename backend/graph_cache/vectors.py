"""The compiled kernel as test vectors ask it (docs/spec/vectors.md)."""

from __future__ import annotations

from collections.abc import Sequence

from backend.graph_cache.build import build
from backend.graph_cache.targets import Target
from backend.kernel.combat import Action, Match
from backend.kernel.constants import SEGMENT_STEPS, SEGMENTS
from backend.kernel.fighters import Fighter
from backend.kernel.labels import Label
from backend.kernel.native.graph import Graph
from backend.kernel.rules import Rules
from backend.kernel.state import State, state_hash
from backend.kernel.vectors import genesis_hashes
from backend.kernel.window import WindowContext, open_window

ANY_MASK = 0xFF
"""The board's rules do not depend on the graph; this one also plays for any slots awake."""


class NativeVectors:
    """A ``Kernel`` of the vectors; the state at hatch is the reference's, C begins with steps.

    Args:
        target: what to compile for; this machine's best if None.
    """

    def __init__(self, target: Target | None = None) -> None:
        self._target = target
        self._any = build(Graph(ANY_MASK), target=target).kernel

    def is_valid(self, word: int) -> bool:
        return self._any.label(word, Rules()) is not None

    def label(self, word: int, rules: Rules) -> Label:
        found = self._any.label(word, rules)
        if found is None:
            raise ValueError(f"word 0x{word:064x} is not valid")
        return found

    def features(self, word: int) -> Sequence[int]:
        return [int(value) for value in self._any.features(word)]

    def activate(self, word: int, action: Action, rules: Rules, battle_seed: int) -> int:
        return self._any.activate(word, action, rules, battle_seed)

    def play(self, a: Fighter, b: Fighter, battle_seed: int, rules: Rules) -> Match:
        return self._any.play(a, b, battle_seed, rules)

    def genesis(self, beast_id: int, dna: bytes) -> tuple[int, bytes, bytes]:
        return genesis_hashes(beast_id, dna)

    def window(
        self, ctx: WindowContext, parent: State, mask: int, records: Sequence[int]
    ) -> tuple[list[bytes], State]:
        kernel = build(Graph(mask), target=self._target).kernel
        state, hashes = open_window(parent, mask), []
        for _ in range(SEGMENTS):
            kernel.run(ctx, state, SEGMENT_STEPS, tuple(records) if ctx.reads_records else None)
            hashes.append(state_hash(state))
        return hashes, state
