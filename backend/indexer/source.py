"""Whose facts a database holds: it serves one deployment, and says so to all others."""

from __future__ import annotations

from chainbeasts.backend.chain.deployment import Deployment
from chainbeasts.backend.chain.errors import WrongChainError
from chainbeasts.backend.store.facts import SourceRow
from chainbeasts.backend.store.session import Database

LOCK = "indexer"
"""Held by whoever writes chain facts."""


def bind(database: Database, deployment: Deployment) -> None:
    """Make an empty database a deployment's, or make sure that it is.

    Raises:
        WrongChainError: it holds another deployment's facts.
    """
    genesis = bytes.fromhex(deployment.genesis.removeprefix("0x"))
    ours = (deployment.chain_id, genesis, deployment.addresses["CheckpointLedger"])
    with database.exclusive(LOCK) as session:
        row = session.get(SourceRow, 1)
        if row is None:
            row = SourceRow(id=1, chain_id=ours[0], genesis=ours[1], ledger=ours[2])
            session.add(row)
        found = (row.chain_id, row.genesis, row.ledger)
    if found != ours:
        raise WrongChainError(
            f"The database holds another deployment's facts (ledger {found[2]} on chain "
            f"{found[0]}).",
            "Give each deployment a database of its own, or empty this one with "
            "`chainbeasts db reindex`.",
        )
