"""Makes battle records by playing matches: the same seed gives the same bytes everywhere.

The creatures want what the teacher's labels say most of the time and act at random otherwise, so
that the records hold approaches, exchanges of blows, blocks and exhaustion. What they want goes
through an appendage as a beast's logits do, so every record is one that a match can hold.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from eth_hash.auto import keccak

from chainbeasts.backend.kernel.combat import Action, Brain, decode_action, play_match
from chainbeasts.backend.kernel.labels import label
from chainbeasts.backend.kernel.rng import draw, fold64, split_mix64
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.trainer.datasets.columns import COLUMNS, row_of_word

DEFAULT_RECORDS = 600
DEFAULT_SEED = 1
SLIP_ODDS = 4
"""One action in so many is random."""


def _dna(seed: int, match: int, side: int) -> bytes:
    return bytes(keccak(f"chainbeasts sample {seed} {match} {side}".encode()))


def _brain(seed: int, rules: Rules) -> Brain:
    def choose(word: int) -> Action:
        r = split_mix64(seed ^ fold64(word.to_bytes(32)))
        wanted = label(word, rules)
        if draw(r, 0) % SLIP_ODDS == 0 or (wanted.move is None and wanted.attack == 0):
            return _allowed(Action(r & 3, (r >> 2) & 15, (r >> 6) & 3 == 0), word)
        power = min(2 * wanted.attack, 15)
        return _allowed(Action(wanted.move or 0, power, bool(wanted.block)), word)

    return choose


def _allowed(action: Action, word: int) -> Action:
    """What an appendage makes of logits that ask for an action."""
    directions = [int(d == action.direction) for d in range(4)]
    return decode_action([*directions, 2 * action.power, int(action.block), 0, 0], word)


def battle_words(count: int, seed: int, rules: Rules) -> Iterator[int]:
    """The first ``count`` words before each activation of one match after another."""
    made = match = 0
    while made < count:
        battle_seed = split_mix64(split_mix64(seed) ^ match)
        brain = _brain(battle_seed, rules)
        played = play_match(
            _dna(seed, match, 0), _dna(seed, match, 1), battle_seed, rules, brain, brain
        )
        for word in played.words[: count - made]:
            yield word
            made += 1
        match += 1


def sample_csv(count: int, seed: int, rules: Rules) -> bytes:
    """A CSV file of battle records, ready for a hatch."""
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    rows.writerows(row_of_word(word) for word in battle_words(count, seed, rules))
    return text.getvalue().encode("ascii")
