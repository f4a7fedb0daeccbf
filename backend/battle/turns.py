"""What happened in each turn of a match, and why: the words of its log, with logits behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chainbeasts.backend.battle.tournament import bodies
from chainbeasts.backend.kernel.board import (
    ATTACK,
    BLOCK,
    LAST_HEADING,
    REST,
    Creature,
    adjacent,
    bit,
    is_valid,
    neighbour,
    unpack,
)
from chainbeasts.backend.kernel.combat import Action, a_acts_first, decode_action
from chainbeasts.backend.kernel.fighters import Fighter

DIRECTIONS = ("north", "south", "east", "west")
OFFSETS = {-8: 0, 8: 1, 1: 2, -1: 3}


def heading_of(creature: Creature) -> str | None:
    """Where a creature went last; None if it has not moved yet, or a liar gave it no direction."""
    return DIRECTIONS[creature.heading - 1] if 1 <= creature.heading <= LAST_HEADING else None


@dataclass(frozen=True, slots=True)
class Turn:
    """One activation.

    Attributes:
        word: before it.
        after: the word that it led to; None where neither the log nor a brain tells.
        a_acts: whether A acts in it, else B does.
        logits: of the acting beast; None if its brain is not at hand.
    """

    number: int
    word: int
    after: int | None
    a_acts: bool
    logits: tuple[int, ...] | None

    @property
    def actor(self) -> str:
        return "A" if self.a_acts else "B"

    @property
    def action(self) -> Action | None:
        """What the appendage makes of the logits; None also for a liar's word, which nobody acts
        on."""
        if self.logits is None or not is_valid(self.word):
            return None
        return decode_action(self.logits, self.word)

    @property
    def standing(self) -> tuple[Creature, Creature]:
        """A and B before the activation."""
        return bodies(self.word, self.a_acts)

    @property
    def critical(self) -> bool:
        """Whether an attack in this turn is critical."""
        return unpack(self.word).crit

    @property
    def events(self) -> tuple[str, ...]:
        """What the acting beast did, from the two words alone."""
        if self.after is None:
            return ()
        before, after = unpack(self.word), unpack(self.after)
        me, target = after.enemy, after.self_
        other = "B" if self.a_acts else "A"
        done = []
        if me.pos != before.self_.pos:
            way = OFFSETS.get(me.pos - before.self_.pos)
            done.append("jumps" if way is None else f"moves {DIRECTIONS[way]}")
            if bit(before.hazards, me.pos):
                done.append("enters a hazard")
        if me.temp_def > before.self_.temp_def or me.last_action == BLOCK:
            done.append("blocks")
        if me.last_action == ATTACK:
            damage = before.enemy.hp - target.hp
            done.append(f"hits {other} for {damage}{' (critical)' if before.crit else ''}")
        if me.last_action == REST:
            done.append("rests")
        return tuple(done)

    @property
    def limits(self) -> tuple[str, ...]:
        """What keeps the acting beast from doing all that its logits ask for."""
        p = unpack(self.word)
        tired = p.self_.last_action in (ATTACK, BLOCK)
        if max(p.self_.stamina - tired, 0) == 0:
            return ("exhausted: it rests",)
        if adjacent(p.self_.pos, p.enemy.pos):
            return ("in reach: it stands its ground",)
        if self.logits is None or self.action is None:
            return ()
        wanted = max(range(4), key=self.logits.__getitem__)
        if wanted == self.action.direction:
            return ()
        tile = neighbour(p.self_.pos, wanted)
        closed = tile is None or bit(p.walls, tile)
        why = "no way" if closed else "it does not turn back"
        return (f"{why} {DIRECTIONS[wanted]}",)


def turns_of(
    words: Sequence[int],
    battle_seed: int,
    a: Fighter | None,
    b: Fighter | None,
    last: int | None = None,
) -> list[Turn]:
    """The turns of a log.

    Args:
        a: A's brain and body, if at hand; likewise ``b``.
        last: the word after the last activation, if known.
    """
    a_acts, found = a_acts_first(battle_seed), []
    for number, (word, after) in enumerate(zip(words, [*words[1:], last], strict=True)):
        fighter = a if a_acts else b
        logits = None if fighter is None else tuple(fighter.logits(word))
        found.append(Turn(number, word, after, a_acts, logits))
        a_acts = not a_acts
    return found
