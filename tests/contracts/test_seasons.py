"""SeasonRegistry: who may add, which values are refused, when a season takes effect."""

from __future__ import annotations

from typing import Any

import pytest
from web3.types import TxParams, Wei

from tests.support.protocol import Season, World

UINT16 = 65_535

OUT_OF_RANGE: list[tuple[str, str, int]] = [
    ("rules", "damageK", 0),
    ("rules", "damageK", 2_185),
    ("rules", "damageCurve", 2),
    ("rules", "blockCap", 128),
    ("rules", "critOdds", 0),
    ("rules", "hazardStamina", 16),
    ("rules", "restGain", 0),
    ("rules", "maxTurns", 0),
    ("rules", "maxTurns", 255),
    ("rules", "blockThresholdNum", 0),
    ("rules", "blockThresholdDen", 0),
    ("schedule", "epochWindows", 0),
    ("schedule", "lrEpochsPerDecay", 0),
    ("schedule", "lrBase", 2),
    ("schedule", "lrBase", 14),  # above lrMax
    ("schedule", "lrMax", 16),
    ("economics", "baseCost", 0),
    ("economics", "baseCost", 2**80 + 1),
    ("economics", "growthCost", 2**80 + 1),
    ("economics", "trainerBondMultiple", 0),
    ("economics", "disputeBondMultiple", 0),
    ("economics", "rewardBps", 10_001),
    ("economics", "proverBps", 5_001),  # more than rewardBps leaves
    ("economics", "challengePeriod", 0),
    ("economics", "challengePeriod", 365 * 86_400 + 1),
    ("economics", "responseWindow", 0),
    ("economics", "responseWindow", 365 * 86_400 + 1),
    ("economics", "proofWindow", 0),
    ("economics", "proofWindow", 365 * 86_400 + 1),
    ("arena", "winnerReward", 2**80 + 1),
    ("arena", "loserReward", 5 * 10**18 + 2),  # more than the winner's
    ("arena", "disproofPeriod", 0),
    ("arena", "disproofPeriod", 365 * 86_400 + 1),
    ("arena", "rewardCooldown", 0),
    ("arena", "rewardCooldown", 365 * 86_400 + 1),
    ("arena", "recordBond", 0),
    ("arena", "recordBond", 2**80 + 1),
]

EXTREMES: list[tuple[str, dict[str, Any]]] = [
    ("rules", {"damageK": 1, "blockGain": 0, "blockCap": 0, "critOdds": 1, "hazardStamina": 0}),
    ("rules", {"damageK": 2_184, "damageCurve": 1, "blockGain": 255, "blockCap": 127}),
    ("rules", {"critOdds": UINT16, "hazardStamina": 15, "restGain": 255, "maxTurns": 254}),
    ("schedule", {"epochWindows": UINT16, "moveOnlyEpochs": UINT16, "attackEpochs": UINT16}),
    ("schedule", {"epochWindows": 1, "moveOnlyEpochs": 0, "attackEpochs": 0, "lrBase": 3}),
    ("schedule", {"lrBase": 15, "lrMax": 15, "lrHoldEpochs": UINT16, "lrEpochsPerDecay": UINT16}),
    ("economics", {"baseCost": 1, "growthCost": 0, "trainerBondMultiple": 1, "rewardBps": 4_500}),
    ("economics", {"baseCost": 2**80, "growthCost": 2**80, "trainerBondMultiple": 255}),
    ("economics", {"rewardBps": 0, "proverBps": 0, "disputeBondMultiple": 255}),
    ("arena", {"winnerReward": 2**80, "loserReward": 2**80, "recordBond": 2**80}),
    ("arena", {"winnerReward": 0, "loserReward": 0, "recordBond": 1}),
    ("arena", {"disproofPeriod": 1, "rewardCooldown": 1}),
    ("arena", {"disproofPeriod": 365 * 86_400, "rewardCooldown": 365 * 86_400}),
]


def changed(part: str, **values: Any) -> Season:
    season = Season()
    return season._replace(**{part: getattr(season, part)._replace(**values)})


