"""Writes what a range of blocks holds; which of the blocks' headers stay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from chainbeasts.backend.chain.events import Event
from chainbeasts.backend.chain.views import Block
from chainbeasts.backend.indexer.apply import apply, is_applied
from chainbeasts.backend.indexer.checkpoints import CheckpointWriter
from chainbeasts.backend.indexer.matches import match_of
from chainbeasts.backend.indexer.reader import Batch
from chainbeasts.backend.indexer.subjects import account_of, beast_of, rival_of
from chainbeasts.backend.store.columns import insert_rows
from chainbeasts.backend.store.facts import BlockRow, EventRow

KEPT_HEADERS = 64
"""Of this many newest blocks every header is kept: two epochs of Ethereum, its usual finality."""

ANCHOR_EVERY = 1024
"""Of older blocks without events, one in so many stays, to find a deeper reorg's beginning."""


@dataclass(frozen=True, slots=True)
class Tip:
    """Where the database ends; ``hash`` is None before the first block."""

    number: int
    hash: bytes | None


def read_tip(session: Session, start_block: int) -> Tip:
    """The newest block that has been read; the one before ``start_block`` if none has."""
    newest = select(BlockRow.number, BlockRow.hash).order_by(BlockRow.number.desc()).limit(1)
    row = session.execute(newest).first()
    return Tip(start_block - 1, None) if row is None else Tip(row.number, row.hash)


def write(session: Session, tip: Tip, batch: Batch) -> None:
    """Apply what follows the tip.

    Raises:
        IncompleteLogsError: an event's forerunner is missing.
    """
    # Headers first, for a proposal is dated by its block. Then event by event in the chain's order,
    # each with its row: which beast a move in a dispute is about, an earlier one may have to tell.
    if batch.headers:
        insert_rows(session, BlockRow, [_block_row(header) for header in batch.headers])
    checkpoints, rows = CheckpointWriter(session, batch.events), []
    for event in batch.events:
        if not checkpoints.take(event):
            if is_applied(event):
                checkpoints.flush()
            apply(session, event)
        rows.append(_event_row(session, event))
    checkpoints.flush()
    session.flush()
    if rows:
        insert_rows(session, EventRow, rows)
    _prune(session, tip.number - KEPT_HEADERS, batch.headers[-1].number - KEPT_HEADERS)


def _block_row(block: Block) -> dict[str, Any]:
    return {
        "number": block.number,
        "hash": block.hash,
        "parent_hash": block.parent_hash,
        "timestamp": block.timestamp,
    }


def _event_row(session: Session, event: Event) -> dict[str, Any]:
    raw = event.raw
    return {
        "block_number": raw.block_number,
        "log_index": raw.log_index,
        "tx_hash": raw.tx_hash,
        "address": raw.address,
        "topics": b"".join(raw.topics),
        "data": raw.data,
        "name": event.name,
        "beast_id": beast_of(session, event),
        "rival_id": rival_of(session, event),
        "match_id": match_of(event),
        "account": account_of(event),
    }


def _prune(session: Session, after: int, up_to: int) -> None:
    """Drop the headers without events that left the newest blocks in this pass."""
    # Blocks with events stay: they date them, and a reorg deeper than KEPT_HEADERS takes back no
    # more than what follows the last of them, or the last anchor, that both chains have.
    session.execute(
        delete(BlockRow)
        .where(BlockRow.number > after, BlockRow.number <= up_to)
        .where(BlockRow.number % ANCHOR_EVERY != 0)
        .where(~exists().where(EventRow.block_number == BlockRow.number))
    )
