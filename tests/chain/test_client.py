"""Reading a deployment: the right chain, answers as dataclasses, refusals as sentences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace

import pytest
from eth_hash.auto import keccak

from chainbeasts.backend.accounts import devnet_account
from chainbeasts.backend.chain.anvil import Anvil, rpc
from chainbeasts.backend.chain.client import Chain, connect, read
from chainbeasts.backend.chain.errors import (
    ChainError,
    NodeUnavailableError,
    Reverted,
    WrongChainError,
)
from chainbeasts.backend.chain.events import RawLog
from chainbeasts.backend.chain.providers import make_web3
from chainbeasts.backend.chain.types import NO_CHECKPOINT, Commitments
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.samples import Source
from tests.chain.conftest import DEPLOYER, OTHER, TRAINER, Senders
from tests.support.ports import free_port

PRIVATE = Commitments(b"\x01" * 32, b"\x02" * 32, 77, b"\x03" * 32)
CONTEXT_FIELDS = (  # of the struct in contracts/types/KernelTypes.sol, in its order
    "dna",
    "epoch_seed",
    "heads",
    "lr_shift",
    "source",
    "owner_secret_fold",
    "records_root",
    "records_length",
    "rules",
)


def test_another_chain_is_refused_with_both_ids(chain: Chain) -> None:
    other = replace(chain.deployment, chain_id=5)
    with pytest.raises(WrongChainError) as caught:
        Chain.connect(chain.rpc_url, other)
    assert f"serves chain {chain.deployment.chain_id}; the deployment is on chain 5" in str(
        caught.value
    )
    assert "--rpc-url" in caught.value.hint
    Chain.connect(chain.rpc_url, chain.deployment)


@pytest.mark.parametrize("scheme", ["http", "ws"])
def test_a_dead_node_is_told_with_the_remedy(scheme: str) -> None:
    url = f"{scheme}://127.0.0.1:{free_port()}"
    with pytest.raises(NodeUnavailableError) as caught:
        connect(url)
    assert f"No node answers at {url}" in caught.value.message
    assert "chainbeasts devnet up" in caught.value.hint


def test_a_node_that_dies_later_is_told_too(chain: Chain) -> None:
    with Anvil() as child:
        lost = Chain(make_web3(child.url), child.url, chain.deployment)
        assert lost.block(0).number == 0
    with pytest.raises(NodeUnavailableError):
        lost.block(0)


def test_a_contract_that_is_not_there_is_told(chain: Chain) -> None:
    rpc(chain.rpc_url, "anvil_setCode", chain.deployment.addresses["Energy"], "0x")
    with pytest.raises(NodeUnavailableError, match="does not answer"):
        chain.energy_of(devnet_account(TRAINER).address)


def test_a_contract_that_is_away_for_a_moment_is_asked_again(chain: Chain) -> None:
    """As in the middle of a reorg."""
    address = chain.deployment.addresses["Energy"]
    code = rpc(chain.rpc_url, "eth_getCode", address, "latest")
    rpc(chain.rpc_url, "anvil_setCode", address, "0x")
    balance, asked = chain.energy.functions.balanceOf(devnet_account(OTHER).address), []

    def ask() -> object:
        asked.append(len(asked))
        if len(asked) == 2:
            rpc(chain.rpc_url, "anvil_setCode", address, code)
        return balance.call()

    assert read(ask, chain.rpc_url, attempts=10) == 0
    assert asked == [0, 1]


def test_refusals_carry_their_values(chain: Chain, hatch: Callable[..., int]) -> None:
    with pytest.raises(Reverted) as caught:
        chain.quote(hatch(), 0)
    assert caught.value.name == "MaskShrinks"
    mask = caught.value.args_by_name["parentMask"]
    assert caught.value.args_by_name == {"parentMask": mask, "mask": 0}
    assert caught.value.message == f"Slots once awake stay awake: {mask} cannot become 0."

    stranger = devnet_account(OTHER).address
    transfer = chain.energy.functions.transfer(devnet_account(TRAINER).address, 3 * 10**18)
    with pytest.raises(Reverted) as caught:
        chain.read(lambda: transfer.call({"from": stranger}))
    assert caught.value.name == "ERC20InsufficientBalance"
    assert f"{stranger} has 0 ENERGY; 3 ENERGY are needed." == caught.value.message
    assert "energy faucet" in caught.value.hint


def test_blocks(chain: Chain) -> None:
    rpc(chain.rpc_url, "anvil_mine", "0x2")
    latest = chain.block()
    assert chain.block(latest.number - 1).hash == latest.parent_hash
    assert chain.block(latest.hash) == latest  # type: ignore[arg-type]
    assert chain.now() == latest.timestamp
    with pytest.raises(ChainError, match=f"does not have block {latest.number + 9}"):
        chain.block(latest.number + 9)


def test_events_are_decoded_in_chain_order(
    chain: Chain, sender: Senders, hatch: Callable[..., int]
) -> None:
    before = chain.block().number
    beast = hatch(PRIVATE)
    trainer, other = devnet_account(TRAINER).address, devnet_account(OTHER).address
    allow = sender(TRAINER).send(
        chain.beasts.functions.setTrainer(beast, other, True), label="allow"
    )
    events = chain.events(before + 1, allow.block_number)
    ours = [event for event in events if event.name != "Transfer"]
    assert [(e.contract, e.name) for e in ours] == [
        ("Beasts", "HatchRequested"),
        ("Beasts", "Hatched"),
        ("Beasts", "TrainerSet"),
    ]
    asked, hatched, allowed = ours
    assert asked.args["requester"] == trainer
    assert Commitments.from_abi(asked.args["commitments"]) == PRIVATE == chain.commitments(beast)
    birth = chain.birth(beast)
    assert hatched.args == {
        "beastId": beast,
        "owner": trainer,
        "dna": birth.dna,
        "epochSeed": birth.epoch_seed,
        "season": birth.season,
    }
    assert allowed.args == {
        "beastId": beast, "owner": trainer, "trainer": other, "allowed": True,
    }  # fmt: skip
    assert allowed.tx_hash == allow.hash
    assert chain.decode(allowed.raw) == allowed  # a stored log decodes as a fresh one
    for event in events:  # however it was read, it is what web3 makes of it
        contract = chain._contract(event.contract)
        theirs = contract.events[event.name]().process_log(event.raw.to_receipt())
        assert event.args == dict(theirs["args"]), event.name
    order = [(event.block_number, event.log_index) for event in events]
    assert order == sorted(order)
    block = hatched.block_number  # both ends of a range belong to it, and no more
    assert {event.block_number for event in chain.events(block, block)} == {block}


def test_logs_of_others_are_not_ours(chain: Chain, sender: Senders) -> None:
    mint = chain.energy.functions.mint(devnet_account(OTHER).address, 1)
    receipt = sender(DEPLOYER).send(mint, label="mint")
    log = RawLog.from_receipt(receipt.raw["logs"][0])
    assert chain.decode(log) is None
    assert chain.decode(replace(log, topics=())) is None
    foreign = replace(log, address=chain.beasts.address, topics=(keccak(b"Nothing()"),))
    assert chain.decode(foreign) is None


def test_window_context_is_the_referees(chain: Chain, hatch: Callable[..., int]) -> None:
    beast = hatch(PRIVATE)
    head = chain.head(beast)
    for source in (Source.CURRICULUM, Source.SELF_PLAY, Source.PRIVATE):
        mine = chain.window_context(beast, epoch=0, source=source)
        payload = replace(NO_CHECKPOINT.payload, lr_shift=head.lr_shift, source=source)
        record = replace(NO_CHECKPOINT, payload=payload, season=head.season)
        judged = chain.call(chain.windows.functions.contextOf(beast, record.to_abi()))
        names = [field.name for field in fields(mine) if field.name != "rules"]
        expected = [getattr(mine, name) for name in names]
        by_name = dict(zip(CONTEXT_FIELDS, judged, strict=True))
        assert [by_name[name] for name in names] == expected, source
        assert Rules(*by_name["rules"]) == mine.rules
        assert (mine.records_length == 77) == (source is Source.PRIVATE)


def test_a_secret_is_used_for_private_windows_alone(
    chain: Chain, hatch: Callable[..., int]
) -> None:
    beast = hatch(PRIVATE)
    folds = [
        chain.window_context(beast, epoch=0, source=source, owner_secret_fold=9).owner_secret_fold
        for source in (Source.CURRICULUM, Source.PRIVATE)
    ]
    assert folds == [0, 9]
