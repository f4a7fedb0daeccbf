"""Amounts of ENERGY and of native coin, and times, as people read them."""

from __future__ import annotations

from datetime import UTC, datetime

DECIMALS = 18


def show_energy(wei: int) -> str:
    """An amount of ENERGY, exact to the unit, such as ``12.5 ENERGY``."""
    return f"{_decimal(wei)} ENERGY"


def show_coin(wei: int) -> str:
    """An amount of the chain's native coin, exact to the unit, such as ``0.06 native coin``."""
    return f"{_decimal(wei)} native coin"


def show_time(seconds: int) -> str:
    """A block's time, such as ``2026-01-31 12:00:00 UTC``."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


_SPANS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def show_span(seconds: int) -> str:
    """A span of time in its two largest units, such as ``1 day 12 hours``."""
    parts = []
    for size, name in _SPANS:
        number, seconds = divmod(seconds, size)
        if number:
            parts.append(f"{number:,} {name}{'' if number == 1 else 's'}")
    return " ".join(parts[:2]) or "0 seconds"


def _decimal(wei: int) -> str:
    whole, rest = divmod(abs(wei), 10**DECIMALS)
    digits = f"{rest:0{DECIMALS}d}".rstrip("0")
    return f"{'-' if wei < 0 else ''}{whole:,}{'.' + digits if digits else ''}"
