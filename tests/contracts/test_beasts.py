"""Beasts: the two-step hatch, commitments, trainers, metadata."""

from __future__ import annotations

import base64
import json
from typing import Any
from xml.etree import ElementTree

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from chainbeasts.backend.kernel.combat import stats_from_dna
from chainbeasts.backend.kernel.genesis import genesis_mask
from tests.support.history import BLOCK_HASHES
from tests.support.protocol import ZERO32, ZERO_ADDRESS, World

FULL = (b"\x01" * 32, b"\x02" * 32, 500, b"\x03" * 32)
NONE = (ZERO32, ZERO32, 0, ZERO32)


def request(world: World, requester: str, commitments: tuple[Any, ...] = NONE) -> int:
    world.request_hatch(requester, commitments)
    return int(world.beasts.functions.lastBeastId().call())


def test_requestHatch_keepsCommitments(world: World, owner: str) -> None:
    """P4"""
    beast = request(world, owner, FULL)
    world.send(world.beasts.functions.hatch(beast), owner)
    assert tuple(world.beasts.functions.commitmentsOf(beast).call()) == FULL


@pytest.mark.parametrize("missing", range(4))
def test_requestHatch_incompleteCommitments_reverts(world: World, owner: str, missing: int) -> None:
    """P4: all four or none."""
    partial = tuple(NONE[i] if i == missing else FULL[i] for i in range(4))
    call = world.beasts.functions.requestHatch(*partial)
    expected = "DatasetLengthOutOfRange" if missing == 2 else "IncompleteCommitments"
    world.reverts(call, owner, expected)


@pytest.mark.parametrize("only", [1, 2, 3])
def test_requestHatch_strayCommitment_reverts(world: World, owner: str, only: int) -> None:
    stray = tuple(FULL[i] if i == only else NONE[i] for i in range(4))
    world.reverts(world.beasts.functions.requestHatch(*stray), owner, "IncompleteCommitments")


def test_requestHatch_datasetLength_isBounded(world: World, owner: str) -> None:
    def with_length(length: int) -> Any:
        return world.beasts.functions.requestHatch(FULL[0], FULL[1], length, FULL[3])

    world.pay_hatch(owner)
    world.call(with_length(65_536), owner)
    world.reverts(with_length(65_537), owner, "DatasetLengthOutOfRange", 65_537, 65_536)


def test_hatch_dnaComesFromTheRequestsBlock(world: World, owner: str, stranger: str) -> None:
    """P5; anybody may hatch, the requester owns."""
    world.request_hatch(owner)
    seed = bytes(world.w3.eth.get_block("latest")["hash"])
    number = world.w3.eth.block_number
    beast = int(world.beasts.functions.lastBeastId().call())
    receipt = world.send(world.beasts.functions.hatch(beast), stranger)
    dna = keccak(encode(["bytes32", "address", "uint256"], [seed, owner, beast]))
    assert tuple(world.beasts.functions.birthOf(beast).call()) == (dna, seed, 1, number)
    assert world.beasts.functions.ownerOf(beast).call() == owner
    logged = world.logs("beasts", "Hatched", receipt)[0]
    assert (logged["dna"], logged["epochSeed"], logged["season"]) == (dna, seed, 1)


def test_hatch_inTheSameBlock_reverts(world: World, owner: str) -> None:
    """P5"""
    beast = request(world, owner)
    block = world.w3.eth.block_number
    call = world.beasts.functions.hatch(beast)
    # eth_call at "latest" runs in the request's own block
    world.reverts(call, owner, "HatchTooEarly", beast, block + 1)


def test_hatch_atTheLastBlock_works(world: World, owner: str) -> None:
    """In the history contract the hash outlives the opcode's 256 blocks, to the 8,191st."""
    beast = request(world, owner)
    block, seed = world.w3.eth.block_number, world.w3.eth.get_block("latest")["hash"]
    hatch = world.beasts.functions.hatch(beast)
    world.mine(257)
    world.call_in(block + BLOCK_HASHES, hatch, owner)
    refused = world.refused_in(block + BLOCK_HASHES + 1, hatch, owner)
    assert (refused.name, refused.values) == ("HatchExpired", (beast, block + BLOCK_HASHES))
    world.send(hatch, owner)
    assert bytes(world.beasts.functions.birthOf(beast).call()[1]) == bytes(seed)
    assert world.beasts.functions.ownerOf(beast).call() == owner


