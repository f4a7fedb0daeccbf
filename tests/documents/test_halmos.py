"""The symbolic proofs are of the seasons that are shipped."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chainbeasts.backend.chain.seasons import PROFILES, load_profile

PROOFS = Path(__file__).resolve().parents[1] / "halmos"
CONSTANT = re.compile(r"uint\d+ private constant (\w+) = ([\d_e]+);")


def constants(proof: str) -> dict[str, int]:
    found = CONSTANT.findall((PROOFS / proof).read_text("utf-8"))
    return {name: int(float(value.replace("_", ""))) for name, value in found}


@pytest.mark.parametrize("name", PROFILES)
def test_proofs_take_their_constants_from_the_profiles(name: str) -> None:
    economics = load_profile(name).season.economics
    assert constants("Prices.t.sol") == {
        "BASE_COST": economics.base_cost,
        "GROWTH_COST": economics.growth_cost,
    }
    assert constants("Shares.t.sol") == {
        "FILING_BPS": economics.filing_bps,
        "PROOF_BPS": economics.proof_bps,
    }