def test_addSeason_byStranger_reverts(world: World, stranger: str) -> None:
    call = world.seasons.functions.addSeason(Season())
    world.reverts(call, stranger, "OwnableUnauthorizedAccount", stranger)


@pytest.mark.parametrize(("part", "field", "value"), OUT_OF_RANGE)
def test_addSeason_outOfRange_reverts(world: World, part: str, field: str, value: int) -> None:
    """P1, P2: every value outside its range is refused by name."""
    call = world.seasons.functions.addSeason(changed(part, **{field: value}))
    with pytest.raises(Exception, match="ValueOutOfRange") as caught:
        world.call(call, world.accounts[0])
    assert caught.value.values[:2] == (field, value)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("part", "values"), EXTREMES)
def test_addSeason_extremes_areAccepted(world: World, part: str, values: dict[str, Any]) -> None:
    season = changed(part, **values)
    world.send(world.seasons.functions.addSeason(season), world.accounts[0])
    stored = world.seasons.functions.season(2).call()
    assert tuple(stored[0]) == tuple(season.rules)
    assert tuple(stored[1]) == tuple(season.schedule)
    assert tuple(stored[2]) == tuple(season.economics)
    assert tuple(stored[3]) == tuple(season.arena)
    for part, values in zip(("rules", "schedule", "economics", "arena"), season, strict=True):
        assert tuple(world.seasons.functions[part](2).call()) == tuple(values)


def test_addSeason_selfSlashCheaperThanTraining_reverts(world: World) -> None:
    """P2: what a slashing burns is never less than the energy of an honest window."""
    limit = {"trainerBondMultiple": 4, "rewardBps": 7_500, "proverBps": 500}
    world.call(world.seasons.functions.addSeason(changed("economics", **limit)), world.accounts[0])
    call = world.seasons.functions.addSeason(changed("economics", **(limit | {"proverBps": 501})))
    world.reverts(call, world.accounts[0], "RewardsTooLarge", 7_500, 501, 4)


def test_season_unknown_reverts(world: World, stranger: str) -> None:
    for number in (0, 2):
        for read in ("season", "rules", "schedule", "economics", "arena", "pricing"):
            call = world.seasons.functions[read](number)
            world.reverts(call, stranger, "UnknownSeason", number)


def test_season_old_staysReadable(world: World) -> None:
    before = world.seasons.functions.season(1).call()
    world.send(world.seasons.functions.addSeason(changed("rules", damageK=100)), world.accounts[0])
    assert world.seasons.functions.currentSeason().call() == 2
    assert world.seasons.functions.season(1).call() == before


def test_effectiveSeason_beforeFirst_reverts(world: World, stranger: str) -> None:
    empty = world.create("SeasonRegistry", stranger)
    world.reverts(empty.functions.effectiveSeason(), stranger, "NoSeasonYet")


def test_effectiveSeason_inTheBlockOfTheChange_isTheOldOne(world: World, owner: str) -> None:
    """P3: a request mined in the very block that adds a season still gets the one before."""
    admin = world.accounts[0]
    world.rpc("evm_setAutomine", False)
    try:
        fees: TxParams = {"gas": 1_000_000, "gasPrice": Wei(10**11)}
        add = world.seasons.functions.addSeason(changed("rules", damageK=99))
        ask = world.beasts.functions.requestHatch(bytes(32), bytes(32), 0, bytes(32))
        added = add.transact({**fees, "from": admin, "gasPrice": Wei(2 * 10**11)})
        asked = ask.transact({**fees, "from": owner})
        world.mine()
    finally:
        world.rpc("evm_setAutomine", True)
    receipts = [world.w3.eth.get_transaction_receipt(tx) for tx in (added, asked)]
    assert [receipt["status"] for receipt in receipts] == [1, 1]
    assert receipts[0]["blockNumber"] == receipts[1]["blockNumber"]
    assert receipts[0]["transactionIndex"] < receipts[1]["transactionIndex"]
    assert world.logs("beasts", "HatchRequested", receipts[1])[0]["season"] == 1
    world.mine()
    assert world.seasons.functions.effectiveSeason().call() == 2
