"""What a move costs and what it brings, in wei of native coin: the test before every move.

Figures of gas are the court's usual ones (docs/gas-report.md); what is sent is estimated anew.
"""

from __future__ import annotations

from dataclasses import dataclass

from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.fees import PRIORITY_FEE
from chainbeasts.backend.chain.prices import BASIS_POINTS
from chainbeasts.backend.chain.types import Economics
from chainbeasts.backend.kernel.constants import WINDOW_STEPS
from chainbeasts.validator.enforce.strategy import Action
from chainbeasts.validator.judge.cases import Case, CaseReader

STEP_GAS = 200_000
"""What the court pays a re-executed step of a right window as."""

GAS = {
    Action.FILE: 330_000,
    Action.OPEN: 330_000,
    Action.HEADER: 420_000,
    Action.ACCEPT: 160_000,
    Action.PROVE: 2_500_000,
    Action.ADVANCE: WINDOW_STEPS * STEP_GAS,
    Action.TIMEOUT: 420_000,
    Action.DISMISS: 160_000,
}
"""About what a move takes; ADVANCE: all 128 steps."""

COMMIT_GAS = 50_000
ENERGY_UNIT = 10**18


@dataclass(frozen=True, slots=True)
class Prospect:
    """What a move costs in gas, and what it brings if all goes well.

    Attributes:
        gas: of the move and of its commitment.
        fee: wei of native coin for a gas, the tip included.
        coin: wei of native coin, from the stake of the convicted trainer.
        energy: wei of ENERGY, from the window's lock or a burning bond.
        returned: a bond of ours comes back with it, which is worth any gas.
    """

    gas: int
    fee: int
    coin: int = 0
    energy: int = 0
    returned: bool = False

    @property
    def cost(self) -> int:
        """Wei of native coin that the gas costs."""
        return self.gas * self.fee

    def pays(self, energy_price: int) -> bool:
        """Whether it brings at least what it costs, with ENERGY at that price."""
        if self.returned:
            return True
        return self.coin + self.energy * energy_price // ENERGY_UNIT >= self.cost


class Appraiser:
    """Prices moves by the chain's present fee, stakes and bonds.

    Args:
        energy_price: wei of native coin for 10^18 wei of ENERGY; None: the season's.
    """

    def __init__(self, reader: CaseReader, energy_price: int | None = None) -> None:
        self._reader = reader
        self._energy_price = energy_price

    @property
    def _chain(self) -> Chain:
        return self._reader.chain

    def _economics(self, case: Case) -> Economics:
        return self._reader.season(case.checkpoint.season).economics

    def energy_price(self, case: Case) -> int:
        """Wei of native coin that 10^18 wei of ENERGY are worth."""
        if self._energy_price is not None:
            return self._energy_price
        return self._economics(case).energy_price

    def base_fee(self) -> int:
        """Wei per gas of the latest block."""
        return self._chain.base_fee()

    def fee(self) -> int:
        """Wei per gas that a move is likely to pay: the base fee, and the tip that is offered."""
        return self.base_fee() + PRIORITY_FEE

    def reward(self, case: Case, *, filed: bool, steps: int = WINDOW_STEPS) -> tuple[int, int]:
        """Coin and ENERGY that convicting a window brings its prover.

        Args:
            filed: the filing share is ours, too.
            steps: of 128 that are paid, where the proof share is shared by steps.
        """
        e = self._economics(case)
        stake = self._chain.stake_of(case.beast_id, case.checkpoint.trainer).amount
        share = e.proof_bps * steps // WINDOW_STEPS + (e.filing_bps if filed else 0)
        return stake * share // BASIS_POINTS, case.checkpoint.locked * share // BASIS_POINTS

    def conviction(self, case: Case, action: Action, *, mine: bool, gas: int = 0) -> Prospect:
        """A move against a wrong window.

        Args:
            mine: the dispute is ours.
            gas: estimated; the usual figure if 0.
        """
        fee, gas = self.fee(), gas or GAS[action]
        if action is Action.TIMEOUT:
            coin, energy = self.reward(case, filed=mine) if mine else (0, 0)
            return Prospect(gas, fee, coin, energy, returned=mine)
        filed = mine or action in (Action.FILE, Action.HEADER)
        coin, energy = self.reward(case, filed=filed)
        return Prospect(gas + COMMIT_GAS, fee, coin, energy)

    def advance(self, case: Case, steps: int, gas: int, *, invalid: bool, mine: bool) -> Prospect:
        """Re-executing some steps of a window, to convict it or to prove it right."""
        fee = self.fee()
        if invalid:
            coin, energy = self.reward(case, filed=mine, steps=steps)
            return Prospect(gas + COMMIT_GAS, fee, coin, energy)
        e = self._economics(case)
        bond = e.dispute_bond_multiple * case.checkpoint.payload.energy_burn
        pay = bond * steps // WINDOW_STEPS
        if e.energy_price:
            pay = min(pay, steps * STEP_GAS * self.base_fee() * ENERGY_UNIT // e.energy_price)
        return Prospect(gas + COMMIT_GAS, fee, 0, pay)

    def unpaid(self, action: Action, *, returned: bool = False) -> Prospect:
        """A move that brings nothing, or a bond of ours back."""
        return Prospect(GAS[action], self.fee(), returned=returned)
