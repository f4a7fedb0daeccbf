"""Block hashes as a chain remembers them, and how tests make it forget one.

The opcode knows the last 256; the history contract of EIP-2935 the last 8,191.
"""

from __future__ import annotations

from collections.abc import Callable

BLOCK_HASHES = 8_191
HISTORY = "0x0000F90827F1C53a10cb7A02335B175320002935"


def forget(rpc: Callable[..., object], block: int) -> None:
    """Bring the chain to where it knows the hash of a block no longer.

    A node would have to mine 8,191 blocks, for which no test has the time. Here the opcode's 256
    pass, and the history contract loses its entry.

    Args:
        rpc: makes a call, given its method and parameters.
    """
    rpc("anvil_mine", hex(257))
    rpc("anvil_setStorageAt", HISTORY, hex(block % BLOCK_HASHES), "0x" + "00" * 32)
