"""Datasets staged over transactions, and disputes filed with them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from web3.exceptions import ContractCustomError

from chainbeasts.backend.kernel.rng import fold64
from tests.support.protocol import GAS, PRIVATE, SEGMENTS, Checkpoint, World
from tests.support.snapshots import nothing_mined
from tests.support.training import Dataset

CHUNK, MOST, WHOLE = 24_575, 524_288, 120_000
DATA = Dataset.of([n * 5 + 2 for n in range(9)], blob=random.Random(1).randbytes(CHUNK + 100))
DIGEST = keccak(DATA.blob)
PARTS = [DATA.blob[:CHUNK], DATA.blob[CHUNK:]]


@pytest.fixture
def private_beast(world: World, owner: str) -> int:
    return world.hatch(owner, DATA.commitments)


@pytest.fixture
def private(world: World, private_beast: int, owner: str) -> Checkpoint:
    return world.submit(private_beast, owner, world.payload(private_beast, source=PRIVATE))


def seal(uploader: str, secret: bytes = DATA.secret) -> bytes:
    return keccak(encode(["address", "bytes32"], [uploader, secret]))


def begin(world: World, uploader: str, digest: bytes = DIGEST, **given: bytes) -> Any:
    call = world.stage.functions.begin(digest, given.get("seal", seal(uploader)))
    return world.send(call, uploader)


def put(world: World, uploader: str, chunks: Sequence[bytes], first: int = 0) -> Any:
    return world.send(world.stage.functions.stage(DIGEST, first, list(chunks)), uploader)


def stage_of(world: World, uploader: str, digest: bytes = DIGEST) -> Any:
    return world.stage.functions.stageOf(uploader, digest).call()


def filing(world: World, beast: int, checkpoint: Checkpoint, secret: bytes = DATA.secret) -> Any:
    return world.court.functions.fileStaged(beast, checkpoint, secret)


def file_staged(world: World, beast: int, checkpoint: Checkpoint, filer: str) -> Any:
    """File with the staged dataset; the receipt."""
    value = world.opening_value(beast, checkpoint)
    return world.send(filing(world, beast, checkpoint), filer, value)


# --- the stage --------------------------------------------------------------------------------


def test_stage_showsWhatIsStaged(world: World, challenger: str) -> None:
    """Enough to resume from: seal, rounds, size, and each chunk's code hash."""
    assert stage_of(world, challenger) == [bytes(32), 0, 0, 0, []]
    begun = begin(world, challenger)
    told = world.logs("stage", "StageBegun", begun)[0]
    assert told == {"uploader": challenger, "cDataset": DIGEST, "seal": seal(challenger)}
    put(world, challenger, PARTS[:1])
    receipt = put(world, challenger, PARTS[1:], 1)
    grown = world.logs("stage", "ChunksStaged", receipt)[0]
    assert (grown["chunks"], grown["size"]) == (2, len(DATA.blob))
    hashes = [keccak(b"\x00" + part) for part in PARTS]
    expected = [seal(challenger), begun["blockNumber"], 0, len(DATA.blob), hashes]
    assert stage_of(world, challenger) == expected


def test_stage_foreign_isNeverTouched(world: World, challenger: str, stranger: str) -> None:
    """P31: every move goes to the caller's own stage."""
    begin(world, challenger)
    put(world, challenger, PARTS[:1])
    before = stage_of(world, challenger)
    f = world.stage.functions
    world.reverts(f.stage(DIGEST, 1, PARTS[1:]), stranger, "NoStage", stranger, DIGEST)
    world.reverts(f.abandon(DIGEST), stranger, "NoStage", stranger, DIGEST)
    begin(world, stranger)
    put(world, stranger, [b"rubbish"])
    world.send(f.abandon(DIGEST), stranger)
    assert stage_of(world, challenger) == before


def test_stage_wrongOrderOrRepeated_reverts(world: World, challenger: str) -> None:
    """P32"""
    begin(world, challenger)
    f = world.stage.functions
    world.reverts(f.stage(DIGEST, 1, PARTS[1:]), challenger, "WrongChunk", 0, 1)
    put(world, challenger, PARTS[:1])
    world.reverts(f.stage(DIGEST, 0, PARTS[:1]), challenger, "WrongChunk", 1, 0)
    put(world, challenger, PARTS[1:], 1)
    call = f.stage(DIGEST, 2, [b"more"])
    world.reverts(call, challenger, "StageIsClosed", len(DATA.blob))


