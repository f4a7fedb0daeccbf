"""What can be wrong with what a node answers."""

from __future__ import annotations

from chainbeasts.backend.chain.errors import ChainError


class MovedError(Exception):
    """The chain changed while it was read. Caught by the indexer, which reads again."""


class IncompleteLogsError(ChainError):
    """The node left events out: those that it gave do not follow from one another."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"The node's logs have a gap: {what}.",
            "Use a node that serves all logs; if the gap stays, `chainbeasts db reindex`.",
        )
