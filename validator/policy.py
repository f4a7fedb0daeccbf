"""How a validator acts, as its operator wants it: pure data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from web3 import Web3

from backend.errors import ChainBeastsError
from validator.strategy import Strategy


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose checkpoints are looked at: all that are allowed and not denied.

    Attributes:
        allowed: beast ids and trainers' addresses; empty allows everybody.
        denied: the same, and stronger.
    """

    allowed: frozenset[int | str] = frozenset()
    denied: frozenset[int | str] = frozenset()

    def covers(self, beast_id: int, trainer: str) -> bool:
        """Whether a checkpoint is looked at, by its beast and its trainer."""
        names = {beast_id, Web3.to_checksum_address(trainer)}
        return not names & self.denied and (not self.allowed or bool(names & self.allowed))


EVERYBODY = Scope()


@dataclass(frozen=True, slots=True)
class Policy:
    """How this validator acts.

    Attributes:
        max_bonds: most wei of ENERGY in open disputes at once; None for no cap.
        defensive: risk no bond at all: file nothing, but finish the disputes of others.
        defend: prove right checkpoints whose trainer does not answer a dispute; costs gas.
        scope: whose checkpoints are judged and acted on.
    """

    strategy: Strategy = Strategy.FAST
    max_bonds: int | None = None
    defensive: bool = False
    defend: bool = True
    scope: Scope = EVERYBODY


def parse_names(values: Iterable[str], option: str) -> frozenset[int | str]:
    """Beast ids and addresses as an option gives them.

    Raises:
        ChainBeastsError: a value is neither.
    """
    found: set[int | str] = set()
    for value in values:
        if value.isascii() and value.isdigit():
            found.add(int(value))
        elif Web3.is_address(value):
            found.add(Web3.to_checksum_address(value))
        else:
            raise ChainBeastsError(
                f"{option}: {value} is neither a beast's id nor an address.",
                f"Write it like this: {option} 12 {option} 0x7099…79C8",
            )
    return frozenset(found)
