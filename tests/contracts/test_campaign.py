"""Random histories of all moves of all roles, every wei of both currencies against a model.

With CHAINBEASTS_NIGHTLY=1 two hundred, and five times as long.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.support import books, supply
from tests.support.campaign import Campaign
from tests.support.campaign_stage import Stage
from tests.support.protocol import World
from tests.support.snapshots import go_back

NIGHTLY = os.environ.get("CHAINBEASTS_NIGHTLY") == "1"
SEEDS = range(200) if NIGHTLY else (0, 1, 4, 6, 8, 10, 12, 15, 16, 17, 21, 27, 30)
"""The few see every kind of end between them, and twice: the chain has its own share in them."""

ACTIONS = 300 if NIGHTLY else 60

ENDS = ("prove", "advance", "challenge_header", "timeout", "dismiss")
MONEY = ("buy", "deposit", "request_hatch")
PAYOUTS = ("settle", "claim_steps", "withdraw_credit", "withdraw_stake")


@pytest.fixture(scope="module")
def stage(deployment: World) -> Iterator[Stage]:
    """Hatched beasts and what they could submit."""
    snapshot = deployment.rpc("evm_snapshot")
    yield Stage.prepare(deployment)
    go_back(deployment.rpc, snapshot)


@pytest.fixture(scope="module")
def seen() -> Counter[str]:
    """What happened in all histories together."""
    return Counter()


@pytest.mark.parametrize("seed", SEEDS)
def test_everyHistory_keepsTheModelsBooks(stage: Stage, seen: Counter[str], seed: int) -> None:
    """After each move, also after each refused one: every account's ENERGY, coin and credit, what
    burned, and that ledger and vault hold exactly what they owe."""
    snapshot = stage.world.rpc("evm_snapshot")
    campaign = Campaign(stage.world, stage, seed)
    campaign.run(ACTIONS)
    campaign.check_standing()
    books.check(stage.world)
    supply.check(stage.world)
    seen.update(campaign.done)
    seen.update(campaign.refused)
    go_back(stage.world.rpc, snapshot)


def test_theHistories_sawEveryKindOfEnd(seen: Counter[str]) -> None:
    """Random moves prove something only where they get to."""
    for move in (*ENDS, *PAYOUTS, *MONEY):
        assert seen[move], move
    refused = [name for name in seen if ": " in name]
    assert len(refused) > 15
