"""The cost games of a season as tables, as JSON, and as warnings."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table

from chainbeasts.backend.chain.fees import parse_gwei, show_gwei
from chainbeasts.backend.chain.games import MAINNET_REFERENCE, Game, Prices, lost, play
from chainbeasts.backend.chain.seasons import parse_energy
from chainbeasts.backend.chain.types import Economics, Season
from chainbeasts.backend.cli.output import table

Played = Sequence[tuple[Prices, list[Game]]]
MILLIONTH = 10**12


def chosen_prices(
    economics: Economics, reference_fee: int, gas_price: str | None, energy_price: str | None
) -> list[Prices]:
    """What to reckon with: the prices given, else those that the mainnet profile is made for.

    Args:
        gas_price: in gwei; the deployment's least fee if only the other one is given.
        energy_price: native coin for one ENERGY; the season's if only the other one is given.

    Raises:
        ChainBeastsError: one of them is no number.
    """
    if gas_price is None and energy_price is None:
        return list(MAINNET_REFERENCE)
    gas = reference_fee if gas_price is None else parse_gwei(gas_price)
    energy = economics.energy_price if energy_price is None else parse_energy(energy_price)
    return [Prices(f"{show_gwei(gas)} a gas", gas, energy)]


def warnings(season: Season, reference_fee: int) -> list[str]:
    """A sentence for each game that a season loses at its own prices."""
    prices = Prices("the season's own prices", reference_fee, season.economics.energy_price)
    return [
        f"This season loses a game, {game.attack}: the honest side loses {_coin(-game.net)} where "
        f"the attacker loses {_coin(game.attacker)}."
        for game in lost(play(season, reference_fee, prices))
    ]


def as_values(played: Played) -> list[dict[str, Any]]:
    """For JSON; amounts in wei of native coin."""
    return [
        {
            "prices": prices,
            "games": [
                {
                    "attack": game.attack,
                    "story": game.story,
                    "attacker": game.attacker,
                    "outlay": game.outlay,
                    "reward": game.reward,
                    "net": game.net,
                    "ratio": game.ratio,
                    "peak": game.peak,
                    "outcome": game.outcome.value,
                }
                for game in games
            ],
        }
        for prices, games in played
    ]


def as_tables(played: Played) -> RenderableType:
    """For people; one table for each set of prices."""
    return Group(*(_table(prices, games) for prices, games in played))


def _table(prices: Prices, games: list[Game]) -> Table:
    title = (
        f"At {prices.name}, {_coin(prices.energy_price)} an ENERGY: what the attacker loses; what "
        "the honest side spends, is paid and has left, and its peak capital "
        "(all in millionths of native coin)"
    )
    columns = ("attack", "attacker", "spends", "paid", "net", "ratio", "peak", "outcome")
    return table(title, columns, [_row(game) for game in games])


def _row(game: Game) -> tuple[str, ...]:
    amounts = (game.attacker, game.outlay, game.reward, game.net)
    ratio = "" if game.ratio is None else _short(game.ratio)
    return (game.attack, *map(_millionths, amounts), ratio, _millionths(game.peak), game.outcome)


def _coin(wei: int) -> str:
    return f"{Decimal(wei) / 10**18:f}".rstrip("0").rstrip(".") or "0"


def _millionths(wei: int) -> str:
    """Millionths of native coin, with about three digits."""
    return _short(wei / MILLIONTH)


def _short(value: float) -> str:
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"
