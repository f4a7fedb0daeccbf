"""Amounts of ENERGY and of native coin, and times, as people read them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from chainbeasts.backend.errors import ChainBeastsError

DECIMALS = 18
LAST_SECOND = 253_402_300_799
"""Of the year 9999, which is as far as dates go."""


def show_energy(wei: int) -> str:
    """An amount of ENERGY, exact to the unit, such as ``12.5 ENERGY``."""
    return f"{_decimal(wei)} ENERGY"


def show_coin(wei: int) -> str:
    """An amount of the chain's native coin, exact to the unit, such as ``0.06 native coin``."""
    return f"{_decimal(wei)} native coin"


def parse_coin(text: str) -> int:
    """Wei of a decimal amount of native coin such as ``0.05``.

    Raises:
        ChainBeastsError: it is none.
    """
    try:
        wei = Decimal(text.replace("_", "")) * 10**DECIMALS
    except InvalidOperation:
        raise ChainBeastsError(f"{text!r} is not an amount of native coin, such as 0.5.") from None
    if not wei.is_finite() or wei < 0 or wei != wei.to_integral_value():
        raise ChainBeastsError(f"{text!r} is not an amount of native coin with up to 18 decimals.")
    return int(wei)


def show_time(seconds: int) -> str:
    """A block's time, such as ``2026-01-31 12:00:00 UTC``.

    One after the year 9999, which a contract may name for "never", is shown as its seconds.
    """
    if seconds > LAST_SECOND:
        return f"second {seconds}"
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def show_moment(seconds: int, now: float) -> str:
    """A time and how far it is from ``now``: ``2026-01-31 12:00:00 UTC (in 3 h)``."""
    left = seconds - int(now)
    distance = f"in {show_span(left)}" if left >= 0 else f"{show_span(-left)} ago"
    return f"{show_time(seconds)} ({distance})"


def show_span(seconds: int) -> str:
    """A length of time in its two largest units, such as ``1 d 6 h``."""
    parts, rest = [], max(seconds, 0)
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"


def show_exact_span(seconds: int) -> str:
    """The same for a constant, which can be set again by what is shown: ``1 d (86,400 s)``."""
    return show_span(seconds) if seconds < 60 else f"{show_span(seconds)} ({seconds:,} s)"


def _decimal(wei: int) -> str:
    whole, rest = divmod(abs(wei), 10**DECIMALS)
    digits = f"{rest:0{DECIMALS}d}".rstrip("0")
    return f"{'-' if wei < 0 else ''}{whole:,}{'.' + digits if digits else ''}"
