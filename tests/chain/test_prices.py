"""What a window costs here is what the ledger takes there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chainbeasts.backend.accounts import devnet_account
from chainbeasts.backend.chain.anvil import rpc
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.errors import Reverted
from chainbeasts.backend.chain.escrow import ensure_stake
from chainbeasts.backend.chain.prices import (
    active_params,
    dispute_bond,
    opening_bond,
    opening_gas,
    stake_price,
    window_lock,
    window_price,
)
from chainbeasts.backend.chain.seasons import load_profile
from chainbeasts.backend.chain.types import Commitments, Economics, Season
from chainbeasts.backend.kernel.constants import WEIGHTS, WINDOW_STEPS
from chainbeasts.backend.kernel.samples import Source
from tests.chain.conftest import TRAINER, Senders, fund, submit
from tests.support.onchain import mined
from tests.support.rpc_proxy import RpcProxy
from tests.support.snapshots import set_base_fee

ENERGY = 10**18
DEVNET = load_profile("devnet").season


def add_season(chain: Chain, season: Season) -> None:
    """As the timelock would after its delay."""
    owner = chain.deployment.addresses["TimelockController"]
    rpc(chain.rpc_url, "anvil_setBalance", owner, hex(ENERGY))
    rpc(chain.rpc_url, "anvil_impersonateAccount", owner)
    add = chain.seasons.functions.addSeason(season.to_abi())
    sent = add.transact({"from": chain.w3.to_checksum_address(owner)})
    mined(chain.w3, sent)


def quotes_agree(
    chain: Chain, beast: int, economics: Economics, masks: Iterable[int] = range(256)
) -> int:
    """Compares the ledger's quotes for masks; returns how many it quotes."""
    parent, quoted = chain.head(beast).active_mask, 0
    for mask in masks:
        if mask & parent != parent:
            with pytest.raises(Reverted, match="Slots once awake stay awake"):
                chain.quote(beast, mask)
            continue
        quoted += 1
        burn, bond = chain.quote(beast, mask)
        assert burn == window_price(economics, parent, mask), (parent, mask)
        assert burn + bond == window_lock(economics, parent, mask), (parent, mask)
    return quoted


def test_quotes_and_locks_after_every_growth(
    chain: Chain, sender: Senders, hatch: Callable[..., int]
) -> None:
    trainer = devnet_account(TRAINER).address
    fund(chain, sender, TRAINER, 10_000 * ENERGY)
    beast, economics = hatch(), DEVNET.economics
    parent = chain.head(beast).active_mask
    assert quotes_agree(chain, beast, economics) == 2 ** (8 - parent.bit_count())
    for slot in (7, 1):
        mask = parent | 1 << slot
        before = chain.escrow_of(trainer)
        record = submit(chain, sender, beast, mask)
        assert record.locked == window_lock(economics, parent, mask)
        assert before - chain.escrow_of(trainer) == record.locked
        assert chain.head(beast).active_mask == mask
        parent = mask
        assert quotes_agree(chain, beast, economics) == 2 ** (8 - parent.bit_count())


@settings(max_examples=3)
@given(
    base=st.integers(1, 2**80),
    growth=st.integers(0, 2**80),
    multiple=st.integers(1, 255),
)
@example(base=1, growth=0, multiple=1)
def test_quotes_in_any_season(
    base: int,
    growth: int,
    multiple: int,
    chain: Chain,
    hatch: Callable[..., int],
) -> None:
    economics = replace(
        DEVNET.economics,
        base_cost=base,
        growth_cost=growth,
        trainer_bond_multiple=multiple,
        proof_bps=4_000,  # with filing_bps, what the smallest bond can carry
    )
    add_season(chain, replace(DEVNET, economics=economics))
    number = chain.current_season()
    assert chain.season(number).economics == economics
    beast = hatch()
    assert chain.head(beast).season == number
    parent = chain.head(beast).active_mask
    masks = {parent | mask for mask in (*(1 << slot for slot in range(8)), 0x0F, 0xF0, 0xFF)}
    assert quotes_agree(chain, beast, economics, masks) == len(masks)