def test_stage_chunkOfAnyOtherLength_reverts(world: World, challenger: str) -> None:
    begin(world, challenger)
    f = world.stage.functions
    world.reverts(f.stage(DIGEST, 0, [b""]), challenger, "ChunkLength", CHUNK, 0)
    long = bytes(CHUNK + 1)
    world.reverts(f.stage(DIGEST, 0, [long]), challenger, "ChunkLength", CHUNK, CHUNK + 1)


def test_stage_tooLong_reverts(world: World, challenger: str) -> None:
    """524,288 bytes are taken and not one more."""
    begin(world, challenger)
    f = world.stage.functions
    for first in range(0, 21, 3):
        put(world, challenger, [bytes(CHUNK)] * 3, first)
    left = MOST - 21 * CHUNK
    over = f.stage(DIGEST, 21, [bytes(left + 1)])
    world.reverts(over, challenger, "DatasetTooLong", MOST, MOST + 1)
    put(world, challenger, [bytes(left)], 21)
    assert stage_of(world, challenger)[3] == MOST


def test_stage_beginTwiceOrWithoutSeal_reverts(world: World, challenger: str) -> None:
    """A repeated transaction never costs the chunks."""
    f = world.stage.functions
    world.reverts(f.begin(DIGEST, bytes(32)), challenger, "EmptySeal")
    begin(world, challenger)
    world.reverts(f.begin(DIGEST, seal(challenger)), challenger, "StageExists", DIGEST)


def test_stage_abandoned_beginsAnew(world: World, challenger: str) -> None:
    begin(world, challenger)
    put(world, challenger, [b"not the dataset"])
    world.send(world.stage.functions.abandon(DIGEST), challenger)
    assert stage_of(world, challenger) == [bytes(32), 0, 1, 0, []]
    begin(world, challenger)
    put(world, challenger, PARTS)
    assert stage_of(world, challenger)[2:4] == [1, len(DATA.blob)]


# --- filing -----------------------------------------------------------------------------------


def test_fileStaged_revealsAndNamesTheChunks(
    world: World, private_beast: int, private: Checkpoint, owner: str, challenger: str
) -> None:
    """As filePrivate; and the bytes can be read from the code of the chunks that the event names,
    whatever the uploader does with its stage afterwards."""
    begin(world, challenger)
    put(world, challenger, PARTS)
    receipt = file_staged(world, private_beast, private, challenger)
    revealed = world.logs("records", "SecretRevealed", receipt)
    assert revealed == [{"beastId": private_beast, "ownerSecret": DATA.secret}]
    world.send(world.stage.functions.abandon(DIGEST), challenger)
    staged = world.logs("records", "StagedDatasetRevealed", receipt)[0]
    assert (staged["beastId"], staged["cDataset"]) == (private_beast, DIGEST)
    codes = [bytes(world.w3.eth.get_code(chunk)) for chunk in staged["chunks"]]
    assert {code[0] for code in codes} == {0}
    assert b"".join(code[1:] for code in codes) == DATA.blob
    assert world.dispute(1).filer == challenger
    fold = world.records.functions.foldOf(private_beast).call()
    assert fold == [True, fold64(DATA.secret)]
    second = world.submit(private_beast, owner, world.payload(private_beast, source=PRIVATE))
    world.file(private_beast, second, owner)


def test_fileStaged_incompleteOrOtherBytes_reverts(
    world: World, private_beast: int, private: Checkpoint, challenger: str
) -> None:
    """P20: exactly keccak256(data) == C_dataset."""
    call = filing(world, private_beast, private)
    world.reverts(call, challenger, "NoStage", challenger, DIGEST)
    begin(world, challenger)
    put(world, challenger, PARTS[:1])
    world.reverts(call, challenger, "WrongDataset", DIGEST, keccak(PARTS[0]))
    wrong = PARTS[1][:-1] + bytes([PARTS[1][-1] ^ 1])
    put(world, challenger, [wrong], 1)
    world.reverts(call, challenger, "WrongDataset", DIGEST, keccak(PARTS[0] + wrong))


