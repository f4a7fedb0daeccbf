"""Hands a signed transaction to a node, and says what its answer means.

Handing over the same bytes twice does no harm, so that no answer is never a reason to sign anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import structlog
from web3.exceptions import ContractLogicError, Web3RPCError

from backend.chain.client import TRANSPORT_ERRORS, Chain, revert_from
from backend.chain.errors import ChainError

log = structlog.get_logger()

# JSON-RPC has no codes for these, and each node has its own words.
KNOWN = ("already known", "already imported", "nonce too low", "known transaction")
CHEAP = ("underpriced", "less than block base fee", "fee too low", "feecap")
BUSY_CODES = (-32603, -32005, -32016, 429)
"""Internal error and rate limits: the node may or may not have taken it."""


class Outcome(StrEnum):
    """What became of a broadcast."""

    ACCEPTED = "accepted"
    """The node has it, or knows that its nonce is used."""
    UNSURE = "unsure"
    """No answer that means anything; the node may have it."""
    UNDERPRICED = "underpriced"
    """It offers too little for the base fee, or for replacing what the node has."""


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """A transaction as it goes out."""

    label: str
    sender: str
    nonce: int
    hash: bytes
    raw: bytes


def hand_over(chain: Chain, signed: SignedTransaction) -> Outcome:
    """Broadcast a transaction.

    Raises:
        Reverted: the node says that the contract refuses.
        ChainError: the node refuses it for good: no funds, or malformed.
    """
    try:
        chain.w3.eth.send_raw_transaction(signed.raw)
    except TRANSPORT_ERRORS as error:
        # The request may have arrived and only its answer be lost.
        log.warning("broadcast failed", label=signed.label, error=type(error).__name__)
        return Outcome.UNSURE
    except ContractLogicError as error:
        raise revert_from(error) from None
    except Web3RPCError as error:
        return _meaning(signed, error)
    return Outcome.ACCEPTED


def _meaning(signed: SignedTransaction, error: Web3RPCError) -> Outcome:
    said = str(error.message or error)
    message = said.lower()
    if any(known in message for known in KNOWN):
        # "Nonce too low" does not tell whose transaction was mined; waiting for a receipt does.
        return Outcome.ACCEPTED
    if any(cheap in message for cheap in CHEAP):
        return Outcome.UNDERPRICED
    if "insufficient funds" in message:
        raise ChainError(
            f"{signed.sender} cannot pay the gas to {signed.label}.",
            "Send it some of the chain's native coin.",
        )
    response = error.rpc_response or {}
    refusal = response.get("error")
    if isinstance(refusal, dict) and refusal.get("code") in BUSY_CODES:
        log.warning("broadcast failed", label=signed.label, error=said)
        return Outcome.UNSURE
    raise ChainError(f"The node refused to {signed.label}: {said}")
