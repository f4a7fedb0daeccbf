"""Back to a snapshot of Anvil's chain, with nothing left over of what comes after it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.patience import PATIENCE

MINING_SECONDS = 2.0


def go_back(call: Callable[..., Any], snapshot: Any) -> None:
    """Revert to a snapshot, which is used up by it.

    A transaction leaves the pool some time after its block is there and its receipt can be read. If
    it is still in the pool when the chain goes back, the next block has it again. One of a nonce to
    come, from a process that is just being ended, would take the nonce of somebody's later move.
    The next block's base fee, which a snapshot does not hold, is the latest block's; before anybody
    went back there, it is one step from it.

    Args:
        call: asks the node, by method and parameters.
    """
    settled(call)
    if not _mined_out(call):
        call("evm_mine")  # waits for the block in the making, on top of which nobody goes back
    settled(call)
    assert call("evm_revert", snapshot) is True, f"there is no snapshot {snapshot}"
    call("anvil_dropAllTransactions")
    # What is offered by the latest block would be refused where the test made blocks dearer.
    latest = call("eth_getBlockByNumber", "latest", False)
    call("anvil_setNextBlockBaseFeePerGas", latest["baseFeePerGas"])


def settled(call: Callable[..., Any]) -> None:
    """Wait until Anvil has done all that it does with a block of which there is a receipt already.

    Last of all it takes the transactions out of the pool, and just before that it reckons the next
    block's base fee: one that somebody has set in between is lost.
    """
    deadline = time.monotonic() + PATIENCE
    while _mined_in_pool(call):
        assert time.monotonic() < deadline, "a mined transaction stays in the pool"
        time.sleep(0.001)


def set_base_fee(call: Callable[..., Any], wei: int) -> None:
    """Of the next block; those after it drift."""
    settled(call)
    call("anvil_setNextBlockBaseFeePerGas", hex(wei))


@contextmanager
def nothing_mined(call: Callable[..., Any]) -> Iterator[None]:
    """Transactions wait, unless a block is asked for. Going back to a snapshot would not end it."""
    call("evm_setAutomine", False)
    try:
        yield
    finally:
        call("evm_setAutomine", True)


def _mined_out(call: Callable[..., Any]) -> bool:
    """Let Anvil mine what it has begun with, or it would do so on the chain that was gone back to.

    What did not fit into a block stays in the pool, so this waits for no longer than a moment.

    Returns:
        False if it may be at it still.
    """
    deadline = time.monotonic() + MINING_SECONDS
    while time.monotonic() < deadline and int(call("txpool_status")["pending"], 16):
        if not call("anvil_getAutomine"):
            return True
        time.sleep(0.005)
    return int(call("txpool_status")["pending"], 16) == 0


def _mined_in_pool(call: Callable[..., Any]) -> bool:
    if int(call("txpool_status")["pending"], 16) == 0:
        return False
    waiting = call("txpool_content")["pending"].values()
    hashes = [one["hash"] for nonces in waiting for one in nonces.values()]
    return any(call("eth_getTransactionReceipt", one) is not None for one in hashes)
