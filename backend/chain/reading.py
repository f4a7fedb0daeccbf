"""How a call to a node is read: again where its transport failed, with errors that users know.

Only idempotent calls are made again.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import stamina
from web3 import Web3
from web3.exceptions import (
    BadFunctionCallOutput,
    BlockNotFound,
    ContractCustomError,
    ContractLogicError,
    TransactionNotFound,
    Web3RPCError,
)

from chainbeasts.backend.chain.answers import NotAnAnswerError
from chainbeasts.backend.chain.deployment import Deployment
from chainbeasts.backend.chain.errors import (
    ChainError,
    NodeUnavailableError,
    NotThereError,
    Reverted,
    StoppedError,
    WrongChainError,
    decode_revert,
)
from chainbeasts.backend.chain.providers import make_web3
from chainbeasts.backend.chain.views import read_block
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.redact import redact_text, redact_url
from chainbeasts.backend.signals import HungUpError, check

T = TypeVar("T")

READ_ATTEMPTS = 4
READ_SECONDS = 45.0
"""After that a call that failed is not made again."""

TRANSPORT_ERRORS = (ConnectionError, TimeoutError)
"""What a call fails with that has no answer; see ``backend.chain.answers``."""

OUT_OF_STEP = (
    "header not found",  # Geth, Erigon: a block that it does not have yet
    "header for hash not found",
    "unknown block",  # Besu, Geth, OpenEthereum
    "block not found",  # Besu, Reth
    "resource not found",  # Nethermind, EIP-1474
    "missing trie node",  # Geth, Erigon: the state is not there yet, or not any more
    "world state unavailable",  # Besu
    "no state available",  # Nethermind
    "state not available",  # Reth, Geth
    "sync is still in progress",  # Besu
    "is syncing",  # Nethermind: "Node is syncing"
    "indexing is in progress",  # Geth: receipts and transactions after a start
)
"""Refusals of a node that does not have what others have: it is waited for like a silent one."""


def revert_from(error: ContractLogicError) -> Reverted:
    """The decoded contract error behind web3's exception."""
    data = error.data
    if isinstance(data, dict):
        data = data.get("data")
    if isinstance(data, str) and data.startswith("0x") and len(data) >= 10:
        with suppress(ValueError):  # not hex: a node's prose
            return decode_revert(bytes.fromhex(data[2:]))
    return Reverted("Error", {"reason": error.message or "no reason given"})


def connect(rpc_url: str) -> Web3:
    """A web3 client for an endpoint that answers.

    Raises:
        NodeUnavailableError: nobody answers.
    """
    w3 = make_web3(rpc_url)
    read(lambda: w3.eth.chain_id, rpc_url)
    return w3


ANSWERS = (
    *TRANSPORT_ERRORS,
    ContractLogicError,
    BadFunctionCallOutput,
    BlockNotFound,
    TransactionNotFound,
    Web3RPCError,
    ChainBeastsError,
    AssertionError,
)
"""What a call may raise that knows what it says."""


def formatted(call: Callable[[], T]) -> T:
    """Make a call whose answer web3 reads field by field, fields that nobody here wants included.

    Raises:
        NotAnAnswerError: it stumbled over one, in whichever way.
    """
    try:
        return call()
    except ANSWERS:
        raise
    except Exception as error:
        raise NotAnAnswerError(f"what cannot be read: {type(error).__name__}: {error}") from error


def read(call: Callable[[], T], rpc_url: str, attempts: int = READ_ATTEMPTS) -> T:
    """Make an idempotent call, again where the transport failed or a contract was not there.

    Raises:
        NodeUnavailableError: the node stayed silent, gave no proper answer, or lacks a contract or
            a block: it may be far behind, or in the middle of a reorg. Whether it serves another
            chain, ``check_chain`` says.
        StoppedError: the process is to end.
        Reverted: the contract refused.
        NotThereError: the node does not have the block or transaction that was asked for.
        ChainError: the node refused.
    """
    try:
        for attempt in stamina.retry_context(
            on=_passes, attempts=attempts, timeout=READ_SECONDS, wait_initial=0.1, wait_max=2.0
        ):
            with attempt:
                return formatted(call)
    except HungUpError:
        raise StoppedError(f"The node at {redact_url(rpc_url)} is not waited for.") from None
    except NotAnAnswerError as error:
        raise NodeUnavailableError(
            f"No answer of a node comes from {redact_text(str(error))}.",
            "Try again, or give another one with --rpc-url.",
        ) from None
    except TRANSPORT_ERRORS as error:
        raise NodeUnavailableError(
            f"No node answers at {redact_url(rpc_url)} ({type(error).__name__}).",
            "Start it (`chainbeasts devnet up`), or give another one with --rpc-url.",
        ) from None
    except (ContractCustomError, ContractLogicError) as error:
        raise revert_from(error) from None
    except BadFunctionCallOutput:
        raise NodeUnavailableError(
            f"A contract of the deployment does not answer at {redact_url(rpc_url)}.",
            "Wait until the node is in step, check --home and --rpc-url, or deploy again.",
        ) from None
    except (BlockNotFound, TransactionNotFound) as error:
        asked = redact_text(str(error))
        told = f"The node at {redact_url(rpc_url)} does not have it: {asked}"
        raise NotThereError(told) from None
    except Web3RPCError as error:
        said = redact_text(str(error.message or error))
        message = f"The node at {redact_url(rpc_url)} refused: {said}"
        if any(words in said.lower() for words in OUT_OF_STEP):
            raise NodeUnavailableError(message) from None
        raise ChainError(message) from None
    raise AssertionError("stamina either returns or raises")


def check_open() -> None:
    """Raise if the process is to end and its calls are over.

    Raises:
        StoppedError: they are.
    """
    try:
        check()
    except HungUpError:
        raise StoppedError("The process is to end.") from None


def _passes(error: Exception) -> bool:
    """Whether the same call may well have an answer in a moment."""
    if isinstance(error, HungUpError):
        return False
    return isinstance(error, (*TRANSPORT_ERRORS, BadFunctionCallOutput))


def check_chain(w3: Web3, rpc_url: str, deployment: Deployment) -> None:
    """Make sure that a node serves a deployment's chain.

    Raises:
        WrongChainError: it says twice that it serves another chain id, or the same one from
            another first block.
        NodeUnavailableError: it does not say which chain it serves.
    """

    def chain_id() -> int:
        return read(lambda: w3.eth.chain_id, rpc_url)

    def genesis() -> str:
        return "0x" + read(lambda: read_block(w3, 0).hash, rpc_url).hex()

    # Asked again before it is believed: it ends daemons, and a name may lead to several nodes, of
    # which one is being set up. A node that pruned its first block says nothing about it.
    if chain_id() != deployment.chain_id and (found := chain_id()) != deployment.chain_id:
        raise WrongChainError(
            f"The node at {redact_url(rpc_url)} serves chain {found}; the deployment is on "
            f"chain {deployment.chain_id}.",
            "Give the right node with --rpc-url.",
        )
    if genesis() != deployment.genesis and genesis() != deployment.genesis:
        raise WrongChainError(
            f"The node at {redact_url(rpc_url)} serves another chain with the id "
            f"{deployment.chain_id} (its first block differs from the deployment's).",
            "Use the chain of the deployment, or deploy anew with `chainbeasts deploy --fresh`.",
        )
