"""Ratings follow from the final matches in the order of their finality, and from nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from chainbeasts.backend.api.standings import Standings
from chainbeasts.backend.battle.ratings import FinalMatch, Ladder, final_matches, ratings
from chainbeasts.backend.indexer.positions import rewound
from chainbeasts.backend.store.facts import BlockRow, EventRow, SourceRow
from chainbeasts.backend.store.matches import MatchRow, MatchStatus
from chainbeasts.backend.store.session import Database

ZERO = bytes(32)
OWNER = "0x" + "11" * 20


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'facts.sqlite3'}")
    yield opened
    opened.close()


def matches(*results: tuple[int, int, str]) -> list[FinalMatch]:
    return [FinalMatch(n, a, b, result) for n, (a, b, result) in enumerate(results, 1)]


def test_first_match_moves_both_by_as_much() -> None:
    """The figures of the model's own paper, for two newcomers."""
    winner, loser = ratings(matches((1, 2, "a")))
    assert (winner.beast_id, winner.won, winner.lost) == (1, 1, 0)
    assert (loser.beast_id, loser.won, loser.lost) == (2, 0, 1)
    assert (winner.mu, winner.sigma) == (27.635389, 8.065901)
    assert winner.mu + loser.mu == pytest.approx(50)
    assert winner.rating == pytest.approx(winner.mu - 3 * winner.sigma, abs=2e-6)


def test_whoever_is_b_counts_the_same() -> None:
    as_a, as_b = ratings(matches((1, 2, "a"))), ratings(matches((2, 1, "b")))
    assert as_a == as_b


def test_draw_between_equals_only_makes_surer() -> None:
    one, other = ratings(matches((7, 3, "draw")))
    assert (one.beast_id, other.beast_id) == (3, 7)  # equal ratings stand by id
    assert one.mu == other.mu == 25
    assert one.sigma < 25 / 3
    assert (one.won, one.lost, one.drawn, one.matches) == (0, 0, 1, 1)


def test_order_of_finality_matters_and_nothing_else() -> None:
    results = [(1, 2, "a"), (2, 3, "a"), (3, 1, "draw"), (1, 3, "b")]
    boards = {tuple(ratings(matches(*order))) for order in permutations(results)}
    assert len(boards) > 1
    assert ratings(matches(*results)) == ratings(iter(matches(*results)))


def test_ladder_takes_in_one_after_another() -> None:
    all_of_them = matches((1, 2, "a"), (2, 3, "draw"), (3, 1, "b"), (1, 2, "b"))
    ladder = Ladder()
    for count, one in enumerate(all_of_them, 1):
        ladder.add(one)
        assert ladder.ratings() == ratings(all_of_them[:count])
    assert [one.last_match for one in ladder.ratings() if one.beast_id == 3] == [3]


def test_better_beast_ends_above() -> None:
    played = matches(*[(1, 2, "a")] * 6, *[(2, 3, "a")] * 6, *[(4, 1, "b")] * 6)
    assert [one.beast_id for one in ratings(played)][:2] == [1, 2]


def test_nobody_is_rated_before_a_match_is_final() -> None:
    assert ratings([]) == []


def add(database: Database, number: int, status: MatchStatus, at: tuple[int, int]) -> None:
    """A match that somebody won, and the event of its finality in a block at a place."""
    with database.session() as session:
        if session.get(BlockRow, at[0]) is None:
            row = BlockRow(number=at[0], hash=bytes([at[0]]) * 32, parent_hash=ZERO, timestamp=1)
            session.add(row)
        session.add(
            MatchRow(
                match_id=number,
                status=status,
                beast_a=number,
                beast_b=100,
                owner_a=OWNER,
                state_a=ZERO,
                result="a",
                reward_a=0,
                reward_b=0,
                block_number=1,
                tx_hash=ZERO,
            )
        )
        for name, place in (("MatchRecorded", 500 - at[1]), ("MatchFinalized", at[1])):
            session.add(
                EventRow(
                    block_number=at[0],
                    log_index=place,
                    tx_hash=ZERO,
                    address=OWNER,
                    topics=ZERO,
                    data=b"",
                    name=name,
                    beast_id=None,
                    match_id=number,
                )
            )
        session.commit()


def test_matches_are_read_in_the_order_of_their_finality(database: Database) -> None:
    """By block, then by log index; the matches' numbers and the rows' ages do not matter."""
    add(database, 4, MatchStatus.FINAL, (9, 2))
    add(database, 2, MatchStatus.RECORDED, (7, 8))
    add(database, 3, MatchStatus.FINAL, (9, 1))
    add(database, 5, MatchStatus.FINAL, (8, 30))
    with database.session() as session:
        found = final_matches(session)
    assert found == [FinalMatch(number, number, 100, "a") for number in (5, 3, 4)]


def take_back(database: Database, block: int) -> None:
    """What a reorg does to the facts of a block."""
    with database.session() as session:
        rewound(session)
        numbers = select(EventRow.match_id).where(EventRow.block_number == block)
        session.execute(delete(MatchRow).where(MatchRow.match_id.in_(numbers)))
        session.execute(delete(BlockRow).where(BlockRow.number == block))


def test_a_match_is_read_once_until_a_reorg_takes_it_back(database: Database) -> None:
    standings, added = Standings(), list[FinalMatch]()
    with database.session() as session:
        session.add(SourceRow(chain_id=1, genesis=ZERO, ledger=OWNER))

    def read() -> tuple[list[int], int]:
        with database.session() as session:
            board, played = standings.read(session)
            wanted = ratings(final_matches(session))
        assert [(one, board[one].rating) for one in board] == [
            (one.beast_id, one.rating) for one in wanted
        ]
        return sorted(board), played

    assert read() == ([], 0)
    add(database, 1, MatchStatus.FINAL, (7, 1))
    add(database, 2, MatchStatus.FINAL, (7, 2))
    assert read() == ([1, 2, 100], 2)
    add(database, 3, MatchStatus.FINAL, (8, 1))
    with pytest.MonkeyPatch.context() as patch, database.session() as session:
        patch.setattr(Ladder, "add", lambda _, match: added.append(match))
        standings.read(session)
    assert [match.match_id for match in added] == [3]
    standings = Standings()
    assert read() == ([1, 2, 3, 100], 3)
    take_back(database, 8)
    assert read() == ([1, 2, 100], 2)
    add(database, 4, MatchStatus.FINAL, (8, 1))
    take_back(database, 7)
    assert read() == ([4, 100], 1)
