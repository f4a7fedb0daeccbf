"""What a transaction offers per gas, and how that rises while it waits. Pure; wei per gas."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from chainbeasts.backend.errors import ChainBeastsError

GWEI = 10**9
PRIORITY_FEE = GWEI
LEAST_PRIORITY_FEE = 10**6
"""What block builders take at least, on chains whose base fee is next to nothing."""

TIP_DIVISOR = 4
"""Of the base fee: a larger tip is not paid back for the openings of a dispute (OpeningGas.sol),
and on a rollup a whole gwei would be a hundred times the fee."""

FEE_BUMP = 1.125
"""Both fees rise by this at least, or a node keeps the transaction that it has."""

MOST_MULTIPLE = 5
"""No bid is above so many times what would be offered anew, the bound of Optimism's txmgr: a
transaction that waits although it offers that much does not wait for money."""

URGENT_BUMP = 1.5
URGENT_WAITS = 50
"""So many waits before the deadline a transaction begins to hurry."""

MOST_HURRY = 12
"""A bump comes at most so many times sooner."""


@dataclass(frozen=True, slots=True)
class Fees:
    """EIP-1559 fees."""

    most: int
    priority: int


def offer(base: int, cap: int | None = None) -> Fees:
    """The first offer: good for the present base fee and for six full blocks on top."""
    # A full block raises the base fee by an eighth, and (9/8)^6 is 2.03.
    wanted = 2 * base + PRIORITY_FEE
    most = wanted if cap is None else min(wanted, cap)
    priority = min(PRIORITY_FEE, max(base // TIP_DIVISOR, LEAST_PRIORITY_FEE))
    return Fees(most, min(priority, most))


def ceiling(base: int) -> Fees:
    """What is never offered more than, whatever a node says, at the present base fee."""
    first = offer(base)
    return Fees(MOST_MULTIPLE * first.most, MOST_MULTIPLE * first.priority)


def bumped(fees: Fees, base: int, factor: float = FEE_BUMP, cap: int | None = None) -> Fees | None:
    """The next offer for the same nonce; None if the cap or the ceiling leaves no room for one."""
    # Nodes ask for 10 % on both fees. An eighth has room for what a double loses, one part in
    # 10^16, and the 1 for rounding down. The priority fee was at most ``fees.most``, so the cut to
    # the new ``most``, itself an eighth more, leaves it its eighth.
    top = ceiling(base)
    limit = top.most if cap is None else min(top.most, cap)
    least = _least(fees)
    most = min(max(int(fees.most * factor) + 1, offer(base).most), limit)
    priority = min(int(fees.priority * factor) + 1, top.priority, most)
    if fees.most < base:  # it cannot be mined now: the tip alone must not keep it from rising
        priority = max(priority, min(least.priority, most))
    if most < least.most or priority < least.priority:
        return None  # a smaller step would be refused, and neither bound is ever passed
    return Fees(most, priority)


def _least(fees: Fees) -> Fees:
    """The smallest offer that nodes take in place of another one."""
    return Fees(int(fees.most * FEE_BUMP) + 1, int(fees.priority * FEE_BUMP) + 1)


def pace(bump_after: float, left: float | None) -> tuple[float, float]:
    """How long to wait for the next bump, and by what it raises.

    Args:
        bump_after: seconds between bumps without hurry.
        left: seconds until the transaction is of no use any more; None: no such time.

    Returns:
        (seconds, factor); both grow more urgent over the last ``URGENT_WAITS`` waits.
    """
    horizon = URGENT_WAITS * bump_after
    if left is None or left >= horizon or left < 0:
        return bump_after, FEE_BUMP
    calm = left / horizon
    wait = bump_after * max(calm, 1 / MOST_HURRY)
    return wait, URGENT_BUMP - (URGENT_BUMP - FEE_BUMP) * calm


def parse_gwei(text: str) -> int:
    """Wei of a fee in gwei.

    Raises:
        ChainBeastsError: not a positive number.
    """
    try:
        fee = Decimal(text)
    except ArithmeticError:
        fee = Decimal(-1)
    if not fee.is_finite() or fee <= 0:
        raise ChainBeastsError(f"{text!r} is no fee in gwei.", "Write --max-fee 30, say.")
    return int(fee * GWEI)


def show_gwei(wei: int) -> str:
    """A fee per gas."""
    return f"{(Decimal(wei) / GWEI).normalize():f} gwei"
