"""A chain whose clock no slow machine runs down."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from chainbeasts.backend.chain.anvil import Anvil, rpc


@contextmanager
def steady_anvil(*extra: str) -> Iterator[Anvil]:
    """An Anvil child on a free port whose clock ticks with its blocks, one second each.

    The devnet's deadlines are seconds: with Anvil's own clock, a test that takes fifteen of them
    between a dispute and its openings has lost it.

    Args:
        extra: further arguments of Anvil.
    """
    with Anvil(extra=extra) as child:
        tick(child.url)
        yield child


def tick(url: str, seconds: int = 1) -> None:
    """Let the clock tick with the blocks, so many seconds each, until something else is said."""
    rpc(url, "anvil_setBlockTimestampInterval", seconds)
