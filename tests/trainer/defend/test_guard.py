"""A buyer's windows on a seller's pending one: saved where that is worth it, else told of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from structlog.testing import capture_logs

from chainbeasts.backend.accounts import devnet_account
from chainbeasts.backend.chain.anvil import rpc
from chainbeasts.backend.chain.outbox import Outbox
from chainbeasts.backend.chain.types import DisputeStatus
from chainbeasts.trainer.defend.defender import Defender, DefenderMove
from chainbeasts.trainer.defend.guard import Guard
from chainbeasts.trainer.train.window_store import WindowStore
from tests.support.steady import tick
from tests.trainer.conftest import OTHER, TRAINER, Farm

COIN = 10**18
DEAR = 1_000 * COIN
"""An ENERGY's worth at which a window is worth thirty million gas."""


def bought(farm: Farm, source: str = "curriculum") -> tuple[int, int]:
    """A beast whose buyer trained on the seller's pending window, and the dispute over that."""
    beast = int(farm.done("beast", "hatch", "--yes")["beast"])
    farm.done("trainer", "run", str(beast), "--windows", "2", "--source", source, "--no-metrics")
    farm.fund(OTHER)
    seller, buyer = (devnet_account(who).address for who in (TRAINER, OTHER))
    farm.send(TRAINER, farm.chain.beasts.functions.transferFrom(seller, buyer, beast))
    run = ("trainer", "run", str(beast), "--accept-foreign-parent", "--no-metrics")
    farm.done(*run, who=OTHER)
    return beast, farm.file(beast, 1)


def moves(farm: Farm, price: int | None, who: int = OTHER) -> list[DefenderMove]:
    workspace = farm.workspace()
    outbox = Outbox(workspace.database, farm.sender(who))
    store = WindowStore(workspace.database, workspace.snapshots)
    guard = Guard(workspace, outbox, price)
    return Defender(workspace, store, outbox, finalize=False, guard=guard).once()


@contextmanager
def stopped_clock(farm: Farm, dispute: int, seconds: int) -> Iterator[None]:
    """The chain's clock stands still so long after the filing, however slow the machine is."""
    filed = farm.chain.block(farm.chain.dispute(dispute).filed_in).timestamp
    tick(farm.chain.rpc_url, 0)
    rpc(farm.chain.rpc_url, "evm_setNextBlockTimestamp", filed + seconds)
    farm.mine(1)
    try:
        yield
    finally:
        tick(farm.chain.rpc_url)


def kinds(made: list[DefenderMove]) -> list[str]:
    return [move.kind for move in made if move.kind != "collect"]


@pytest.mark.parametrize("source", ["curriculum", "self-play"])
def test_a_silent_sellers_right_window_is_proven_and_the_buyers_stands(
    farm: Farm, source: str
) -> None:
    beast, dispute = bought(farm, source)
    assert moves(farm, DEAR) == []  # the seller still has time
    with stopped_clock(farm, dispute, 9):
        made = moves(farm, DEAR)
    assert kinds(made) == ["advance"] * 8  # four commitments, four parts of the window
    assert farm.chain.dispute(dispute).status is DisputeStatus.PROVEN
    assert [a["counted"] for a in farm.events("DisputeAdvanced")] == [True] * 4
    assert farm.chain.head(beast).head_count == 3
    assert moves(farm, DEAR) == []


def test_it_costs_more_than_it_saves_and_that_is_said(farm: Farm) -> None:
    _, dispute = bought(farm)
    farm.travel(9)
    with capture_logs() as said:
        assert moves(farm, None) == []  # a devnet's ENERGY has no price
    (told,) = [entry for entry in said if "costs more than we would lose" in entry["event"]]
    assert (told["dispute"], told["window"], told["at_risk"]) == (dispute, 1, "0 native coin")


def test_a_wrong_window_below_ours_is_not_saved(farm: Farm) -> None:
    beast = int(farm.done("beast", "hatch", "--yes")["beast"])
    farm.done("trainer", "drill", "weight", str(beast))
    farm.fund(OTHER)
    farm.done("beast", "authorise", str(beast), devnet_account(OTHER).address)
    run = ("trainer", "run", str(beast), "--accept-foreign-parent", "--no-metrics")
    farm.done(*run, who=OTHER)
    farm.file(beast, 0)
    farm.travel(9)
    with capture_logs() as said:
        assert moves(farm, DEAR) == []
    assert any("ours will fall with it" in entry["event"] for entry in said)


def test_the_seller_himself_opens_and_nobody_pays_for_steps(farm: Farm) -> None:
    _, dispute = bought(farm)
    assert kinds(moves(farm, DEAR, who=TRAINER)) == ["segments", "state", "accept"]
    farm.travel(9)
    assert moves(farm, DEAR) == []
    assert farm.chain.dispute(dispute).status is DisputeStatus.OPENED
