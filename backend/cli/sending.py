"""Sending coins: what is refused for its receiver, and how commands show what they did."""

from __future__ import annotations

from collections.abc import Callable

from chainbeasts.backend.chain.transactions import Receipt
from chainbeasts.backend.cli.output import fields
from chainbeasts.backend.cli.session import Session
from chainbeasts.backend.errors import ChainBeastsError


def show_sent(
    session: Session,
    receipt: Receipt,
    to: str,
    amount: int,
    left: int,
    show: Callable[[int], str],
) -> None:
    """Print a payment.

    Args:
        amount, left: wei that went to ``to``, and that the sender has after it.
        show: makes text of an amount.
    """
    facts = {
        "from": session.account.address,
        "to": to,
        "name": session.names.of(to),
        "amount": amount,
        "left": left,
        "transaction": receipt.hash,
        "gas_used": receipt.gas_used,
    }
    view = {
        "from": session.account.address,
        "to": to,
        "amount": show(amount),
        "left": show(left),
        "transaction": "0x" + receipt.hash.hex(),
        "gas used": receipt.gas_used,
    }
    session.show(facts, lambda: fields("Sent", view))


def refuse_contracts(session: Session, target: str) -> None:
    """Keep ENERGY out of our own contracts, none of which can send on what it is given like this.

    Raises:
        ChainBeastsError: it would be lost.
    """
    addresses = session.chain.deployment.addresses
    for name, address in addresses.items():
        if address == target and name != "TimelockController":
            raise ChainBeastsError(
                f"ENERGY that is sent to the contract {name} is lost.",
                "Into an escrow it goes with: chainbeasts energy deposit AMOUNT [--arena]",
            )
