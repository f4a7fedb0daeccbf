"""Seasons as files and as proposals: read, changed, shown, and taken through the timelock."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar, cast

from web3 import Web3
from web3.contract import Contract

from chainbeasts.backend.chain.amounts import show_coin, show_energy, show_exact_span
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.compile import artifact
from chainbeasts.backend.chain.inputs import decode_input
from chainbeasts.backend.chain.types import ArenaTerms, Economics, Limits, Season
from chainbeasts.backend.documents import read_toml
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.rules import Rules, Schedule

T = TypeVar("T")

PROFILES = ("devnet", "mainnet")
PROFILE_SUFFIX = ".toml"
# Amounts may be written as decimals: of ENERGY, of native coin (for one ENERGY, or for a gas).
ENERGY_FIELDS = (
    "base_cost",
    "growth_cost",
    "hatch_cost",
    "winner_reward",
    "loser_reward",
    "record_bond",
)
SPAN_FIELDS = (
    "challenge_period",
    "response_window",
    "proof_window",
    "publication_age",
    "disproof_period",
    "reward_cooldown",
    "record_window",
)
"""In seconds; limits have them with ``min_`` or ``max_`` before."""

COIN_FIELDS = ("energy_price", "reference_fee")
_PARTS = {"rules": Rules, "schedule": Schedule, "economics": Economics, "arena": ArenaTerms}


@dataclass(frozen=True, slots=True)
class Profile:
    """What a deployment starts with. ``timelock_delay`` is in seconds."""

    name: str
    timelock_delay: int
    faucet: bool
    limits: Limits
    season: Season


def parse_energy(text: str) -> int:
    """Wei of ENERGY of a decimal amount such as ``0.001``.

    Raises:
        ChainBeastsError: not a number, negative, or finer than one wei.
    """
    try:
        wei = Decimal(text.replace("_", "")) * 10**18
    except InvalidOperation:
        raise ChainBeastsError(f"{text!r} is not an amount of ENERGY, such as 12.5.") from None
    if not wei.is_finite() or wei < 0 or wei != wei.to_integral_value():
        raise ChainBeastsError(f"{text!r} is not an amount of ENERGY with up to 18 decimals.")
    return int(wei)


def parse_season(data: Mapping[str, Any]) -> Season:
    """The season of a TOML document with the tables rules, schedule, economics and arena.

    Raises:
        ChainBeastsError: a value is missing, unknown, or outside its range.
    """
    return Season(**{part: _table(data, part, kind) for part, kind in _PARTS.items()})


def _table(data: Mapping[str, Any], part: str, kind: Callable[..., T]) -> T:
    """A table of a profile as the dataclass whose fields it names."""
    table = dict(data.get(part, {}))
    names = [field.name for field in fields(cast("Any", kind))]
    missing = [name for name in names if name not in table]
    unknown = [name for name in table if name not in names]
    if missing or unknown:
        what = f"lacks {missing[0]}" if missing else f"has an unknown {unknown[0]}"
        raise ChainBeastsError(f"The table [{part}] {what}.")
    values = {name: _number(part, name, table[name]) for name in names}
    try:
        return kind(**values)
    except ValueError as error:
        raise ChainBeastsError(f"The table [{part}] does not fit: {error}.") from None


def _number(part: str, name: str, value: Any) -> int:
    if name in (*ENERGY_FIELDS, *COIN_FIELDS) and isinstance(value, str):
        return parse_energy(value)
    try:
        return int(value)
    except (TypeError, ValueError):
        raise ChainBeastsError(f"[{part}] {name} is {value!r}, not an integer.") from None


def load_profile(name: str) -> Profile:
    """A built-in profile, or one of a TOML file (a name that ends in ``.toml``).

    Raises:
        ChainBeastsError: there is none of that name, or its file does not fit.
    """
    if name.endswith(PROFILE_SUFFIX):
        path = Path(name)
        return _profile(path.name.removesuffix(PROFILE_SUFFIX), read_toml(path, str(path)))
    if name not in PROFILES:
        raise ChainBeastsError(
            f"There is no profile {name}.", f"Use {', '.join(PROFILES)}, or a file NAME.toml."
        )
    text = (
        resources.files("chainbeasts.backend.chain.profiles")
        .joinpath(f"{name}.toml")
        .read_text("utf-8")
    )
    return _profile(name, tomllib.loads(text))


def _profile(name: str, data: Mapping[str, Any]) -> Profile:
    delay, faucet = data.get("timelock_delay"), data.get("faucet")
    if type(delay) is not int or delay < 0 or type(faucet) is not bool:
        raise ChainBeastsError(
            f"The profile {name} needs timelock_delay, in seconds, and faucet, true or false."
        )
    limits = _table(data, "limits", Limits)
    return Profile(name, delay, faucet, limits, parse_season(data))


def season_from_file(path: Path) -> Season:
    """The season of a TOML file.

    Raises:
        ChainBeastsError: unreadable, not TOML, or a value does not fit.
    """
    return parse_season(read_toml(path, str(path)))


def season_table(season: Season) -> dict[str, dict[str, Any]]:
    """A season as the tables of its TOML form."""
    return {part: asdict(getattr(season, part)) for part in _PARTS}


def show_constant(name: str, value: Any) -> str:
    """A constant of a season, or a limit, as people read it: with its unit."""
    if name.removeprefix("min_").removeprefix("max_") in SPAN_FIELDS:
        return show_exact_span(value)
    if name in ENERGY_FIELDS:
        return show_energy(value)
    return show_coin(value) if name in COIN_FIELDS else str(value)


def season_with(season: Season, changes: Iterable[str]) -> Season:
    """A season with changes of the form ``name=value`` (or ``part.name=value``).

    Raises:
        ChainBeastsError: no such constant, or the value does not fit.
    """
    tables = season_table(season)
    for change in changes:
        name, equals, value = change.partition("=")
        name = name.strip().rsplit(".", 1)[-1]
        homes = [part for part, table in tables.items() if name in table]
        if not equals or not homes:
            raise ChainBeastsError(
                f"{change!r} names no constant of a season.",
                "Write --set name=value; `chainbeasts season show` lists the names.",
            )
        tables[homes[0]][name] = value.strip()
    return parse_season(tables)


@cache
def _registry() -> Contract:
    """The registry's interface, without an address."""
    return Web3().eth.contract(abi=artifact("SeasonRegistry").abi)  # type: ignore[return-value]


def added_season(data: bytes) -> Season | None:
    """The season of ``addSeason``'s calldata; None if it is another call's, or if no season can be
    as it says: the timelock takes any bytes, and the registry would refuse these."""
    found = decode_input(_registry(), data)
    if found is None or found[0] != "addSeason":
        return None
    try:
        return Season.from_abi(found[1]["values"])
    except ValueError:
        return None


def add_season_call(chain: Chain, season: Season) -> str:
    """Calldata of ``addSeason``."""
    return str(chain.seasons.encode_abi("addSeason", args=[season.to_abi()]))
