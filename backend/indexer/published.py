"""States that were put on chain in full, from the events that carry them."""

from __future__ import annotations

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.kernel.state import Header, MalformedStateError, State, deserialize_weights, state_hash
from backend.store.facts import EventRow

EVENT = "StatePublished"
TYPES = ("(uint256,bytes32,uint32,uint8,uint32,uint256)", "bytes")
"""Header and serialised weights, the event's data."""


def published_state(session: Session, beast_id: int, h: bytes) -> State | None:
    """The state of a hash, if somebody published it on chain; checked against the hash."""
    rows = session.scalars(
        select(EventRow).where(EventRow.name == EVENT, EventRow.beast_id == beast_id)
    )
    for row in rows:
        if h in row.topics:
            state = _state(row.data)
            if state is not None and state_hash(state) == h:
                return state
    return None


def _state(data: bytes) -> State | None:
    try:
        fields, weights = decode(TYPES, data)
        return State(Header(*fields), deserialize_weights(weights))
    except (DecodingError, MalformedStateError):
        return None
