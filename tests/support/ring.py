"""Two beasts of two owners with final states, and matches between them, by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from chainbeasts.backend.battle.tournament import result_of
from chainbeasts.backend.chain.anvil import rpc
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.escrow import ensure_escrow
from chainbeasts.backend.chain.transactions import TransactionManager
from chainbeasts.backend.chain.types import Checkpoint, header_to_abi
from chainbeasts.backend.kernel import merkle
from chainbeasts.backend.kernel.combat import Match
from chainbeasts.backend.kernel.fighters import Fighter, fight
from chainbeasts.backend.kernel.state import State, serialize_weights


@dataclass(frozen=True, slots=True)
class Corner:
    """One side of a match: an owner's sender, a beast, a final checkpoint and its state."""

    sender: TransactionManager
    beast: int
    checkpoint: Checkpoint
    state: State


@dataclass(frozen=True, slots=True)
class Ring:
    """An arena and the two sides."""

    chain: Chain
    a: Corner
    b: Corner

    def _send(self, corner: Corner, call: Any) -> None:
        corner.sender.send(call, label="test")

    @property
    def arena(self) -> Any:
        return self.chain.arena.functions

    def publish(self) -> None:
        """Put both states on chain, as the arena asks for."""
        for corner in (self.a, self.b):
            opening = (header_to_abi(corner.state.header), serialize_weights(corner.state.weights))
            self._send(corner, self.chain.states.functions.publish(*opening))

    def seeded(self) -> int:
        """A match that was agreed on and has its seed."""
        a, b = self.a, self.b
        self.publish()
        self._send(a, self.arena.challenge(a.beast, a.checkpoint.to_abi(), b.beast))
        match_id = self.chain.match_count()
        agreed = (a.checkpoint.payload.h128, b.checkpoint.to_abi())
        self._send(b, self.arena.accept(match_id, *agreed))
        rpc(self.chain.rpc_url, "anvil_mine", "0x1")  # the seed's block has to be past
        self._send(a, self.arena.drawSeed(match_id))
        return match_id

    def played(self, match_id: int) -> Match:
        """What becomes of a seeded match."""
        found = self.chain.match(match_id)
        a, b = (
            Fighter.of(self.chain.birth(corner.beast).dna, corner.state)
            for corner in (self.a, self.b)
        )
        return fight(a, b, found.battle_seed, self.chain.season(found.season).rules)

    def record(
        self, match_id: int, words: Sequence[int] | None = None, result: int | None = None
    ) -> Match:
        """B's owner records a match, right in all that is not given; how it is played."""
        played = self.played(match_id)
        log = list(played.words if words is None else words)
        stated = int(result_of(played)) if result is None else result
        found = self.chain.match(match_id)
        bond = self.chain.season(found.season).arena.record_bond
        ensure_escrow(self.chain, self.b.sender, bond, escrow=self.chain.arena)
        facts = (found.battle_seed, stated, len(log), merkle.root(log), log)
        call = self.arena.record(match_id, *facts)
        self._send(self.b, call)
        return played

    def finalize(self, match_id: int, travel: Callable[[int], None]) -> None:
        """Make a record final, once its time has come."""
        travel(self.chain.season(1).arena.disproof_period + 1)
        self._send(self.a, self.arena.finalize(match_id))


def other_word(word: int) -> int:
    """A word that is valid if the given one is, and another: `self` has one more point of power."""
    power = (word >> 160) & 0xFF
    changed = power - 1 if power else power + 1
    return word & ~(0xFF << 160) | changed << 160
