"""Nobody builds on another trainer's pending window without having said so."""

from __future__ import annotations

from chainbeasts.backend.accounts import devnet_account
from tests.trainer.conftest import OTHER, TRAINER, Farm


def sold(farm: Farm) -> int:
    """A beast that was sold while a window of its seller is pending."""
    beast = int(farm.done("beast", "hatch", "--yes")["beast"])
    farm.done("trainer", "run", str(beast), "--no-metrics")
    farm.fund(OTHER)
    seller, buyer = (devnet_account(who).address for who in (TRAINER, OTHER))
    farm.send(TRAINER, farm.chain.beasts.functions.transferFrom(seller, buyer, beast))
    return beast


def test_a_buyer_waits_for_the_sellers_window(farm: Farm) -> None:
    beast = sold(farm)
    run = ("trainer", "run", str(beast), "--no-metrics")
    for refused in (run, ("checkpoint", "submit", str(beast), "--yes")):
        error = farm.refused(*refused, who=OTHER)
        assert f"Window 0 of beast {beast} is another trainer's and still pending" in error.message
        assert "--accept-foreign-parent" in error.hint
    assert farm.events("Staked")[1:] == []
    farm.travel(31)
    farm.done("checkpoint", "finalize", str(beast), who=OTHER)
    farm.done(*run, "--windows", "2", who=OTHER)  # the second stands on one of their own
    assert farm.chain.head(beast).head_count == 3


def test_who_accepts_the_risk_may_build_on_it(farm: Farm) -> None:
    beast = sold(farm)
    farm.done("trainer", "run", str(beast), "--accept-foreign-parent", "--no-metrics", who=OTHER)
    assert farm.chain.head(beast).head_count == 2
