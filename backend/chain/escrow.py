"""Moves money to where the contracts ask for it: ENERGY into an escrow, native coin into a stake.

The ledger's escrow pays windows and the bonds of disputes, the arena's the bonds of match records.
"""

from __future__ import annotations

from typing import Any

from eth_typing import BlockNumber
from web3.contract import Contract
from web3.types import BlockIdentifier

from chainbeasts.backend.chain.amounts import show_energy
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.outbox import Outbox
from chainbeasts.backend.chain.transactions import TransactionManager
from chainbeasts.backend.chain.waiting import await_block
from chainbeasts.backend.errors import ChainBeastsError

GET_ENERGY = "chainbeasts energy buy AMOUNT (on a devnet: chainbeasts energy faucet AMOUNT)"
"""What whoever has too little of it does."""


DEPOSIT, APPROVE = "deposit", "approve"
"""Kinds of moves in a daemon's journal."""


def deposit_energy(
    chain: Chain,
    sender: TransactionManager,
    amount: int,
    escrow: Contract | None = None,
    outbox: Outbox | None = None,
) -> None:
    """Deposit ``amount`` wei of ENERGY, approving the escrow first where that is needed.

    Args:
        escrow: ``chain.ledger`` or ``chain.arena``; the ledger if None.
        outbox: a daemon's, in whose journal the moves are; without one they are kept in the
            account's file of unresolved transactions.

    Raises:
        ChainBeastsError: the wallet does not hold as much.
    """
    balance = chain.energy_of(sender.address)
    if balance < amount:
        raise ChainBeastsError(
            f"{sender.address} has {show_energy(balance)}; {show_energy(amount)} are needed.",
            f"Get some first: {GET_ENERGY}",
        )
    holder = chain.ledger if escrow is None else escrow
    # Two transactions. After a crash between them the allowance stays: it is the escrow's alone,
    # for as much as was asked, and only a deposit by this account draws on it. The next call uses
    # it.
    ensure_allowance(chain, sender, holder, amount, outbox=outbox)
    _send(sender, outbox, DEPOSIT, holder.functions.deposit(amount), "deposit ENERGY")


def _send(
    sender: TransactionManager, outbox: Outbox | None, kind: str, call: Any, label: str
) -> None:
    if outbox is None:
        sender.send(call, label=label)
    else:
        outbox.send(kind, outbox.intents.next_key(kind), call, label=label)


def ensure_allowance(
    chain: Chain,
    sender: TransactionManager,
    spender: Contract,
    amount: int,
    *,
    exact: bool = False,
    outbox: Outbox | None = None,
) -> None:
    """Make sure that a contract may take ``amount`` wei of the sender's ENERGY.

    Args:
        exact: and no more than that, where the allowance is the sender's word on a price.
        outbox: see ``deposit_energy``.
    """
    functions = chain.energy.functions
    allowed = chain.call(functions.allowance(sender.address, spender.address))
    if allowed < amount or (exact and allowed != amount):
        approve = functions.approve(spender.address, amount)
        _send(sender, outbox, APPROVE, approve, "approve ENERGY")


def ensure_escrow(
    chain: Chain,
    sender: TransactionManager,
    needed: int,
    spare: int = 0,
    escrow: Contract | None = None,
    outbox: Outbox | None = None,
) -> int:
    """Make sure that the escrow covers ``needed`` wei; deposits up to ``spare`` more than that.

    Args:
        escrow: ``chain.ledger`` or ``chain.arena``; the ledger if None.
        outbox: see ``deposit_energy``.

    Returns:
        The amount deposited, 0 if the escrow was enough.

    Raises:
        ChainBeastsError: escrow and wallet together do not cover it.
    """
    # What lacks is read from the chain, so a deposit that is still on its way, or that this node
    # does not show yet, would be made twice.
    block: BlockIdentifier = "latest" if outbox is None else keep_in_step(outbox, APPROVE, DEPOSIT)
    missing = needed - chain.escrow_of(sender.address, escrow, block)
    if missing <= 0:
        return 0
    # A wallet with less than what is missing is asked for all of it, and refused with the figures.
    amount = min(max(missing, chain.energy_of(sender.address)), missing + spare)
    deposit_energy(chain, sender, amount, escrow, outbox)
    return amount


def keep_in_step(outbox: Outbox, *kinds: str) -> BlockIdentifier:
    """Before a sum is read that moves of some kinds add to: see that it has all of them.

    Returns:
        The block to read it at. At the "latest", another node of the same name might answer, which
        does not have the last of the moves; one that lacks the block does not answer.

    Raises:
        ChainError: one still may be mined, or the node does not reach the block of the last one.
    """
    block = outbox.finish(*kinds)
    if not block:
        return "latest"
    chain = outbox.sender.chain
    await_block(chain, block)
    return BlockNumber(max(block, chain.block().number))


def ensure_stake(chain: Chain, sender: TransactionManager, beast_id: int, needed: int) -> int:
    """Make sure that the sender's stake on a beast is ``needed`` wei of native coin at least.

    Args:
        needed: ``chain.required_stake`` with room for a rising base fee; whoever wants to be paid
            at once for openings stakes more than that.

    Returns:
        The amount added, 0 if the stake was enough.

    Raises:
        Reverted: a reward out of an earlier stake is held.
    """
    missing = needed - chain.stake_of(beast_id, sender.address).amount
    if missing <= 0:
        return 0
    sender.send(chain.ledger.functions.stake(beast_id), label="stake", value=missing)
    return missing
