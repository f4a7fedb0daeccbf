"""SeasonRegistry: who may add, which values are refused, when a season takes effect."""

from __future__ import annotations

from typing import Any

import pytest
from web3.contract import Contract
from web3.types import TxParams, Wei

from tests.support.protocol import DAY, GWEI, Limits, RevertedError, Season, World
from tests.support.snapshots import nothing_mined

UINT16 = 65_535
FILING_GAS, PROOF_GAS = 5_400_000, 16_000_000
"""What the two shares of a stake must pay for."""

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
    ("rules", "selfPlayWords", 0),
    ("rules", "selfPlayWords", 128),
    ("schedule", "epochWindows", 0),
    ("schedule", "lrEpochsPerDecay", 0),
    ("schedule", "lrBase", 2),
    ("schedule", "lrBase", 14),  # above lrMax
    ("schedule", "lrMax", 16),
    ("economics", "baseCost", 0),
    ("economics", "baseCost", 2**80 + 1),
    ("economics", "growthCost", 2**80 + 1),
    ("economics", "hatchCost", 2**80 + 1),
    ("economics", "energyPrice", 2**80 + 1),
    ("economics", "trainerBondMultiple", 0),
    ("economics", "disputeBondMultiple", 0),
    ("economics", "disputeBondMultiple", 6),  # more than 1 + trainerBondMultiple
    ("economics", "stakeGas", 0),
    ("economics", "filingBps", 5_001),
    ("economics", "proofBps", 4_001),  # with filingBps more than half
    ("economics", "challengePeriod", 0),
    ("economics", "challengePeriod", 365 * 86_400 + 1),
    ("economics", "responseWindow", 0),
    ("economics", "responseWindow", 365 * 86_400 + 1),
    ("economics", "proofWindow", 0),
    ("economics", "proofWindow", 365 * 86_400 + 1),
    ("economics", "publicationAge", 30 * DAY + 300 + 100 + 200 - 1),
    ("economics", "publicationAge", 365 * DAY + 1),
    ("arena", "winnerReward", 2**80 + 1),
    ("arena", "loserReward", 10**15 + 2),  # more than the winner's
    ("arena", "disproofPeriod", 0),
    ("arena", "disproofPeriod", 365 * 86_400 + 1),
    ("arena", "rewardCooldown", 0),
    ("arena", "rewardCooldown", 365 * 86_400 + 1),
    ("arena", "recordBond", 0),
    ("arena", "recordBond", 2**80 + 1),
    ("arena", "rewardCapBps", 5_001),
    ("arena", "recordWindow", 3 * 150 - 1),  # less than three disproof periods
    ("arena", "recordWindow", 3 * 365 * DAY + 1),
]

