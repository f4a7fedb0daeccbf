"""What a hatch costs, given to whoever hatches in a test."""

from __future__ import annotations

from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.escrow import ensure_allowance
from chainbeasts.backend.chain.transactions import TransactionManager


def give_hatches(chain: Chain, minter: TransactionManager, account: str, hatches: int = 1) -> None:
    """Mint what that many requests burn."""
    cost = hatches * chain.hatch_cost()
    minter.send(chain.energy.functions.mint(account, cost), label="mint")


def pay_hatch(chain: Chain, minter: TransactionManager, owner: TransactionManager) -> None:
    """The same for one request, which may burn it."""
    give_hatches(chain, minter, owner.address)
    ensure_allowance(chain, owner, chain.beasts, chain.hatch_cost())
