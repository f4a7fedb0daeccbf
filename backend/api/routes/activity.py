"""/v1/activity: what happens on the chain."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request, Response

from chainbeasts.backend.api.answers import answer
from chainbeasts.backend.api.cursors import (
    LARGEST,
    USUAL_ITEMS,
    Limit,
    PairCursor,
    Plain,
    part_of,
    place_of,
)
from chainbeasts.backend.api.events import (
    Wanted,
    activity_answers,
    is_known,
    newest_event,
    read_events,
)
from chainbeasts.backend.api.models import ActivityPage
from chainbeasts.backend.api.models.activity import Kind
from chainbeasts.backend.api.routes.common import AccountQuery, account_of, new_router
from chainbeasts.backend.api.services import ServicesDep

router = new_router("activity")

Since = Annotated[
    str | None,
    Query(
        pattern=r"^[0-9]{1,18}-[0-9]{1,9}$",
        description="Id of an event: only what came after it.",
        examples=["1072-3"],
    ),
]
Kinds = Annotated[list[Kind] | None, Query(description="Only of these kinds; repeatable.")]
About = Annotated[int | None, Query(ge=0, le=LARGEST, description="Only about this beast."), Plain]
Bout = Annotated[int | None, Query(ge=0, le=LARGEST, description="Only about this match."), Plain]


@router.get("/activity", response_model=ActivityPage, summary="What happened, newest first")
def activity(
    request: Request,
    services: ServicesDep,
    cursor: PairCursor = None,
    limit: Limit = USUAL_ITEMS,
    since: Since = None,
    kind: Kinds = None,
    beast: About = None,
    match: Bout = None,
    account: AccountQuery = None,
) -> Response:
    """A page of the chain's events. A page may have fewer items than asked for, and a next one."""
    after = place_of(since).key
    wanted = Wanted(frozenset(kind or ()), beast, match, account_of(account), after)
    with services.session() as session:
        part = part_of(
            lambda place, most: read_events(session, wanted, place, most),
            lambda stored: (stored[0].block_number, stored[0].log_index),
            cursor,
            limit,
        )
        found = ActivityPage(
            items=activity_answers(session, services.chain, part.rows),
            next=part.next,
            previous=part.previous,
            newest=newest_event(session),
            gap=after is not None and not is_known(session, after[0], after[1]),
        )
    return answer(request, found)
