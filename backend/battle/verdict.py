"""What is wrong with a record of a match: the first lie in it that the arena can judge at once.

Pure: reads no chain, sends nothing. See docs/spec/protocol.md for the disproofs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chainbeasts.backend.battle.tournament import result_of
from chainbeasts.backend.chain.types import MatchLie, MatchResult
from chainbeasts.backend.kernel.board import invalid_reason, unpack
from chainbeasts.backend.kernel.combat import Match, a_acts_first, is_over, start_match
from chainbeasts.backend.kernel.fighters import Fighter
from chainbeasts.backend.kernel.rules import Rules

Player = Callable[[Fighter, Fighter, int, Rules], Match]
"""Plays the match of A against B from a battle seed under some rules."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What decides a match besides the two brains.

    Attributes:
        dna_a: 32 bytes, of the challenger's beast; likewise ``dna_b``.
        battle_seed: 64 bits.
    """

    dna_a: bytes
    dna_b: bytes
    battle_seed: int
    rules: Rules

    def a_acts(self, turn: int) -> bool:
        """Whether A makes an activation, else B does."""
        return a_acts_first(self.battle_seed) == (turn % 2 == 0)


@dataclass(frozen=True, slots=True)
class Lie:
    """What a record can be disproved by.

    Attributes:
        turn: the activation to show the arena: the one that is wrong, or whose word is.
        why: in words.
    """

    kind: MatchLie
    turn: int
    why: str

    @property
    def needs_state(self) -> bool:
        """Whether the acting beast's state has to be opened."""
        return self.kind in (MatchLie.TURN, MatchLie.END)


def lie_in_words(words: Sequence[int], terms: Terms) -> Lie | None:
    """The lie that shows without anybody's brain: a wrong beginning, or words nobody acts on."""
    first = start_match(terms.dna_a, terms.dna_b, terms.battle_seed, terms.rules)
    if words[0] != first:
        return Lie(MatchLie.FIRST_WORD, 0, "the log begins with another word than the match")
    for turn, word in enumerate(words):
        why = _inactive(word, terms.rules)
        if why is not None:
            return Lie(MatchLie.OVER, turn, f"nobody acts in turn {turn}: {why}")
    return None


def _inactive(word: int, rules: Rules) -> str | None:
    if is_over(unpack(word), rules):
        return "the match is over"
    return invalid_reason(word)


def lie_against(words: Sequence[int], result: MatchResult, played: Match) -> Lie | None:
    """The lie in a record whose words tell none by themselves, against the match as it is played.

    Args:
        words: as ``lie_in_words`` found nothing in.
    """
    for turn, (stated, true) in enumerate(zip(words, played.words, strict=False)):
        if stated != true:  # not turn 0, whose word needs no brain
            return Lie(MatchLie.TURN, turn - 1, f"turn {turn - 1} leads to another word")
    last = len(words) - 1
    if len(words) > played.turns:
        ended = played.turns - 1
        return Lie(MatchLie.TURN, ended, f"the match ends with turn {ended}")
    if len(words) < played.turns:
        return Lie(MatchLie.END, last, f"the match goes on after turn {last}")
    true_result = result_of(played)
    if result is not true_result:
        return Lie(MatchLie.END, last, f"the result is {true_result.name}, not {result.name}")
    return None
