"""When a filing counts: too deep for a reorg, and early enough to be answered."""

from __future__ import annotations

from dataclasses import dataclass

from chainbeasts.backend.chain.views import Block

CONFIRMATIONS = 12
"""Blocks on top of a filing's before it is answered; two and a half minutes on Ethereum."""

BLOCK_SECONDS = 12
PATIENCE = 4
"""Confirmations may take a quarter of the response window at most."""


@dataclass(frozen=True, slots=True)
class Depth:
    """How deep a filing has to be.

    Attributes:
        confirmations: blocks on top of it; None: twelve, and fewer where that would take too much
            of the response window (none in one of fifteen seconds).
    """

    confirmations: int | None = None

    def is_reached(self, block: Block, filed_in: int, deadline: int, response_window: int) -> bool:
        """Whether a filing is to be answered now.

        Args:
            block: the newest one.
            filed_in: block of the filing.
            deadline: last second for openings.
        """
        if block.number - filed_in >= self.blocks(response_window):
            return True
        # However slowly blocks come: half of the time is left, and what stood that long stays.
        return block.timestamp >= deadline - response_window // 2

    def blocks(self, response_window: int) -> int:
        """Blocks to wait under a season with this response window, seconds."""
        if self.confirmations is not None:
            return self.confirmations
        return min(CONFIRMATIONS, response_window // PATIENCE // BLOCK_SECONDS)
