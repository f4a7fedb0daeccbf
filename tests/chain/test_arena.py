"""The arena as the reader sees it: what is not there, what is refused, whose money is where."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode
from eth_hash.auto import keccak

from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.errors import Reverted, decode_revert
from chainbeasts.backend.chain.escrow import ensure_escrow
from chainbeasts.backend.chain.seasons import load_profile
from chainbeasts.backend.chain.types import MatchStatus, OpenChallenge
from chainbeasts.backend.errors import ChainBeastsError
from tests.chain.conftest import DEPLOYER, OTHER, Senders

ENERGY = 10**18


def test_a_new_arena_is_empty_and_bound_to_its_ledger(chain: Chain) -> None:
    assert chain.match_count() == 0
    assert chain.match(1).status is MatchStatus.NONE
    assert not chain.open_challenge(1)
    assert OpenChallenge("0x" + "11" * 20, 0, b"\1" * 32)
    assert chain.rewards_of(chain.deployment.deployer) == 0
    assert chain.call(chain.ledger.functions.arena()) == chain.arena.address
    assert chain.season(1).arena == load_profile("devnet").season.arena


def test_what_the_arena_refuses_is_a_sentence(chain: Chain) -> None:
    with pytest.raises(Reverted, match="There is no match 3") as caught:
        chain.final_log(3)
    assert "battle list" in caught.value.hint
    entry = next(e for e in chain.arena.abi if e.get("name") == "WrongMatchStatus")
    types = [argument["type"] for argument in entry["inputs"]]
    selector = keccak(f"WrongMatchStatus({','.join(types)})".encode())[:4]
    refused = decode_revert(selector + encode(types, [7, 3]))
    assert refused.message == "Match 7 is seeded; this move is not made from there."


def test_each_escrow_has_its_own_money(chain: Chain, sender: Senders) -> None:
    deployer, reporter = sender(DEPLOYER), sender(OTHER)
    deployer.send(chain.energy.functions.mint(reporter.address, 30 * ENERGY), label="mint")
    assert ensure_escrow(chain, reporter, 20 * ENERGY, escrow=chain.arena) == 20 * ENERGY
    assert ensure_escrow(chain, reporter, 20 * ENERGY, escrow=chain.arena) == 0
    assert chain.escrow_of(reporter.address, chain.arena) == 20 * ENERGY
    assert chain.escrow_of(reporter.address) == 0
    assert ensure_escrow(chain, reporter, 4 * ENERGY, spare=100 * ENERGY) == 10 * ENERGY
    assert chain.escrow_of(reporter.address) == 10 * ENERGY
    with pytest.raises(ChainBeastsError, match="10 ENERGY are needed"):
        ensure_escrow(chain, reporter, 30 * ENERGY, escrow=chain.arena)


def test_nobody_binds_another_court_or_arena(chain: Chain, sender: Senders) -> None:
    court, arena = chain.court.address, chain.arena.address
    assert chain.call(chain.ledger.functions.court()) == court
    with pytest.raises(Reverted) as caught:
        sender(DEPLOYER).simulate(chain.ledger.functions.bind(court, arena))
    assert caught.value.name == "AlreadyBound"
