"""One activation and whole matches, rule by rule (K3)."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chainbeasts.backend.kernel import merkle
from chainbeasts.backend.kernel.board import Creature, Position, adjacent, pack, unpack
from chainbeasts.backend.kernel.combat import (
    DRAW,
    Action,
    RefusedWordError,
    activate,
    decode_action,
    is_over,
    play_match,
    start_match,
    stats_from_dna,
    winner,
)
from chainbeasts.backend.kernel.rng import draw
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.tables import TEMPLATES
from tests.support.strategies import bytes32, positions, seasons, u64

REST, MOVE, ATTACK, BLOCK = range(4)
actions = st.builds(Action, st.integers(0, 3), st.integers(0, 15), st.booleans())
DX, DY = (0, 0, 1, -1), (-1, 1, 0, 0)


def slow_activation(p: Position, action: Action, rules: Rules, seed: int) -> Position:
    """The rule once more, on an unpacked position, phase after phase."""
    me, foe = p.self_, p.enemy
    stamina = me.stamina
    if me.last_action in (ATTACK, BLOCK) and stamina:
        stamina -= 1
    tired, pos, heading, moved = stamina == 0, me.pos, me.heading, False
    distance = abs(pos % 8 - foe.pos % 8) + abs(pos // 8 - foe.pos // 8)
    if not tired and distance != 1:
        x, y = pos % 8 + DX[action.direction], pos // 8 + DY[action.direction]
        if 0 <= x < 8 and 0 <= y < 8 and not p.walls >> (8 * y + x) & 1:
            pos, heading, moved = 8 * y + x, action.direction + 1, True
            if p.hazards >> pos & 1:
                stamina = max(0, stamina - rules.hazard_stamina)
    guard = me.temp_def
    if action.block:
        guard = min(guard + rules.block_gain, rules.block_cap)
    distance = abs(pos % 8 - foe.pos % 8) + abs(pos // 8 - foe.pos // 8)
    hit = not tired and distance == 1 and action.power > 0
    foe_hp, foe_guard = foe.hp, foe.temp_def
    if hit:
        eff, k = foe.defense + foe.temp_def, rules.damage_k
        if rules.damage_curve:
            damage = action.power * max(k - eff, 0) // k
        else:
            damage = action.power * k // (k + eff)
        foe_hp, foe_guard = max(0, foe_hp - damage * (1 + p.flags)), 0
    last = ATTACK if hit else BLOCK if action.block else MOVE if moved else REST
    if last == REST:
        stamina = min(stamina + rules.rest_gain, 255)
    return Position(
        p.walls,
        p.hazards,
        replace(foe, hp=foe_hp, temp_def=foe_guard),
        Creature(pos, me.hp, stamina, guard, me.power, me.defense, last, heading),
        p.turn + 1,
        1 if draw(seed, p.turn + 1) % rules.crit_odds == 0 else 0,
    )


@given(positions(), actions, seasons, u64)
def test_activation(p: Position, action: Action, rules: Rules, seed: int) -> None:
    p.turn %= rules.max_turns
    found = unpack(activate(pack(p), action, rules, seed))
    assert found == slow_activation(p, action, rules, seed)


@given(positions(), actions, seasons, u64)
def test_bounds_hold(p: Position, action: Action, rules: Rules, seed: int) -> None:
    """Nothing leaves its range, only an attack takes hp, and only from the other."""
    p.turn %= rules.max_turns
    after = unpack(activate(pack(p), action, rules, seed))
    me, foe = after.enemy, after.self_
    assert me.hp == p.self_.hp
    assert 0 <= p.enemy.hp - foe.hp <= 30
    if foe.hp != p.enemy.hp:
        assert me.last_action == ATTACK
        assert adjacent(me.pos, foe.pos)
    assert me.temp_def <= 127
    assert not p.walls >> me.pos & 1
    assert me.pos != foe.pos


@given(positions(), actions, seasons, u64)
def test_only_a_step_taken_turns_a_creature(
    p: Position, action: Action, rules: Rules, seed: int
) -> None:
    p.turn %= rules.max_turns
    after = unpack(activate(pack(p), action, rules, seed))
    moved = after.enemy.pos != p.self_.pos
    assert after.enemy.heading == (1 + action.direction if moved else p.self_.heading)
    assert after.self_.heading == p.enemy.heading


@given(positions(), actions, st.sampled_from((5, 6, 63)), st.booleans())
def test_an_invalid_word_is_not_activated(
    p: Position, action: Action, heading: int, own: bool
) -> None:
    p.turn = 0
    (p.self_ if own else p.enemy).heading = heading
    with pytest.raises(RefusedWordError, match=f"heading {heading} is over 4"):
        activate(pack(p), action, Rules(), 0)
    with pytest.raises(RefusedWordError, match=f"heading {heading} is over 4"):
        decode_action([0] * 8, pack(p))


@given(positions(), actions, st.integers(1, 254))
def test_a_finished_match_is_not_activated(p: Position, action: Action, turns: int) -> None:
    rules = Rules(max_turns=turns)
    p.turn = turns
    with pytest.raises(ValueError, match="finished"):
        activate(pack(p), action, rules, 0)
    p.turn, p.enemy.hp = 0, 0
    with pytest.raises(ValueError, match="finished"):
        activate(pack(p), action, rules, 0)


@given(positions(close=True), st.integers(0, 3), st.integers(1, 15))
def test_the_exhausted_only_rest_and_block(p: Position, direction: int, power: int) -> None:
    p.self_.stamina, p.turn = 0, 0
    rested = unpack(activate(pack(p), Action(direction, power, False), Rules(), 0))
    assert (rested.enemy.last_action, rested.enemy.stamina) == (REST, 2)
    assert rested.self_.hp == p.enemy.hp
    blocked = unpack(activate(pack(p), Action(direction, power, True), Rules(), 0))
    assert (blocked.enemy.last_action, blocked.enemy.stamina) == (BLOCK, 0)


@pytest.mark.parametrize("bad", [(-1, 0), (4, 0), (0, -1), (0, 16)])
def test_no_other_actions(bad: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="is not 0 to"):
        Action(*bad, False)


logits = st.lists(st.integers(-1000, 1000) | st.integers(-3, 3), min_size=8, max_size=8)


def slow_direction(p: Position, z: list[int]) -> int:
    """The rule once more: of the best of three sets that is not empty, the first with the most."""
    x, y = p.self_.pos % 8, p.self_.pos // 8
    legal = [
        d
        for d in range(4)
        if 0 <= x + DX[d] < 8
        and 0 <= y + DY[d] < 8
        and not p.walls >> (8 * (y + DY[d]) + x + DX[d]) & 1
    ]
    back = {0: None, 1: 1, 2: 0, 3: 3, 4: 2}[p.self_.heading]
    if len(legal) > 1 and back in legal:
        legal.remove(back)
    best = -(1 << 40), 0
    for d in reversed(legal or range(4)):
        if z[d] >= best[0]:
            best = z[d], d
    return best[1]


@given(positions(), logits)
def test_decoding(p: Position, z: list[int]) -> None:
    action = decode_action(z, pack(p))
    assert action.direction == slow_direction(p, z)
    assert action.power == max(0, min(15, z[4] // 2))
    spent = 1 if p.self_.last_action in (ATTACK, BLOCK) else 0
    assert action.block is (z[5] > 0 and p.self_.stamina > spent)


@given(positions(), logits, seasons, u64)
def test_decoding_reads_nothing_else(p: Position, z: list[int], rules: Rules, seed: int) -> None:
    """Not the enemy, hazards, hp, turn or flags: what is decoded and then activated is legal."""
    before = decode_action(z, pack(p))
    p.turn, p.flags, p.hazards, p.self_.hp = 3, 1 - p.flags, 0, 255
    p.enemy.hp = p.enemy.stamina = 9
    p.enemy.heading = p.enemy.last_action = p.self_.temp_def = p.self_.power = 0
    assert decode_action(z, pack(p)) == before
    if rules.max_turns > 3 and before.block:
        after = unpack(activate(pack(p), before, rules, seed))
        assert after.enemy.last_action in (ATTACK, BLOCK)


@given(bytes32)
def test_stats(dna: bytes) -> None:
    s = stats_from_dna(dna)
    assert (s.power, s.defense) == (48 + dna[0] % 64, dna[1] % 128)
    assert s.stamina == 12 + dna[2] % 20
    tough = 44_800 + (94 * (23 - s.stamina) ** 2 if s.stamina < 23 else 0)
    assert s.hp * (256 + s.defense) <= tough < (s.hp + 1) * (256 + s.defense)
    assert 116 <= s.hp <= 219
    assert stats_from_dna(dna[:3] + bytes(29)) == s


def body(defense: int, stamina: int) -> bytes:
    return bytes([0, defense, stamina - 12]) + bytes(29)


def test_stats_at_their_ends() -> None:
    hps = {(d, s): stats_from_dna(body(d, s)).hp for d in (0, 127) for s in (12, 22, 23, 31)}
    assert hps == {
        (0, 12): 219,
        (0, 22): 175,
        (0, 23): 175,
        (0, 31): 175,
        (127, 12): 146,
        (127, 22): 117,
        (127, 23): 116,
        (127, 31): 116,
    }


TOUGH, FRAIL = body(56, 12), body(117, 25)  # born with 180 and 120 hp


@pytest.mark.parametrize(
    ("tough", "frail", "won"),
    [
        (180, 120, DRAW),
        (90, 60, DRAW),
        (89, 60, 1),
        (90, 59, 0),
        (100, 100, 1),
        (1, 1, 1),
        (1, 0, 0),
        (0, 1, 1),
        (255, 170, DRAW),
        (255, 171, 1),
    ],
)
@pytest.mark.parametrize("seed", [0, 64])
@pytest.mark.parametrize("turn", [60, 59])
def test_the_larger_share_of_hp_wins(
    tough: int, frail: int, won: int, seed: int, turn: int
) -> None:
    """Whoever acted first, whoever would act next, and with A and B exchanged."""
    assert (stats_from_dna(TOUGH).hp, stats_from_dna(FRAIL).hp) == (180, 120)
    p = unpack(start_match(TOUGH, FRAIL, seed, Rules()))
    a_is_self = (seed == 0) == (turn % 2 == 0)
    p.turn = turn
    p.self_.hp, p.enemy.hp = (tough, frail) if a_is_self else (frail, tough)
    assert winner(pack(p), seed, TOUGH, FRAIL) == won
    p.self_.hp, p.enemy.hp = p.enemy.hp, p.self_.hp
    assert winner(pack(p), seed, FRAIL, TOUGH) == (DRAW if won == DRAW else 1 - won)


@given(bytes32, bytes32, u64, seasons)
def test_set_up(dna_a: bytes, dna_b: bytes, seed: int, rules: Rules) -> None:
    p = unpack(start_match(dna_a, dna_b, seed, rules))
    a, b = (p.enemy, p.self_) if seed >> 6 & 1 else (p.self_, p.enemy)
    for creature, tile, dna in ((a, 0, dna_a), (b, 63, dna_b)):
        s = stats_from_dna(dna)
        assert creature == Creature(tile, s.hp, s.stamina, 0, s.power, s.defense, REST)
    walls, hazards = TEMPLATES[seed & 63]
    free = ~(1 << 0 | 1 << 63)
    assert (p.walls, p.hazards, p.turn) == (walls & free, hazards & free, 0)
    assert p.flags == int(draw(seed, 0) % rules.crit_odds == 0)


@given(bytes32, bytes32, u64, st.integers(1, 254))
def test_matches(dna_a: bytes, dna_b: bytes, seed: int, max_turns: int) -> None:
    rules, rng = Rules(max_turns=max_turns), random.Random(seed)
    taken: list[Action] = []

    def fighter(word: int) -> Action:
        p = unpack(word)
        own, foe = p.self_.pos, p.enemy.pos
        south = foe // 8 > own // 8
        towards = int(south) if foe // 8 != own // 8 else 2 + int(foe % 8 < own % 8)
        taken.append(Action(towards if rng.random() < 0.8 else rng.randrange(4), 15, False))
        return taken[-1]

    match = play_match(dna_a, dna_b, seed, rules, fighter, fighter)
    word = start_match(dna_a, dna_b, seed, rules)
    for logged, action in zip(match.words, taken, strict=True):
        assert logged == word
        word = activate(word, action, rules, seed)
    assert match.last == word
    assert match.turns == unpack(word).turn <= max_turns
    assert is_over(unpack(word), rules)
    assert match.log_root == merkle.root(match.words)
    end, a_is_self = unpack(word), (seed >> 6 & 1) ^ (match.turns & 1) == 0
    a, b = (end.self_, end.enemy) if a_is_self else (end.enemy, end.self_)
    share_a, share_b = (
        Fraction(one.hp, stats_from_dna(dna).hp) for one, dna in ((a, dna_a), (b, dna_b))
    )
    assert match.winner == (DRAW if share_a == share_b else 0 if share_a > share_b else 1)


@given(positions(close=True), st.integers(2, 15))
def test_a_critical_hit_doubles(p: Position, power: int) -> None:
    """From power 2 on, which no defence brings down to nothing."""
    assume(p.self_.stamina > 1)
    p.turn, p.enemy.hp = 0, 255
    lost = []
    for p.flags in (0, 1):
        after = unpack(activate(pack(p), Action(0, power, False), Rules(), 0))
        lost.append(255 - after.self_.hp)
    assert lost[1] == 2 * lost[0] > 0
