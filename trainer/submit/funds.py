"""What a submission takes from its account: ENERGY to lock, native coin for gas, and patience."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

import structlog

from chainbeasts.backend.chain.amounts import show_coin, show_energy
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.escrow import GET_ENERGY
from chainbeasts.backend.chain.fees import show_gwei
from chainbeasts.backend.chain.transactions import TransactionManager
from chainbeasts.backend.errors import ChainBeastsError

log = structlog.get_logger()

FEE_POLL_SECONDS = 1.0

Pause = Callable[[float], bool]
"""Waits that many seconds; True as soon as the run is to stop."""


class OutOfEnergyError(ChainBeastsError):
    """Escrow and wallet do not cover the next window's lock."""


class OutOfGasError(ChainBeastsError):
    """The account cannot pay for the next transaction."""


@dataclass(frozen=True, slots=True)
class Funds:
    """An account's ENERGY, wei."""

    account: str
    escrow: int
    wallet: int

    @property
    def total(self) -> int:
        return self.escrow + self.wallet

    def covers(self, locks: Sequence[int]) -> int:
        """How many of these, from the first on, can be locked together."""
        # No lock is negative, so the running totals only grow and the count is that of a prefix.
        return sum(total <= self.total for total in accumulate(locks))


def funds_of(chain: Chain, account: str) -> Funds:
    """What an account can lock."""
    return Funds(account, chain.escrow_of(account), chain.energy_of(account))


def out_of_energy(
    beast_id: int, funds: Funds, lock: int, remaining: int, windows: int | None
) -> OutOfEnergyError:
    """The error that says how much there is and how much is needed.

    Args:
        lock: of the next window.
        remaining: locks of all ``windows`` that remain (None: no end).
    """
    needs = f"The next window of beast {beast_id} locks {show_energy(lock)} (price and bond)"
    if windows is not None and windows > 1:
        needs += f", the {windows} that remain lock {show_energy(remaining)}"
    has = f"{funds.account} has {show_energy(funds.total)}"
    if funds.escrow:
        has += f", {show_energy(funds.escrow)} of it in escrow"
    missing = max(remaining, lock) - funds.total
    return OutOfEnergyError(
        f"{needs}; {has}.",
        f"Get {show_energy(missing)} more: {GET_ENERGY}; or wait until bonds come back. The same "
        "command goes on from there.",
    )


def check_gas(chain: Chain, sender: TransactionManager, gas: int, windows: int) -> None:
    """Make sure that a sender can pay a transaction of that much gas.

    Raises:
        OutOfGasError: it cannot.
    """
    # A node demands gas × the most that is offered per gas, not what will be paid in the end.
    fee, account = sender.offer().most, sender.account.address
    balance = int(chain.read(lambda: chain.w3.eth.get_balance(account)))
    if balance < gas * fee:
        raise OutOfGasError(
            f"{account} cannot pay the gas to submit the next {count(windows)}: up to "
            f"{show_coin(gas * fee)} are needed ({gas:,} gas at {show_gwei(fee)}); it has "
            f"{show_coin(balance)}.",
            "Send it some of the chain's native coin; the same command goes on from there.",
        )


def wait_for_fee(chain: Chain, limit: int | None, pause: Pause) -> bool:
    """Wait while the base fee is above a limit (wei per gas); False if stopped meanwhile."""
    if limit is None:
        return not pause(0)
    # The head may move meanwhile; the ledger then refuses the windows, which locks nothing.
    waiting = False
    while (fee := chain.base_fee()) > limit:
        if not waiting:
            log.warning("waiting for a lower fee", fee=show_gwei(fee), limit=show_gwei(limit))
            waiting = True
        if pause(FEE_POLL_SECONDS):
            return False
    if waiting:
        log.info("the fee has fallen", fee=show_gwei(fee), limit=show_gwei(limit))
    return not pause(0)


def count(windows: int) -> str:
    """A number of windows in words."""
    return "window" if windows == 1 else f"{windows} windows"
