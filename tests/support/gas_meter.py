"""What the parts of the gas report share: a fresh chain, and transactions whose gas is kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from chainbeasts.backend.chain.providers import NodeProvider, make_web3
from tests.support import artifacts
from tests.support.protocol import Season, World
from tests.support.steady import steady_anvil

GENESIS_TIMESTAMP = 1_800_000_000
CALL_SECONDS = 600.0
"""The report is made behind everything else that runs."""


@contextmanager
def fresh_world(season: Season) -> Iterator[World]:
    """A deployment on a chain of its own, whose blocks have the same times at every call."""
    with steady_anvil("--timestamp", str(GENESIS_TIMESTAMP)) as anvil:
        w3 = make_web3(anvil.url)
        assert isinstance(w3.provider, NodeProvider)
        w3.provider.clock.seconds = CALL_SECONDS
        yield World.deploy(w3, artifacts.load(), season)


@dataclass
class Meter:
    """Sends transactions and writes down what they used."""

    world: World
    gas: dict[str, int] = field(default_factory=dict)

    def note(self, name: str, call: Any, sender: str, value: int = 0) -> Any:
        """Send a call and write its gas down; the receipt."""
        receipt = self.world.send(call, sender, value)
        self.gas[name] = receipt["gasUsed"]
        return receipt

    def each(self, name: str, receipt: Any, count: int) -> None:
        """Write down what one of ``count`` things in a transaction took, rounded up."""
        self.gas[f"{name}, each"] = -(-receipt["gasUsed"] // count)
