"""What accounts hold, asked of the node, which may hang without holding up other answers."""

from __future__ import annotations

from anyio import move_on_after

from chainbeasts.backend.api import patience
from chainbeasts.backend.api.models import Balances
from chainbeasts.backend.api.patience import Threads
from chainbeasts.backend.chain.client import TRANSPORT_ERRORS, Chain
from chainbeasts.backend.chain.errors import ChainError


class Wallets:
    """The node's word on balances, asked for in threads of its own.

    Args:
        seconds: that the node may take for one account; ``patience.SECONDS`` if None.
    """

    def __init__(self, seconds: float | None = None) -> None:
        self._threads = Threads(patience.SECONDS if seconds is None else seconds)

    async def get(self, chain: Chain, account: str) -> Balances | None:
        """What an account holds in the latest block; None if the node does not say so in time."""
        with move_on_after(self._threads.patience):
            return await self._threads.run(_read, chain, account)
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
