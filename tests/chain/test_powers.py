"""Who may do what after a deployment, and what a doctored one shows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from web3.exceptions import Web3RPCError

from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.powers import (
    TIMELOCK_CAN,
    holder_name,
    names_of,
    powers_of,
    violations,
)
from chainbeasts.backend.chain.types import ZERO_ADDRESS
from chainbeasts.backend.doctor.powers import check_powers
from chainbeasts.backend.doctor.report import Result
from tests.chain.conftest import OTHER, Senders


def test_a_deployment_leaves_the_powers_that_it_lists(chain: Chain) -> None:
    powers, addresses = powers_of(chain), chain.deployment.addresses
    deployer, timelock = chain.deployment.deployer, addresses["TimelockController"]
    assert set(powers.minters) == {addresses["EnergySale"], addresses["Arena"], deployer}
    assert powers.minter_admins == ()
    assert (powers.registry_owner, powers.treasury) == (timelock, timelock)
    assert (powers.proposers, powers.cancellers) == ((deployer,), (deployer,))
    assert (powers.executors, powers.timelock_admins) == ((ZERO_ADDRESS,), (timelock,))
    assert powers.deployer_keeps == (
        "mint ENERGY",
        "propose to the timelock",
        "cancel what is in the timelock",
    )
    assert (powers.delay, powers.timelock_can) == (3, TIMELOCK_CAN)
    assert violations(chain, powers) == []
    assert names_of(chain, powers.executors) == "anybody"
    assert names_of(chain, powers.minter_admins) == "nobody"
    assert holder_name(chain, timelock) == f"TimelockController ({timelock})"


def test_a_node_without_old_logs_tells_what_it_can(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise Web3RPCError("query exceeds max block range")

    whole = powers_of(chain)
    monkeypatch.setattr(chain.w3.eth, "get_logs", refuse)
    told = powers_of(chain)
    assert not told.complete
    assert replace(told, complete=True) == whole
    (check,) = [one for one in check_powers(chain) if one.result is not Result.OK]
    assert (check.name, check.result) == ("powers", Result.WARNING)


def test_logs_that_begin_after_the_deployment_are_not_taken_for_all(chain: Chain) -> None:
    """Neither a node that has forgotten, nor a record that begins late, hides who had a role."""
    late = replace(chain.deployment, start_block=chain.block().number + 1)
    told = powers_of(Chain(chain.w3, chain.rpc_url, late))
    assert not told.complete
    assert replace(told, complete=True) == powers_of(chain)


def test_every_power_that_is_too_many_is_named(
    chain: Chain, sender: Senders, monkeypatch: pytest.MonkeyPatch
) -> None:
    powers, stranger = powers_of(chain), sender(OTHER).address
    timelock = chain.deployment.addresses["TimelockController"]
    doctored = replace(
        powers,
        minters=(*powers.minters, stranger),
        minter_admins=(timelock,),
        registry_owner=stranger,
        treasury=stranger,
        timelock_admins=(timelock, stranger),
    )
    said = violations(chain, doctored)
    assert len(said) == 5
    assert [stranger in sentence for sentence in said] == [True, False, True, True, True]
    assert "TimelockController" in said[1]
    monkeypatch.delitem(chain.deployment.transactions, "faucet")
    assert "minted by the deployer" in violations(chain, powers)[0]
