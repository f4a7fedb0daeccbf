"""What a replay tells of each turn is what the words say, and the logits are the acting beast's."""

from __future__ import annotations

import random
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from chainbeasts.backend.battle.drawing import Scene, draw_turn, full_hp
from chainbeasts.backend.battle.sides import read_side
from chainbeasts.backend.battle.tournament import result_of, seeds_from, tallies, tournament
from chainbeasts.backend.battle.turns import DIRECTIONS, Turn, turns_of
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.board import neighbour, pack, unpack
from chainbeasts.backend.kernel.combat import Action, Match, a_acts_first
from chainbeasts.backend.kernel.fighters import Fighter, fight
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.samples import random_position
from chainbeasts.backend.kernels import play
from tests.native.test_matches import anybody, trained

A, B = trained(bytes(range(32))), trained(bytes(range(100, 132)))
SEEDS = list(seeds_from(5, 12))
RULES = Rules(crit_odds=3)


def watched(seed: int) -> tuple[Match, list[Turn]]:
    played = play(A, B, seed, RULES)
    return played, turns_of(played.words, seed, A, B, played.last)


@pytest.mark.parametrize("seed", SEEDS)
def test_events_add_up_to_the_match(seed: int) -> None:
    """Moves lead from tile to tile, and hits from full hp to what is left."""
    _, turns = watched(seed)
    tiles = {"A": 0, "B": 63}
    hp = {"A": full_hp(A.dna), "B": full_hp(B.dna)}
    for turn in turns:
        a, b = turn.standing
        assert (a.pos, b.pos) == (tiles["A"], tiles["B"])
        assert (a.hp, b.hp) == (hp["A"], hp["B"])
        for event in turn.events:
            verb, *rest = event.split()
            if verb == "moves":
                tile = neighbour(tiles[turn.actor], DIRECTIONS.index(rest[0]))
                assert tile is not None
                tiles[turn.actor] = tile
            if verb == "hits":
                hp[rest[0]] -= int(rest[2])
                assert ("(critical)" in rest) == turn.critical
    end = tournament(A, B, RULES, [seed])[0]
    assert (end.hp_a, end.hp_b) == (hp["A"], hp["B"])
    assert end.turns == len(turns)


def test_all_kinds_of_events_occur() -> None:
    idle = Fighter(B.dna, np.zeros_like(B.weights), 0)
    played = play(A, idle, 64, RULES)
    turns = [turn for seed in SEEDS for turn in watched(seed)[1]]
    turns += turns_of(played.words, 64, A, idle, played.last)
    seen = {event.split()[0] for turn in turns for event in turn.events}
    assert seen >= {"moves", "hits", "blocks", "rests", "enters"}


def test_logits_are_those_of_the_acting_beast() -> None:
    for seed in SEEDS[:4]:
        _, turns = watched(seed)
        assert turns[0].a_acts == a_acts_first(seed)
        for turn in turns:
            fighter = A if turn.a_acts else B
            assert turn.logits == tuple(fighter.logits(turn.word))


def test_last_turn_says_nothing_when_its_end_is_not_known() -> None:
    played, _ = watched(SEEDS[0])
    turns = turns_of(played.words, SEEDS[0], None, None)
    assert turns[-1].events == ()
    assert turns[0].logits is None
    assert turns[0].events == watched(SEEDS[0])[1][0].events


NORTHWARD = (9, 0, 5, 0, 8, 1, 0, 0)


@pytest.mark.parametrize(
    ("change", "said", "direction"),
    [
        ({}, (), 0),
        ({"heading": 1}, (), 0),
        ({"heading": 2}, ("it does not turn back north",), 2),
        ({"walls": 1 << 19}, ("no way north",), 2),
        ({"pos": 3}, ("no way north",), 2),
        ({"enemy": 28, "heading": 2}, ("in reach: it stands its ground",), 2),
        ({"stamina": 0, "heading": 2}, ("exhausted: it rests",), 2),
        ({"stamina": 1, "last_action": 3}, ("exhausted: it rests",), 0),
    ],
)
def test_limits_say_what_the_appendage_gives_up(
    change: dict[str, int], said: tuple[str, ...], direction: int
) -> None:
    p = unpack(random_position(6, (0, 0), RULES))
    p.self_.pos, p.enemy.pos = 27, change.pop("enemy", 62)
    p.walls = change.pop("walls", 0)
    for name, value in change.items():
        setattr(p.self_, name, value)
    turn = Turn(0, pack(p), None, True, NORTHWARD)
    assert turn.limits == said
    assert turn.action == Action(direction, 4, "exhausted: it rests" not in said)


