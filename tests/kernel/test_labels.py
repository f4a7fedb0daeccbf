"""Labels against a second, slow search, and by their definitions (K5)."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from chainbeasts.backend.kernel.board import Position, pack, unpack
from chainbeasts.backend.kernel.labels import label
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.samples import random_position
from tests.support.slow_kernel import move_label
from tests.support.states import winding_board
from tests.support.strategies import positions, seasons


@given(positions(close=False), seasons)
def test_move_equals_forward_search(p: Position, rules: Rules) -> None:
    wanted = move_label(p.walls, p.hazards, p.self_.pos, p.enemy.pos, rules.hazard_stamina)
    assert label(pack(p), rules).move == wanted


@given(st.integers(0, 2**32), st.integers(0, 15))
@example(0, 0)
def test_many_random_boards(seed: int, hazard_stamina: int) -> None:
    """Thin and thick terrain, where first steps tie often."""
    rules = Rules(hazard_stamina=hazard_stamina)
    for offset in range(8):
        word = random_position(seed + offset, None, rules)
        p = unpack(word)
        wanted = move_label(p.walls, p.hazards, p.self_.pos, p.enemy.pos, hazard_stamina)
        assert label(word, rules).move == wanted


def test_longest_way() -> None:
    """The way winds through the whole board; the first step is east along the open row."""
    assert label(winding_board(), Rules(hazard_stamina=15)).move == 2


@given(positions(close=True), seasons)
def test_in_reach(p: Position, rules: Rules) -> None:
    found = label(pack(p), rules)
    defense = p.enemy.defense + p.enemy.temp_def
    k = rules.damage_k
    hit = 15 * k // (k + defense) if rules.damage_curve == 0 else 15 * max(k - defense, 0) // k
    assert (found.move, found.attack) == (None, hit)
    assert 0 <= hit <= 15


@given(positions(close=False), seasons)
def test_out_of_reach_no_attack(p: Position, rules: Rules) -> None:
    assert label(pack(p), rules).attack == 0


@given(positions(), seasons)
def test_block(p: Position, rules: Rules) -> None:
    pays = rules.block_threshold_den * p.self_.temp_def < (
        rules.block_threshold_num * p.enemy.power
    )
    assert label(pack(p), rules).block == (1 if pays else 0)


@given(positions(close=False))
def test_shut_in_has_no_move(p: Position) -> None:
    own, foe = p.self_.pos, p.enemy.pos
    p.walls, p.hazards = ~(1 << own | 1 << foe) & (1 << 64) - 1, 0
    assert label(pack(p), Rules()).move is None


@given(positions(close=False))
def test_open_field_prefers_the_lowest_direction(p: Position) -> None:
    p.walls = p.hazards = 0
    dx = p.enemy.pos % 8 - p.self_.pos % 8
    dy = p.enemy.pos // 8 - p.self_.pos // 8
    wanted = 0 if dy < 0 else 1 if dy > 0 else 2 if dx > 0 else 3
    assert label(pack(p), Rules()).move == wanted
