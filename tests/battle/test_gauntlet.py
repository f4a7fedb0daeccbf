"""Gauntlets: every pair, every seed, both sides, and the sums that a table shows."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import pytest
from typer.testing import CliRunner

from chainbeasts.backend.battle.fighter_files import FighterFile, write_fighter
from chainbeasts.backend.battle.gauntlet import BATCH, Score, both_sides, gauntlet, standings
from chainbeasts.backend.battle.tournament import seeds_from
from chainbeasts.backend.chain.types import MatchResult
from chainbeasts.backend.cli.battle import app
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.fighters import Fighter
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.window import genesis_state
from tests.battle.test_turns import RULES, A, B, tournament

NEWBORN_DNA = bytes(range(7, 39))
C = Fighter.of(NEWBORN_DNA, genesis_state(1, NEWBORN_DNA))
SEEDS = tuple(seeds_from(9, BATCH + 6))


def test_a_pairing_is_the_matches_of_both_sides() -> None:
    as_a, as_b = both_sides(A, B, SEEDS, RULES)
    first = [bout.result for bout in tournament(A, B, RULES, SEEDS)]
    second = [bout.result for bout in tournament(B, A, RULES, SEEDS)]
    won, drawn, lost = (first.count(r) for r in (MatchResult.A, MatchResult.DRAW, MatchResult.B))
    assert as_a == Score(won, drawn, lost)
    won, drawn, lost = (second.count(r) for r in (MatchResult.B, MatchResult.DRAW, MatchResult.A))
    assert as_b == Score(won, drawn, lost)
    assert as_a != as_b


def test_everybody_meets_everybody_once_whatever_the_batches() -> None:
    played = [0]

    def count(more: int) -> None:
        played[0] += more

    fighters = (A, B, C)
    found = gauntlet(fighters, RULES, SEEDS, count)
    assert [(one.one, one.other) for one in found] == list(combinations(range(3), 2))
    for one in found:
        expected = both_sides(fighters[one.one], fighters[one.other], SEEDS, RULES)
        assert (one.as_a, one.as_b) == expected
    assert played == [3 * 2 * len(SEEDS)]
    ranked = standings(3, found)
    total = sum((score for _, score in ranked), Score())
    assert (total.won, total.matches) == (total.lost, 2 * played[0])
    assert [score.points for _, score in ranked] == sorted(
        (score.points for _, score in ranked), reverse=True
    )


def test_scores_count_draws_for_half_and_tell_how_sure_they_are() -> None:
    assert Score.of([0, 0, 1, -1], 0) == Score(2, 1, 1) == Score.of([0, 0, 1, -1], 1).reversed
    assert Score(2, 1, 1).points == 0.625
    assert Score(2, 1, 1).won_share == 0.5
    assert Score(50, 0, 50).margin == pytest.approx(1.96 * 0.05)
    assert Score(0, 100, 0).margin == 0.0
    assert (Score().points, Score().won_share, Score().margin) == (0.0, 0.0, 0.0)


def test_the_command_needs_no_node_for_files_and_says_who_is_best(tmp_path: Path) -> None:
    for name in ("one", "two"):
        dna = name.encode().ljust(32, b"\1")
        write_fighter(tmp_path / f"{name}.json", FighterFile(dna, genesis_state(0, dna), Rules()))
    one, two = (str(tmp_path / f"{name}.json") for name in ("one", "two"))
    common = ["--home", str(tmp_path), "--rpc-url", "http://127.0.0.1:1", "--first", "5"]
    given = ["gauntlet", one, "--against", two, one, NEWBORN_DNA.hex(), "--seeds", "3", *common]
    told = json.loads(CliRunner().invoke(app, [*given, "--json"], catch_exceptions=False).stdout)
    names = sorted((row["fighter"], row["name"]) for row in told["standings"])
    assert [name for _, name in names] == ["one.json", "newborn 0708090a0b…", "two.json"]
    assert (told["matches"], len(told["pairings"])) == (18, 3)
    for pairing in told["pairings"]:
        for result in ("won", "drawn", "lost"):
            assert pairing[result] == pairing["as_a"][result] + pairing["as_b"][result]
    text = CliRunner().invoke(app, given, catch_exceptions=False).stdout
    assert "3 fighters, 3 seeds from both sides, 18 matches" in text
    with pytest.raises(ChainBeastsError, match="takes two fighters at least"):
        CliRunner().invoke(app, ["gauntlet", one, one, *common], catch_exceptions=False)
