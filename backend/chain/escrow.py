"""Moves ENERGY into the ledger's escrow."""

from __future__ import annotations

from backend.chain.amounts import show_energy
from backend.chain.client import Chain
from backend.chain.transactions import TransactionManager
from backend.errors import ChainBeastsError


def deposit_energy(chain: Chain, sender: TransactionManager, amount: int) -> None:
    """Deposit ``amount`` wei of ENERGY, approving the ledger first where that is needed.

    Raises:
        ChainBeastsError: the wallet does not hold as much.
    """
    balance = chain.energy_of(sender.address)
    if balance < amount:
        raise ChainBeastsError(
            f"{sender.address} has {show_energy(balance)}; {show_energy(amount)} are needed.",
            "Get some first; on a devnet: chainbeasts energy faucet",
        )
    ledger = chain.ledger.address
    allowance = chain.call(chain.energy.functions.allowance(sender.address, ledger))
    if allowance < amount:
        sender.send(chain.energy.functions.approve(ledger, amount), label="approve ENERGY")
    sender.send(chain.ledger.functions.deposit(amount), label="deposit ENERGY")


def ensure_escrow(chain: Chain, sender: TransactionManager, needed: int, spare: int = 0) -> int:
    """Make sure that the escrow covers ``needed`` wei; deposits up to ``spare`` more than that.

    Returns:
        The amount deposited, 0 if the escrow was enough.

    Raises:
        ChainBeastsError: escrow and wallet together do not cover it.
    """
    missing = needed - chain.escrow_of(sender.address)
    if missing <= 0:
        return 0
    amount = min(max(missing, chain.energy_of(sender.address)), missing + spare)
    deposit_energy(chain, sender, amount)
    return amount
