"""How a validator acts, as its operator wants it: pure data."""

from __future__ import annotations

from dataclasses import dataclass

from chainbeasts.validator.enforce.strategy import Strategy
from chainbeasts.validator.scope import EVERYBODY, Scope

GAS_BUDGET = 30_000_000
"""About what re-executing one window in the EVM takes."""

OPEN_AFTER, OPEN_RATE = 0.5, 0.01


@dataclass(frozen=True, slots=True)
class Policy:
    """How this validator acts.

    Attributes:
        max_bonds: most wei of ENERGY in open disputes at once; None for no cap.
        defensive: risk no bond at all: file nothing, but finish the disputes of others.
        defend: prove right checkpoints of others although it does not pay, within the gas budget.
        scope: whose checkpoints are judged and acted on.
        open_after: share of the time to file after which a withheld window is disputed.
        open_rate: share of the private windows that are opened by chance.
        open_budget: wei of native coin a day for openings of windows that turn out right; None for
            what one conviction pays out of a stake at the present fee.
        gas_budget: most gas a day for moves that do not pay.
        energy_budget: most wei of ENERGY a day in bonds filed on doubt; None for no cap.
        energy_price: wei of native coin that 10^18 wei of ENERGY are worth to the operator; None
            for the season's price.
    """

    strategy: Strategy = Strategy.CHEAP
    max_bonds: int | None = None
    defensive: bool = False
    defend: bool = False
    scope: Scope = EVERYBODY
    open_after: float = OPEN_AFTER
    open_rate: float = OPEN_RATE
    open_budget: int | None = None
    gas_budget: int = GAS_BUDGET
    energy_budget: int | None = None
    energy_price: int | None = None
