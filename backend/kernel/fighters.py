"""Beasts in matches: a body from DNA, a brain from weights (docs/spec/rules.md §4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from chainbeasts.backend.kernel.combat import Brain, Match, decode_action, play_match
from chainbeasts.backend.kernel.features import features
from chainbeasts.backend.kernel.network import Weights, forward
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.state import State


@dataclass(frozen=True, slots=True, eq=False)
class Fighter:
    """What a beast fights with.

    Attributes:
        dna: 32 bytes, of which its stats follow.
        weights: int16[16896].
        active_mask: awake slots.
    """

    dna: bytes
    weights: Weights
    active_mask: int

    @classmethod
    def of(cls, dna: bytes, state: State) -> Self:
        """A beast with the brain of a state."""
        return cls(dna, state.weights, state.header.active_mask)

    def logits(self, word: int) -> list[int]:
        """The eight logits behind its action on a valid word in which it is ``self``."""
        inputs = features(word)
        return [int(z) for z in forward(self.weights, self.active_mask, inputs)[-1]]

    @property
    def brain(self) -> Brain:
        """Acts as its logits say, where the board lets it."""
        return lambda word: decode_action(self.logits(word), word)


def fight(a: Fighter, b: Fighter, battle_seed: int, rules: Rules) -> Match:
    """The match of A against B, played by the reference."""
    return play_match(a.dna, b.dna, battle_seed, rules, a.brain, b.brain)
