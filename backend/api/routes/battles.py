"""/v1/matches, /v1/open-challenges, /v1/leaderboard and /v1/words: who fights whom."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request, Response
from sqlalchemy import select

from chainbeasts.backend.api.answers import FOREVER, answer, tagged
from chainbeasts.backend.api.battles import match_answers, match_detail, open_challenge_answers
from chainbeasts.backend.api.cursors import (
    LARGEST,
    USUAL_ITEMS,
    Cursor,
    Id,
    Limit,
    Plain,
    place_of,
    read_page,
)
from chainbeasts.backend.api.errors import missing
from chainbeasts.backend.api.models import Leaderboard, MatchDetail, MatchPage, OpenChallengePage
from chainbeasts.backend.api.ranking import leaderboard_answer, ratings
from chainbeasts.backend.api.routes.common import (
    AccountQuery,
    Digest,
    account_of,
    content,
    digest_bytes,
    find_row,
    new_router,
)
from chainbeasts.backend.api.services import ServicesDep
from chainbeasts.backend.indexer.queries import select_matches
from chainbeasts.backend.store.matches import MatchRow, MatchStatus, OpenChallengeRow
from chainbeasts.backend.store.words import word_by_key

router = new_router("battles")

BYTES = "application/octet-stream"
In = Annotated[int | None, Query(ge=0, le=LARGEST, description="Only those it fights in."), Plain]
Standing = Annotated[MatchStatus | None, Query(description="Only those that stand so.")]


@router.get("/matches", response_model=MatchPage, summary="Matches, newest first")
def matches(
    request: Request,
    services: ServicesDep,
    cursor: Cursor = None,
    limit: Limit = USUAL_ITEMS,
    beast: In = None,
    status: Standing = None,
    owner: AccountQuery = None,
) -> Response:
    """A page of matches."""
    wanted = select_matches(beast_id=beast, status=status, owner=account_of(owner))
    with services.session() as session:
        part = read_page(session, wanted, cursor, limit, MatchRow.match_id)
        items = match_answers(session, part.rows)
    return answer(request, MatchPage(items=items, next=part.next, previous=part.previous))


@router.get(
    "/open-challenges",
    response_model=OpenChallengePage,
    summary="Beasts that take on everybody, oldest first",
)
def open_challenges(
    request: Request, services: ServicesDep, cursor: Cursor = None, limit: Limit = USUAL_ITEMS
) -> Response:
    """A page of open challenges; those of beasts that changed hands since are closed."""
    c = OpenChallengeRow
    with services.session() as session:
        part = read_page(session, select(c), cursor, limit, c.beast_id, newest_first=False)
        found = open_challenge_answers(session, part.rows, ratings(services, session))
    return answer(request, OpenChallengePage(items=found, next=part.next, previous=part.previous))


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
        found = leaderboard_answer(services, session, (place_of(cursor).key or (0,))[0], limit)
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
