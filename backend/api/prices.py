"""What training a beast costs, as an answer; the command line's `beast show` says the same."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chainbeasts.backend.api.errors import ApiError, missing
from chainbeasts.backend.api.models import PendingLocks, TrainingPrice
from chainbeasts.backend.api.summaries import where_it_stands
from chainbeasts.backend.chain.costs import next_windows
from chainbeasts.backend.chain.growth import Growth, check_growth
from chainbeasts.backend.chain.seasons import parse_season
from chainbeasts.backend.chain.types import Season
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.indexer.locks import pending_locks
from chainbeasts.backend.store.facts import BeastRow, EpochRow
from chainbeasts.backend.store.governance import SeasonRow


def training_price(
    session: Session, row: BeastRow, windows: int, growth: Sequence[Growth]
) -> TrainingPrice:
    """What a beast's next windows cost, and what its pending ones have locked.

    Raises:
        ApiError: a season that it takes is not in the index yet; or the growth is one that a run
            would refuse, and has no price.
    """
    head, count = where_it_stands(session, row)
    try:
        check_growth(growth, count, head.active_mask)
    except ChainBeastsError as error:
        raise ApiError("invalid_parameter", error.message, error.hint) from None
    season = _season(session, head.season)
    energy_price = newest_season(session)[1].economics.energy_price
    epoch = session.get_one(EpochRow, (row.beast_id, head.epoch))
    quote = next_windows(
        season,
        first=count,
        mask=head.active_mask,
        epoch_end=epoch.start_index + season.schedule.epoch_windows,
        windows=windows,
        energy_price=energy_price,
        growth=growth,
    )
    locks = pending_locks(session, row.beast_id, lambda number: _season(session, number).economics)
    return TrainingPrice(
        beast=row.beast_id,
        first=count,
        season=head.season,
        energy_price=energy_price,
        pending=PendingLocks(**asdict(locks)),
        **quote.values(),
    )


def newest_season(session: Session) -> tuple[int, Season]:
    """The season in which whatever is bought now is bought, and its number.

    Raises:
        ApiError: none is in the index yet.
    """
    number = session.scalar(select(func.max(SeasonRow.season))) or 0
    return number, _season(session, number)


def _season(session: Session, number: int) -> Season:
    row = session.get(SeasonRow, number)
    if row is None:
        raise missing(f"season {number}", "It is not in the index yet: see GET /v1/status.")
    return parse_season(json.loads(row.constants))
