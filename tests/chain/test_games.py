"""The cost games: what attacks cost either side."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chainbeasts.backend.chain.games import (
    FARM,
    GAMES,
    GWEI,
    MAINNET_REFERENCE,
    MANY,
    RATIO,
    UNIT,
    Game,
    Outcome,
    Prices,
    lost,
    play,
)
from chainbeasts.backend.chain.gas_figures import GasFigures, Opening
from chainbeasts.backend.chain.seasons import load_profile
from chainbeasts.backend.cli.season_economics import warnings

MAINNET, DEVNET = load_profile("mainnet"), load_profile("devnet")
L1 = MAINNET_REFERENCE[1]


def played(prices: Prices = L1, **changes: int) -> dict[str, Game]:
    season = replace(MAINNET.season, economics=replace(MAINNET.season.economics, **changes))
    games = play(season, MAINNET.limits.reference_fee, prices)
    return {game.attack: game for game in games}


@pytest.mark.parametrize("prices", MAINNET_REFERENCE, ids=lambda prices: prices.name)
def test_the_mainnet_profile_wins_every_game_at_its_reference_prices(prices: Prices) -> None:
    games = played(prices)
    assert len(games) == len(GAMES)
    for game in games.values():
        if game.outcome is Outcome.BUDGET:
            assert game.attack in ("bait", "bait and a decoy")
            continue
        assert game.net >= 0 or game.attacker >= RATIO * -game.net, game
    assert not lost(games.values())


@pytest.mark.parametrize("gas_price", [GWEI // 1_000, 100 * GWEI])
@pytest.mark.parametrize("energy_price", [0, UNIT])
def test_no_game_depends_on_the_prices(gas_price: int, energy_price: int) -> None:
    """Whatever ENERGY is worth: what pays for gas is never priced in it."""
    for profile in (MAINNET, DEVNET):
        prices = Prices("far off", gas_price, energy_price)
        assert not lost(play(profile.season, profile.limits.reference_fee, prices))


def test_a_false_dispute_costs_its_filer_what_opening_takes_and_its_bond() -> None:
    gas = GasFigures.load()
    game = played()["forced opening"]
    paid = gas.segments.paid + gas.state.paid + gas.records.paid
    bond = 2 * 32 * 10**15 * L1.energy_price // UNIT  # twice a quarter of 0.128 ENERGY
    assert game.attacker == (gas.file_private + paid) * GWEI + bond
    assert game.reward == paid * GWEI
    assert game.outlay == (gas.segments.gas + gas.state.gas + gas.records.gas) * GWEI
    # Of 64 open disputes all but the first put up a surplus, of which as much burns as they opened.
    many = played()[f"{MANY} forced openings"]
    assert many.attacker == MANY * game.attacker + (MANY - 1) * paid * GWEI
    assert many.outlay == MANY * game.outlay
    assert many.outcome is Outcome.RECOVERS


def test_a_decoy_makes_a_doubt_twice_as_dear_and_no_more() -> None:
    gas = GasFigures.load()
    paid = gas.segments.paid + gas.state.paid + gas.records.paid
    bait, decoyed = played()["bait"], played()["bait and a decoy"]
    assert decoyed.outlay == bait.outlay + paid * GWEI
    assert decoyed.peak == bait.peak + 4 * paid * GWEI
    # What its trainer does not get back: the decoy's bond in ENERGY, its filing and its openings.
    bond = 2 * 32 * 10**15 * L1.energy_price // UNIT
    assert decoyed.attacker == bait.attacker + bond + (gas.file_public + gas.segments.gas) * GWEI


def test_a_conviction_pays_its_shares_of_stake_and_lock() -> None:
    game = played()["storm of frauds"]
    stake = 60_000_000 * GWEI
    lock = 5 * 32 * 10**15 * L1.energy_price // UNIT
    assert game.attacker == MANY * (stake + lock)
    assert game.reward == MANY * ((stake + lock) // 10 + (stake + lock) * 3 // 10)


def test_a_farm_of_beasts_earns_half_of_what_its_training_burned_and_its_hatches_besides() -> None:
    game, economics = played()["farm"], MAINNET.season.economics
    window = 32 * 10**15 * L1.energy_price // UNIT
    hatch = economics.hatch_cost * L1.energy_price // UNIT
    assert game.outlay == FARM * window // 2
    assert game.reward == FARM * (window + hatch)
    assert game.attacker > FARM * (window // 2 + hatch)
    assert game.outcome is Outcome.RECOVERS


def test_a_lost_game_is_named() -> None:
    gas = GasFigures.load()
    underpaid = replace(gas, segments=Opening(gas.segments.gas, gas.segments.gas // 2))
    prices = Prices("without bonds", GWEI, 0)
    games = play(MAINNET.season, MAINNET.limits.reference_fee, prices, underpaid)
    # What the attacker loses is less than 6.46 times what the trainer is not paid.
    assert [game.attack for game in lost(games)] == ["freezing"]


def test_a_season_that_loses_a_game_is_warned_of() -> None:
    assert warnings(MAINNET.season, MAINNET.limits.reference_fee) == []
    # No registry takes this one: its stake pays no conviction.
    economics = replace(MAINNET.season.economics, stake_gas=1_000_000)
    bad = replace(MAINNET.season, economics=economics)
    said = warnings(bad, MAINNET.limits.reference_fee)
    assert any("draining" in sentence for sentence in said), said
    assert all(sentence.startswith("This season loses a game, ") for sentence in said)
