"""How a validator acts, as its operator wants it: pure data."""

from __future__ import annotations

from dataclasses import dataclass

from validator.enforce.strategy import Strategy
from validator.scope import EVERYBODY, Scope


@dataclass(frozen=True, slots=True)
class Policy:
    """How this validator acts.

    Attributes:
        max_bonds: most wei of ENERGY in open disputes at once; None for no cap.
        defensive: risk no bond at all: file nothing, but finish the disputes of others.
        defend: prove right checkpoints whose trainer does not answer a dispute; costs gas.
        scope: whose checkpoints are judged and acted on.
    """

    strategy: Strategy = Strategy.FAST
    max_bonds: int | None = None
    defensive: bool = False
    defend: bool = True
    scope: Scope = EVERYBODY
