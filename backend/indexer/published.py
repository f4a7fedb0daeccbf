"""What was put on chain in full: states, records of private windows, datasets and their secrets.

One function per event, and the states themselves for whoever needs one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from chainbeasts.backend.chain.events import Event
from chainbeasts.backend.indexer.handlers import Handlers
from chainbeasts.backend.kernel.state import Header, State
from chainbeasts.backend.kernels import state_hash
from chainbeasts.backend.store.facts import (
    BlockRow,
    PublishedRecordsRow,
    PublishedStateRow,
    RevealedDatasetRow,
    RevealedSecretRow,
)

log = structlog.get_logger()

HINT = "The node or the database is wrong; see: chainbeasts db reindex"


def published_state(session: Session, h: bytes) -> State | None:
    """The state of a hash, if somebody published it on chain.

    It has that hash: what a node said, or a database keeps, is not believed.
    """
    for row in session.scalars(select(PublishedStateRow).where(PublishedStateRow.hash == h)):
        try:
            state = row.state
            if state_hash(state) == h:
                return state
        except (ValueError, TypeError):  # no bytes of a state
            pass
        log.warning("a published state is not what its hash says", state=f"0x{h.hex()}", hint=HINT)
    return None


def _time(session: Session, event: Event) -> int:
    return session.get_one(BlockRow, event.block_number).timestamp


def _state(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    fields = args["header"]
    header = Header(*(fields.values() if isinstance(fields, Mapping) else fields))
    session.add(
        PublishedStateRow(
            hash=bytes(args["state"]),
            block_number=event.block_number,
            beast_id=header.beast_id,
            header=header.encode(),
            weights=bytes(args["weights"]),
            time=_time(session, event),
            tx_hash=event.tx_hash,
        )
    )


def _records(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    session.add(
        PublishedRecordsRow(
            beast_id=int(args["beastId"]),
            index=int(args["index"]),
            block_number=event.block_number,
            secret=bytes(args["ownerSecret"]),
            order=bytes(args["order"]),
            words=b"".join(bytes(word) for word in args["words"]),
            siblings=b"".join(bytes(sibling) for sibling in args["siblings"]),
            time=_time(session, event),
            tx_hash=event.tx_hash,
        )
    )


def _secret(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    session.add(
        RevealedSecretRow(
            beast_id=int(args["beastId"]),
            secret=bytes(args["ownerSecret"]),
            block_number=event.block_number,
            tx_hash=event.tx_hash,
        )
    )


def _dataset(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    session.add(
        RevealedDatasetRow(
            block_number=event.block_number,
            log_index=event.log_index,
            beast_id=int(args["beastId"]),
            c_dataset=bytes(args["cDataset"]),
            chunks=" ".join(args.get("chunks", ())),
            tx_hash=event.tx_hash,
        )
    )


PUBLICATION_HANDLERS: Handlers = {
    ("StateArchive", "StatePublished"): _state,
    ("RecordArchive", "RecordsPublished"): _records,
    ("RecordArchive", "SecretRevealed"): _secret,
    ("RecordArchive", "DatasetRevealed"): _dataset,
    ("RecordArchive", "StagedDatasetRevealed"): _dataset,
}
