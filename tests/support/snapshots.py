"""Back to a snapshot of Anvil's chain, with nothing left over of what comes after it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tests.support.patience import PATIENCE


def go_back(call: Callable[..., Any], snapshot: Any) -> None:
    """Revert to a snapshot, which is used up by it.

    A transaction leaves the pool some time after its block is there and its receipt can be read. If
    it is still in the pool when the chain goes back, the next block has it again. One of a nonce to
    come, from a process that is just being ended, would take the nonce of somebody's later move.

    Args:
        call: asks the node, by method and parameters.
    """
    deadline = time.monotonic() + PATIENCE
    while _mined_in_pool(call):
        assert time.monotonic() < deadline, "a mined transaction stays in the pool"
        time.sleep(0.001)
    assert call("evm_revert", snapshot) is True, f"there is no snapshot {snapshot}"
    call("anvil_dropAllTransactions")


def _mined_in_pool(call: Callable[..., Any]) -> bool:
    if int(call("txpool_status")["pending"], 16) == 0:
        return False
    waiting = call("txpool_content")["pending"].values()
    hashes = [one["hash"] for nonces in waiting for one in nonces.values()]
    return any(call("eth_getTransactionReceipt", one) is not None for one in hashes)
