"""The archive of records: what it takes, when it counts from, and what it cost."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from eth_utils.crypto import keccak

from chainbeasts.backend.kernel.rng import fold64
from chainbeasts.backend.kernel.samples import Source, record_index
from tests.support.archives import ACCEPTANCE, NEVER, RENEWAL
from tests.support.protocol import ZERO32, Publication, RevertedError, World
from tests.support.records import RecordsOpening, open_records
from tests.support.training import Dataset

LENGTHS = [1, 2, 3, 500, 4_096, 65_536]


@cache
def dataset(length: int, seed: int = 0) -> Dataset:
    chance = random.Random(f"{seed} {length}")
    words = [chance.getrandbits(256) for _ in range(length)]
    return Dataset.of(words, blob=chance.randbytes(40), secret=chance.randbytes(32))


def samples(world: World, beast: int, data: Dataset, index: int) -> list[int]:
    """Which record each step of a window samples."""
    dna = bytes(world.beasts.functions.birthOf(beast).call()[0])
    first, fold = index * 128, fold64(data.secret)
    steps = [(first + step) % 2**32 for step in range(128)]
    return [record_index(Source.PRIVATE, dna, step, len(data.words), fold) for step in steps]


def opening_of(world: World, beast: int, data: Dataset, index: int = 0) -> RecordsOpening:
    return open_records(data.words, data.secret, samples(world, beast, data, index))


def publish_call(world: World, beast: int, opened: RecordsOpening, index: int = 0) -> Any:
    return world.records.functions.publish(beast, index, *opened.arguments)


def records_of(world: World, beast: int, index: int = 0) -> tuple[bytes, Publication]:
    words_hash, publication = world.records.functions.recordsOf(beast, index).call()
    return bytes(words_hash), Publication(*publication)


def refused(world: World, call: Any, beast: int, name: str, *values: Any) -> None:
    """The transaction fails with that error, and neither records nor the secret are opened."""
    before = world.w3.eth.block_number
    with pytest.raises(RevertedError) as caught:
        world.send(call, world.accounts[5])
    assert world.w3.eth.block_number == before + 1
    assert caught.value.name == name, caught.value
    if values:
        assert caught.value.values == values
    assert records_of(world, beast) == (ZERO32, NEVER)
    assert not world.records.functions.foldOf(beast).call()[0]


@pytest.mark.parametrize("length", LENGTHS)
def test_publishRecords_opensTheWindow(
    world: World, owner: str, stranger: str, length: int
) -> None:
    """P37: each record once, however many steps sample it; paid as what it cost."""
    data = dataset(length)
    beast = world.hatch(owner, data.commitments)
    opened = opening_of(world, beast, data, 3)
    # At 65,536 records 12 % of windows sample one twice, at 4,096 nine in ten.
    assert length > 500 or len(opened.words) < 128
    receipt = world.send(publish_call(world, beast, opened, 3), stranger)
    words_hash, found = records_of(world, beast, 3)
    assert words_hash == opened.words_hash
    block = (world.now(), 0, receipt["blockNumber"])
    assert (found.time, found.timeBefore, found.blockNumber) == block
    gas = receipt["gasUsed"]
    assert gas < (1_600_000 if length <= 4_096 else 2_200_000)
    assert 0.99 * (gas + ACCEPTANCE) < found.gasUsed < 1.12 * (gas + ACCEPTANCE)
    assert world.logs("records", "RecordsPublished", receipt) == [
        {
            "beastId": beast,
            "index": 3,
            "ownerSecret": data.secret,
            "order": opened.order,
            "words": opened.words,
            "siblings": opened.siblings,
        }
    ]
    revealed = world.logs("records", "SecretRevealed", receipt)
    assert revealed == [{"beastId": beast, "ownerSecret": data.secret}]
    assert world.records.functions.foldOf(beast).call() == [True, fold64(data.secret)]
    assert records_of(world, beast, 0) == (ZERO32, NEVER)


def test_publishRecords_duplicatesInALargeDataset(world: World, owner: str, stranger: str) -> None:
    """A window that samples a record twice opens it once, at 4,096 records as at 65,536."""
    for length in (4_096, 65_536):
        data = dataset(length)
        beast = world.hatch(owner, data.commitments)
        index = next(i for i in range(1_000) if len(set(samples(world, beast, data, i))) < 128)
        opened = opening_of(world, beast, data, index)
        assert len(opened.words) < 128
        world.send(publish_call(world, beast, opened, index), stranger)
        assert records_of(world, beast, index)[0] == opened.words_hash


@pytest.mark.parametrize("index", [1, 2**25 - 1, 2**25, 2**32 - 1])
def test_publishRecords_ofAnyWindow(world: World, owner: str, stranger: str, index: int) -> None:
    """The step counter wraps at 2^32, as the kernel's does."""
    data = dataset(500)
    beast = world.hatch(owner, data.commitments)
    opened = opening_of(world, beast, data, index)
    world.send(publish_call(world, beast, opened, index), stranger)
    assert records_of(world, beast, index)[0] == opened.words_hash


