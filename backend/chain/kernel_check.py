"""Whether a deployment judges with the kernel that is installed here.

What one kernel computes, the referee of another one finds wrong: a right window would be slashed,
and a wrong one stand.
"""

from __future__ import annotations

from web3.contract import Contract

from chainbeasts.backend.chain.contracts import Contracts
from chainbeasts.backend.chain.errors import ChainError
from chainbeasts.backend.kernel.tables import KERNEL_ID, kernel_name

USE_ITS_VERSION = "Use the version of chainbeasts that made the deployment."


def kernel_of(chain: Contracts, referee: Contract) -> bytes:
    """The id of the kernel that a referee runs, 32 bytes."""
    return bytes(chain.call(referee.functions.kernelId()))


def check_kernel(chain: Contracts) -> None:
    """Make sure that windows and matches are judged with this installation's kernel.

    Raises:
        ChainError: they are not.
    """
    for referee, name in ((chain.referee, "referee"), (chain.match_referee, "match referee")):
        theirs = kernel_of(chain, referee)
        if theirs != KERNEL_ID:
            raise ChainError(
                f"The deployment's {name} runs kernel {kernel_name(theirs)}, this installation "
                f"{kernel_name(KERNEL_ID)}.",
                USE_ITS_VERSION,
            )
