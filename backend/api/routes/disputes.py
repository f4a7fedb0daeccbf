"""/v1/disputes: who doubts which window, each move, and how it ended."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request, Response
from fastapi.responses import FileResponse
from sqlalchemy import select

from backend.api.answers import REVALIDATE, answer
from backend.api.cursors import LARGEST, USUAL_ITEMS, Cursor, Id, Limit, cursor_of, place
from backend.api.errors import missing
from backend.api.library import Books
from backend.api.models import DisputeDetail, DisputePage
from backend.api.routes.common import content, new_router
from backend.api.verdicts import dispute_answers, dispute_detail
from backend.indexer.queries import OPEN
from backend.store.facts import DisputeRow

router = new_router("disputes")

ZIP = "application/zip"
About = Annotated[int | None, Query(ge=0, le=LARGEST, description="Only about this beast.")]
Open = Annotated[bool | None, Query(description="Only those that have (not) ended.")]


@router.get("/disputes", response_model=DisputePage, summary="Disputes, newest first")
def disputes(
    request: Request,
    books: Books,
    cursor: Cursor = None,
    limit: Limit = USUAL_ITEMS,
    beast: About = None,
    open: Open = None,
) -> Response:
    """A page of disputes."""
    d = DisputeRow
    wanted = select(d).order_by(d.dispute_id.desc()).limit(limit + 1)
    before = place(cursor)
    if before is not None:
        wanted = wanted.where(d.dispute_id < before[0])
    if beast is not None:
        wanted = wanted.where(d.beast_id == beast)
    if open is not None:
        wanted = wanted.where(d.status.in_(OPEN) if open else d.status.not_in(OPEN))
    with books.session() as session:
        rows = session.scalars(wanted).all()
        items = dispute_answers(session, rows[:limit])
    following = cursor_of(items[-1].id) if len(rows) > limit else None
    return answer(request, DisputePage(items=items, next=following))


@router.get("/disputes/{dispute_id}", response_model=DisputeDetail, summary="One dispute")
def dispute(request: Request, books: Books, dispute_id: Id) -> Response:
    """A dispute from its first move to its last."""
    with books.session() as session:
        row = session.get(DisputeRow, dispute_id)
        if row is None:
            raise _no_dispute(dispute_id)
        found = dispute_detail(books, session, row)
    return answer(request, found)


@router.get(
    "/disputes/{dispute_id}/bundle",
    response_class=Response,
    responses=content(ZIP, "Evidence that `dispute verify-bundle` checks without a node."),
    summary="Its evidence",
)
def bundle(books: Books, dispute_id: Id) -> Response:
    """The evidence bundle, if one was put into the folder of bundles."""
    with books.session() as session:
        if session.get(DisputeRow, dispute_id) is None:
            raise _no_dispute(dispute_id)
    path = books.bundle_path(dispute_id)
    if not path.is_file():
        raise missing(
            f"evidence bundle of dispute {dispute_id}",
            f"Whoever runs this server makes one with `chainbeasts dispute bundle {dispute_id} "
            f"--out {path.name}` in its folder of bundles; everybody can make their own.",
        )
    headers = {"Cache-Control": REVALIDATE}
    return FileResponse(path, media_type=ZIP, filename=path.name, headers=headers)


def _no_dispute(dispute_id: int) -> Exception:
    return missing(f"dispute {dispute_id}", "GET /v1/disputes lists those there are.")
