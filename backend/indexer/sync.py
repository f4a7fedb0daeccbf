"""Reads blocks and events by number and hash, and takes back what a reorg took back.

A beast's rows are a function of its events. After a reorg the events of the lost blocks go, and the
rows of every beast they touched are computed again from the events that stay.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.chain.client import Block, Chain
from backend.chain.errors import ChainError, NodeUnavailableError
from backend.chain.events import Event, RawLog
from backend.indexer.apply import apply, beast_of
from backend.store.facts import (
    BeastRow,
    BlockRow,
    CheckpointRow,
    DisputeRow,
    EpochRow,
    EventRow,
)
from backend.store.session import Database

log = structlog.get_logger()

MAX_RANGE = 5_000
MIN_RANGE = 1
TOPIC_BYTES = 32
_OF_A_BEAST = (BeastRow, EpochRow, CheckpointRow, DisputeRow)


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What one pass did.

    Attributes:
        head: the node's latest block that has enough confirmations.
        indexed_to: last block in the database.
        rolled_back: blocks whose events were taken back.
        events: events applied.
    """

    head: int
    indexed_to: int
    rolled_back: int
    events: int


class Indexer:
    """Follows one deployment into one database.

    Args:
        confirmations: blocks on top of one before it is read.
    """

    def __init__(self, chain: Chain, database: Database, confirmations: int = 0) -> None:
        self.chain = chain
        self.database = database
        self.confirmations = confirmations
        self._range = MAX_RANGE

    def sync(self) -> SyncReport:
        """Bring the database up to the chain's present head.

        Raises:
            ChainError: the node is away, or serves another chain.
        """
        self.chain.check()
        rolled_back = self._roll_back()
        head = self.chain.block().number - self.confirmations
        applied = 0
        start = self._indexed_to() + 1
        while start <= head:
            end = min(start + self._range - 1, head)
            read = self._read_range(start, end)
            if read is None:
                start = self._indexed_to() + 1
                continue
            applied += read
            start = end + 1
        return SyncReport(head, start - 1, rolled_back, applied)

    def _indexed_to(self) -> int:
        with self.database.session() as session:
            last = session.scalar(select(func.max(BlockRow.number)))
        return self.chain.deployment.start_block - 1 if last is None else last

    def _read_range(self, start: int, end: int) -> int | None:
        """Apply one range in one transaction; None where it has to be read again."""
        last = self.chain.block(end)
        try:
            events = self.chain.events(start, end)
        except NodeUnavailableError:
            raise
        except ChainError:
            if self._range == MIN_RANGE:
                raise
            self._range = max(MIN_RANGE, self._range // 2)
            log.info("range refused, asking for less", blocks=self._range)
            return None
        headers = self._headers(events, last)
        if headers is None or self.chain.block(end).hash != last.hash:
            log.info("the chain changed while it was read", start=start, end=end)
            self._roll_back()
            return None
        try:
            self._write(headers, events)
        except IntegrityError:
            if self._indexed_to() < start:
                raise
            log.info("another process has read these blocks", start=start, end=end)
            return None
        self._range = min(MAX_RANGE, self._range * 2)
        return len(events)

    def _write(self, headers: list[Block], events: list[Event]) -> None:
        with self.database.session() as session:
            for block in headers:
                session.merge(
                    BlockRow(
                        number=block.number,
                        hash=block.hash,
                        parent_hash=block.parent_hash,
                        timestamp=block.timestamp,
                    )
                )
            session.flush()
            for event in events:
                self._store(session, event)

    def _headers(self, events: list[Event], last: Block) -> list[Block] | None:
        """Headers of the blocks that have events, and of the last; None if one does not fit."""
        headers = {last.number: last}
        for event in events:
            if event.block_number not in headers:
                headers[event.block_number] = self.chain.block(event.block_number)
            if headers[event.block_number].hash != event.raw.block_hash:
                return None
        return [headers[number] for number in sorted(headers)]

    def _store(self, session: Session, event: Event) -> None:
        raw = event.raw
        apply(session, event)
        session.add(
            EventRow(
                block_number=raw.block_number,
                log_index=raw.log_index,
                tx_hash=raw.tx_hash,
                address=raw.address,
                topics=b"".join(raw.topics),
                data=raw.data,
                name=event.name,
                beast_id=beast_of(session, event),
            )
        )
        session.flush()

    # --- reorgs ---------------------------------------------------------------------------------

    def _roll_back(self) -> int:
        """Take back every block that is no longer the chain's; returns how many."""
        with self.database.session() as session:
            stored = session.scalars(select(BlockRow).order_by(BlockRow.number.desc())).yield_per(
                64
            )
            lost = []
            for row in stored:
                if self._is_on_chain(row):
                    break
                lost.append(row.number)
            if not lost:
                return 0
            self._forget(session, min(lost))
        log.warning("reorg", from_block=min(lost), blocks=len(lost))
        return len(lost)

    def _is_on_chain(self, row: BlockRow) -> bool:
        try:
            return self.chain.block(row.number).hash == row.hash
        except NodeUnavailableError:
            raise
        except ChainError:
            return False

    def _forget(self, session: Session, first: int) -> None:
        touched = set(
            session.scalars(select(EventRow.beast_id).where(EventRow.block_number >= first))
        ) - {None}
        session.execute(delete(EventRow).where(EventRow.block_number >= first))
        session.execute(delete(BlockRow).where(BlockRow.number >= first))
        for table in _OF_A_BEAST:
            session.execute(delete(table).where(table.beast_id.in_(touched)))
        session.expire_all()
        remaining = session.scalars(
            select(EventRow)
            .where(EventRow.beast_id.in_(touched))
            .order_by(EventRow.block_number, EventRow.log_index)
        ).all()
        for row in remaining:
            event = self.chain.decode(self._raw(session, row))
            if event is not None:
                apply(session, event)

    def _raw(self, session: Session, row: EventRow) -> RawLog:
        topics = tuple(
            row.topics[i : i + TOPIC_BYTES] for i in range(0, len(row.topics), TOPIC_BYTES)
        )
        block = session.get_one(BlockRow, row.block_number)
        return RawLog(
            row.address,
            topics,
            row.data,
            row.block_number,
            block.hash,
            row.tx_hash,
            row.log_index,
        )
