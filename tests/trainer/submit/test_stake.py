"""The stake on a real chain: put up before the first window, once, topped up, taken back."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from chainbeasts.backend.accounts import devnet_account
from chainbeasts.backend.cli.units import iso_time
from chainbeasts.backend.indexer.records import checkpoint_of
from chainbeasts.trainer.submit.stake import default_stake, required_stake
from tests.trainer.conftest import CHALLENGER, TRAINER, Farm

GWEI, COIN = 10**9, 10**18
ME = devnet_account(TRAINER).address


@pytest.fixture(autouse=True)
def base_fee(farm: Farm) -> Iterator[None]:
    """10 gwei, taken back after the test: undoing blocks does not."""
    before = int(farm.chain.w3.eth.get_block("latest")["baseFeePerGas"])
    farm.set_base_fee(10 * GWEI)
    yield
    farm.set_base_fee(before)


def hatch(farm: Farm, *args: str) -> int:
    return int(farm.done("beast", "hatch", "--yes", *args)["beast"])


def train(farm: Farm, beast: int, *args: str) -> None:
    farm.done("trainer", "run", str(beast), "--no-metrics", *args)


def staked(farm: Farm, beast: int) -> int:
    return farm.chain.stake_of(beast, ME).amount


def test_a_run_stakes_once_before_the_first_window_and_says_the_sum(farm: Farm) -> None:
    beast = hatch(farm)
    wanted = default_stake(farm.chain, beast)
    result = farm.invoke("trainer", "run", str(beast), "--windows", "2", "--no-metrics")
    assert result.exception is None
    (put_up,) = farm.events("Staked")
    # The default follows the base fee, which falls in an empty block and rises in no half full one.
    assert 0.5 * wanted < put_up["amount"] <= wanted
    assert f"on beast {beast}" in result.stderr
    assert "answer for your windows" in result.stderr
    train(farm, beast)
    assert len(farm.events("Staked")) == 1
    assert staked(farm, beast) == put_up["amount"]


@pytest.mark.parametrize("when", ["signed", "sent"])
def test_killed_while_staking_it_stakes_once(farm: Farm, when: str) -> None:
    beast = hatch(farm)
    ran = farm.killed(when, "stake", "trainer", "run", str(beast), "--no-metrics")
    assert ran.returncode == -signal.SIGKILL
    train(farm, beast)
    assert len(farm.events("Staked")) == 1
    assert farm.chain.head(beast).head_count == 1


def test_a_base_fee_that_has_risen_asks_for_more(farm: Farm) -> None:
    beast = hatch(farm)
    train(farm, beast)
    before = staked(farm, beast)
    farm.set_base_fee(50 * GWEI)
    train(farm, beast)
    assert len(farm.events("Staked")) == 2
    assert staked(farm, beast) > 3 * before


def test_a_chosen_stake_is_what_stands_and_too_little_is_refused(farm: Farm) -> None:
    beast = hatch(farm)
    error = farm.refused("trainer", "run", str(beast), "--stake", "0.1", "--no-metrics")
    assert "asks for a stake of" in error.message
    assert "--stake allows 0.1 native coin" in error.message
    assert farm.events("Staked") == []
    train(farm, beast, "--stake", "2.5")
    assert staked(farm, beast) == 5 * COIN // 2
    error = farm.refused("trainer", "run", str(beast), "--stake", "much")
    assert "not an amount of native coin" in error.message


def test_without_coin_for_the_stake_it_says_how_much_is_needed(farm: Farm) -> None:
    beast = hatch(farm)
    farm.set_balance(TRAINER, COIN // 10)
    error = farm.refused("trainer", "run", str(beast), "--no-metrics")
    assert f"{ME} cannot put up the stake on beast {beast}" in error.message
    assert "it has 0.1 native coin" in error.message
    assert farm.chain.head(beast).head_count == 0


def test_a_stake_leaves_once_nothing_can_fall_and_is_put_up_anew(farm: Farm) -> None:
    beast = hatch(farm)
    assert "no stake" in farm.refused("trainer", "unstake", str(beast)).message
    train(farm, beast)
    amount = staked(farm, beast)
    told = farm.done("trainer", "unstake", str(beast))
    assert told["withdrawable_at"] > iso_time(farm.chain.now())
    error = farm.refused("trainer", "run", str(beast), "--no-metrics")
    assert "withdrawal of your stake" in error.message
    assert f"trainer stake {beast}" in error.hint
    error = farm.refused("trainer", "unstake", str(beast))
    assert "can be withdrawn from" in error.message
    assert "first 1 windows are final (0 are)" in error.message
    farm.travel(76)
    assert "first 1 windows" in farm.refused("trainer", "unstake", str(beast)).message
    farm.done("checkpoint", "finalize", str(beast))
    before = farm.balance(TRAINER)
    assert farm.done("trainer", "unstake", str(beast))["amount"] == "0"
    assert 0.9 * amount < farm.balance(TRAINER) - before < amount
    assert farm.done("trainer", "status")["stakes"] == []
    train(farm, beast)
    assert staked(farm, beast) > 0


def test_a_stake_that_is_leaving_can_stay(farm: Farm) -> None:
    beast = hatch(farm)
    train(farm, beast)
    farm.done("trainer", "unstake", str(beast))
    assert farm.done("trainer", "stake", str(beast))["withdrawable_at"] is None
    train(farm, beast)
    before = staked(farm, beast)
    added = farm.done("trainer", "stake", str(beast), "--amount", "0.25", "--yes")
    assert int(added["amount"]) == staked(farm, beast) == before + COIN // 4
    (shown,) = farm.done("trainer", "status")["stakes"]
    assert (shown["beast"], int(shown["amount"])) == (beast, staked(farm, beast))
    (held,) = farm.done("beast", "show", str(beast), who=None)["stakes"]
    assert (held["trainer"], int(held["amount"])) == (ME, staked(farm, beast))


def test_a_reward_out_of_a_slashed_stake_is_waited_for_and_then_settled(farm: Farm) -> None:
    beast = hatch(farm)
    train(farm, beast, "--windows", "2")
    dispute = farm.file(beast)
    rows = farm.workspace().live(beast)
    record, parent = (checkpoint_of(row).to_abi() for row in (rows[1], rows[0]))
    farm.travel(16)
    claim = farm.chain.court.functions.claimTimeout((dispute, beast, record, parent))
    farm.send(CHALLENGER, claim)
    assert staked(farm, beast) == 0
    error = farm.refused("trainer", "run", str(beast), "--no-metrics")
    assert "Your stake on beast" in error.message
    assert "held until 1 of the beast's windows are final (0 are)" in error.message
    farm.travel(31)
    farm.done("checkpoint", "finalize", str(beast))
    train(farm, beast)
    assert farm.chain.head(beast).head_count == 2
    assert len(farm.events("RewardSettled")) == 1


def test_a_payload_of_another_trainer_program_finds_its_stake_too(farm: Farm) -> None:
    beast = hatch(farm)
    assert required_stake(farm.chain, beast) > 0
    farm.done("checkpoint", "submit", str(beast), "--stake", "3", "--yes")
    assert staked(farm, beast) == 3 * COIN
