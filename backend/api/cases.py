"""A disputed window's inputs, so that a reader computes it again, and what is at risk over it."""

from __future__ import annotations

import json
from dataclasses import asdict

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chainbeasts.backend.api.errors import missing
from chainbeasts.backend.api.models import RecordsOpened, Risk, WindowInputs
from chainbeasts.backend.api.models.constants import Rules
from chainbeasts.backend.api.services import Services
from chainbeasts.backend.chain.seasons import parse_season
from chainbeasts.backend.chain.types import Commitments, Season
from chainbeasts.backend.indexer.queries import LIVE, OPEN, published_records, stake
from chainbeasts.backend.indexer.rollback import stored_log
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.store.facts import BeastRow, CheckpointRow, DisputeRow, EventRow
from chainbeasts.backend.store.governance import SeasonRow


def window_inputs(services: Services, session: Session, row: DisputeRow) -> WindowInputs:
    """What the window of a dispute is computed from.

    Raises:
        ApiError: its season, its checkpoint or what its beast was bound to is not in the index.
    """
    checkpoint = _checkpoint(session, row)
    season = _season(session, checkpoint)
    return WindowInputs(
        dispute=row.dispute_id,
        beast=row.beast_id,
        index=row.index,
        dna=session.get_one(BeastRow, row.beast_id).dna,
        epoch_seed=checkpoint.epoch_seed,
        heads=season.schedule.heads(checkpoint.epoch),  # type: ignore[arg-type]  # one of three
        season=checkpoint.season,
        rules=Rules(**asdict(season.rules)),
        opened=_opened(services, session, checkpoint),
    )


def _opened(
    services: Services, session: Session, checkpoint: CheckpointRow
) -> RecordsOpened | None:
    if checkpoint.source != Source.PRIVATE:
        return None
    found = published_records(session, checkpoint.beast_id, checkpoint.index)
    if found is None:
        return None
    committed = _commitments(services, session, checkpoint.beast_id)
    return RecordsOpened(
        records_root=committed.records_root,
        dataset_length=committed.dataset_length,
        owner_secret_hash=committed.owner_secret_hash,
        secret=found.secret,
        order=list(found.order),
        words=[word.to_bytes(32) for word in found.word_list],
        siblings=found.sibling_hashes,
    )


def _commitments(services: Services, session: Session, beast_id: int) -> Commitments:
    """What a beast was bound to, as the request for its hatch told it: nothing changes it.

    Raises:
        ApiError: the request is not in the index.
    """
    e = EventRow
    row = session.scalar(select(e).where(e.beast_id == beast_id, e.name == "HatchRequested"))
    event = None if row is None else services.chain.decode(stored_log(row))
    if event is None:
        raise missing(f"hatch of beast {beast_id}", "It is not in the index: see GET /v1/status.")
    return Commitments.from_abi(event.args["commitments"])


def risk_of(session: Session, row: DisputeRow) -> Risk:
    """What an open dispute puts at risk for the trainer.

    Raises:
        ApiError: its season or its checkpoint is not in the index.
    """
    checkpoint = _checkpoint(session, row)
    economics = _season(session, checkpoint).economics
    own = checkpoint.energy_burn + checkpoint.bond
    live = row.status in OPEN and checkpoint.status in LIVE
    windows, lock, staked, debts = 0, 0, 0, 0
    if live:
        c = CheckpointRow
        after = (c.beast_id == row.beast_id, c.index >= row.index, c.status.in_(LIVE))
        windows = session.scalar(select(func.count()).where(*after)) or 0
        last = session.scalars(select(c).where(*after).order_by(c.index.desc()).limit(1)).one()
        lock = last.locked_sum - checkpoint.locked_sum + own
        found = stake(session, row.beast_id, checkpoint.trainer)
        staked = 0 if found is None else found.amount
        debts = _debts(session, checkpoint)
    return Risk(
        dispute=row.dispute_id,
        trainer=checkpoint.trainer,
        windows=windows,
        lock=lock,
        own_lock=own if live else 0,
        stake=staked,
        debts=debts,
        filing_bps=economics.filing_bps,
        proof_bps=economics.proof_bps,
    )


def _debts(session: Session, checkpoint: CheckpointRow) -> int:
    """What open disputes over a trainer's windows of a beast have paid it for openings."""
    d, c = DisputeRow, CheckpointRow
    paid = session.scalars(
        select(d.opening_paid)
        .join(c, c.digest == d.digest)
        .where(c.beast_id == checkpoint.beast_id, c.trainer == checkpoint.trainer)
        .where(d.status.in_(OPEN))
    )
    return sum(paid)


def _checkpoint(session: Session, row: DisputeRow) -> CheckpointRow:
    c = CheckpointRow
    found = session.scalar(select(c).where(c.digest == row.digest))
    if found is None:
        raise missing(
            f"checkpoint of dispute {row.dispute_id}", "It is not in the index: see GET /v1/status."
        )
    return found


def _season(session: Session, checkpoint: CheckpointRow) -> Season:
    row = session.get(SeasonRow, checkpoint.season)
    if row is None:
        raise missing(
            f"season {checkpoint.season}", "It is not in the index yet: see GET /v1/status."
        )
    return parse_season(json.loads(row.constants))
