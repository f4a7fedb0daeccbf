"""Takes back what a reorg took back, at a cost that grows with what was lost, not with history."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Select, delete, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.events import RawLog
from chainbeasts.backend.indexer.apply import PROPOSAL_EVENTS, REPLAYED, apply
from chainbeasts.backend.indexer.positions import rewound
from chainbeasts.backend.indexer.tallies import count_back, spent_on, spent_since
from chainbeasts.backend.store.energy import EnergySaleRow, HatchRequestRow
from chainbeasts.backend.store.facts import (
    AdvanceRow,
    BeastRow,
    BlockRow,
    CheckpointRow,
    CheckpointStatus,
    DisputeRow,
    EpochRow,
    EventRow,
    PublishedRecordsRow,
    PublishedStateRow,
    RevealedDatasetRow,
    RevealedSecretRow,
    SourceRow,
    StakeRewardRow,
    StakeRow,
    VaultCreditRow,
)
from chainbeasts.backend.store.governance import ProposalRow, SeasonRow
from chainbeasts.backend.store.matches import MatchRecordRow, MatchRow, OpenChallengeRow
from chainbeasts.backend.store.session import Database

TOPIC_BYTES = 32
AT_ONCE = 64
"""Rows looked at together; beasts or matches replayed together."""


@dataclass(frozen=True, slots=True)
class Fork:
    """How the database and the node's chain agree.

    Attributes:
        common: the newest stored block that is on the node's chain; None if none is.
        conflict: whether a stored block is proven not to be on it.
    """

    common: int | None
    conflict: bool


def find_fork(chain: Chain, database: Database, highest: int) -> Fork:
    """Compare stored blocks up to ``highest``, which the node has, from the newest down.

    Raises:
        ChainError: the node does not answer, or lacks a block: only another hash proves a reorg.
    """
    # Hashes name all that came before them, so the first that agrees settles every older block.
    conflict = False
    for number, block_hash in _stored(database, highest):
        if chain.block(number).hash == block_hash:
            return Fork(number, conflict)
        conflict = True
    return Fork(None, conflict)


def _stored(database: Database, highest: int) -> Iterator[tuple[int, bytes]]:
    """Stored blocks, newest first; no transaction is open while the caller thinks."""
    wanted = select(BlockRow.number, BlockRow.hash).order_by(BlockRow.number.desc())
    while True:
        with database.session() as session:
            rows = session.execute(wanted.where(BlockRow.number <= highest).limit(AT_ONCE)).all()
        if not rows:
            return
        yield from ((row.number, row.hash) for row in rows)
        highest = rows[-1].number - 1


def forget(session: Session, chain: Chain, first: int) -> None:
    """Make the tables what they were before block ``first`` was read.

    One transaction, with the blocks' own rows in it: a crash leaves the old branch whole, and the
    next pass finds the same fork. What daemons decided is in other tables and stays.
    """
    rewound(session)
    # Which rows are stale is asked of the events before these are deleted.
    beasts = _touched(session, EventRow.beast_id, first)
    matches = _touched(session, EventRow.match_id, first)
    proposed = select(EventRow.id).where(
        EventRow.block_number >= first, EventRow.name.in_(PROPOSAL_EVENTS)
    )
    governed = session.scalar(proposed.limit(1)) is not None
    lost = spent_since(session, first)
    session.execute(delete(EventRow).where(EventRow.block_number >= first))
    session.execute(delete(BlockRow).where(BlockRow.number >= first))
    for born in (CheckpointRow, DisputeRow, *_NEVER_CHANGED):
        session.execute(delete(born).where(born.block_number >= first))
    # Checkpoints are too many to be replayed. Born on the lost branch they are gone; what befell
    # the others there is undone by the block it was written down with. Their only way is from
    # pending to one end, so pending is what they were.
    session.execute(
        update(CheckpointRow)
        .where(CheckpointRow.settled_block >= first)
        .values(status=CheckpointStatus.PENDING, settled_block=None)
    )
    session.execute(
        update(CheckpointRow)
        .where(CheckpointRow.proven_block >= first)
        .values(proven=False, proven_block=None)
    )
    session.execute(delete(SeasonRow).where(SeasonRow.block_number >= first))
    # All else about a beast or a match is few events: its rows are deleted and replayed from the
    # first. Disputes that stay are not deleted: replayed, they keep the generation they are about.
    stored = select(EventRow)
    for some in _slices(beasts):
        spent = {beast: n - lost.get(beast, 0) for beast, n in spent_on(session, some).items()}
        for table in (BeastRow, EpochRow, OpenChallengeRow, StakeRow, StakeRewardRow):
            session.execute(delete(table).where(table.beast_id.in_(some)))
        mine = EventRow.beast_id.in_(some)
        _replay(session, chain, stored.where(mine, EventRow.name.in_(REPLAYED)))
        count_back(session, spent)
    for some in _slices(matches):
        session.execute(delete(MatchRow).where(MatchRow.match_id.in_(some)))
        session.execute(delete(MatchRecordRow).where(MatchRecordRow.match_id.in_(some)))
        _replay(session, chain, stored.where(EventRow.match_id.in_(some)))
    if governed:
        session.execute(delete(ProposalRow))
        _replay(session, chain, stored.where(EventRow.name.in_(PROPOSAL_EVENTS)))


_NEVER_CHANGED = (
    AdvanceRow,
    PublishedStateRow,
    PublishedRecordsRow,
    RevealedSecretRow,
    RevealedDatasetRow,
    VaultCreditRow,
    EnergySaleRow,
    HatchRequestRow,
)
"""One event each, so they go with its block."""

FACTS = (
    EventRow,
    BlockRow,
    BeastRow,
    EpochRow,
    CheckpointRow,
    DisputeRow,
    *_NEVER_CHANGED,
    StakeRow,
    StakeRewardRow,
    MatchRow,
    MatchRecordRow,
    OpenChallengeRow,
    SeasonRow,
    ProposalRow,
    SourceRow,
)


def forget_everything(session: Session) -> None:
    """Make the tables of chain facts empty; what daemons decided stays, and so do board words."""
    for table in FACTS:
        session.execute(delete(table))


def _touched(session: Session, column: InstrumentedAttribute[int | None], first: int) -> list[int]:
    """The beasts, or matches, that events since block ``first`` are about."""
    wanted = select(column).where(EventRow.block_number >= first, column.is_not(None)).distinct()
    return [number for number in session.scalars(wanted) if number is not None]


def _slices(numbers: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(numbers), AT_ONCE):
        yield numbers[start : start + AT_ONCE]


def _replay(session: Session, chain: Chain, events: Select[EventRow]) -> None:
    """Apply again some events, whose other traces have been deleted."""
    session.expire_all()  # bulk deletes and updates leave what the session has loaded as it was
    ordered = events.order_by(EventRow.block_number, EventRow.log_index)
    for row in session.scalars(ordered).all():
        event = chain.decode(stored_log(row))
        if event is not None:
            apply(session, event)
    session.flush()


def stored_log(row: EventRow) -> RawLog:
    """The log as it was read; the hash of its block plays no part in decoding it."""
    places = range(0, len(row.topics), TOPIC_BYTES)
    topics = tuple(row.topics[i : i + TOPIC_BYTES] for i in places)
    number, index = row.block_number, row.log_index
    return RawLog(row.address, topics, row.data, number, bytes(32), row.tx_hash, index)
