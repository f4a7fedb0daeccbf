"""One activation and whole matches, rule by rule (K3)."""

from __future__ import annotations

import random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from backend.kernel import merkle
from backend.kernel.board import Creature, Position, adjacent, pack, unpack
from backend.kernel.combat import (
    DRAW,
    Action,
    activate,
    decode_action,
    is_over,
    play_match,
    start_match,
    stats_from_dna,
)
from backend.kernel.rng import draw
from backend.kernel.rules import Rules
from backend.kernel.tables import TEMPLATES
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
    tired, pos, moved = stamina == 0, me.pos, False
    distance = abs(pos % 8 - foe.pos % 8) + abs(pos // 8 - foe.pos // 8)
    if not tired and distance != 1:
        x, y = pos % 8 + DX[action.direction], pos // 8 + DY[action.direction]
        if 0 <= x < 8 and 0 <= y < 8 and not p.walls >> (8 * y + x) & 1:
            pos, moved = 8 * y + x, True
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
        Creature(foe.pos, foe_hp, foe.stamina, foe_guard, foe.power, foe.defense, foe.last_action),
        Creature(pos, me.hp, stamina, guard, me.power, me.defense, last),
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


@given(logits)
def test_decoding(z: list[int]) -> None:
    action = decode_action(z)
    assert action.direction == z[:4].index(max(z[:4]))
    assert action.power == max(0, min(15, z[4] // 2))
    assert action.block is (z[5] > 0)


@given(bytes32)
def test_stats(dna: bytes) -> None:
    s = stats_from_dna(dna)
    assert (s.power, s.defense) == (32 + dna[0] % 96, dna[1] % 128)
    assert (s.stamina, s.hp) == (12 + dna[2] % 20, 100 + dna[3] % 100)


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
        heading = int(south) if foe // 8 != own // 8 else 2 + int(foe % 8 < own % 8)
        taken.append(Action(heading if rng.random() < 0.8 else rng.randrange(4), 15, False))
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
    assert match.winner == (DRAW if a.hp == b.hp else 0 if a.hp > b.hp else 1)


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
