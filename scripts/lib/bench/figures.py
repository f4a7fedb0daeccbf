"""One measured figure, and tables of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A measurement.

    Attributes:
        value: in ``unit``.
        target: what it should reach; None where it is only reported.
        at_most: the target is a ceiling, not a floor.
        method: how it was measured, in a sentence.
    """

    name: str
    value: float
    unit: str = ""
    target: float | None = None
    at_most: bool = False
    method: str = ""

    @property
    def reached(self) -> bool | None:
        """Whether the target is met; None without one."""
        if self.target is None:
            return None
        return self.value <= self.target if self.at_most else self.value >= self.target

    @property
    def shown(self) -> str:
        """The value for people."""
        return f"{_number(self.value)} {self.unit}".strip()

    @property
    def wanted(self) -> str:
        """The target for people."""
        if self.target is None:
            return ""
        return f"{'≤' if self.at_most else '≥'} {_number(self.target)} {self.unit}".strip()


def _number(value: float) -> str:
    if value == int(value) or abs(value) >= 1_000:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 100 else f"{value:.1f}"