def test_a_brain_fully_awake_costs_the_base_cost_a_step() -> None:
    economics = replace(DEVNET.economics, base_cost=1_000, growth_cost=77)
    assert active_params(0) == 0
    assert active_params(0xFF) == WEIGHTS
    assert window_price(economics, 0xFF, 0xFF) == WINDOW_STEPS * 1_000
    assert window_price(economics, 0xFC, 0xFF) == WINDOW_STEPS * 1_000 + 2 * 77
    # A part of a wei is a wei: the beast never trains below its price.
    tiny = replace(economics, base_cost=1, growth_cost=0)
    assert window_price(tiny, 1, 1) == WINDOW_STEPS


def fee(chain: Chain) -> int:
    """At which stakes and bonds are reckoned in the latest block."""
    base = int(chain.w3.eth.get_block("latest")["baseFeePerGas"])
    return max(base, chain.limits().reference_fee)


@pytest.mark.parametrize("length", [1, 2, 128, 129, 4_096, 65_536])
def test_stakes_and_bonds_are_what_the_contracts_ask_for(
    length: int, chain: Chain, sender: Senders, hatch: Callable[..., int]
) -> None:
    trainer = sender(TRAINER)
    fund(chain, sender, TRAINER, 1_000 * ENERGY)
    beast = hatch(Commitments(b"\1" * 32, b"\2" * 32, length, b"\3" * 32))
    mask, economics = chain.head(beast).active_mask, DEVNET.economics
    assert chain.required_stake(beast) == stake_price(economics, fee(chain))
    sources = (Source.PRIVATE, Source.CURRICULUM, Source.PRIVATE)
    windows = [submit(chain, sender, beast, mask, source=source) for source in sources]
    owed = (0b101, 0b011, 0b111)  # the very first window starts from no state
    for number, (window, missing) in enumerate(zip(windows, owed, strict=True)):
        quote = chain.filing_quote(beast, window)
        assert quote.missing == missing
        assert quote.bond == dispute_bond(economics, window.payload.energy_burn)
        gas = opening_gas(missing, length)
        assert quote.opening_bond == opening_bond(gas, fee(chain), number)
        call = chain.court.functions.file(beast, window.to_abi())
        trainer.send(call, label="file", value=2 * quote.opening_bond)
        bond = chain.opening_bond_of(number + 1)
        assert bond.surplus == number * bond.base
    assert chain.credit_of(trainer.address) > 0  # what was too much


def without_a_fee(method: str, params: list[Any]) -> None:
    """As geth runs a call that offers no price: the base fee is 0."""
    if method == "eth_call" and not {"gasPrice", "maxFeePerGas"} & set(params[0]):
        params += [{}, {"baseFee": "0x0"}]


def test_bonds_are_right_on_a_node_whose_calls_know_no_base_fee(
    chain: Chain, sender: Senders, hatch: Callable[..., int]
) -> None:
    fund(chain, sender, TRAINER, 1_000 * ENERGY)
    beast = hatch()
    window = submit(chain, sender, beast, chain.head(beast).active_mask)
    set_base_fee(partial(rpc, chain.rpc_url), 40 * chain.limits().reference_fee)
    rpc(chain.rpc_url, "anvil_mine", "0x1")
    with RpcProxy(chain.rpc_url, without_a_fee) as proxy:
        geth = Chain.connect(proxy.url, chain.deployment)
        asked = geth.call(geth.court.functions.quote(beast, window.to_abi()))[1]
        quote = geth.filing_quote(beast, window)
        assert quote == chain.filing_quote(beast, window)
        assert quote.opening_bond > 30 * asked  # which the court would refuse
        assert geth.required_stake(beast) == chain.required_stake(beast)


def test_a_stake_is_filled_up_to_what_is_asked_for(
    chain: Chain, sender: Senders, hatch: Callable[..., int]
) -> None:
    trainer, beast = sender(TRAINER), hatch()
    assert ensure_stake(chain, trainer, beast, 70) == 70
    assert ensure_stake(chain, trainer, beast, 70) == 0
    assert ensure_stake(chain, trainer, beast, 100) == 30
    assert chain.stake_of(beast, trainer.address).amount == 100
