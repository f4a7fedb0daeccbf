"""Gas of every transaction of the arena, measured on a fresh chain. Used by the gas report."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from chainbeasts.backend.kernel.network import Weights
from chainbeasts.backend.kernel.row_opening import open_pass
from tests.support.arena import Bout, Fighter, Record, challenge, hunter, idle
from tests.support.gas_meter import Meter, fresh_world
from tests.support.protocol import ETHER, Season
from tests.support.states import dense_weights
from tests.support.training import opening

DEFENSE = 1 << 224
"""A bit of the enemy's defence: a word with it flipped is active, and wrong."""


def measure(trained: Weights) -> dict[str, int]:
    """Gas by transaction, the same figures at every call.

    Args:
        trained: weights of a beast trained with all slots awake.
    """
    with fresh_world(Season()) as world:
        for account in world.accounts[1:6]:
            world.fund(account, 500 * ETHER, "arena")
        meter = Matches(world)
        meter.agreeing()
        meter.recording()
        meter.lies()
        meter.trained(trained)
        meter.costliest()
        return meter.gas


@dataclass
class Matches(Meter):
    """Every transaction of a match."""

    def __post_init__(self) -> None:
        owners = self.world.accounts[1:3]
        self.idlers = [self.fighter(owner, idle()) for owner in owners]
        self.reporter, self.challenger, self.anyone = self.world.accounts[3:6]

    def fighter(self, owner: str, weights: Weights, **changes: int) -> Fighter:
        """One whose state is in the archive."""
        fighter = Fighter.train(self.world, owner, weights, **changes)
        self.world.publish_state(*opening(fighter.state), owner)
        return fighter

    def agreeing(self) -> None:
        arena, (a, b) = self.world.arena.functions, self.idlers
        ask = arena.challenge(a.beast, a.checkpoint, b.beast)
        self.note("challenge", ask, a.owner)
        accept = arena.accept(1, a.checkpoint.payload.h128, b.checkpoint)
        self.note("accept", accept, b.owner)
        self.note("drawSeed", arena.drawSeed(1), self.anyone)
        self.note("cancel", arena.cancel(challenge(self.world, a, b)), a.owner)
        self.note("openChallenge", arena.openChallenge(b.beast, b.checkpoint), b.owner)
        self.note("challenge of an open beast", ask, a.owner)
        self.note("closeChallenge", arena.closeChallenge(b.beast), b.owner)

    def recording(self) -> None:
        """Two beasts that do nothing: a match of all the turns that there are."""
        world, arena = self.world, self.world.arena.functions
        longest = Bout.draw(world, 3, *self.idlers)
        assert longest.played.turns == world.season.rules.maxTurns
        record = longest.record_call(longest.truth)
        self.note(f"record of {longest.played.turns} turns", record, self.reporter)
        world.travel(world.season.arena.disproofPeriod)
        self.note("finalize", arena.finalize(3), self.anyone)
        again = Bout.arrange(world, *self.idlers)
        again.report(again.truth, self.reporter)
        world.travel(world.season.arena.disproofPeriod)
        self.note("finalize, nothing earned", arena.finalize(again.number), self.anyone)
        owner = self.idlers[0].owner
        self.note("claimRewards", arena.claimRewards(owner), owner)

    def lies(self) -> None:
        bout = Bout.arrange(self.world, *self.idlers)
        truth = bout.truth
        wrong = truth.with_word(0, truth.words[0] ^ DEFENSE)
        self.lie(bout, wrong, "disproveFirstWord", bout.first_word_call(wrong))
        beyond = replace(truth, words=(*truth.words[:-1], 0))
        last = len(truth.words) - 1
        self.lie(bout, beyond, "disproveOver", bout.over_call(beyond, last))

    def trained(self, weights: Weights) -> None:
        """A beast of many windows with all slots awake, at the turn whose rows are the most."""
        owners = self.world.accounts[1:3]
        fighters = [self.fighter(owner, weights, activeMask=0xFF) for owner in owners]
        bout = Bout.arrange(self.world, *fighters)
        truth = bout.truth
        most = max(range(len(truth.words) - 1), key=lambda turn: opened_bytes(bout, turn))
        wrong = truth.with_word(most + 1, truth.words[most + 1] ^ DEFENSE)
        call = bout.turn_call(wrong, most)
        self.lie(bout, wrong, "disproveTurn, trained, all slots", call)

    def costliest(self) -> None:
        """Every unit active, hardly a zero byte in the state; in the middle and at the end."""
        owners = self.world.accounts[1:3]
        dense = dense_weights() | 1
        fighters = [self.fighter(owner, dense, activeMask=0xFF) for owner in owners]
        bout = Bout.arrange(self.world, *fighters)
        truth, middle = bout.truth, len(bout.truth.words) // 2
        wrong = truth.with_word(middle, truth.words[middle] ^ DEFENSE)
        call = bout.turn_call(wrong, middle)
        self.lie(bout, wrong, "disproveTurn, every unit active", call)
        other = replace(truth, result=(truth.result + 1) % 3)
        call = bout.turn_call(other, len(truth.words) - 1)
        self.lie(bout, other, "disproveTurn, the last", call)

        fighters = [self.fighter(owner, hunter()) for owner in owners]
        bout = Bout.arrange(self.world, *fighters)
        short = replace(bout.truth, words=bout.truth.words[:9])
        self.lie(bout, short, "disproveTurn, a sparse state", bout.turn_call(short, 8))

    def lie(self, bout: Bout, record: Record, name: str, call: Any) -> None:
        bout.report(record, self.reporter)
        self.note(name, call, self.challenger)


def opened_bytes(bout: Bout, turn: int) -> int:
    """How much a disproof of the turn opens of the acting beast's state."""
    opening = open_pass(bout.actor(turn).state, bout.truth.words[turn])
    return len(opening.rows) + 32 * len(opening.siblings)
