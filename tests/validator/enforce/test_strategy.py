"""The table of moves: one row per situation, for both strategies."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backend.chain.types import DisputeStatus
from validator.enforce.strategy import Action, Situation, Strategy, decide

NONE, FILED, RESPONDED = DisputeStatus.NONE, DisputeStatus.FILED, DisputeStatus.RESPONDED
WRONG = Situation(invalid=True, live=True, status=NONE, now=100)
AT_COURT = replace(WRONG, status=FILED, deadline=150)
ANSWERED = replace(WRONG, status=RESPONDED, deadline=150, segment=4)
RIGHT = replace(WRONG, invalid=False)

TABLE = [
    ("nothing is wrong", RIGHT, Action.WAIT, Action.WAIT),
    ("wrong", WRONG, Action.FILE, Action.FILE),
    ("wrong, states away", replace(WRONG, provable=False), Action.WAIT, Action.WAIT),
    ("header lie", replace(WRONG, header_lie=True), Action.HEADER, Action.HEADER),
    (
        "header lie needs no states",
        replace(WRONG, header_lie=True, provable=False),
        Action.HEADER,
        Action.HEADER,
    ),
    ("header lie at court", replace(AT_COURT, header_lie=True), Action.HEADER, Action.HEADER),
    ("filed", AT_COURT, Action.ADVANCE, Action.WAIT),
    ("filed, states away", replace(AT_COURT, provable=False), Action.WAIT, Action.WAIT),
    ("last second to respond", replace(AT_COURT, now=150), Action.ADVANCE, Action.WAIT),
    ("silence", replace(AT_COURT, now=151), Action.TIMEOUT, Action.TIMEOUT),
    (
        "silence, states away",
        replace(AT_COURT, now=151, provable=False),
        Action.TIMEOUT,
        Action.TIMEOUT,
    ),
    ("answered", ANSWERED, Action.PROVE, Action.PROVE),
    ("last second to prove", replace(ANSWERED, now=150), Action.PROVE, Action.PROVE),
    ("too late to prove", replace(ANSWERED, now=151), Action.ADVANCE, Action.ADVANCE),
    ("no wrong segment known", replace(ANSWERED, segment=None), Action.ADVANCE, Action.ADVANCE),
    ("almost advanced", replace(ANSWERED, steps_done=124), Action.ADVANCE, Action.ADVANCE),
    (
        "records not opened",
        replace(ANSWERED, records_due=90, provable=False),
        Action.TIMEOUT,
        Action.TIMEOUT,
    ),
    (
        "records may come",
        replace(ANSWERED, records_due=110, provable=False),
        Action.WAIT,
        Action.WAIT,
    ),
    ("right, disputed", replace(RIGHT, status=RESPONDED, deadline=150), Action.WAIT, Action.WAIT),
    (
        "right, nothing proved",
        replace(RIGHT, status=RESPONDED, deadline=99),
        Action.DISMISS,
        Action.DISMISS,
    ),
    (
        "perhaps right, nothing proved",
        replace(RIGHT, status=RESPONDED, deadline=99, provable=False),
        Action.WAIT,
        Action.WAIT,
    ),
    ("right, not answered", replace(RIGHT, status=FILED, deadline=99), Action.WAIT, Action.WAIT),
    (
        "right, its trainer silent",
        replace(RIGHT, status=FILED, deadline=150, late=True),
        Action.ADVANCE,
        Action.ADVANCE,
    ),
    (
        "right, silent, states away",
        replace(RIGHT, status=FILED, deadline=150, late=True, provable=False),
        Action.WAIT,
        Action.WAIT,
    ),
    (
        "right, wrongly answered",
        replace(RIGHT, status=RESPONDED, deadline=150, segment=0),
        Action.ADVANCE,
        Action.ADVANCE,
    ),
    ("wrong, no bond risked", replace(WRONG, may_file=False), Action.WAIT, Action.WAIT),
    ("filed, no bond risked", replace(AT_COURT, may_file=False), Action.ADVANCE, Action.WAIT),
    ("fell, ours", replace(AT_COURT, live=False, mine=True), Action.DISMISS, Action.DISMISS),
    ("fell, another's", replace(AT_COURT, live=False), Action.WAIT, Action.WAIT),
    ("fell, no dispute", replace(WRONG, live=False, mine=True), Action.WAIT, Action.WAIT),
]


@pytest.mark.parametrize(
    ("situation", "fast", "cheap"), [r[1:] for r in TABLE], ids=[r[0] for r in TABLE]
)
def test_next_move(situation: Situation, fast: Action, cheap: Action) -> None:
    assert decide(situation, Strategy.FAST).action is fast
    assert decide(situation, Strategy.CHEAP).action is cheap


def test_every_move_says_why() -> None:
    assert all(decide(row[1], strategy).why for row in TABLE for strategy in Strategy)