def test_hatch_expired_revertsAndMayBeRequestedAgain(world: World, owner: str) -> None:
    beast = request(world, owner)
    block = world.w3.eth.block_number
    world.forget(block)
    last = block + BLOCK_HASHES
    world.reverts(world.beasts.functions.hatch(beast), owner, "HatchExpired", beast, last)
    assert world.hatch(owner) == beast + 1


def test_hatch_twiceOrUnrequested_reverts(world: World, owner: str, beast: int) -> None:
    for unknown in (beast, beast + 1):
        call = world.beasts.functions.hatch(unknown)
        world.reverts(call, owner, "NoHatchRequest", unknown)


def test_birthOf_unhatched_reverts(world: World, owner: str) -> None:
    beast = request(world, owner)
    world.reverts(world.beasts.functions.birthOf(beast), owner, "UnknownBeast", beast)
    pending = world.beasts.functions.requestOf(beast).call()
    assert (pending[0], pending[2]) == (owner, 1)


def test_setTrainer_byStranger_reverts(world: World, beast: int, stranger: str) -> None:
    call = world.beasts.functions.setTrainer(beast, stranger, True)
    world.reverts(call, stranger, "NotBeastOwner", beast, stranger)


def test_setTrainer_endsWithATransfer(
    world: World, beast: int, owner: str, trainer: str, stranger: str
) -> None:
    is_trainer = world.beasts.functions.isTrainer
    world.send(world.beasts.functions.setTrainer(beast, trainer, True), owner)
    assert is_trainer(beast, trainer).call()
    world.send(world.beasts.functions.transferFrom(owner, stranger, beast), owner)
    assert not is_trainer(beast, trainer).call()
    assert not is_trainer(beast, owner).call()
    assert is_trainer(beast, stranger).call()


def test_ownershipNonce_countsTransfers(
    world: World, beast: int, owner: str, trainer: str, stranger: str
) -> None:
    """P54: however the beast moves, and not by its birth or by what its owner does otherwise."""
    f = world.beasts.functions
    nonce = f.ownershipNonceOf(beast)
    assert nonce.call() == 0
    world.send(f.setTrainer(beast, trainer, True), owner)
    world.send(f.approve(stranger, beast), owner)
    assert nonce.call() == 0
    world.send(f.transferFrom(owner, stranger, beast), stranger)
    assert nonce.call() == 1
    world.send(f.safeTransferFrom(stranger, owner, beast), stranger)
    assert nonce.call() == 2
    world.send(f.transferFrom(owner, owner, beast), owner)  # to oneself
    assert nonce.call() == 3
    assert f.ownershipNonceOf(world.hatch(owner)).call() == 0


def test_setTrainer_isNotRevivedWhenTheBeastComesBack(
    world: World, beast: int, owner: str, trainer: str, stranger: str
) -> None:
    """P54: A→B→A, once and again; an authorisation given anew counts."""
    f = world.beasts.functions
    is_trainer = f.isTrainer(beast, trainer)
    for _ in range(2):
        world.send(f.setTrainer(beast, trainer, True), owner)
        assert is_trainer.call()
        world.send(f.transferFrom(owner, stranger, beast), owner)
        assert not is_trainer.call()
        world.send(f.transferFrom(stranger, owner, beast), stranger)
        assert not is_trainer.call()
        world.stake(beast, trainer)
        world.reverts(world.submit_call(beast), trainer, "NotTrainer", beast, trainer)
    assert f.isTrainer(beast, owner).call()


