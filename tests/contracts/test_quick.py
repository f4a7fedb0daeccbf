"""The quick contracts of these tests against web3's own."""

from __future__ import annotations

from typing import Any

import pytest
from web3.exceptions import ContractCustomError

from chainbeasts.backend.chain.views import call_data
from tests.support.protocol import Checkpoint, World
from tests.support.quick import QuickContract, decoded


def reads(
    world: World, beast: int, checkpoint: Checkpoint
) -> list[tuple[str, str, tuple[Any, ...]]]:
    """A call of each form of result: number, address, bytes, text, structs, several values."""
    record = (*checkpoint[:3], tuple(checkpoint.payload), *checkpoint[4:])
    return [
        ("energy", "totalSupply", ()),
        ("beasts", "ownerOf", (beast,)),
        ("beasts", "birthOf", (beast,)),
        ("beasts", "tokenURI", (beast,)),
        ("ledger", "head", (beast,)),
        ("ledger", "quote", (beast, 255)),
        ("ledger", "digestOf", (beast, record)),
        ("seasons", "season", (1,)),
        ("vault", "rewardOf", (beast, world.accounts[1])),
    ]


def test_results_are_those_of_web3(world: World, beast: int, checkpoint: Checkpoint) -> None:
    for name, function, args in reads(world, beast, checkpoint):
        quick = world.contracts[name]
        plain = world.w3.eth.contract(address=quick.address, abi=quick.abi)
        asked, same = (one.functions[function](*args) for one in (quick, plain))
        assert isinstance(quick, QuickContract)
        assert not isinstance(plain, QuickContract)
        assert call_data(asked).hex() == same._encode_transaction_data()[2:]
        assert repr(asked.call()) == repr(same.call()), function


def test_errors_and_overloads_are_those_of_web3(world: World, owner: str, beast: int) -> None:
    quick = world.beasts
    plain = world.w3.eth.contract(address=quick.address, abi=quick.abi)
    for contract in (quick, plain):
        with pytest.raises(ContractCustomError) as refused:
            contract.functions.ownerOf(beast + 1).call()
        assert "7e273289" in str(refused.value.data)  # ERC721NonexistentToken
        transfers = contract.functions.safeTransferFrom
        move = transfers(owner, world.accounts[5], beast, b"\x01")
        assert move._encode_transaction_data().startswith("0xb88d4fde")
        assert transfers(owner, world.accounts[5], beast).selector == "0x42842e0e"


def test_events_are_those_of_web3(world: World, checkpoint: Checkpoint) -> None:
    seen = 0
    for contract in (world.beasts, world.ledger, world.energy):
        for log in world.w3.eth.get_logs({"fromBlock": 0, "address": contract.address}):
            event = decoded(contract, log)
            assert event is not None
            name, args = event
            assert args == dict(contract.events[name]().process_log(log)["args"])
            seen += 1
    assert seen > 10
