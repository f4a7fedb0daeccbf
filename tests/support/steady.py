"""A chain whose clock no slow machine runs down."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from chainbeasts.backend.chain.anvil import Anvil, AnvilError, rpc

PORTS = 3
"""That are tried."""


@contextmanager
def steady_anvil(*extra: str) -> Iterator[Anvil]:
    """An Anvil child on a free port whose clock ticks with its blocks, one second each.

    The devnet's deadlines are seconds: with Anvil's own clock, a test that takes fifteen of them
    between a dispute and its openings has lost it.

    Args:
        extra: further arguments of Anvil.
    """
    child = _started(extra)
    try:
        tick(child.url)
        yield child
    finally:
        child.stop()


def _started(extra: tuple[str, ...]) -> Anvil:
    """One that runs: somebody else may have bound a port that was free when it was picked."""
    for _ in range(PORTS):
        try:
            return Anvil(extra=extra).start()
        except AnvilError as error:
            refused = error
    raise refused


def tick(url: str, seconds: int = 1) -> None:
    """Let the clock tick with the blocks, so many seconds each, until something else is said."""
    rpc(url, "anvil_setBlockTimestampInterval", seconds)
