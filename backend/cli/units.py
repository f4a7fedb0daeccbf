"""What the numbers in results are, by the names of their fields (docs/guides/json.md).

One table for JSON and for people: an amount never goes out as a bare number of wei, nor a time as
seconds since 1970.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from chainbeasts.backend.chain.amounts import LAST_SECOND, show_coin, show_energy, show_time

ENERGY = frozenset(
    {
        "amount", "arena_escrow", "balance", "base_cost", "bond", "bonds_in_open_disputes",
        "bought", "burned", "dispute_bond", "energy", "energy_burn", "escrow", "growth",
        "growth_cost", "hatch_cost", "left", "lock", "locked", "loser_reward", "next_bond",
        "next_energy", "price", "record_bond", "reward", "reward_a", "reward_allowance", "reward_b",
        "rewarded", "sold", "supply", "winner_reward",
    }
)  # fmt: skip
"""Wei of ENERGY; of native coin where the command is about that (``account send``, stakes)."""

COIN = frozenset(
    {
        "attacker", "balance_wei", "coin", "coin_lock", "coin_price", "credit", "energy_price",
        "filing", "gas_price", "native", "net", "opening_bond", "opening_cost", "opening_surplus",
        "outlay", "paid", "peak", "proof", "reference_fee", "required", "required_stake", "stake",
    }
)  # fmt: skip
"""Wei of native coin."""

TIMES = frozenset({"created", "head_start_end", "now", "until"})
_TIME_ENDS = ("_at", "_at_most", "_deadline", "_until")


def is_amount(name: str) -> bool:
    """Whether a field's integers are wei."""
    return name in ENERGY or name in COIN


def is_time(name: str) -> bool:
    """Whether a field's integers are unix seconds."""
    return name in TIMES or name.endswith(_TIME_ENDS)


def iso_time(seconds: float) -> str:
    """A time as JSON has it, such as ``2026-01-31T12:00:00Z``.

    One after the year 9999 is its seconds, as ``show_time`` has it.
    """
    if int(seconds) > LAST_SECOND:
        return show_time(int(seconds))
    return iso(datetime.fromtimestamp(int(seconds), UTC))


def iso(moment: datetime) -> str:
    """The same of a datetime; one without a zone is in UTC, as all of ours are."""
    known = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return f"{known.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def readable(name: str, value: Any) -> Any:
    """A field's value for people: amounts and times with their unit, all else as it is."""
    if not isinstance(value, int) or isinstance(value, bool):
        return value
    field = name.replace(" ", "_")
    if is_time(field):
        return show_time(value) if value else "never"
    if field in COIN:
        return show_coin(value)
    return show_energy(value) if field in ENERGY else value
