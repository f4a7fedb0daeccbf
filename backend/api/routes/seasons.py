"""/v1/seasons and /v1/season: the constants, and what is proposed to change them."""

from __future__ import annotations

from fastapi import Request, Response

from chainbeasts.backend.api.answers import answer
from chainbeasts.backend.api.constants import current_season, season_answers
from chainbeasts.backend.api.errors import missing
from chainbeasts.backend.api.models import CurrentSeason, Seasons
from chainbeasts.backend.api.routes.common import new_router
from chainbeasts.backend.api.services import ServicesDep

router = new_router("seasons")


@router.get("/seasons", response_model=Seasons, summary="Every season, oldest first")
def seasons(request: Request, services: ServicesDep) -> Response:
    """All versions of the constants; each stays in force for the epochs that began under it."""
    with services.session() as session:
        found = Seasons(items=season_answers(session))
    return answer(request, found)


@router.get("/season", response_model=CurrentSeason, summary="The newest season")
def season(request: Request, services: ServicesDep) -> Response:
    """The newest season, and the proposals that wait in the timelock."""
    with services.session() as session:
        found = current_season(services, session)
    if found is None:
        raise missing("season", "None is in the index yet: GET /v1/status says how far it is.")
    return answer(request, found)
