"""/v1/beasts: who there is, how they look, and what they have learned."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request, Response
from sqlalchemy.orm import Session

from chainbeasts.backend.api.answers import answer, tagged
from chainbeasts.backend.api.changes import read_changes
from chainbeasts.backend.api.cursors import (
    LARGEST,
    USUAL_ITEMS,
    Cursor,
    Id,
    Limit,
    Plain,
    SortedCursor,
    fits,
)
from chainbeasts.backend.api.curves import read_curve
from chainbeasts.backend.api.errors import ApiError
from chainbeasts.backend.api.models import (
    Beast,
    BeastPage,
    Changes,
    CheckpointPage,
    Curve,
    Source,
    TrainingPrice,
)
from chainbeasts.backend.api.portrait import svg
from chainbeasts.backend.api.prices import training_price
from chainbeasts.backend.api.ranking import ratings
from chainbeasts.backend.api.roster import ORDERS, Sort, read_beasts, select_beasts
from chainbeasts.backend.api.routes.common import (
    AccountQuery,
    account_of,
    content,
    find_row,
    new_router,
)
from chainbeasts.backend.api.services import ServicesDep, challenge_periods
from chainbeasts.backend.api.summaries import beast_answers, checkpoint_answers
from chainbeasts.backend.api.windows import State, read_checkpoints
from chainbeasts.backend.chain.growth import parse_growth
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.store.facts import BeastRow

router = new_router("beasts")

SVG = "image/svg+xml"
SVG_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
"""The portrait brings its own colours as a style sheet, and nothing else."""

KEPT_SECONDS = 300
Search = Annotated[
    str | None,
    Query(
        pattern=r"^[0-9A-Za-z]{1,66}$",
        description="An id, or what a name, an owner's account or, from 8 digits after 0x on, the "
        "DNA or the hash of a state begins with.",
        examples=["mor"],
    ),
]
SortBy = Annotated[
    Sort,
    Query(
        description="id: oldest first; newest; windows: most live checkpoints first; energy: most "
        "spent first, to a millionth of ENERGY; rating: strongest first, only those with a final "
        "match."
    ),
]
OfBeast = Annotated[int | None, Query(ge=0, le=LARGEST, description="Only of this beast."), Plain]
InState = Annotated[State | None, Query(description="Only those that stand so.")]
FromSource = Annotated[Source | None, Query(description="Only those trained on this.")]
Windows = Annotated[int, Query(ge=1, le=100_000, description="How many windows."), Plain]
GROWTH = "[sa][0-3]@(0|[1-9][0-9]{0,6})"
Grow = Annotated[
    str | None,
    Query(
        max_length=200,
        pattern=rf"^{GROWTH}(,{GROWTH})*$",
        description="Slots that wake among them, as slot@window; one that is named twice counts "
        "once.",
        examples=["s1@20,a2@40"],
    ),
]
Points = Annotated[int, Query(ge=2, le=1000, description="Most points of the curve."), Plain]


def find_beast(session: Session, beast_id: int) -> BeastRow:
    """A beast's row.

    Raises:
        ApiError: there is none of that number.
    """
    return find_row(session, BeastRow, beast_id, "beast", "/v1/beasts")


@router.get("/beasts", response_model=BeastPage, summary="Beasts, by what is asked for")
def beasts(
    request: Request,
    services: ServicesDep,
    cursor: SortedCursor = None,
    limit: Limit = USUAL_ITEMS,
    owner: AccountQuery = None,
    q: Search = None,
    sort: SortBy = "id",
) -> Response:
    """A page of beasts; a cursor leads on in the same list only."""
    _check_cursor(sort, cursor)
    with services.session() as session:
        known = ratings(services, session)
        wanted = select_beasts(account_of(owner), q)
        part = read_beasts(session, wanted, sort, cursor, limit, known)
        items = beast_answers(session, part.rows, known)
    return answer(request, BeastPage(items=items, next=part.next, previous=part.previous))


def _check_cursor(sort: Sort, cursor: str | None) -> None:
    """Refuse the cursor of a list in another order.

    Raises:
        ApiError: it is one.
    """
    if not fits(cursor, ORDERS.get(sort, (BeastRow.beast_id,))):
        raise ApiError(
            "invalid_parameter",
            "cursor does not fit: it is of a list in another order.",
            "Begin without one.",
        )


@router.get("/beasts/{beast_id}", response_model=Beast, summary="One beast")
def beast(request: Request, services: ServicesDep, beast_id: Id) -> Response:
    """A beast and where its training stands."""
    with services.session() as session:
        row = find_beast(session, beast_id)
        (found,) = beast_answers(session, [row], ratings(services, session))
    return answer(request, found)


@router.get(
    "/beasts/{beast_id}/price",
    response_model=TrainingPrice,
    summary="What its next windows cost, and what is locked until when",
)
def price(
    request: Request, services: ServicesDep, beast_id: Id, windows: Windows = 1, grow: Grow = None
) -> Response:
    """The price of the next windows in ENERGY, native coin and gas, by its epoch's season."""
    try:
        items = () if grow is None else dict.fromkeys(grow.split(","))
        growth = parse_growth(",".join(items)) if items else ()
    except ChainBeastsError as error:
        raise ApiError("invalid_parameter", error.message, error.hint) from None
    with services.session() as session:
        found = training_price(session, find_beast(session, beast_id), windows, growth)
    return answer(request, found)


