"""/v1/status: which chain this is about, and how far it has been read."""

from __future__ import annotations

from importlib import metadata

from fastapi import Request, Response
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chainbeasts.backend.api.answers import answer
from chainbeasts.backend.api.models import Counts, IndexedBlock, NodeHead, Status
from chainbeasts.backend.api.routes.common import new_router
from chainbeasts.backend.api.services import Services, ServicesDep, tip_hash, tip_of
from chainbeasts.backend.chain.deployment import Deployment
from chainbeasts.backend.indexer.queries import OPEN
from chainbeasts.backend.kernel.tables import KERNEL_ID
from chainbeasts.backend.store.facts import (
    BeastRow,
    CheckpointRow,
    CheckpointStatus,
    DisputeRow,
)
from chainbeasts.backend.store.governance import SeasonRow
from chainbeasts.backend.store.matches import MatchRow

router = new_router("status")


@router.get("/status", response_model=Status, summary="How far the chain has been read")
def status(request: Request, services: ServicesDep) -> Response:
    """Chain, contracts, indexed block and the node's head; counts up to the indexed block."""
    return answer(request, read_status(services))


def read_status(services: Services) -> Status:
    """The status now."""
    head, deployment = services.follower.head, services.chain.deployment
    with services.session() as session:
        tip = tip_of(session)
        season = session.scalar(select(func.max(SeasonRow.season)))
        counts = services.once.get("counts", tip_hash(tip), lambda: _counts(session))
    return Status(
        chain_id=deployment.chain_id,
        genesis=bytes.fromhex(deployment.genesis.removeprefix("0x")),
        kernel_id=_kernel_id(deployment),
        addresses=dict(deployment.addresses),
        indexed=None
        if tip is None
        else IndexedBlock(number=tip.number, hash=tip.hash, time=tip.timestamp),
        node=NodeHead(answers=head.answers, number=head.number, time=head.time),
        blocks_behind=_behind(head.number, None if tip is None else tip.number),
        seconds_behind=_behind(head.time, None if tip is None else tip.timestamp),
        problem=head.problem,
        season=season,
        counts=counts,
        wallet=services.wallet,
        version=metadata.version("chainbeasts"),
    )


def _kernel_id(deployment: Deployment) -> bytes:
    """The contracts' kernel, by which the page knows whether it is its own.

    Only a record that was never finished does not have it.
    """
    recorded = deployment.kernel_id.removeprefix("0x")
    return bytes.fromhex(recorded) if recorded else KERNEL_ID


def _behind(head: int | None, indexed: int | None) -> int | None:
    """How much the head is ahead; an index that is ahead of a lagging node is not behind."""
    return None if head is None or indexed is None else max(0, head - indexed)


def _counts(session: Session) -> Counts:
    def count(table: type, *conditions: object) -> int:
        wanted = select(func.count()).select_from(table).where(*conditions)  # type: ignore[arg-type]
        return session.scalar(wanted) or 0

    return Counts(
        beasts=count(BeastRow),
        checkpoints=count(CheckpointRow),
        pending=count(CheckpointRow, CheckpointRow.status == CheckpointStatus.PENDING),
        disputes=count(DisputeRow),
        open_disputes=count(DisputeRow, DisputeRow.status.in_(OPEN)),
        matches=count(MatchRow),
    )
