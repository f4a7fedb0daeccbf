"""Amounts of ENERGY as people read them."""

from __future__ import annotations

DECIMALS = 18


def show_energy(wei: int) -> str:
    """An amount of ENERGY, exact to the unit, such as ``12.5 ENERGY``."""
    whole, rest = divmod(abs(wei), 10**DECIMALS)
    digits = f"{rest:0{DECIMALS}d}".rstrip("0")
    return f"{'-' if wei < 0 else ''}{whole:,}{'.' + digits if digits else ''} ENERGY"
