"""What each event means for the tables: one function per event.

Submissions and finalizations, of which there are most, are written together: see checkpoints.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from chainbeasts.backend.chain.events import Event
from chainbeasts.backend.chain.types import ZERO_ADDRESS
from chainbeasts.backend.indexer.checkpoints import epoch_row
from chainbeasts.backend.indexer.disputes import DISPUTE_HANDLERS
from chainbeasts.backend.indexer.energy import ENERGY_HANDLERS
from chainbeasts.backend.indexer.governance import PROPOSAL_HANDLERS, SEASON_HANDLERS
from chainbeasts.backend.indexer.handlers import Handlers
from chainbeasts.backend.indexer.matches import MATCH_HANDLERS, OPENNESS_HANDLERS
from chainbeasts.backend.indexer.published import PUBLICATION_HANDLERS
from chainbeasts.backend.indexer.stakes import CREDIT_HANDLERS, STAKE_HANDLERS
from chainbeasts.backend.nicknames import nickname
from chainbeasts.backend.store.facts import BeastRow, CheckpointRow, CheckpointStatus, EpochRow
from chainbeasts.backend.store.matches import OpenChallengeRow


def is_applied(event: Event) -> bool:
    """Whether an event changes anything by ``apply``."""
    return (event.contract, event.name) in _HANDLERS


def apply(session: Session, event: Event) -> None:
    """Bring the tables up to date with one event; events of no interest change nothing.

    Raises:
        IncompleteLogsError: an event that must come before it has not been read.
    """
    handler = _HANDLERS.get((event.contract, event.name))
    if handler is not None:
        handler(session, event, event.args)


def _hatched(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    beast_id = int(args["beastId"])
    session.merge(
        BeastRow(
            beast_id=beast_id,
            owner=args["owner"],
            owner_key=args["owner"].lower(),
            dna=bytes(args["dna"]),
            name_key=nickname(bytes(args["dna"])).lower(),
            epoch_seed=bytes(args["epochSeed"]),
            season=args["season"],
            block_number=event.block_number,
        )
    )
    session.merge(
        EpochRow(
            beast_id=beast_id,
            epoch=0,
            epoch_seed=bytes(args["epochSeed"]),
            season=args["season"],
            start_index=0,
        )
    )


def _transfer(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    beast = session.get(BeastRow, int(args["tokenId"]))
    # The mint's Transfer comes after Hatched, which names the same owner.
    if beast is None or args["from"] == ZERO_ADDRESS:
        return
    beast.owner, beast.owner_key = args["to"], args["to"].lower()
    # Bound to the ownership that it was made under: it stays closed if the beast comes back.
    challenge = session.get(OpenChallengeRow, beast.beast_id)
    if challenge is not None:
        session.delete(challenge)
        session.flush()


def _epoch_started(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    session.merge(EpochRow(**epoch_row(args)))


def _slashed(session: Session, event: Event, args: Mapping[str, Any]) -> None:
    """The offender is slashed; every later live checkpoint is void."""
    rows = session.scalars(
        select(CheckpointRow)
        .where(CheckpointRow.beast_id == int(args["beastId"]))
        .where(CheckpointRow.index >= args["index"])
        .where(CheckpointRow.status == CheckpointStatus.PENDING)  # final ones cannot be slashed
    )
    for row in rows:
        offender = row.index == args["index"]
        row.status = CheckpointStatus.SLASHED if offender else CheckpointStatus.VOID
        row.settled_block = event.block_number
    beast = session.get(BeastRow, int(args["beastId"]))
    if beast is not None:
        beast.windows = args["index"]


_CHECKPOINT_HANDLERS: Handlers = {("CheckpointLedger", "CheckpointSlashed"): _slashed}

_BEAST_HANDLERS: Handlers = {
    ("Beasts", "Hatched"): _hatched,
    ("Beasts", "Transfer"): _transfer,
    ("CheckpointLedger", "EpochStarted"): _epoch_started,
    **DISPUTE_HANDLERS,
    **STAKE_HANDLERS,
    **OPENNESS_HANDLERS,
}

_HANDLERS: Handlers = {
    **_CHECKPOINT_HANDLERS,
    **_BEAST_HANDLERS,
    **PUBLICATION_HANDLERS,
    **CREDIT_HANDLERS,
    **ENERGY_HANDLERS,
    **MATCH_HANDLERS,
    **SEASON_HANDLERS,
    **PROPOSAL_HANDLERS,
}

REPLAYED = tuple(name for _, name in _BEAST_HANDLERS)
"""Events about a beast that are few and are applied again after a reorg. Checkpoints, which are
many, keep the block in which each thing became of them instead; so do publications, credits,
purchases of ENERGY and requests to hatch."""

PROPOSAL_EVENTS = tuple(name for _, name in PROPOSAL_HANDLERS)
