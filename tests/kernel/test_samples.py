"""Which positions a beast trains on: terrain, the four sources, the templates (K6)."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chainbeasts.backend.kernel.board import (
    BLOCK,
    REST,
    SOUTH,
    Position,
    adjacent,
    is_valid,
    pack,
    unpack,
)
from chainbeasts.backend.kernel.combat import Action, activate, decode_action, is_over
from chainbeasts.backend.kernel.constants import MAX_RECORDS
from chainbeasts.backend.kernel.rng import draw, fold64, split_mix64
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.samples import (
    Source,
    curriculum_word,
    play_on,
    random_position,
    record_index,
    self_play_word,
    template_index,
    window_seed,
)
from chainbeasts.backend.kernel.tables import TEMPLATES
from tests.support.strategies import bytes32, positions, seasons, u32, u64

logits = st.lists(st.integers(-40, 60), min_size=8, max_size=8)


@given(u64, seasons, st.none() | st.integers(0, 63))
def test_positions_by_their_formula(s: int, rules: Rules, template: int | None) -> None:
    terrain = None if template is None else TEMPLATES[template]
    word = random_position(s, terrain, rules)
    assert is_valid(word)
    p, r = unpack(word), [draw(s, i) for i in range(9)]
    walls = r[0] & r[1] & (r[2] | r[3])
    hazards = r[4] & r[5] & r[6] & ~walls
    if terrain is not None:
        walls, hazards = terrain
    cleared = ~(1 << p.self_.pos | 1 << p.enemy.pos)
    assert (p.walls, p.hazards) == (walls & cleared, hazards & cleared)
    q, t = r[7], r[8]
    assert p.self_.pos == q % 64
    if q >> 12 & 3 == 0:
        assert adjacent(p.self_.pos, p.enemy.pos)
    else:
        drawn = q >> 6 & 63
        assert p.enemy.pos == (drawn if drawn != p.self_.pos else drawn ^ 1)
    for side, low, high, guard in ((p.enemy, 0, 9, 7), (p.self_, 25, 18, 16)):
        assert (side.defense, side.power) == (t >> low & 127, t >> high & 127)
        assert side.temp_def == min((t >> guard & 3) * rules.block_gain, rules.block_cap)
        assert (side.hp, side.stamina, side.last_action, side.heading) == (100, 16, 0, 0)
    assert (p.turn, p.flags) == (0, 0)


def test_close_positions_mirror_at_the_edge() -> None:
    """Of many drawn adjacent pairs all four directions occur, edges included."""
    steps = set()
    for s in range(600):
        p = unpack(random_position(s, None, Rules()))
        q = draw(s, 7)
        if q >> 12 & 3:
            continue
        wanted, (x, y) = q >> 14 & 3, (p.self_.pos % 8, p.self_.pos // 8)
        dx, dy = p.enemy.pos % 8 - x, p.enemy.pos // 8 - y
        heading = [(0, -1), (0, 1), (1, 0), (-1, 0)].index((dx, dy))
        at_edge = (y == 0, y == 7, x == 7, x == 0)[wanted]
        assert heading == (wanted ^ 1 if at_edge else wanted)
        steps.add((heading, at_edge))
    assert len(steps) == 8


def connected(walls: int) -> bool:
    """Whether tiles 0 and 63, cleared, are joined by open tiles."""
    seen, todo = {0}, [0]
    while todo:
        tile = todo.pop()
        for other in range(64):
            joined = adjacent(tile, other) and not walls >> other & 1
            if (joined or (other == 63 and adjacent(tile, 63))) and other not in seen:
                seen.add(other)
                todo.append(other)
    return 63 in seen


def test_templates() -> None:
    """All 64 join the spawn tiles; from 8 on, each is the first drawn terrain that does."""
    assert len(TEMPLATES) == 64
    for k, (walls, hazards) in enumerate(TEMPLATES):
        assert walls & hazards == 0
        assert connected(walls)
        for j in range(1000 if k >= 8 else 0):
            r = [draw(split_mix64(k + 64 * j), i) for i in range(7)]
            drawn = r[0] & r[1] & (r[2] | r[3])
            if connected(drawn):
                assert (walls, hazards) == (drawn, r[4] & r[5] & r[6] & ~drawn)
                break


@given(bytes32, bytes32, u32, seasons)
@example(bytes(32), b"\xff" * 32, 1, Rules())
def test_curriculum(dna: bytes, seed: bytes, step: int, rules: Rules) -> None:
    index = (int.from_bytes(seed, "big") + step) % 2**256 % 64
    assert template_index(seed, step) == index
    wanted = random_position(split_mix64(fold64(dna) ^ step), TEMPLATES[index], rules)
    assert curriculum_word(dna, seed, step, rules) == wanted


@given(bytes32, bytes32, u32, positions())
def test_self_play_words(dna: bytes, parent: bytes, step: int, p: Position) -> None:
    seed = window_seed(dna, parent)
    assert seed == fold64(dna) ^ fold64(parent)
    fresh = random_position(split_mix64(seed ^ step), None, Rules())
    assert self_play_word(seed, step, 0, Rules()) == fresh
    assert self_play_word(seed, step, pack(p), Rules()) == pack(p)


@given(positions(), logits, u64, u32, seasons)
def test_playing_on(p: Position, z: list[int], seed: int, step: int, rules: Rules) -> None:
    word = pack(p)
    found = play_on(word, z, seed, step, rules)
    start = unpack(word)
    if start.turn >= rules.max_turns:
        assert found == 0
        return
    after = activate(word, decode_action(z, word), rules, seed)
    if is_over(unpack(after), rules):
        assert found == 0
        return
    u = draw(seed ^ step, 16)
    enemy = Action(u % 4, u // 4 % 16, u // 64 % 4 == 0)
    end = activate(after, enemy, rules, seed)
    q = unpack(end)
    stuck = adjacent(start.self_.pos, start.enemy.pos) and adjacent(q.self_.pos, q.enemy.pos)
    enough = q.turn >= 2 * rules.self_play_words
    assert found == (0 if stuck or enough or is_over(q, rules) else end)
    if found:
        assert is_valid(found)
        assert q.turn == start.turn + 2


@pytest.mark.parametrize("words", [1, 2, 4, 127])
def test_self_play_leaves_a_match_after_so_many_words(words: int) -> None:
    """Two creatures that never meet: of a match each second turn is trained on, `words` times."""
    rules, turns = Rules(self_play_words=words, max_turns=254), []
    word = 0
    for step in range(200):
        word = self_play_word(77, step, word, rules)
        p = unpack(word)
        turns.append(p.turn)
        p.self_.pos, p.enemy.pos, p.walls, p.hazards = 0, 63, 0, 0
        word = play_on(pack(p), [0, 0, 0, 0, 0, 0, 0, 0], 77, step, rules)
    assert turns == [2 * (step % words) for step in range(200)]


@given(positions(close=False), u64, u32)
def test_the_brain_is_decoded_and_the_enemy_is_not(p: Position, seed: int, step: int) -> None:
    """Self does not turn back where it has another way; what the enemy draws is made as it is."""
    p.turn, p.self_.stamina, p.enemy.stamina, p.walls = 0, 16, 0, 0
    p.self_.heading, p.self_.pos, p.enemy.pos, p.enemy.last_action = 1 + SOUTH, 27, 62, 0
    word, rules = pack(p), Rules(self_play_words=127)
    q = unpack(play_on(word, [9, 0, 0, 0, 0, 0, 0, 0], seed, step, rules))
    assert q.self_.pos == 35  # not north, where it came from, so the next of the others: south
    blocks = draw(seed ^ step, 16) >> 6 & 3 == 0
    assert q.enemy.last_action == (BLOCK if blocks else REST)  # exhausted, it may block itself out


@given(bytes32, u32, st.integers(1, MAX_RECORDS), u64)
def test_record_indices(dna: bytes, step: int, length: int, secret: int) -> None:
    battle = split_mix64(fold64(dna) ^ step) % length
    assert record_index(Source.BATTLE, dna, step, length) == battle
    assert record_index(Source.BATTLE, dna, step, length, secret) == battle
    private = split_mix64(fold64(dna) ^ secret ^ step) % length
    assert record_index(Source.PRIVATE, dna, step, length, secret) == private
