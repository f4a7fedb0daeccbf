"""A public deployment, and strangers who hold native coin only: from the first ENERGY to a claim.

No faucet, no help of the deployer: the commands are those of the guides, the season is the built-in
one of a public chain, and its days pass by travel.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chainbeasts.backend.chain.seasons import load_profile
from scripts.lib.stage import Player, Stage
from tests.support.forked import Program

ENERGY = 10**18
MAINNET = load_profile("mainnet").season
ANNA, BEN = 1, 2
SOME = 10
"""ENERGY for a hatch, a window, and what `trainer run` deposits for the next ones."""


@pytest.fixture
def public(program: Program, tmp_path: Path) -> Iterator[Stage]:
    """A fresh chain on which nothing stands."""
    with Stage(tmp_path / "stage", program) as made:
        yield made


def start(player: Player, *, bond: bool) -> int:
    """Buy what it takes, hatch, and train a window; the beast."""
    price = player.do("energy", "price")
    assert int(price["price"]) == MAINNET.economics.energy_price
    wanted = SOME + (MAINNET.arena.record_bond // ENERGY if bond else 0)
    bought = player.do("energy", "buy", wanted)
    assert int(bought["paid"]) * 1_000 == int(bought["bought"]) == wanted * ENERGY
    beast = int(player.do("beast", "hatch", "--yes")["beast"])
    shown = player.do("beast", "show", beast)
    quote = shown["next_window"]
    assert int(quote["coin_lock"]) == -(-int(quote["lock"]) // 1_000)
    assert quote["locked_seconds"] == 7 * 86_400
    before = int(player.do("energy", "balance")["balance"])
    player.do("trainer", "run", beast)
    after = player.do("energy", "balance")
    left = int(after["balance"]) + int(after["escrow"])
    assert before - left == int(quote["lock"])  # as was said beforehand
    return beast


def test_a_stranger_with_native_coin_alone_plays_the_whole_game(public: Stage) -> None:
    told = public.deploy("mainnet")
    powers = told["powers"]
    addresses = told["addresses"]
    assert set(powers["minters"]) == {addresses["EnergySale"], addresses["Arena"]}
    assert powers["minter_admins"] == []
    assert powers["deployer_keeps"] == [
        "propose to the timelock",
        "cancel what is in the timelock",
    ]
    anna, ben = public.enter("anna", ANNA), public.enter("ben", BEN)
    refused = public.host.run("energy", "faucet", 1)
    assert "may not mint ENERGY" in refused.stderr
    assert int(anna.do("energy", "price")["supply"]) == 0

    beasts = [start(anna, bond=True), start(ben, bond=False)]
    public.travel(MAINNET.economics.challenge_period)
    burned = 0
    for player, beast in zip((anna, ben), beasts, strict=True):
        player.do("checkpoint", "finalize", beast)
        (window,) = player.do("checkpoint", "list", beast)
        assert window["status"] == "final"
        burned += int(window["energy_burn"])

    match = int(anna.do("battle", "challenge", *beasts, "--yes")["match"])
    ben.do("battle", "accept", match, "--yes")
    anna.do("battle", "record", match)
    assert ben.do("battle", "show", match)["status"] == "recorded"
    public.travel(MAINNET.arena.disproof_period)
    rewards = ben.do("battle", "finalize", match)
    earned = [int(rewards["reward_a"]), int(rewards["reward_b"])]
    # What was agreed is more than a beast of one window may earn: half of what it burned.
    assert 0 < sum(earned) <= burned // 2
    for player, reward in zip((anna, ben), earned, strict=True):
        before = int(player.do("energy", "balance")["balance"])
        assert int(player.do("battle", "claim")["amount"]) == reward
        assert int(player.do("energy", "balance")["balance"]) == before + reward

    price = anna.do("energy", "price")
    assert int(price["supply"]) <= int(price["sold"])
    assert int(price["sold"]) == 2 * SOME * ENERGY + MAINNET.arena.record_bond
