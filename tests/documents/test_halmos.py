"""The symbolic proofs are of the seasons that are shipped."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chainbeasts.backend.chain.seasons import PROFILES, load_profile

TESTS = Path(__file__).resolve().parents[1]
CONSTANT = re.compile(r"uint\d+ private constant (\w+) = ([\d_e]+);")


def constants(proof: str) -> dict[str, int]:
    found = CONSTANT.findall((TESTS / proof).read_text("utf-8"))
    return {name: int(float(value.replace("_", ""))) for name, value in found}


@pytest.mark.parametrize("name", PROFILES)
def test_proofs_take_their_constants_from_the_profiles(name: str) -> None:
    economics = load_profile(name).season.economics
    prices = {"BASE_COST": economics.base_cost, "GROWTH_COST": economics.growth_cost}
    assert constants("halmos/Prices.t.sol") == prices
    assert prices.items() <= constants("forge/libraries/Libraries.t.sol").items()
