"""What the index has learned since the last look, as the messages of the live stream."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from chainbeasts.backend.api.events import ABOUT, event_id, kind_of, newest_event
from chainbeasts.backend.api.memory import BEFORE_ALL, Place
from chainbeasts.backend.api.models import Live
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.events import Event
from chainbeasts.backend.indexer.rollback import stored_log
from chainbeasts.backend.indexer.writing import KEPT_HEADERS
from chainbeasts.backend.store.facts import BlockRow, EventRow
from chainbeasts.backend.store.session import Database

MOST_EVENTS = 200
"""Told of at once. Of more, as after a long catching-up, a gap is told: ask for the lists anew."""


class News:
    """Compares the database with what was told before; the first look tells the block alone.

    Attributes:
        past: the newest events that were there at the first look, oldest first.
        floor: the place after which no event that is told of is missing from ``past``.
    """

    def __init__(self, chain: Chain, database: Database) -> None:
        self._chain, self._database = chain, database
        self._told: deque[tuple[int, bytes]] = deque(maxlen=KEPT_HEADERS)
        self.past: list[Live] = []
        self.floor = BEFORE_ALL

    def read(self) -> list[Live]:
        """The messages since the last call, in the order of the chain."""
        with self._database.reading() as session:
            newest = session.scalar(select(BlockRow).order_by(BlockRow.number.desc()).limit(1))
            if not self._told:
                if newest is None:
                    return []
                self._told.append((newest.number, newest.hash))
                self.past = self._events(session, -1)
                self.floor = self._floor(session)
                return [Live(type="block", block=newest.number, time=newest.timestamp)]
            told, found = self._told[-1][0], []
            lost = self._take_back(session)
            if lost is not None:
                found.append(Live(type="reorg", block=lost))
                told = lost - 1
            if newest is None or newest.number <= told:
                return found
            if self._are_many(session, told):
                # Named by the newest event of any kind: all that are told of may be older.
                news = [Live(type="gap", id=newest_event(session), block=newest.number)]
            else:
                news = self._events(session, told)
            found += news
            self._told.append((newest.number, newest.hash))
            return [*found, Live(type="block", block=newest.number, time=newest.timestamp)]

    def _take_back(self, session: Session) -> int | None:
        """Forget the blocks that are no longer the chain's; the first of them."""
        lost = None
        while self._told:
            number, known = self._told[-1]
            row = session.get(BlockRow, number)
            if row is None and self._pruned(session, number):
                break
            if row is not None and row.hash == known:
                break
            lost = number
            self._told.pop()
        if lost is not None and self._told:
            lost = self._told[-1][0] + 1
        return lost

    @staticmethod
    def _pruned(session: Session, number: int) -> bool:
        """Whether a block's header is merely no longer kept."""
        newer = select(BlockRow.number).where(BlockRow.number > number + KEPT_HEADERS - 1)
        return session.scalar(newer.limit(1)) is not None

    @staticmethod
    def _are_many(session: Session, after: int) -> bool:
        """Whether there are more events than are told of at once."""
        some = select(EventRow.id).where(EventRow.block_number > after)
        return session.scalar(some.offset(MOST_EVENTS).limit(1)) is not None

    def _floor(self, session: Session) -> Place:
        """The place of the oldest event of any kind that the first look told of."""
        if not self._are_many(session, -1):
            return BEFORE_ALL
        e = EventRow
        newest = select(e).order_by(e.block_number.desc(), e.log_index.desc())
        oldest = session.scalars(newest.offset(MOST_EVENTS - 1).limit(1)).one()
        return (oldest.block_number, oldest.log_index)

    def _events(self, session: Session, after: int) -> list[Live]:
        rows: Sequence[tuple[EventRow, int]] = [
            (row, time)
            for row, time in session.execute(
                select(EventRow, BlockRow.timestamp)
                .join(BlockRow, BlockRow.number == EventRow.block_number)
                .where(EventRow.block_number > after)
                .order_by(EventRow.block_number.desc(), EventRow.log_index.desc())
                .limit(MOST_EVENTS)
            )
        ]
        told = (self._told_of(row, time) for row, time in reversed(rows))
        return [one for one in told if one is not None]

    def _told_of(self, row: EventRow, time: int) -> Live | None:
        event = self._chain.decode(stored_log(row))
        return None if event is None else live_message(row, event, time)


def live_message(row: EventRow, event: Event, time: int) -> Live | None:
    """What the stream says about an event; None if it is not told of."""
    kind = kind_of(event)
    if kind is None:
        return None
    about: dict[str, Any] = {
        name: int(event.args[argument])
        for argument, name in ABOUT.items()
        if argument in event.args
    }
    return Live(
        type=kind,
        id=event_id(event),
        block=event.block_number,
        time=time,
        event=event.name,
        beast=row.beast_id,
        rival=row.rival_id,
        tx=event.tx_hash,
        **about,
    )
