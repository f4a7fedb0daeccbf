"""The judge of matches answers like the NumPy kernel, to the bit, and refuses what it must."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from chainbeasts.backend.chain.errors import Reverted
from chainbeasts.backend.chain.types import header_to_abi
from chainbeasts.backend.kernel.board import is_valid, unpack
from chainbeasts.backend.kernel.combat import (
    DRAW,
    activate,
    decode_action,
    is_over,
    start_match,
    winner,
)
from chainbeasts.backend.kernel.features import features
from chainbeasts.backend.kernel.network import forward
from chainbeasts.backend.kernel.row_opening import open_rows, read_leaves
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.samples import random_position
from chainbeasts.backend.kernel.state import serialize_weights, state_hash
from chainbeasts.backend.kernel.tables import KERNEL_ID
from chainbeasts.backend.kernel.vector_fields import Fields, read_document
from chainbeasts.backend.kernel.vectors import KINDS
from tests.conftest import NIGHTLY
from tests.evm_kernel.conftest import Judge
from tests.evm_kernel.test_doors import RULE_FIELDS
from tests.support.states import case, rules, word

VECTORS = Path(__file__).parents[2] / "docs" / "spec" / "vectors" / "matches.json"
BATCHES = 25 if not NIGHTLY else 250
OTHERS = 40 if not NIGHTLY else 400
LEAVES = 232
HP_OF_SELF, HP_OF_ENEMY = 0xFF << 136, 0xFF << 192


def active_word(rng: random.Random, season: Rules) -> int:
    """A position in which self may act."""
    while True:
        found = word(rng, season)
        turn = (found >> 240) & 0xFF
        found ^= (turn ^ turn % season.max_turns) << 240
        if is_valid(found):
            return found


def test_it_judges_by_the_kernels_id(judge: Judge) -> None:
    assert bytes(judge.ask("kernelId")) == KERNEL_ID


def test_published_matches_hold(judge: Judge) -> None:
    """First word, words in which somebody acts, the end and the winner (K15)."""
    _, cases = read_document(VECTORS, KINDS)
    for number, given in enumerate(cases):
        fields = Fields(given, f"case {number}")
        season, seed = fields.rules().values(), fields.unsigned("battleSeed", 64)
        words, last = fields.words("words"), fields.unsigned("last", 256)
        dna = fields.octets("dnaA", 32), fields.octets("dnaB", 32)
        assert judge.ask("firstWord", *dna, seed, season) == words[0]
        for at in (*words[::9], words[-1]):
            assert judge.ask("isActive", at, season)
            assert not judge.ask("outcome", at, *dna, seed, season)[0]
        assert not judge.ask("isActive", last, season)
        won = given["winner"]
        assert judge.ask("outcome", last, *dna, seed, season) == [True, 2 if won == DRAW else won]


@pytest.mark.parametrize("batch", range(4))
def test_first_words_agree(judge: Judge, batch: int) -> None:
    """Every terrain, both orders, critical first turns, any two creatures."""
    rng = random.Random(batch)
    for low in range(32 * batch, 32 * batch + 32):
        season, seed = rules(rng), rng.getrandbits(57) << 7 | low
        dna = rng.randbytes(32), rng.randbytes(32)
        assert judge.ask("firstWord", *dna, seed, season.values()) == start_match(
            *dna, seed, season
        )


@pytest.mark.parametrize("batch", range(BATCHES))
def test_next_words_agree(judge: Judge, batch: int) -> None:
    """Any state, any position, any season."""
    rng = random.Random(batch)
    given = case(rng)
    state, season, seed = given.state, given.ctx.rules, rng.getrandbits(64)
    at = active_word(rng, season)
    logits = forward(state.weights, state.header.active_mask, features(at))[-1]
    ours = activate(at, decode_action([int(z) for z in logits], at), season, seed)
    assert judge.next_word(state, at, seed, season) == ours
    # Who opens more than is read, or all, changes nothing.
    more = range(LEAVES) if batch % 5 == 0 else rng.sample(range(LEAVES), 40)
    opening = open_rows(state.weights, read_leaves(state, at) | set(more)).to_abi()
    assert judge.next_word(state, at, seed, season, opening=opening) == ours


@pytest.mark.parametrize("batch", range(OTHERS))
def test_activity_and_outcome_agree(judge: Judge, batch: int) -> None:
    """Living and dead creatures, any turn, valid words and others."""
    rng = random.Random(batch)
    season, seed = rules(rng), rng.getrandbits(64)
    at = word(rng, season)
    at = rng.choice([at, at & ~HP_OF_SELF, at & ~HP_OF_ENEMY, at & ~HP_OF_SELF & ~HP_OF_ENEMY])
    at ^= rng.choice([0, (at >> 240 & 0xFF ^ season.max_turns) << 240])
    over = is_over(unpack(at), season)
    assert judge.ask("isActive", at, season.values()) == (is_valid(at) and not over)
    dnas = rng.randbytes(32), rng.randbytes(32)
    won = winner(at, seed, *dnas) if over else DRAW
    found = judge.ask("outcome", at, *dnas, seed, season.values())
    assert found == [over, 2 if won == DRAW else won]


# --- what is refused --------------------------------------------------------------------------


def refusal(judge: Judge, *args: Any, **changes: Any) -> Reverted:
    with pytest.raises(Reverted) as caught:
        judge.next_word(*args, **changes)
    return caught.value


def test_malformed_states_are_refused(judge: Judge) -> None:
    rng = random.Random(5)
    state, season = case(rng).state, Rules()
    place = (state, random_position(7, None, season), 3, season)
    weights = serialize_weights(state.weights)
    judge.next_word(*place)
    header = header_to_abi(state.header)
    assert bytes(judge.ask("stateHash", header, weights)) == state_hash(state)
    for length in (0, len(weights) - 32, len(weights) + 1):
        with pytest.raises(Reverted) as caught:
            judge.ask("stateHash", header, (weights + bytes(1))[:length])
        assert (caught.value.name, caught.value.args_by_name["actual"]) == (
            "MalformedLength",
            length,
        )
    for index in (0, 17, 16_895):
        open_guard = bytearray(weights)
        open_guard[2 * index] &= 0x7F
        opening = ((1 << LEAVES) - 1, 0, bytes(open_guard), [])
        error = refusal(judge, *place, opening=opening)
        assert (error.name, error.args_by_name["wordIndex"]) == ("MalformedGuard", index // 16)
        with pytest.raises(Reverted, match="MalformedGuard"):
            judge.ask("stateHash", header, bytes(open_guard))
    assert refusal(judge, *place, expected=bytes(32)).name == "StateMismatch"
    for field in range(6):
        other = list(header)
        value = other[field]
        other[field] = value[:-1] + bytes([value[-1] ^ 1]) if field == 1 else value ^ 1
        assert refusal(judge, *place, header=tuple(other)).name == "StateMismatch"


def test_words_that_nobody_acts_on_are_refused(judge: Judge) -> None:
    state, season = case(random.Random(5)).state, Rules()
    good = random_position(7, None, season)
    for bad in (0, good & ~HP_OF_SELF, good & ~HP_OF_ENEMY, good | season.max_turns << 240):
        error = refusal(judge, state, bad, 3, season)
        assert (error.name, error.args_by_name["word"]) == ("NotActive", bad)


@pytest.mark.parametrize("name", RULE_FIELDS)
def test_rules_out_of_range_are_refused(judge: Judge, name: str) -> None:
    """By every function that takes them."""
    place, values = RULE_FIELDS[name]
    state, good = case(random.Random(5)).state, random_position(7, None, Rules())
    for value in values:
        season = list(Rules().values())
        season[place] = value
        attempts = [
            lambda season=season: judge.ask("firstWord", bytes(32), bytes(32), 0, season),
            lambda season=season: judge.ask("isActive", good, season),
            lambda season=season: judge.ask("outcome", good, bytes(32), bytes(32), 0, season),
            lambda season=season: judge.next_word(state, good, 0, Rules(), rules=season),
        ]
        for attempt in attempts:
            with pytest.raises(Reverted) as caught:
                attempt()
            assert caught.value.name == "BadContext"
            assert caught.value.args_by_name["field"].rstrip(b"\x00").decode() == name
