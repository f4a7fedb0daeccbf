"""Whose checkpoints a validator looks at: pure data."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from web3 import Web3

from chainbeasts.backend.errors import ChainBeastsError


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
        if not self.allowed and not self.denied:
            return True
        names = {beast_id, Web3.to_checksum_address(trainer)}
        return not names & self.denied and (not self.allowed or bool(names & self.allowed))


EVERYBODY = Scope()


def parse_names(
    values: Iterable[str], option: str, resolve: Callable[[str], str]
) -> frozenset[int | str]:
    """Beast ids and addresses as an option gives them.

    Args:
        resolve: the address that is meant by a name.

    Raises:
        ChainBeastsError: a value is neither.
    """
    found: set[int | str] = set()
    for value in values:
        if value.isascii() and value.isdigit():
            found.add(int(value))
            continue
        try:
            found.add(resolve(value))
        except ChainBeastsError as error:
            raise ChainBeastsError(
                f"{option}: {value} is neither a beast's id nor an account. {error.message}",
                error.hint,
            ) from None
    return frozenset(found)