@pytest.fixture
def data() -> Dataset:
    return dataset(500)


@pytest.fixture
def private_beast(world: World, owner: str, data: Dataset) -> int:
    return world.hatch(owner, data.commitments)


@pytest.fixture
def opened(world: World, private_beast: int, data: Dataset) -> RecordsOpening:
    return opening_of(world, private_beast, data)


@pytest.mark.parametrize("length", [0, 127, 129])
def test_publishRecords_orderOfAnotherLength_reverts(
    world: World, private_beast: int, opened: RecordsOpening, length: int
) -> None:
    wrong = replace(opened, order=(opened.order + bytes(1))[:length])
    call = publish_call(world, private_beast, wrong)
    refused(world, call, private_beast, "OrderLength", 128, length)


@pytest.mark.parametrize("count", [0, 129])
def test_publishRecords_noWordsOrTooMany_reverts(
    world: World, private_beast: int, opened: RecordsOpening, count: int
) -> None:
    wrong = replace(opened, words=(opened.words * 2)[:count])
    call = publish_call(world, private_beast, wrong)
    refused(world, call, private_beast, "RecordCount", 128, count)


def test_publishRecords_aPlaceThatDoesNotExist_reverts(
    world: World, private_beast: int, data: Dataset, opened: RecordsOpening
) -> None:
    sampled = samples(world, private_beast, data, 0)
    for at, place in ((0, len(opened.words)), (77, 255)):
        order = opened.order[:at] + bytes([place]) + opened.order[at + 1 :]
        call = publish_call(world, private_beast, replace(opened, order=order))
        refused(world, call, private_beast, "WrongOrder", at, sampled[at])


def test_publishRecords_aStepWithAnotherRecord_reverts(
    world: World, private_beast: int, data: Dataset, opened: RecordsOpening
) -> None:
    """P18: the word at exactly the index that the step samples."""
    sampled = samples(world, private_beast, data, 0)
    step = next(i for i in range(1, 128) if sampled[i] != sampled[0])
    order = opened.order[:step] + opened.order[:1] + opened.order[step + 1 :]
    call = publish_call(world, private_beast, replace(opened, order=order))
    refused(world, call, private_beast, "WrongOrder", step, sampled[step])


def test_publishRecords_unorderedWords_reverts(
    world: World, private_beast: int, opened: RecordsOpening
) -> None:
    """Every step has its word, but the multiproof goes by ascending index."""
    swap = {4: 5, 5: 4}
    order = bytes(swap.get(place, place) for place in opened.order)
    words = [opened.words[swap.get(place, place)] for place in range(len(opened.words))]
    call = publish_call(world, private_beast, replace(opened, order=order, words=words))
    refused(world, call, private_beast, "RecordsUnordered", 5)


def test_publishRecords_aRecordTwice_reverts(
    world: World, private_beast: int, opened: RecordsOpening
) -> None:
    """Two places for one index: the second would go through the tree unchecked."""
    place = next(p for p in opened.order if opened.order.count(p) > 1)
    last = opened.order.rindex(place)
    order = bytes(p + (p > place) + (i == last) for i, p in enumerate(opened.order))
    words = [*opened.words[: place + 1], opened.words[place], *opened.words[place + 1 :]]
    call = publish_call(world, private_beast, replace(opened, order=order, words=words))
    refused(world, call, private_beast, "RecordsUnordered", place + 1)


def test_publishRecords_aWordNoStepSamples_reverts(
    world: World, private_beast: int, opened: RecordsOpening
) -> None:
    """In the middle or at the end: else anything could be published as a record."""
    count = len(opened.words)
    for place in (0, 3, count):
        order = bytes(p + (p >= place) for p in opened.order)
        words = [*opened.words[:place], b"\x01" * 32, *opened.words[place:]]
        call = publish_call(world, private_beast, replace(opened, order=order, words=words))
        refused(world, call, private_beast, "RecordsUnordered", place)


def test_publishRecords_tooFewOrTooManySiblings_reverts(
    world: World, private_beast: int, opened: RecordsOpening
) -> None:
    count = len(opened.siblings)
    for siblings in ([], opened.siblings[:1], opened.siblings[:-1]):
        call = publish_call(world, private_beast, replace(opened, siblings=siblings))
        refused(world, call, private_beast, "SiblingCount", count, len(siblings))
    call = publish_call(world, private_beast, replace(opened, siblings=[*opened.siblings, ZERO32]))
    refused(world, call, private_beast, "SiblingCount", count, count + 1)


