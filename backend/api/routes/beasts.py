"""/v1/beasts: who there is, how they look, and what they have learned."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

from fastapi import Query, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.api.answers import answer, tagged
from backend.api.cursors import USUAL_ITEMS, Cursor, Id, Limit, PairCursor, read_page
from backend.api.errors import ApiError
from backend.api.models import Beast, BeastPage, CheckpointPage, Curve, TrainingPrice
from backend.api.portrait import svg
from backend.api.prices import training_price
from backend.api.ranking import ratings
from backend.api.routes.common import content, find_row, new_router
from backend.api.services import ServicesDep, challenge_periods
from backend.api.summaries import SOURCES, beast_answers, checkpoint_answers
from backend.chain.growth import parse_growth
from backend.errors import ChainBeastsError
from backend.indexer.queries import LIVE
from backend.kernel.constants import WINDOW_STEPS
from backend.store.facts import BeastRow, CheckpointRow

router = new_router("beasts")

SVG = "image/svg+xml"
SVG_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
"""The portrait brings its own colours as a style sheet, and nothing else."""

KEPT_SECONDS = 300
Windows = Annotated[int, Query(ge=1, le=100_000, description="How many windows.")]
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
Points = Annotated[int, Query(ge=2, le=1000, description="Most points of the curve.")]


def find_beast(session: Session, beast_id: int) -> BeastRow:
    """A beast's row.

    Raises:
        ApiError: there is none of that number.
    """
    return find_row(session, BeastRow, beast_id, "beast", "/v1/beasts")


@router.get("/beasts", response_model=BeastPage, summary="All beasts, oldest first")
def beasts(
    request: Request, services: ServicesDep, cursor: Cursor = None, limit: Limit = USUAL_ITEMS
) -> Response:
    """A page of beasts in the order of their ids."""
    with services.session() as session:
        b = BeastRow
        rows, following = read_page(
            session, select(b), cursor, limit, b.beast_id, newest_first=False
        )
        items = beast_answers(session, rows, ratings(services, session))
    return answer(request, BeastPage(items=items, next=following))


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
        raise ApiError(400, error.message, error.hint) from None
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
    headers = {"Content-Security-Policy": SVG_POLICY}
    return tagged(request, svg(dna).encode(), SVG, f"public, max-age={KEPT_SECONDS}", headers)


@router.get(
    "/beasts/{beast_id}/checkpoints",
    response_model=CheckpointPage,
    summary="Its checkpoints, newest first",
)
def checkpoints(
    request: Request,
    services: ServicesDep,
    beast_id: Id,
    cursor: PairCursor = None,
    limit: Limit = USUAL_ITEMS,
) -> Response:
    """A page of all the checkpoints it ever had, by index and generation, slashed and void too."""
    c = CheckpointRow
    wanted = select(c).where(c.beast_id == beast_id)
    with services.session() as session:
        find_beast(session, beast_id)
        rows, following = read_page(session, wanted, cursor, limit, c.index, c.generation)
        periods = challenge_periods(session, {row.season for row in rows})
        items = checkpoint_answers(session, rows, periods)
    return answer(request, CheckpointPage(items=items, next=following))


@router.get("/beasts/{beast_id}/curve", response_model=Curve, summary="Its loss over time")
def curve(request: Request, services: ServicesDep, beast_id: Id, points: Points = 200) -> Response:
    """The loss of its live windows, each point standing for as many windows."""
    c = CheckpointRow
    wanted = (
        select(c.index, c.global_step, c.window_loss, c.source)
        .where(c.beast_id == beast_id, c.status.in_(LIVE))
        .order_by(c.index)
    )
    with services.session() as session:
        find_beast(session, beast_id)
        windows = session.execute(wanted).all()
    count = len(windows)
    shown = min(points, count)
    edges = [count * i // shown for i in range(shown + 1)] if shown else []
    parts = [windows[a:b] for a, b in pairwise(edges)]
    losses = [[window[2] / WINDOW_STEPS for window in part] for part in parts]
    found = Curve(
        beast=beast_id,
        windows=count,
        index=[part[-1][0] for part in parts],
        step=[part[-1][1] for part in parts],
        loss=[sum(some) / len(some) for some in losses],
        low=[min(some) for some in losses],
        high=[max(some) for some in losses],
        source=[SOURCES[part[-1][3]] for part in parts],
    )
    return answer(request, found)
