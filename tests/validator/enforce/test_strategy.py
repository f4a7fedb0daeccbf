"""The table of moves: one row per situation, for both strategies."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chainbeasts.backend.chain.types import DisputeStatus
from chainbeasts.validator.enforce.strategy import Action, Situation, Strategy, decide

NONE, FILED, OPENED = DisputeStatus.NONE, DisputeStatus.FILED, DisputeStatus.OPENED
WRONG = Situation(invalid=True, live=True, status=NONE, now=100)
AT_COURT = replace(WRONG, status=FILED, response_deadline=150)
OPEN = replace(
    WRONG,
    status=OPENED,
    response_deadline=150,
    head_start_end=99,
    proof_deadline=180,
    segment=4,
)
RIGHT = replace(WRONG, invalid=False, right=True)
UNKNOWN = replace(WRONG, invalid=False, provable=False)

TABLE = [
    ("nothing is wrong", RIGHT, Action.WAIT, Action.WAIT),
    ("wrong", WRONG, Action.FILE, Action.FILE),
    ("wrong, states away", replace(WRONG, provable=False), Action.WAIT, Action.WAIT),
    ("wrong, no bond risked", replace(WRONG, may_file=False), Action.WAIT, Action.WAIT),
    ("header lie", replace(WRONG, header_lie=True), Action.HEADER, Action.HEADER),
    (
        "header lie needs no states",
        replace(WRONG, header_lie=True, provable=False),
        Action.HEADER,
        Action.HEADER,
    ),
    ("header lie at court", replace(AT_COURT, header_lie=True), Action.HEADER, Action.HEADER),
    ("filed", AT_COURT, Action.ADVANCE, Action.WAIT),
    ("filed, no bond risked", replace(AT_COURT, may_file=False), Action.ADVANCE, Action.WAIT),
    ("filed, states away", replace(AT_COURT, provable=False), Action.WAIT, Action.WAIT),
    ("filed, records closed", replace(AT_COURT, executable=False), Action.WAIT, Action.WAIT),
    ("last second to open", replace(AT_COURT, now=150), Action.ADVANCE, Action.WAIT),
    ("silence", replace(AT_COURT, now=151), Action.TIMEOUT, Action.TIMEOUT),
    (
        "silence, states away",
        replace(AT_COURT, now=151, provable=False),
        Action.TIMEOUT,
        Action.TIMEOUT,
    ),
    (
        "no silence: published and not noted",
        replace(AT_COURT, now=151, published=True),
        Action.ACCEPT,
        Action.ACCEPT,
    ),
    ("published in time", replace(AT_COURT, published=True), Action.ACCEPT, Action.ACCEPT),
    ("ours, segments wrong", replace(AT_COURT, mine=True, segment=3), Action.PROVE, Action.PROVE),
    ("another's, segments wrong", replace(AT_COURT, segment=3), Action.ADVANCE, Action.WAIT),
    ("opened", OPEN, Action.PROVE, Action.PROVE),
    ("its head start", replace(OPEN, head_start_end=100), Action.WAIT, Action.WAIT),
    ("our head start", replace(OPEN, head_start_end=100, mine=True), Action.PROVE, Action.PROVE),
    ("last second to prove", replace(OPEN, now=180), Action.PROVE, Action.PROVE),
    ("too late to prove", replace(OPEN, now=181), Action.ADVANCE, Action.ADVANCE),
    ("no wrong segment known", replace(OPEN, segment=None), Action.ADVANCE, Action.ADVANCE),
    ("almost advanced", replace(OPEN, steps_done=124), Action.ADVANCE, Action.ADVANCE),
    ("opened, states away", replace(OPEN, provable=False), Action.WAIT, Action.WAIT),
    ("right, opened", replace(RIGHT, status=OPENED, proof_deadline=150), Action.WAIT, Action.WAIT),
    (
        "right, nothing proved",
        replace(RIGHT, status=OPENED, proof_deadline=99),
        Action.DISMISS,
        Action.DISMISS,
    ),
    (
        "right, published and noted by its trainer",
        replace(RIGHT, status=FILED, response_deadline=150, published=True),
        Action.WAIT,
        Action.WAIT,
    ),
    (
        "right, ours, published and not noted",
        replace(RIGHT, status=FILED, response_deadline=99, published=True, mine=True),
        Action.ACCEPT,
        Action.ACCEPT,
    ),
    (
        "right, another's, not opened",
        replace(RIGHT, status=FILED, response_deadline=99, late=True),
        Action.WAIT,
        Action.WAIT,
    ),
    (
        "right, another's, wrong segments and no state",
        replace(RIGHT, status=FILED, response_deadline=99, late=True, segment=0),
        Action.WAIT,
        Action.WAIT,
    ),
    (
        "right, ours, not opened",
        replace(RIGHT, status=FILED, response_deadline=99, mine=True),
        Action.TIMEOUT,
        Action.TIMEOUT,
    ),
    (
        "right, its trainer silent",
        replace(RIGHT, status=FILED, response_deadline=150, late=True),
        Action.ADVANCE,
        Action.ADVANCE,
    ),
    (
        "right, ours, its trainer silent",
        replace(RIGHT, status=FILED, response_deadline=150, late=True, mine=True),
        Action.WAIT,
        Action.WAIT,
    ),
    (
        "right, silent, records closed",
        replace(RIGHT, status=FILED, response_deadline=150, late=True, executable=False),
        Action.WAIT,
        Action.WAIT,
    ),
    (
        "right, wrong segments opened",
        replace(RIGHT, status=OPENED, proof_deadline=150, segment=0),
        Action.ADVANCE,
        Action.ADVANCE,
    ),
    ("unknown", UNKNOWN, Action.WAIT, Action.WAIT),
    ("unknown, in doubt", replace(UNKNOWN, doubt="withheld"), Action.OPEN, Action.OPEN),
    (
        "unknown, in doubt, no bond risked",
        replace(UNKNOWN, doubt="withheld", may_file=False),
        Action.WAIT,
        Action.WAIT,
    ),
    (
        "unknown, not opened",
        replace(UNKNOWN, status=FILED, response_deadline=99),
        Action.TIMEOUT,
        Action.TIMEOUT,
    ),
    (
        "unknown, may be opened",
        replace(UNKNOWN, status=FILED, response_deadline=150),
        Action.WAIT,
        Action.WAIT,
    ),
    (
        "unknown, another's, nothing proved",
        replace(UNKNOWN, status=OPENED, proof_deadline=99),
        Action.WAIT,
        Action.WAIT,
    ),
    (
        "unknown, ours, nothing proved",
        replace(UNKNOWN, status=OPENED, proof_deadline=99, mine=True),
        Action.DISMISS,
        Action.DISMISS,
    ),
    ("fell, ours", replace(AT_COURT, live=False, mine=True), Action.DISMISS, Action.DISMISS),
    ("fell, another's", replace(AT_COURT, live=False), Action.DISMISS, Action.DISMISS),
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
