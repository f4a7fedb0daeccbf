"""Offers rise with the base fee and with time, faster as a deadline nears, never above the cap."""

from __future__ import annotations

from itertools import pairwise

import pytest

from chainbeasts.backend.chain.fees import (
    FEE_BUMP,
    GWEI,
    LEAST_PRIORITY_FEE,
    URGENT_BUMP,
    Fees,
    bumped,
    offer,
    pace,
    parse_gwei,
)
from chainbeasts.backend.errors import ChainBeastsError


def test_an_offer_covers_twice_the_base_fee_and_stays_under_the_cap() -> None:
    assert offer(10 * GWEI) == Fees(21 * GWEI, GWEI)
    assert offer(10 * GWEI, 15 * GWEI) == Fees(15 * GWEI, GWEI)
    assert offer(0, GWEI // 2) == Fees(GWEI // 2, LEAST_PRIORITY_FEE)
    assert offer(0, 7) == Fees(7, 7)
    assert offer(GWEI // 100) == Fees(GWEI + GWEI // 50, GWEI // 400)


def test_a_bump_is_what_nodes_ask_of_a_replacement_or_none_at_all() -> None:
    fees: Fees | None = offer(10 * GWEI)
    offers = []
    while fees is not None:
        offers.append(fees)
        fees = bumped(fees, 10 * GWEI, cap=40 * GWEI)
    assert len(offers) > 3
    for low, high in pairwise(offers):
        assert high.most >= 1.1 * low.most
        assert high.priority >= 1.1 * low.priority
        assert high.most <= 40 * GWEI
    risen = bumped(offers[0], 30 * GWEI)
    assert risen is not None
    assert risen.most == 61 * GWEI


def test_the_pace_quickens_as_the_deadline_nears() -> None:
    assert pace(12.0, None) == pace(12.0, 86_400.0) == (12.0, FEE_BUMP)
    found = [pace(12.0, left) for left in (600.0, 300.0, 100.0, 0.0)]
    for (calm, small), (hasty, big) in pairwise(found):
        assert hasty < calm
        assert big > small
    assert found[-1] == (1.0, URGENT_BUMP)
    assert pace(12.0, -1.0) == (12.0, FEE_BUMP)  # too late: nothing to hurry for


@pytest.mark.parametrize("text", ["cheap", "0", "-3", "nan", "inf", ""])
def test_what_is_no_fee_is_refused(text: str) -> None:
    with pytest.raises(ChainBeastsError, match="is no fee in gwei"):
        parse_gwei(text)
    assert parse_gwei("0.5") == GWEI // 2
