"""Waits for blocks and for the contracts' clock; a local chain that mines on demand is asked to."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from chainbeasts.backend.chain.anvil import AnvilError, is_local_chain, rpc
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.errors import ChainError

log = structlog.get_logger()

BLOCK_WAIT_SECONDS = 180.0
LOCAL_PATIENCE_SECONDS = 0.5
POLL_SECONDS = 0.1


def wait_until(done: Callable[[], bool], seconds: float, message: str) -> None:
    """Poll until something is so.

    Raises:
        ChainError: it is not in time.
    """
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() >= deadline:
            raise ChainError(message, "Try again; what was done is on record.")
        time.sleep(POLL_SECONDS)


def await_block(chain: Chain, number: int) -> None:
    """Wait until the chain has a block.

    Raises:
        ChainError: it does not come.
    """
    _await(chain, lambda: chain.block().number >= number, f"Block {number} did not come.", 0.0)


def await_time(chain: Chain, timestamp: int) -> None:
    """Wait until the latest block is at least as late as ``timestamp`` (unix seconds).

    Raises:
        ChainError: it does not come, long after it should.
    """
    left = max(0, timestamp - chain.now())
    message = f"No block has come with time {timestamp} or later."
    _await(chain, lambda: chain.now() >= timestamp, message, left)


def _await(chain: Chain, done: Callable[[], bool], message: str, left: float) -> None:
    patience = LOCAL_PATIENCE_SECONDS

    def look() -> bool:
        nonlocal patience
        if done():
            return True
        if time.monotonic() - begun > patience:
            _nudge(chain)
            patience += LOCAL_PATIENCE_SECONDS
        return False

    begun = time.monotonic()
    wait_until(look, left + BLOCK_WAIT_SECONDS, message)


def _nudge(chain: Chain) -> None:
    if not is_local_chain(chain.deployment.chain_id, chain.rpc_url):
        return
    try:
        rpc(chain.rpc_url.replace("ws://", "http://"), "evm_mine")
    except AnvilError as error:
        log.debug("the local chain did not mine", reason=error.message)