def test_fileStaged_wrongSecret_reverts(
    world: World, private_beast: int, private: Checkpoint, challenger: str
) -> None:
    other = b"\x08" * 32
    begin(world, challenger, seal=seal(challenger, other))
    put(world, challenger, PARTS)
    call = filing(world, private_beast, private)
    world.reverts(call, challenger, "WrongSeal", seal(challenger, other), seal(challenger))
    call = filing(world, private_beast, private, other)
    world.reverts(call, challenger, "WrongOwnerSecret", keccak(DATA.secret), keccak(other))


def test_fileStaged_onAPublicWindow_asksForNoRecords(
    world: World, private_beast: int, owner: str, challenger: str
) -> None:
    """The dataset is out either way; the dispute owes what any public window's does."""
    public = world.submit(private_beast, owner)
    begin(world, challenger)
    put(world, challenger, PARTS)
    receipt = file_staged(world, private_beast, public, challenger)
    assert world.logs("court", "DisputeFiled", receipt)[0]["missing"] == SEGMENTS
    assert world.records.functions.foldOf(private_beast).call()[0]


def test_revealStaged_onABeastWithoutDataset_reverts(
    world: World, beast: int, challenger: str
) -> None:
    call = world.records.functions.revealStaged(beast, challenger, DATA.secret)
    world.reverts(call, challenger, "NoPrivateDataset", beast)


def test_fileStaged_inTheBlockOfTheStage_reverts(
    world: World, private_beast: int, private: Checkpoint, challenger: str
) -> None:
    """P33: all three in one block, mined in this order."""
    f = world.stage.functions
    value = world.opening_value(private_beast, private)
    calls = [f.begin(DIGEST, seal(challenger)), f.stage(DIGEST, 0, PARTS)]
    calls.append(filing(world, private_beast, private))
    with nothing_mined(world.rpc):
        nonce = world.w3.eth.get_transaction_count(world.w3.to_checksum_address(challenger))
        how: Any = {"from": challenger, "gas": 14_000_000, "gasPrice": 10**11}
        gas = (200_000, 9_000_000, 2_000_000)
        sent = []
        for i, call in enumerate(calls):
            sent_along = value if i == 2 else 0
            tx: Any = {**how, "gas": gas[i], "nonce": nonce + i, "value": sent_along}
            sent.append(call.transact(tx))
            if call is calls[1]:  # the block that both wait for
                with pytest.raises(ContractCustomError) as caught:
                    calls[2].call({"from": challenger, "value": value}, "pending")
        assert world.decode_error(str(caught.value.data)).name == "StageTooYoung"
        world.mine()
        found = [world.w3.eth.get_transaction_receipt(tx) for tx in sent]
    assert len({receipt["blockNumber"] for receipt in found}) == 1
    assert [receipt["status"] for receipt in found] == [1, 1, 0]
    world.send(calls[2], challenger, value)  # the next block's


def test_filePrivate_tooLarge_reverts(world: World, owner: str, challenger: str) -> None:
    """P34"""
    large = Dataset.of([7], blob=bytes(WHOLE + 1))
    beast = world.hatch(owner, large.commitments)
    window = world.submit(beast, owner, world.payload(beast, source=PRIVATE))
    call = world.court.functions.filePrivate(beast, window, large.blob, large.secret)
    world.reverts(call, challenger, "DatasetTooLarge", WHOLE, WHOLE + 1)


def test_fileStaged_ofTheLargestDataset_fitsTheGasCap(
    world: World, owner: str, challenger: str
) -> None:
    """524,288 random bytes: every transaction under 2^24 gas and 128 kB."""
    large = Dataset.of([7], blob=random.Random(2).randbytes(MOST))
    digest = keccak(large.blob)
    beast = world.hatch(owner, large.commitments)
    window = world.submit(beast, owner, world.payload(beast, source=PRIVATE))
    begin(world, challenger, digest)
    chunks = [large.blob[i : i + CHUNK] for i in range(0, MOST, CHUNK)]
    assert len(chunks) == 22
    for first in range(0, 22, 3):
        call = world.stage.functions.stage(digest, first, chunks[first : first + 3])
        receipt = world.send(call, challenger)
        assert receipt["gasUsed"] < GAS
        sent = world.w3.eth.get_transaction(receipt["transactionHash"])
        assert len(sent["input"]) < 128 * 1024 - 200
    receipt = file_staged(world, beast, window, challenger)
    assert receipt["gasUsed"] < 2_000_000