def test_publishRecords_siblingsForARootOfOne_reverts(
    world: World, owner: str, stranger: str
) -> None:
    """A dataset of one is its own root."""
    data = dataset(1)
    beast = world.hatch(owner, data.commitments)
    opened = opening_of(world, beast, data)
    assert (len(opened.words), opened.siblings) == (1, [])
    call = publish_call(world, beast, replace(opened, siblings=[ZERO32]))
    refused(world, call, beast, "SiblingCount", 0, 1)
    world.send(publish_call(world, beast, opened), stranger)


def test_publishRecords_otherWordOrSibling_reverts(
    world: World, private_beast: int, data: Dataset, opened: RecordsOpening
) -> None:
    """P37"""
    for field in ("words", "siblings"):
        values = list(getattr(opened, field))
        values[1] = bytes([values[1][0] ^ 1]) + values[1][1:]
        call = publish_call(world, private_beast, replace(opened, **{field: values}))
        with pytest.raises(RevertedError) as caught:
            world.call(call, world.accounts[5])
        assert caught.value.name == "WrongRecordsRoot"
        assert caught.value.values[0] == data.root
        refused(world, call, private_beast, "WrongRecordsRoot")


def test_publishRecords_ofAnotherWindow_reverts(
    world: World, private_beast: int, data: Dataset, opened: RecordsOpening
) -> None:
    other = opening_of(world, private_beast, data, 1)
    with pytest.raises(RevertedError) as caught:
        world.send(publish_call(world, private_beast, other, 0), world.accounts[5])
    assert caught.value.name in ("WrongOrder", "RecordsUnordered")
    refused(world, publish_call(world, private_beast, other, 0), private_beast, caught.value.name)
    world.call(publish_call(world, private_beast, opened, 0), world.accounts[5])


def test_publishRecords_ofAnotherBeast_reverts(
    world: World, private_beast: int, owner: str, data: Dataset, opened: RecordsOpening
) -> None:
    """The same dataset and secret, but another DNA; another secret; another root; none at all."""
    twin = world.hatch(owner, data.commitments)
    with pytest.raises(RevertedError) as caught:
        world.call(publish_call(world, twin, opened), owner)
    assert caught.value.name in ("WrongOrder", "RecordsUnordered")
    refused(world, publish_call(world, twin, opened), twin, caught.value.name)

    stranger = world.hatch(owner, dataset(500, 1).commitments)
    secrets = (keccak(dataset(500, 1).secret), keccak(data.secret))
    refused(world, publish_call(world, stranger, opened), stranger, "WrongOwnerSecret", *secrets)

    c_dataset, _, length, secret_hash = data.commitments
    rooted = world.hatch(owner, (c_dataset, b"\x06" * 32, length, secret_hash))
    own = opening_of(world, rooted, data)
    refused(
        world, publish_call(world, rooted, own), rooted, "WrongRecordsRoot", b"\x06" * 32, data.root
    )

    public = world.hatch(owner)
    refused(world, publish_call(world, public, opened), public, "NoPrivateDataset", public)


def test_publishRecords_wrongSecret_reverts(
    world: World, private_beast: int, data: Dataset, opened: RecordsOpening
) -> None:
    """P20: with another secret other records would be sampled."""
    other = b"\x08" * 32
    call = publish_call(world, private_beast, replace(opened, secret=other))
    secrets = (keccak(data.secret), keccak(other))
    refused(world, call, private_beast, "WrongOwnerSecret", *secrets)


def test_publishRecords_inventedCommitments_cannotBeOpened(
    world: World, owner: str, data: Dataset
) -> None:
    """Four random hashes have no preimages: the window that was trained on nothing stays shut."""
    chance = random.Random(3)
    invented = (chance.randbytes(32), chance.randbytes(32), 500, chance.randbytes(32))
    beast = world.hatch(owner, invented)
    call = publish_call(world, beast, opening_of(world, beast, data))
    refused(world, call, beast, "WrongOwnerSecret", invented[3], keccak(data.secret))


def test_publishRecords_again_changesNothing(
    world: World, private_beast: int, opened: RecordsOpening, owner: str, stranger: str
) -> None:
    """P36: not even with rubbish, which is not looked at, so that a copy makes nobody's revert."""
    call = publish_call(world, private_beast, opened)
    world.send(call, owner)
    found = records_of(world, private_beast)
    rubbish = publish_call(world, private_beast, RecordsOpening(ZERO32, b"", [], []))
    for wait in (1, RENEWAL - 10):
        world.travel(wait)
        for again in (call, rubbish):
            assert world.send(again, stranger)["logs"] == []
            assert records_of(world, private_beast) == found
    assert world.now() < found[1].time + RENEWAL


