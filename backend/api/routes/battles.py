"""/v1/matches, /v1/leaderboard and /v1/words: who fought whom, how, and who is the strongest."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request, Response

from backend.api.answers import FOREVER, answer, tagged
from backend.api.battles import match_answers, match_detail
from backend.api.cursors import LARGEST, USUAL_ITEMS, Cursor, Id, Limit, place, read_page
from backend.api.errors import missing
from backend.api.models import Leaderboard, MatchDetail, MatchPage
from backend.api.ranking import leaderboard_answer
from backend.api.routes.common import Digest, content, digest_bytes, find_row, new_router
from backend.api.services import ServicesDep
from backend.indexer.queries import select_matches
from backend.store.matches import MatchRow, MatchStatus
from backend.store.words import word_by_key

router = new_router("battles")

BYTES = "application/octet-stream"
In = Annotated[int | None, Query(ge=0, le=LARGEST, description="Only those it fights in.")]
Standing = Annotated[MatchStatus | None, Query(description="Only those that stand so.")]


@router.get("/matches", response_model=MatchPage, summary="Matches, newest first")
def matches(
    request: Request,
    services: ServicesDep,
    cursor: Cursor = None,
    limit: Limit = USUAL_ITEMS,
    beast: In = None,
    status: Standing = None,
) -> Response:
    """A page of matches."""
    wanted = select_matches(beast_id=beast, status=status)
    with services.session() as session:
        rows, following = read_page(session, wanted, cursor, limit, MatchRow.match_id)
        items = match_answers(session, rows)
    return answer(request, MatchPage(items=items, next=following))


@router.get("/matches/{match_id}", response_model=MatchDetail, summary="One match")
def match(request: Request, services: ServicesDep, match_id: Id) -> Response:
    """A match with its log and all that plays it again."""
    with services.session() as session:
        row = find_row(session, MatchRow, match_id, "match", "/v1/matches")
        found = match_detail(session, row)
    return answer(request, found)


@router.get("/leaderboard", response_model=Leaderboard, summary="Beasts by rating")
def leaderboard(
    request: Request, services: ServicesDep, cursor: Cursor = None, limit: Limit = USUAL_ITEMS
) -> Response:
    """A page of the beasts with a final match, the strongest first."""
    with services.session() as session:
        found = leaderboard_answer(services, session, (place(cursor) or (0,))[0], limit)
    return answer(request, found)


@router.get(
    "/words/{key}",
    response_class=Response,
    responses=content(BYTES, "32 bytes whose keccak-256 is the key."),
    summary="A board word by its key",
)
def word(request: Request, services: ServicesDep, key: Digest) -> Response:
    """A board word of somebody's match log."""
    with services.session() as session:
        found = word_by_key(session, digest_bytes(key))
    if found is None:
        raise missing("board word with this key", "Words of recorded matches are kept here.")
    return tagged(request, found, BYTES, FOREVER)
