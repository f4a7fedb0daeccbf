"""/v1/energy and /v1/prices: what ENERGY and all else cost, and where ENERGY came from and went."""

from __future__ import annotations

from fastapi import Request, Response
from sqlalchemy.orm import Session

from chainbeasts.backend.api.answers import answer
from chainbeasts.backend.api.models import Energy, Prices
from chainbeasts.backend.api.prices import newest_season
from chainbeasts.backend.api.pricing import current_prices
from chainbeasts.backend.api.routes.common import new_router
from chainbeasts.backend.api.services import ServicesDep, tip_hash, tip_of
from chainbeasts.backend.indexer.energy import energy_totals

router = new_router("energy")


@router.get("/energy", response_model=Energy, summary="What ENERGY costs, and how much there was")
def energy(request: Request, services: ServicesDep) -> Response:
    """The sale's price, what a hatch burns, and what was sold, burned and earned so far."""
    with services.session() as session:
        tip = tip_hash(tip_of(session))
        found = services.once.get("energy", tip, lambda: _energy(session))
    return answer(request, found)


@router.get("/prices", response_model=Prices, summary="What things cost now")
def prices(request: Request, services: ServicesDep) -> Response:
    """What windows, hatches, stakes and bonds cost, by the newest season and the latest fee."""
    with services.session() as session:
        found = current_prices(services.follower, session)
    return answer(request, found)


def _energy(session: Session) -> Energy:
    number, season = newest_season(session)
    totals = energy_totals(session)
    return Energy(
        season=number,
        price=season.economics.energy_price,
        hatch_cost=season.economics.hatch_cost,
        sold=totals.sold,
        proceeds=totals.paid,
        burned_by_hatching=totals.hatching,
        burned_by_training=totals.training,
        rewards=totals.rewards,
    )