@router.get(
    "/beasts/{beast_id}/portrait.svg",
    response_class=Response,
    responses=content(SVG, "The picture of the beast's tokenURI."),
    summary="Its portrait",
)
def portrait(request: Request, services: ServicesDep, beast_id: Id) -> Response:
    """The portrait that the contract draws from the DNA."""
    with services.session() as session:
        dna = find_beast(session, beast_id).dna
    headers = {
        "Content-Security-Policy": SVG_POLICY,
        "Cross-Origin-Resource-Policy": "cross-origin",  # an <img> of anybody's page may show it
    }
    return tagged(request, svg(dna).encode(), SVG, f"public, max-age={KEPT_SECONDS}", headers)


@router.get(
    "/beasts/{beast_id}/checkpoints",
    response_model=CheckpointPage,
    summary="Its checkpoints, newest first",
)
def checkpoints_of(
    request: Request,
    services: ServicesDep,
    beast_id: Id,
    cursor: Cursor = None,
    limit: Limit = USUAL_ITEMS,
    state: InState = None,
    source: FromSource = None,
) -> Response:
    """A page of all it ever had, in the order of their submission, slashed and void ones too."""
    with services.session() as session:
        find_beast(session, beast_id)
        found = _checkpoints(session, cursor, limit, beast_id, state, source)
    return answer(request, found)


@router.get("/checkpoints", response_model=CheckpointPage, summary="Checkpoints, newest first")
def checkpoints(
    request: Request,
    services: ServicesDep,
    cursor: Cursor = None,
    limit: Limit = USUAL_ITEMS,
    beast: OfBeast = None,
    state: InState = None,
    source: FromSource = None,
) -> Response:
    """A page of the checkpoints of all beasts, in the order of their submission."""
    with services.session() as session:
        found = _checkpoints(session, cursor, limit, beast, state, source)
    return answer(request, found)


def _checkpoints(
    session: Session,
    cursor: str | None,
    limit: int,
    beast: int | None,
    state: State | None,
    source: Source | None,
) -> CheckpointPage:
    part = read_checkpoints(session, cursor, limit, beast=beast, state=state, source=source)
    periods = challenge_periods(session, {row.season for row in part.rows})
    items = checkpoint_answers(session, part.rows, periods)
    return CheckpointPage(items=items, next=part.next, previous=part.previous)


@router.get(
    "/beasts/{beast_id}/changes",
    response_model=Changes,
    summary="At which of its windows something happened",
)
def changes(request: Request, services: ServicesDep, beast_id: Id) -> Response:
    """Epochs, sources, growth, disputes and slashes of its whole life, without what is between."""
    with services.session() as session:
        find_beast(session, beast_id)
        found = read_changes(session, beast_id)
    return answer(request, found)


@router.get("/beasts/{beast_id}/curve", response_model=Curve, summary="Its loss over time")
def curve(request: Request, services: ServicesDep, beast_id: Id, points: Points = 200) -> Response:
    """The loss of its live windows, each point standing for as many windows, a power of two.

    So points stay as they are when windows come, but for the last one, or every second one does.
    """
    with services.session() as session:
        find_beast(session, beast_id)
        found = read_curve(session, beast_id, points)
    return answer(request, found)
