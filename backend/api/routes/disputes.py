"""/v1/disputes: who doubts which window, each move, and how it ended."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from chainbeasts.backend.api.answers import REVALIDATE, answer, tagged_file
from chainbeasts.backend.api.cursors import (
    LARGEST,
    USUAL_ITEMS,
    Cursor,
    Id,
    Limit,
    Plain,
    read_page,
)
from chainbeasts.backend.api.errors import missing
from chainbeasts.backend.api.models import DisputeDetail, DisputePage
from chainbeasts.backend.api.routes.common import (
    AccountQuery,
    account_of,
    content,
    find_row,
    new_router,
)
from chainbeasts.backend.api.services import ServicesDep
from chainbeasts.backend.api.verdicts import dispute_answers, dispute_detail
from chainbeasts.backend.indexer.queries import OPEN
from chainbeasts.backend.store.facts import DisputeRow

router = new_router("disputes")

ZIP = "application/zip"
About = Annotated[int | None, Query(ge=0, le=LARGEST, description="Only about this beast."), Plain]
Open = Annotated[bool | None, Query(description="Only those that have (not) ended.")]


@router.get("/disputes", response_model=DisputePage, summary="Disputes, newest first")
def disputes(
    request: Request,
    services: ServicesDep,
    cursor: Cursor = None,
    limit: Limit = USUAL_ITEMS,
    beast: About = None,
    open: Open = None,
    filer: AccountQuery = None,
) -> Response:
    """A page of disputes."""
    d = DisputeRow
    wanted = select(d)
    if beast is not None:
        wanted = wanted.where(d.beast_id == beast)
    if filer is not None:
        wanted = wanted.where(d.filer == account_of(filer))
    if open is not None:
        wanted = wanted.where(d.status.in_(OPEN) if open else d.status.not_in(OPEN))
    with services.session() as session:
        part = read_page(session, wanted, cursor, limit, d.dispute_id)
        items = dispute_answers(session, part.rows)
    return answer(request, DisputePage(items=items, next=part.next, previous=part.previous))


@router.get("/disputes/{dispute_id}", response_model=DisputeDetail, summary="One dispute")
def dispute(request: Request, services: ServicesDep, dispute_id: Id) -> Response:
    """A dispute from its first move to its last."""
    with services.session() as session:
        found = dispute_detail(services, session, _find(session, dispute_id))
    return answer(request, found)


@router.get(
    "/disputes/{dispute_id}/bundle",
    response_class=Response,
    responses=content(ZIP, "Evidence that `dispute verify-bundle` checks without a node."),
    summary="Its evidence",
)
def bundle(request: Request, services: ServicesDep, dispute_id: Id) -> Response:
    """The evidence bundle, if one was put into the folder of bundles."""
    with services.session() as session:
        _find(session, dispute_id)
    path = services.bundle_path(dispute_id)
    if not path.is_file():
        raise missing(
            f"evidence bundle of dispute {dispute_id}",
            f"Whoever runs this server makes one with `chainbeasts dispute bundle {dispute_id} "
            f"--out {path.name}` in its folder of bundles; everybody can make their own.",
        )
    return tagged_file(request, path, ZIP, REVALIDATE)


def _find(session: Session, dispute_id: int) -> DisputeRow:
    return find_row(session, DisputeRow, dispute_id, "dispute", "/v1/disputes")
