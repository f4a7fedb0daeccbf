"""Reorgs of Anvil while others use it.

Anvil loses blocks that it mines while it takes others back: their numbers then name nothing. So
nobody reaches it meanwhile, and should its clock have mined one all the same, the numbers are
mended by a second, deeper reorg.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from chainbeasts.backend.chain.anvil import rpc
from scripts.lib.faulty_node import FaultyNode
from scripts.lib.stage import StageError

SETTLE_SECONDS = 0.2
"""For calls that were under way when the gates closed."""

LOOK_BACK = 64
ATTEMPTS = 3


def reorg(rpc_url: str, gates: Sequence[FaultyNode], depth: int) -> None:
    """Replace the newest blocks; their transactions are lost.

    Raises:
        AnvilError: Anvil refuses.
        StageError: block numbers without a block are left.
    """
    with _closed(gates):
        rpc(rpc_url, "anvil_reorg", depth, [])
        for _ in range(ATTEMPTS):
            missing = _missing(rpc_url)
            if missing is None:
                return
            head = _head(rpc_url)
            rpc(rpc_url, "anvil_reorg", head - missing + 1, [])
    raise StageError(f"Anvil lost block {missing} in a reorg.")


@contextmanager
def _closed(gates: Sequence[FaultyNode]) -> Iterator[None]:
    for gate in gates:
        gate.down = True
        gate.drop_websockets()
    time.sleep(SETTLE_SECONDS)
    try:
        yield
    finally:
        for gate in gates:
            gate.down = False


def _head(rpc_url: str) -> int:
    return int(str(rpc(rpc_url, "eth_blockNumber")), 16)


def _missing(rpc_url: str) -> int | None:
    """The first of the newest blocks that is none."""
    head = _head(rpc_url)
    for number in range(max(head - LOOK_BACK, 0), head + 1):
        if rpc(rpc_url, "eth_getBlockByNumber", hex(number), False) is None:
            return number
    return None
