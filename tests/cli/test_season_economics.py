"""`chainbeasts season economics` as a process."""

from __future__ import annotations

from tests.cli.conftest import Cli

COUNT = 13
"""Games that there are."""


def test_the_games_of_a_profile_need_no_node(cli: Cli) -> None:
    rollup, l1 = cli.json("season", "economics", "--profile", "mainnet")
    assert rollup["prices"]["gas_price"] == "10000000"
    assert l1["prices"]["gas_price"] == "1000000000"
    for played in (rollup, l1):
        assert len(played["games"]) == COUNT
        assert {game["outcome"] for game in played["games"]} == {"no loss", "deterred", "budget"}
        for game in played["games"]:
            assert int(game["net"]) == int(game["reward"]) - int(game["outlay"])
    text = cli.run("season", "economics", "--profile", "mainnet").stdout
    assert "freezing" in text
    assert "planted ancestor" in text


def test_the_games_of_a_deployment_at_given_prices(deployed: Cli) -> None:
    (played,) = deployed.json("season", "economics", "--gas-price", "2", "--energy-price", "0.01")
    assert played["prices"]["gas_price"] == "2000000000"
    assert played["prices"]["energy_price"] == str(10**16)
    dearer, cheaper = (
        deployed.json("season", "economics", "1", "--gas-price", price)[0]["games"][0]
        for price in ("4", "2")
    )
    assert int(dearer["outlay"]) == 2 * int(cheaper["outlay"])
    deployed.hinted("is no fee in gwei", "30", "season", "economics", "--gas-price", "much")
    deployed.refused("There is no season 9", "season", "economics", "9")
