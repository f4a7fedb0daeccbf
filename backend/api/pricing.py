"""What things cost now, as an answer: the arithmetic is the contracts', by the newest season."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chainbeasts.backend.api.follow import Follower
from chainbeasts.backend.api.models import HatchPrice, OpeningBonds, Prices, WindowPrice
from chainbeasts.backend.api.prices import newest_season
from chainbeasts.backend.chain.costs import HATCH_GAS
from chainbeasts.backend.chain.prices import (
    coin_for,
    dispute_bond,
    opening_bond,
    opening_gas,
    stake_price,
    window_price,
)
from chainbeasts.backend.chain.types import Economics, Opening, opening_bit
from chainbeasts.backend.kernel.constants import APPENDAGE_SLOTS, MAX_RECORDS, SENSOR_SLOTS

_FIRST = opening_bit(Opening.SEGMENTS)
_PUBLIC = _FIRST | opening_bit(Opening.STATE)
_PRIVATE = _PUBLIC | opening_bit(Opening.RECORDS)


def current_prices(follower: Follower, session: Session) -> Prices:
    """What things cost now."""
    number, season = newest_season(session)
    economics = season.economics
    base_fee, reference = follower.head.base_fee, follower.reference_fee
    fee = None if base_fee is None or reference is None else max(base_fee, reference)
    return Prices(
        season=number,
        energy_price=economics.energy_price,
        hatch=HatchPrice(
            energy=economics.hatch_cost,
            coin=coin_for(economics.hatch_cost, economics.energy_price),
            gas=HATCH_GAS,
        ),
        growth=economics.growth_cost,
        windows=[
            _window(economics, sensors, limbs)
            for sensors in range(1, 1 + SENSOR_SLOTS)
            for limbs in range(1, 1 + APPENDAGE_SLOTS)
        ],
        record_bond=season.arena.record_bond,
        base_fee=base_fee,
        fee=fee,
        stake=None if fee is None else stake_price(economics, fee),
        opening_bonds=None if fee is None else _opening_bonds(fee),
    )


def _window(economics: Economics, sensors: int, limbs: int) -> WindowPrice:
    """A price depends on how many slots are awake, not on which."""
    mask = ((1 << sensors) - 1) | ((1 << limbs) - 1) << SENSOR_SLOTS
    price = window_price(economics, mask, mask)
    return WindowPrice(
        sensors=sensors,
        limbs=limbs,
        price=price,
        bond=price * economics.trainer_bond_multiple,
        coin_price=coin_for(price, economics.energy_price),
        dispute_bond=dispute_bond(economics, price),
    )


def _opening_bonds(fee: int) -> OpeningBonds:
    return OpeningBonds(
        first=opening_bond(opening_gas(_FIRST), fee),
        public=opening_bond(opening_gas(_PUBLIC), fee),
        private=opening_bond(opening_gas(_PRIVATE, MAX_RECORDS), fee),
    )
