"""What the validator's account has, and how far that goes: looked up now and then, and told."""

from __future__ import annotations

import time
from collections.abc import Callable

from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.costs import full_opening_gas
from chainbeasts.backend.chain.prices import dispute_bond, opening_bond, window_price
from chainbeasts.backend.chain.transactions import TransactionManager
from chainbeasts.backend.kernel.constants import APPENDAGE_SLOTS, SENSOR_SLOTS
from chainbeasts.validator.operations.metrics import ValidatorMetrics

LOOK_SECONDS = 30.0
FILING_GAS = 250_000
"""Somewhat more than what filing takes, without the approval and deposit of its ENERGY bond."""

_AWAKE = (1 << (SENSOR_SLOTS + APPENDAGE_SLOTS)) - 1


class FundsWatch:
    """Tells a monitor what an account has.

    Args:
        clock: seconds that only grow.
    """

    def __init__(
        self,
        sender: TransactionManager,
        monitor: ValidatorMetrics,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sender, self._monitor, self._clock = sender, monitor, clock
        self._reference_fee: int | None = None
        self._next = 0.0

    def look(self) -> None:
        """Look the account up, unless that was done a moment ago.

        Raises:
            NodeUnavailableError: the node does not answer.
        """
        if self._clock() < self._next:
            return
        chain, account = self._sender.chain, self._sender.account.address
        coin = int(chain.read(lambda: chain.w3.eth.get_balance(account)))
        energy = chain.energy_of(account) + chain.escrow_of(account)
        self._monitor.funded(coin, energy)
        self._monitor.payable(min(coin // self._filing_cost(chain), energy // _bond(chain)))
        self._next = self._clock() + LOOK_SECONDS

    def _filing_cost(self, chain: Chain) -> int:
        """Wei of native coin that filing takes at present, over a window of public samples."""
        if self._reference_fee is None:  # immutable
            self._reference_fee = chain.limits().reference_fee
        fee = self._sender.offer().most
        bond = opening_bond(full_opening_gas(0), max(fee, self._reference_fee))
        return bond + FILING_GAS * fee


def _bond(chain: Chain) -> int:
    """Wei of ENERGY that filing over a window of a brain that is wholly awake takes."""
    economics = chain.season(chain.current_season()).economics
    return dispute_bond(economics, window_price(economics, _AWAKE, _AWAKE))