def test_setTrainer_ofTheOwnerInBetween_endsToo(
    world: World, beast: int, owner: str, trainer: str, stranger: str
) -> None:
    """P54: A→B→A→B: neither A's nor B's word holds from one ownership to the next."""
    f = world.beasts.functions
    world.send(f.transferFrom(owner, stranger, beast), owner)
    world.send(f.setTrainer(beast, trainer, True), stranger)
    world.send(f.transferFrom(stranger, owner, beast), stranger)
    assert not f.isTrainer(beast, trainer).call()
    world.send(f.transferFrom(owner, stranger, beast), owner)
    assert not f.isTrainer(beast, trainer).call()
    world.send(f.setTrainer(beast, trainer, False), stranger)
    assert not f.isTrainer(beast, trainer).call()


def test_setTrainer_canBeTakenBack(world: World, beast: int, owner: str, trainer: str) -> None:
    world.send(world.beasts.functions.setTrainer(beast, trainer, True), owner)
    world.send(world.beasts.functions.setTrainer(beast, trainer, False), owner)
    assert not world.beasts.functions.isTrainer(beast, trainer).call()


def test_isTrainer_unhatched_isNobody(world: World, owner: str) -> None:
    beast = request(world, owner)
    assert not world.beasts.functions.isTrainer(beast, ZERO_ADDRESS).call()
    assert not world.beasts.functions.isTrainer(beast, owner).call()


def data_uri(uri: str, mime: str) -> bytes:
    prefix = f"data:{mime};base64,"
    assert uri.startswith(prefix)
    return base64.b64decode(uri.removeprefix(prefix), validate=True)


def test_tokenURI_saysWhatTheBeastIs(world: World, owner: str) -> None:
    """Valid base64 JSON; its traits are those of rules.md §4 and network.md §1."""
    beast = world.hatch(owner, FULL)
    metadata = json.loads(
        data_uri(world.beasts.functions.tokenURI(beast).call(), "application/json")
    )
    dna = bytes(world.beasts.functions.birthOf(beast).call()[0])
    traits = {trait["trait_type"]: trait["value"] for trait in metadata["attributes"]}
    stats, mask = stats_from_dna(dna), genesis_mask(dna)
    assert metadata["name"] == f"ChainBeast #{beast}"
    assert metadata["dna"] == "0x" + dna.hex()
    assert metadata["commitments"] == {
        "dataset": "0x" + FULL[0].hex(),
        "recordsRoot": "0x" + FULL[1].hex(),
        "records": 500,
        "ownerSecretHash": "0x" + FULL[3].hex(),
    }
    assert traits == {
        "Power": stats.power,
        "Defense": stats.defense,
        "Stamina": stats.stamina,
        "HP": stats.hp,
        "Sensors at hatch": (mask & 15).bit_count(),
        "Appendages at hatch": (mask >> 4).bit_count(),
        "Private records": 500,
        "Curriculum": "Private",
    }


def test_tokenURI_portraitIsAnSvgThatShowsTheSlots(world: World, owner: str) -> None:
    """Proper XML; an eye (two circles) a sensor, two limbs an appendage; no two are alike."""
    svg = "{http://www.w3.org/2000/svg}"
    portraits = set()
    for _ in range(4):
        beast = world.hatch(owner)
        uri = world.beasts.functions.tokenURI(beast).call()
        image = data_uri(json.loads(data_uri(uri, "application/json"))["image"], "image/svg+xml")
        root = ElementTree.fromstring(image)
        mask = genesis_mask(bytes(world.beasts.functions.birthOf(beast).call()[0]))
        assert root.tag == svg + "svg"
        assert len(root.findall(svg + "circle")) == 2 * (mask & 15).bit_count()
        hide = [e for e in root.findall(svg + "ellipse") if e.get("class") == "h"]
        assert len(hide) == 1 + 2 * (mask >> 4).bit_count()
        portraits.add(image)
    assert len(portraits) == 4


def test_tokenURI_unhatched_reverts(world: World, owner: str) -> None:
    beast = request(world, owner)
    world.reverts(world.beasts.functions.tokenURI(beast), owner, "ERC721NonexistentToken", beast)