EXTREMES: list[tuple[str, dict[str, Any]]] = [
    ("rules", {"damageK": 1, "blockGain": 0, "blockCap": 0, "critOdds": 1, "hazardStamina": 0}),
    ("rules", {"damageK": 2_184, "damageCurve": 1, "blockGain": 255, "blockCap": 127}),
    ("rules", {"critOdds": UINT16, "hazardStamina": 15, "restGain": 255, "maxTurns": 254}),
    ("schedule", {"epochWindows": UINT16, "moveOnlyEpochs": UINT16, "attackEpochs": UINT16}),
    ("schedule", {"epochWindows": 1, "moveOnlyEpochs": 0, "attackEpochs": 0, "lrBase": 3}),
    ("schedule", {"lrBase": 15, "lrMax": 15, "lrHoldEpochs": UINT16, "lrEpochsPerDecay": UINT16}),
    ("economics", {"baseCost": 1, "growthCost": 0, "trainerBondMultiple": 1}),
    ("economics", {"baseCost": 2**80, "growthCost": 2**80, "trainerBondMultiple": 255}),
    ("economics", {"trainerBondMultiple": 255, "disputeBondMultiple": 255}),
    ("economics", {"trainerBondMultiple": 1, "disputeBondMultiple": 1, "energyPrice": 0}),
    ("economics", {"filingBps": 1_000, "proofBps": 4_000, "energyPrice": 2**80}),
    ("economics", {"hatchCost": 2**80}),
    ("economics", {"hatchCost": 0}),
    ("economics", {"filingBps": 2_333, "proofBps": 2_667}),
    ("economics", {"stakeGas": 2**32 - 1, "filingBps": 13, "proofBps": 38}),
    ("economics", {"responseWindow": 29 * DAY - 1, "proofWindow": 1}),
    ("economics", {"challengePeriod": 335 * DAY - 300, "publicationAge": 365 * DAY}),
    ("arena", {"winnerReward": 2**80, "loserReward": 2**80, "recordBond": 2**80}),
    ("arena", {"winnerReward": 0, "loserReward": 0, "recordBond": 1}),
    ("arena", {"disproofPeriod": 1, "rewardCooldown": 1, "recordWindow": 3}),
    ("arena", {"disproofPeriod": 365 * DAY, "recordWindow": 3 * 365 * DAY}),
    ("arena", {"rewardCooldown": 365 * DAY, "rewardCapBps": 0}),
    ("arena", {"rewardCapBps": 5_000}),
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


def economics_call(world: World, **values: Any) -> Any:
    return world.seasons.functions.addSeason(changed("economics", **values))


@pytest.mark.parametrize("filing", [900, 1_000, 2_333])
def test_addSeason_selfSlashCheaperThanTraining_reverts(world: World, filing: int) -> None:
    """P2, P52: half of what is slashed burns, so with the least bond, once the window's price, a
    slashing still burns no less than an honest window does."""
    half = {"trainerBondMultiple": 1, "filingBps": filing, "proofBps": 5_000 - filing}
    world.call(economics_call(world, **half), world.accounts[0])
    over = economics_call(world, **(half | {"proofBps": 5_001 - filing}))
    expected = ("proofBps", 5_001 - filing, 0, 5_000 - filing)
    world.reverts(over, world.accounts[0], "ValueOutOfRange", *expected)


@pytest.mark.parametrize("multiple", [1, 4, 253])
def test_addSeason_filersBond_isAtMostWhatTheOffenderLocks(world: World, multiple: int) -> None:
    locked = {"trainerBondMultiple": multiple}
    most = economics_call(world, **locked, disputeBondMultiple=multiple + 1)
    world.call(most, world.accounts[0])
    over = economics_call(world, **locked, disputeBondMultiple=multiple + 2)
    expected = ("disputeBondMultiple", multiple + 2, 1, multiple + 1)
    world.reverts(over, world.accounts[0], "ValueOutOfRange", *expected)


@pytest.mark.parametrize(
    ("enough", "little", "reward", "cost"),
    [
        ({"filingBps": 900}, {"filingBps": 899}, 5_394_000, FILING_GAS),
        ({"proofBps": 2_667}, {"proofBps": 2_666}, 15_996_000, PROOF_GAS),
        ({"stakeGas": 54_000_000}, {"stakeGas": 53_999_999}, FILING_GAS - 1, FILING_GAS),
        (
            {"filingBps": 2_000, "stakeGas": 53_333_334},
            {"filingBps": 2_000, "stakeGas": 53_333_333},
            PROOF_GAS - 1,
            PROOF_GAS,
        ),
    ],
)
def test_addSeason_unpaidConviction_reverts(
    world: World, enough: dict[str, int], little: dict[str, int], reward: int, cost: int
) -> None:
    """P53: each share of a stake, in gas, pays what it is for, twice over."""
    world.call(economics_call(world, **enough), world.accounts[0])
    call = economics_call(world, **little)
    world.reverts(call, world.accounts[0], "ConvictionUnpaid", reward, cost)


@pytest.mark.parametrize("response", [1, 100, 14 * DAY, 29 * DAY - 1])
def test_addSeason_disputeLongerThanAPublicationsRenewal_reverts(
    world: World, response: int
) -> None:
    """P36: 29 days, a day less than archives keep the time of a publication."""
    rest = 29 * DAY - response
    world.call(economics_call(world, responseWindow=response, proofWindow=rest), world.accounts[0])
    call = economics_call(world, responseWindow=response, proofWindow=rest + 1)
    world.reverts(call, world.accounts[0], "DisputeTooLong", 29 * DAY, 29 * DAY + 1)


@pytest.mark.parametrize(
    "periods",
    [
        {"challengePeriod": 1, "responseWindow": 1, "proofWindow": 1},
        {"challengePeriod": 7 * DAY, "responseWindow": 2 * DAY, "proofWindow": 3 * DAY},
        {"challengePeriod": 300 * DAY, "responseWindow": 20 * DAY, "proofWindow": 9 * DAY},
    ],
)
def test_addSeason_publicationAge_outlivesADispute(world: World, periods: dict[str, int]) -> None:
    """P36: what counted when the window was submitted still counts when a dispute over it ends."""
    least = 30 * DAY + sum(periods.values())
    world.call(economics_call(world, **periods, publicationAge=least), world.accounts[0])
    call = economics_call(world, **periods, publicationAge=least - 1)
    expected = ("publicationAge", least - 1, least, 365 * DAY)
    world.reverts(call, world.accounts[0], "ValueOutOfRange", *expected)


# --- the limits of a deployment ---------------------------------------------------------------

STRICT = Limits(
    referenceFee=7 * GWEI,
    minChallengePeriod=300,
    minResponseWindow=100,
    minProofWindow=200,
    minStakeGas=60_000_000,
    minTrainerBondMultiple=4,
    minDisputeBondMultiple=2,
    maxPublicationAge=60 * DAY,
)
"""The tests' season stands at every one of them."""


@pytest.fixture
def strict(world: World) -> Contract:
    """A registry with narrow limits."""
    return world.create("SeasonRegistry", world.accounts[0], tuple(STRICT))


def test_limits_areWhatWasDeployed(world: World, strict: Contract) -> None:
    assert tuple(strict.functions.limits().call()) == STRICT
    assert strict.functions.referenceFee().call() == 7 * GWEI
    assert world.seasons.functions.referenceFee().call() == Limits().referenceFee


def test_addSeason_atEveryLimit_isAccepted(world: World, strict: Contract) -> None:
    world.send(strict.functions.addSeason(Season()), world.accounts[0])
    assert tuple(strict.functions.season(1).call()[2]) == Season().economics


@pytest.mark.parametrize(
    ("field", "value", "least", "most"),
    [
        ("challengePeriod", 299, 300, 365 * DAY),
        ("responseWindow", 99, 100, 365 * DAY),
        ("proofWindow", 199, 200, 365 * DAY),
        ("stakeGas", 59_999_999, 60_000_000, 2**32 - 1),
        ("trainerBondMultiple", 3, 4, 255),
        ("disputeBondMultiple", 1, 2, 5),
        ("publicationAge", 60 * DAY + 1, 30 * DAY + 600, 60 * DAY),
    ],
)
def test_addSeason_beyondALimit_reverts(
    world: World, strict: Contract, field: str, value: int, least: int, most: int
) -> None:
    """Governance can tighten a deployment's promises, and never loosen them."""
    call = strict.functions.addSeason(changed("economics", **{field: value}))
    world.reverts(call, world.accounts[0], "ValueOutOfRange", field, value, least, most)
    open_to_all = world.seasons.functions.addSeason(changed("economics", **{field: value}))
    world.call(open_to_all, world.accounts[0])


@pytest.mark.parametrize(
    "field",
    [
        "challengePeriod",
        "responseWindow",
        "proofWindow",
        "stakeGas",
        "trainerBondMultiple",
        "disputeBondMultiple",
    ],
)
def test_addSeason_withoutLimits_stillNeedsOne(world: World, field: str) -> None:
    """P2: a limit left at zero does not stop time or make anything free."""
    none = Limits(GWEI, 0, 0, 0, 0, 0, 0, 365 * DAY)
    registry = world.create("SeasonRegistry", world.accounts[0], tuple(none))
    call = registry.functions.addSeason(changed("economics", **{field: 0}))
    with pytest.raises(RevertedError, match="ValueOutOfRange") as caught:
        world.call(call, world.accounts[0])
    assert caught.value.values[:3] == (field, 0, 1)


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
    empty = world.create("SeasonRegistry", stranger, tuple(Limits()))
    world.reverts(empty.functions.effectiveSeason(), stranger, "NoSeasonYet")


def test_effectiveSeason_inTheBlockOfTheChange_isTheOldOne(world: World, owner: str) -> None:
    """P3: a request mined in the very block that adds a season still gets the one before."""
    admin = world.accounts[0]
    world.pay_hatch(owner)
    with nothing_mined(world.rpc):
        fees: TxParams = {"gas": 1_000_000, "gasPrice": Wei(10**11)}
        add = world.seasons.functions.addSeason(changed("rules", damageK=99))
        ask = world.beasts.functions.requestHatch(bytes(32), bytes(32), 0, bytes(32))
        added = add.transact({**fees, "from": admin, "gasPrice": Wei(2 * 10**11)})
        asked = ask.transact({**fees, "from": owner})
        world.mine()
    receipts = [world.w3.eth.get_transaction_receipt(tx) for tx in (added, asked)]
    assert [receipt["status"] for receipt in receipts] == [1, 1]
    assert receipts[0]["blockNumber"] == receipts[1]["blockNumber"]
    assert receipts[0]["transactionIndex"] < receipts[1]["transactionIndex"]
    assert world.logs("beasts", "HatchRequested", receipts[1])[0]["season"] == 1
    world.mine()
    assert world.seasons.functions.effectiveSeason().call() == 2
