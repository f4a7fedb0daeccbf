"""States that their owners put on chain, so that a beast with a private dataset can fight.

Nobody else could compute such a state, so without it a lie about the beast's turns would stand.
"""

from __future__ import annotations

from backend.chain.client import Chain
from backend.chain.transactions import Receipt, TransactionManager
from backend.chain.types import header_to_abi
from backend.kernel.state import Header, State, deserialize_weights, serialize_weights


def must_publish(chain: Chain, beast_id: int, h: bytes) -> bool:
    """Whether a beast can fight with a state only once that is on chain."""
    return bool(chain.commitments(beast_id)) and _block(chain, h) == 0


def publish_state(chain: Chain, sender: TransactionManager, state: State) -> Receipt:
    """Put a state on chain; about 1.4 million gas."""
    opening = (header_to_abi(state.header), serialize_weights(state.weights))
    return sender.send(chain.arena.functions.publishState(*opening), label="publish the state")


def published_state(chain: Chain, h: bytes) -> State | None:
    """The state of a hash, if somebody has put it on chain. The arena has checked it."""
    block = _block(chain, h)
    if block == 0:
        return None
    event = chain.arena.events.StatePublished()
    found = chain.read(
        lambda: event.get_logs(from_block=block, to_block=block, argument_filters={"state": h})
    )
    if not found:
        return None  # a reorg, between the two questions
    values = found[0]["args"]
    header = Header(*values["header"].values())
    return State(header, deserialize_weights(bytes(values["weights"])))


def _block(chain: Chain, h: bytes) -> int:
    return int(chain.call(chain.arena.functions.publishedIn(h)))
