"""What accounts hold, asked of the node, which may hang without holding up other answers."""

from __future__ import annotations

from anyio import CapacityLimiter, move_on_after, to_thread

from chainbeasts.backend.api.models import Balances
from chainbeasts.backend.chain.client import TRANSPORT_ERRORS, Chain
from chainbeasts.backend.chain.errors import ChainError

SECONDS = 2.5
"""That the node may take for one account."""

AT_ONCE = 4


class Wallets:
    """The node's word on balances, asked for in threads of its own."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._threads = CapacityLimiter(AT_ONCE)

    async def get(self, chain: Chain, account: str) -> Balances | None:
        """What an account holds in the latest block; None if the node does not say so in time."""
        # A thread that was given up keeps its token until it ends: once all of them hang, nobody
        # waits any more.
        with move_on_after(self._seconds if self._threads.available_tokens else 0):
            return await to_thread.run_sync(
                _read, chain, account, limiter=self._threads, abandon_on_cancel=True
            )
        return None


def _read(chain: Chain, account: str) -> Balances | None:
    try:
        return Balances(
            coin=chain.coin_of(account),
            energy=chain.energy_of(account),
            escrow=chain.escrow_of(account),
            arena_escrow=chain.escrow_of(account, chain.arena),
            rewards=chain.rewards_of(account),
        )
    except (ChainError, *TRANSPORT_ERRORS):
        return None
