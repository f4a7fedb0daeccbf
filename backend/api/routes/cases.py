"""/v1/disputes/{id}/…: what the disputed window is computed from, and what is at risk over it."""

from __future__ import annotations

from fastapi import Request, Response

from chainbeasts.backend.api.answers import answer
from chainbeasts.backend.api.cases import risk_of, window_inputs
from chainbeasts.backend.api.cursors import Id
from chainbeasts.backend.api.models import Risk, WindowInputs
from chainbeasts.backend.api.routes.common import find_row, new_router
from chainbeasts.backend.api.services import ServicesDep
from chainbeasts.backend.store.facts import DisputeRow

router = new_router("disputes")

LISTED = "/v1/disputes"


@router.get(
    "/disputes/{dispute_id}/window",
    response_model=WindowInputs,
    summary="What its window is computed from",
)
def window(request: Request, services: ServicesDep, dispute_id: Id) -> Response:
    """With the parent's state and the checkpoint, all that it takes to compute it again."""
    with services.session() as session:
        row = find_row(session, DisputeRow, dispute_id, "dispute", LISTED)
        found = window_inputs(services, session, row)
    return answer(request, found)


@router.get(
    "/disputes/{dispute_id}/risk",
    response_model=Risk,
    summary="What is at risk in it for the trainer",
)
def risk(request: Request, services: ServicesDep, dispute_id: Id) -> Response:
    """Lock, stake, and the shares of them that a conviction pays out."""
    with services.session() as session:
        found = risk_of(session, find_row(session, DisputeRow, dispute_id, "dispute", LISTED))
    return answer(request, found)
