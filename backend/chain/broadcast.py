"""Hands a signed transaction to a node, and says what its answer means.

Handing over the same bytes twice does no harm, so that no answer, and none that is not understood,
is ever a reason to sign anew or to give up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

import structlog
from web3.exceptions import ContractLogicError, Web3RPCError

from chainbeasts.backend.chain.client import TRANSPORT_ERRORS, Chain, revert_from
from chainbeasts.backend.chain.errors import ChainError
from chainbeasts.backend.chain.reading import formatted
from chainbeasts.backend.redact import redact_text

log = structlog.get_logger()


class Outcome(StrEnum):
    """What became of a broadcast."""

    ACCEPTED = "accepted"
    """The node has it, or knows that its nonce is used."""
    UNSURE = "unsure"
    """No answer that means anything; the node may have it."""
    UNDERPRICED = "underpriced"
    """It offers too little for the base fee, or for the node."""
    OCCUPIED = "occupied"
    """The node holds another transaction at its nonce, and wants more to replace it."""
    UNPAYABLE = "unpayable"
    """The account cannot pay for it."""
    REFUSED = "refused"
    """No node of the chain takes these bytes."""


# JSON-RPC has no codes for these, and each node has its own words. They are compared as letters and
# digits alone, so that "nonce too low" and "NonceTooLow" are one. The first that is found counts.
# Sources, as of their main branches in 2026: go-ethereum core/error.go and core/txpool/errors.go;
# Nethermind.TxPool/AcceptTxResult.cs, and its code names before 2026; Besu's RpcErrorType.java;
# Erigon's txpoolcfg.go; Reth's rpc-eth-types/src/error and transaction-pool/src/error.rs;
# OpenEthereum's rpc/src/v1/helpers/errors.rs; Arbitrum's and Optimism's as Chainlink lists them;
# Foundry's anvil/src/eth/error.rs; Hardhat's.
_WORDS: tuple[tuple[Outcome, tuple[str, ...]], ...] = (
    (
        Outcome.ACCEPTED,
        (
            "already known",  # Geth, Erigon, Reth, Nethermind (once the code name AlreadyKnown)
            "known transaction",  # Besu, Geth before 2020
            "already imported",  # Anvil, Reth's pool; OpenEthereum: "the same hash was already …"
            "txn with same hash",  # Erigon
            "tx with same hash",  # Erigon before 2024
            "already in mempool",
            "already in the mempool",
            # Whose transaction was mined, "too low" does not say; waiting for a receipt does.
            "nonce too low",  # Geth, Erigon, Reth, Besu, Nethermind, Anvil, Hardhat
            "nonce is too low",  # OpenEthereum
            "old nonce",  # Nethermind's code name OldNonce
        ),
    ),
    (
        Outcome.OCCUPIED,
        (
            "replacement transaction underpriced",  # Geth, Erigon, Reth, Besu, Nethermind, Anvil
            "replacement not allowed",  # Nethermind's code name ReplacementNotAllowed
            "could not replace existing",  # Erigon
            "to replace existing transaction",  # Reth's pool
            "another transaction with same nonce",  # OpenEthereum
            "replacement fee too low",  # what ethers makes of Geth's, seen behind gateways
        ),
    ),
    (
        Outcome.REFUSED,
        (
            "exceeds block gas limit",  # Geth, Reth, Besu
            "gas limit is too high",  # Erigon
            "gas limit too high",  # Geth, Reth (EIP-7825)
            "exceeds current gas limit",  # OpenEthereum
            "intrinsic gas",  # Geth, Erigon, Reth, Besu, Anvil
            "transaction gas is too low",  # OpenEthereum
            "oversized data",  # Geth, Erigon, Reth
            "transaction is too big",  # OpenEthereum
            "initcode too large",  # Erigon
            "max initcode size",  # Geth, Reth
            "invalid sender",  # Geth, Erigon, Anvil
            "invalid signature",  # Besu, OpenEthereum
            "invalid chain id",  # Geth, OpenEthereum, Anvil
            "wrong chainid",  # Besu
            "exceeds the configured cap",  # Geth: --rpc.txfeecap
            "fee cap exceeded",  # Besu: --rpc-tx-feecap
            "not authorized to send",  # Besu
            "is not permitted",  # OpenEthereum
        ),
    ),
    (
        Outcome.UNPAYABLE,
        (
            "insufficient funds",  # Geth, Erigon, Reth, Nethermind, Anvil, OpenEthereum
            "upfront cost exceeds account balance",  # Besu
            "insufficient balance",  # OpenEthereum
            "not enough funds",  # Arbitrum
            "have enough funds",  # Hardhat: "sender doesn't have enough funds to send tx"
        ),
    ),
    (
        Outcome.UNDERPRICED,
        (
            "underpriced",  # Geth, Erigon, Reth, Nethermind
            "fee too low",  # Nethermind's FeeTooLow and FeeTooLowToCompete, Erigon, Optimism
            "less than block base fee",  # Geth, Reth, Anvil
            "below current base fee",  # Besu
            "below configured minimum gas price",  # Besu
            "below chain minimum",  # Reth's pool
            "gas price too low",  # Arbitrum
            "price is too low",  # OpenEthereum
            "too low to compete",
        ),
    ),
)
"""Everything else is unsure: a full pool, too many calls, "internal error", words of tomorrow."""


def _letters(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


_LETTERS = tuple(
    (meaning, tuple(_letters(words) for words in all_words)) for meaning, all_words in _WORDS
)


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
        formatted(lambda: chain.w3.eth.send_raw_transaction(signed.raw))
    except TRANSPORT_ERRORS as error:
        # The request may have arrived and only its answer be lost.
        log.warning("broadcast failed", label=signed.label, error=type(error).__name__)
        return Outcome.UNSURE
    except ContractLogicError as error:
        raise revert_from(error) from None
    except Web3RPCError as error:
        return _judge(signed, error)
    return Outcome.ACCEPTED


def meaning(said: str) -> Outcome:
    """What a node's words of refusal mean."""
    letters = _letters(said)
    for outcome, all_words in _LETTERS:
        if any(words in letters for words in all_words):
            return outcome
    return Outcome.UNSURE


def _judge(signed: SignedTransaction, error: Web3RPCError) -> Outcome:
    said = redact_text(_said(error))
    outcome = meaning(said)
    if outcome is Outcome.UNPAYABLE:
        raise ChainError(
            f"{signed.sender} cannot pay the gas to {signed.label}.",
            "Send it some of the chain's native coin.",
        )
    if outcome is Outcome.REFUSED:
        raise ChainError(f"The node refused to {signed.label}: {said}")
    if outcome is not Outcome.ACCEPTED:
        log.warning("not taken by the node", label=signed.label, said=said, taken_for=str(outcome))
    return outcome


def _said(error: Web3RPCError) -> str:
    """The node's words; some have the reason beside the message, in ``data``."""
    refusal = (error.rpc_response or {}).get("error")
    if not isinstance(refusal, dict):
        return str(error.message or error)
    data = refusal.get("data")
    return f"{refusal.get('message')} {data}" if isinstance(data, str) else str(refusal["message"])
