"""Which windows are opened on doubt: one row per rule."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from chainbeasts.backend.chain.types import DisputeStatus
from chainbeasts.validator.enforce.bonds import opening_cost
from chainbeasts.validator.enforce.filing import filing_deadline
from chainbeasts.validator.enforce.openings import (
    EARLY_SHARE,
    MOST_OF_BEAST,
    MOST_OF_OWNER,
    Cause,
    Doubt,
    Terms,
    judge_doubt,
)
from chainbeasts.validator.enforce.secret import draw_of, own_secret, salt_of

TERMS = Terms(after=0.5, rate=0.01, coin_left=100, energy_left=50)
WITHHELD = Doubt(
    withheld=True,
    implausible="",
    private=False,
    share=0.6,
    draw=0.3,
    right=0,
    waiting=False,
    cost=100,
    energy=50,
    of_beast=0,
    of_owner=0,
)
PRIVATE = replace(WITHHELD, withheld=False, private=True)
ODD = replace(PRIVATE, implausible="too far", share=0.0)

TABLE = [
    ("withheld", WITHHELD, Cause.WITHHELD),
    ("withheld, early", replace(WITHHELD, share=0.49), None),
    ("withheld, one was right", replace(WITHHELD, right=1), Cause.WITHHELD),
    ("withheld, five were right", replace(WITHHELD, right=5), None),
    ("withheld, an earlier one at court", replace(WITHHELD, waiting=True), None),
    (
        "withheld, no time to wait for the earlier one",
        replace(WITHHELD, waiting=True, share=EARLY_SHARE),
        Cause.WITHHELD,
    ),
    ("too many of the beast", replace(WITHHELD, of_beast=MOST_OF_BEAST), None),
    ("too many of the owner", replace(WITHHELD, of_owner=MOST_OF_OWNER), None),
    ("beyond the budget of coin", replace(WITHHELD, cost=101), None),
    ("beyond the budget of ENERGY", replace(WITHHELD, energy=51), None),
    ("private, not drawn", PRIVATE, None),
    ("private, drawn", replace(PRIVATE, draw=0.009), Cause.CHANCE),
    ("private, drawn, early", replace(PRIVATE, draw=0.009, share=0.0), Cause.CHANCE),
    ("private, drawn, one was right", replace(PRIVATE, draw=0.009, right=1), None),
    ("public, drawn", replace(PRIVATE, draw=0.0, private=False), None),
    ("implausible", ODD, Cause.IMPLAUSIBLE),
    ("implausible, five were right", replace(ODD, right=5), None),
    ("implausible, beyond the budget", replace(ODD, cost=101), None),
]


@pytest.mark.parametrize(("doubt", "cause"), [r[1:] for r in TABLE], ids=[r[0] for r in TABLE])
def test_what_is_opened(doubt: Doubt, cause: Cause | None) -> None:
    answer = judge_doubt(doubt, TERMS)
    assert answer.cause is cause
    assert answer.why


def test_without_a_budget_of_energy_only_coin_bounds_openings() -> None:
    unbounded = replace(TERMS, energy_left=None)
    assert judge_doubt(replace(WITHHELD, energy=10**30), unbounded).cause is Cause.WITHHELD


def test_draws_are_even_and_nobody_can_foresee_them() -> None:
    digests = [bytes([n >> 8, n & 255]) * 16 for n in range(2_000)]
    ours = [draw_of(bytes(32), digest) for digest in digests]
    assert 0.004 < sum(draw < 0.01 for draw in ours) / len(ours) < 0.018
    assert 0.45 < sum(ours) / len(ours) < 0.55
    assert ours == [draw_of(bytes(32), digest) for digest in digests]
    assert ours != [draw_of(b"\1" * 32, digest) for digest in digests]


def test_a_secret_is_made_once_and_read_by_nobody_else(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "secret"
    secret = own_secret(path)
    assert own_secret(path) == secret
    assert len(secret) == 32
    assert path.stat().st_mode & 0o077 == 0
    assert [p.name for p in path.parent.iterdir()] == ["secret"]
    assert salt_of(secret, bytes(32), "prove") != salt_of(secret, bytes(32), "advance")


@pytest.mark.parametrize(
    ("period", "block_seconds", "margin"),
    [(604_800, 12.0, 3_600 + 768), (604_800, 0.25, 3_616), (30, 1.0, 3), (36_000, 12.0, 3_600)],
)
def test_the_last_filing_leaves_time_for_another(
    period: int, block_seconds: float, margin: int
) -> None:
    assert filing_deadline(1_000, period, block_seconds) == 1_000 + period - margin


def test_open_states_of_a_dispute() -> None:
    assert [s for s in DisputeStatus if s.open] == [DisputeStatus.FILED, DisputeStatus.OPENED]


def test_a_doubt_costs_its_openings_twice_at_most() -> None:
    base = 4_000
    for others, cost in ((0, 1_000), (1, 2_000), (2, 2_000), (7, 2_000)):
        assert opening_cost(base, others * base) == cost