def test_publishRecords_after30Days_keepsTheTimeBefore(
    world: World, private_beast: int, opened: RecordsOpening, owner: str, stranger: str
) -> None:
    """P36; the secret is told once."""
    call = publish_call(world, private_beast, opened)
    world.send(call, owner)
    first = records_of(world, private_beast)
    world.travel_to(first[1].time + RENEWAL)
    rubbish = publish_call(world, private_beast, replace(opened, order=bytes(128)))
    world.reverts(rubbish, stranger, "WrongOrder")
    receipt = world.send(call, stranger)
    words_hash, found = records_of(world, private_beast)
    assert words_hash == first[0]
    assert (found.time, found.timeBefore) == (world.now(), first[1].time)
    assert found.blockNumber == receipt["blockNumber"]
    assert len(world.logs("records", "RecordsPublished", receipt)) == 1
    assert world.logs("records", "SecretRevealed", receipt) == []


FLIPS = {
    "secret": {"WrongOwnerSecret"},
    "order": {"WrongOrder", "RecordsUnordered"},
    "words": {"WrongRecordsRoot"},
    "siblings": {"WrongRecordsRoot"},
}
"""What a flipped bit in each argument leads to."""


def flipped(chance: random.Random, opened: RecordsOpening, field: str) -> RecordsOpening:
    value = getattr(opened, field)
    if field in ("words", "siblings"):
        place = chance.randrange(len(value))
        return replace(
            opened, **{field: [*value[:place], flip(chance, value[place]), *value[place + 1 :]]}
        )
    return replace(opened, **{field: flip(chance, value)})


def flip(chance: random.Random, data: bytes) -> bytes:
    bit = chance.randrange(8 * len(data))
    return (int.from_bytes(data) ^ 1 << bit).to_bytes(len(data))


@pytest.mark.parametrize("seed", range(8))
def test_publishRecords_ofAnyDataset_andOfNoneOther(
    world: World, owner: str, stranger: str, seed: int
) -> None:
    """P37, at any length: the one opening is taken, and with any bit of it flipped it is not."""
    chance = random.Random(seed)
    for _ in range(4):
        length = chance.choice(
            [chance.randint(1, 9), chance.randint(1, 300), 1 << chance.randint(0, 9)]
        )
        data, index = dataset(length, seed + 1), chance.getrandbits(chance.choice([4, 32]))
        beast = world.hatch(owner, data.commitments)
        opened = opening_of(world, beast, data, index)
        for field, errors in FLIPS.items():
            if not getattr(opened, field):
                continue
            call = publish_call(world, beast, flipped(chance, opened, field), index)
            with pytest.raises(RevertedError) as caught:
                world.call(call, stranger)
            assert caught.value.name in errors, (field, length)
        world.send(publish_call(world, beast, opened, index), stranger)
        assert records_of(world, beast, index)[0] == opened.words_hash


# --- whole datasets ---------------------------------------------------------------------------


def test_revealDataset_makesTheSecretPublic(
    world: World, private_beast: int, data: Dataset, stranger: str
) -> None:
    call = world.records.functions.revealDataset(private_beast, data.blob, data.secret)
    receipt = world.send(call, stranger)
    told = {"beastId": private_beast, "cDataset": keccak(data.blob)}
    assert world.logs("records", "DatasetRevealed", receipt) == [told]
    assert len(world.logs("records", "SecretRevealed", receipt)) == 1
    assert world.records.functions.foldOf(private_beast).call() == [True, fold64(data.secret)]
    assert world.logs("records", "SecretRevealed", world.send(call, stranger)) == []


def test_revealDataset_otherBytesSecretOrBeast_reverts(
    world: World, private_beast: int, beast: int, data: Dataset
) -> None:
    """P20"""
    reveal = world.records.functions.revealDataset
    other = data.blob + b"\x00"
    hashes = (keccak(data.blob), keccak(other))
    refused(
        world, reveal(private_beast, other, data.secret), private_beast, "WrongDataset", *hashes
    )
    secrets = (keccak(data.secret), keccak(b"\x08" * 32))
    call = reveal(private_beast, data.blob, b"\x08" * 32)
    refused(world, call, private_beast, "WrongOwnerSecret", *secrets)
    refused(world, reveal(beast, data.blob, data.secret), beast, "NoPrivateDataset", beast)
    long = reveal(private_beast, bytes(120_001), data.secret)
    refused(world, long, private_beast, "DatasetTooLarge", 120_000, 120_001)