def test_headings_are_drawn_once_there_is_one() -> None:
    p = unpack(random_position(6, (0, 0), RULES))
    p.self_.heading, p.self_.last_action = 4, 1
    frame = drawn(Turn(0, pack(p), None, True, None), Scene("M", ("a", "b"), (100, 100), 1))
    assert "moved last, heading west" in frame
    assert "rested last" in frame
    assert frame.count("heading") == 1


def drawn(turn: Turn, scene: Scene) -> str:
    text = StringIO()
    Console(file=text, width=80, no_color=True).print(draw_turn(turn, scene))
    return text.getvalue()


def test_frame_shows_both_beasts_where_they_stand() -> None:
    played, turns = watched(SEEDS[1])
    scene = Scene("Match 1", ("beast 1", "beast 2"), (full_hp(A.dna), full_hp(B.dna)), played.turns)
    for turn in turns:
        frame = drawn(turn, scene).splitlines()
        board = [line[:16].split() for line in frame[1:9]]
        a, b = turn.standing
        assert board[a.pos // 8][a.pos % 8] == "A"
        assert board[b.pos // 8][b.pos % 8] == "B"
        whole = "\n".join(frame)
        assert f"{a.hp}/{scene.full_hp[0]}" in whole
        assert f"turn {turn.number} of" in whole
        assert turn.logits is not None
        assert all(f" {z}" in whole for z in turn.logits[:6])


def test_any_log_can_be_drawn() -> None:
    """Words that are none are a liar's; a replay shows them all the same."""
    rng = random.Random(3)
    words = [rng.getrandbits(256) for _ in range(40)]
    scene = Scene("Match 1", ("beast 1", "beast 2"), (0, 0), 40)
    for turn in turns_of(words, 1, A, B):
        assert "turn" in drawn(turn, scene)


def test_tournament_is_its_matches() -> None:
    counted = [0]

    def count() -> None:
        counted[0] += 1

    bouts = tournament(A, B, RULES, SEEDS, count)
    assert counted == [len(SEEDS)]
    for bout, seed in zip(bouts, SEEDS, strict=True):
        played = fight(A, B, seed, RULES)
        assert (bout.battle_seed, bout.turns) == (seed, played.turns)
        assert bout.result is result_of(played)
        assert bout.a_first == a_acts_first(seed)
    by_result = {one.result: one for one in tallies(bouts)}
    assert sum(one.matches for one in by_result.values()) == len(SEEDS)
    for result, tally in by_result.items():
        ended = [one for one in bouts if one.result is result]
        assert tally.matches == len(ended)
        assert tally.turns * len(ended) == pytest.approx(sum(one.turns for one in ended))


def test_seeds_are_distinct_and_the_same_every_time() -> None:
    assert len(set(seeds_from(1, 1_000))) == 1_000
    assert list(seeds_from(1, 5)) == list(seeds_from(1, 9))[:5]
    assert not set(seeds_from(1, 100)) & set(seeds_from(2, 100))


def test_newborn_needs_no_chain() -> None:
    def no_chain() -> object:
        raise AssertionError("the chain was asked")

    dna = anybody(random.Random(1)).dna
    for text in (dna.hex(), "0x" + dna.hex()):
        side = read_side(text, no_chain)  # type: ignore[arg-type]
        assert isinstance(side.fighter, Fighter)
        assert (side.fighter.dna, side.beast_id) == (dna, None)
    for text in ("", "0", "-1", "1@", "1@x", "0x12", "nobody:0x12"):
        with pytest.raises(ChainBeastsError, match="is no beast, no DNA and no file"):
            read_side(text, no_chain)  # type: ignore[arg-type]
