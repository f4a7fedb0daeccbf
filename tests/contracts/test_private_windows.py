"""Disputes over private windows: records opened in one multiproof judge as a revealed dataset does.

What the archive itself takes and refuses is in test_record_archive.py.
"""

from __future__ import annotations

from typing import Any

import pytest

from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.samples import random_position
from tests.support.protocol import (
    ADVANCE,
    DISMISSED,
    NO_OPENING,
    PRIVATE,
    PROVEN_RIGHT,
    RECORDS,
    SEGMENT,
    SEGMENTS,
    UPHELD,
    World,
    fresh_hash,
)
from tests.support.training import Dataset, Trainee, add_one

WORDS = [random_position(7919 * n, None, Rules()) for n in range(300)]
LIE = (20, add_one)
STRIDES = [(0, 8), (8, 3), (11, 5), (16, 48), (64, 64)]
"""Whole segments, parts of one, and across several."""


def hatch(world: World, owner: str, records: int) -> Trainee:
    return Trainee.hatch(world, owner, Dataset.of(WORDS[:records]))


@pytest.mark.parametrize("records", [1, 2, 11, 300])
def test_openedRecords_proveTheLie_toWhoHasOnlyANode(
    world: World, owner: str, challenger: str, records: int
) -> None:
    """With and without duplicates among the sampled records, at any depth: the stranger's proof is
    made of the events alone."""
    trainee = hatch(world, owner, records)
    window = trainee.train(PRIVATE, tamper=LIE)
    dispute = trainee.dispute(window, challenger)
    opened = trainee.records_opening(window)
    call = trainee.prove_call(dispute, window, 2, witnesses=opened.witnesses(16, 8))
    receipt = world.send(call, challenger)
    upheld = world.logs("court", "DisputeUpheld", receipt)[0]
    assert (upheld["how"], upheld["segment"]) == (SEGMENT, 2)


@pytest.mark.parametrize("lie", [None, LIE], ids=["right", "wrong"])
def test_openedRecords_advanceByAnyStrides(
    world: World, owner: str, challenger: str, lie: Any
) -> None:
    """Parts of segments take all eight words of what they touch."""
    trainee = hatch(world, owner, 11)
    trainee.train()
    window = trainee.train(PRIVATE, tamper=lie)
    dispute = world.file(trainee.beast, window.checkpoint, challenger)
    trainee.publish_records(window)
    opened = trainee.records_opening(window)
    for done, steps in STRIDES:
        words = opened.witnesses(done, steps)
        end = {"end": NO_OPENING} if lie else {}
        call = trainee.advance_call(dispute, window, done, steps, witnesses=words, **end)
        world.send(call, challenger)
    expected = UPHELD if lie else PROVEN_RIGHT
    assert world.dispute(dispute).status == expected


def test_openedRecords_badWitnesses_revert(world: World, owner: str, challenger: str) -> None:
    """Nothing but the opened words, in their places, is judged."""
    trainee = hatch(world, owner, 300)
    window = trainee.train(PRIVATE, tamper=LIE)
    dispute = trainee.dispute(window, challenger)
    opened = trainee.records_opening(window)
    good = opened.witnesses(16, 8)

    def flipped(at: int) -> bytes:
        return good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :]

    for bad, error, *values in (
        (flipped(1), "WrongSegmentDigests"),
        (flipped(512), "WrongSegmentDigests"),
        (flipped(513), "WrongWords", 2),
        (flipped(len(good) - 1), "WrongWords", 2),
        (opened.witnesses(24, 8), "WrongWords", 2),
        (good[:-1], "WitnessLength", 768, 767),
        (good + bytes(1), "WitnessLength", 768, 769),
        (good[:513], "WitnessLength", 768, 512),
        (b"", "WitnessLength", 1, 0),
        (b"\x02" + good[1:], "UnknownWitnessForm", 2),
    ):
        call = trainee.prove_call(dispute, window, 2, witnesses=bad)
        world.reverts(call, challenger, error, *values)
    world.call(trainee.prove_call(dispute, window, 2, witnesses=good), challenger)


def test_unopenedRecords_judgeNothing(world: World, owner: str, challenger: str) -> None:
    """P20: neither form serves before secret and records are public; a revealed secret serves with
    paths, and not with bare words."""
    trainee = hatch(world, owner, 11)
    window = trainee.train(PRIVATE, tamper=LIE)
    dispute = world.file(trainee.beast, window.checkpoint, challenger)
    paths = trainee.witnesses(window, 0, 8)
    bare = trainee.records_opening(window).witnesses(0, 8)
    for given in (paths, bare):
        call = trainee.advance_call(dispute, window, 0, 8, witnesses=given)
        world.reverts(call, challenger, "RecordsNotOpened", trainee.beast, 0)
    assert trainee.dataset is not None
    reveal = world.records.functions.revealDataset(
        trainee.beast, trainee.dataset.blob, trainee.dataset.secret
    )
    world.send(reveal, challenger)
    world.call(trainee.advance_call(dispute, window, 0, 8, witnesses=paths), challenger)
    call = trainee.advance_call(dispute, window, 0, 8, witnesses=bare)
    world.reverts(call, challenger, "RecordsNotOpened", trainee.beast, 0)


def test_attack_openingOfAnotherWindowOrBeast_isNone(
    world: World, owner: str, challenger: str, stranger: str
) -> None:
    """Records of the window before, or of a twin with the same dataset, make nothing of this
    window's opening; nor do they judge it."""
    trainee, twin = hatch(world, owner, 300), hatch(world, owner, 300)
    first, window = trainee.train(PRIVATE), trainee.train(PRIVATE, tamper=LIE)
    foreign = twin.train(PRIVATE)
    dispute = world.file(trainee.beast, window.checkpoint, challenger)
    place = (dispute, trainee.beast, window.checkpoint)
    opened = trainee.records_opening(first)
    publish = world.records.functions.publish
    world.reverts(publish(trainee.beast, 1, *opened.arguments), stranger, "WrongOrder")
    world.reverts(publish(twin.beast, 0, *opened.arguments), stranger, "WrongOrder")
    trainee.publish_records(first)
    twin.publish_records(foreign)
    accept = world.court.functions.acceptOpenings(*place)
    world.reverts(accept, stranger, "NothingToAccept", dispute)
    for bare in (opened, twin.records_opening(foreign)):
        call = trainee.advance_call(dispute, window, 0, 8, witnesses=bare.witnesses(0, 8))
        world.reverts(call, challenger, "RecordsNotOpened", trainee.beast, 1)


def test_attack_publicationInFrontOfAProof_doesNotBreakIt(
    world: World, owner: str, challenger: str, stranger: str
) -> None:
    """The sender names the form of its witnesses, so a publication in between changes nothing."""
    trainee = hatch(world, owner, 11)
    window = trainee.train(PRIVATE, tamper=LIE)
    assert trainee.dataset is not None
    reveal = world.court.functions.filePrivate(
        trainee.beast, window.checkpoint, trainee.dataset.blob, trainee.dataset.secret
    )
    world.send(reveal, challenger, world.opening_value(trainee.beast, window.checkpoint))
    trainee.open_segments(1, window)
    proof = trainee.prove_call(1, window, 2)
    trainee.publish_records(window, stranger)
    world.send(proof, challenger)
    assert world.dispute(1).status == UPHELD


def test_attack_withheldData_unopenableRoot_falls(
    world: World, owner: str, challenger: str, stranger: str
) -> None:
    """The dataset that the owner reveals says nothing about the root: no record can be opened."""
    hidden = Dataset(WORDS[:6], b"this file says nothing", b"\x07" * 32, fresh_hash("root"))
    trainee = Trainee.hatch(world, owner, hidden)
    window = trainee.train(PRIVATE, tamper=LIE)
    filing = world.court.functions.filePrivate(
        trainee.beast, window.checkpoint, hidden.blob, hidden.secret
    )
    value = world.opening_value(trainee.beast, window.checkpoint)
    world.send(filing, challenger, value)
    trainee.open_segments(1, window)
    publish = world.records.functions.publish(
        trainee.beast, 0, *trainee.records_opening(window).arguments
    )
    world.reverts(publish, owner, "WrongRecordsRoot")
    world.travel(world.season.economics.responseWindow + 1)
    place = (1, trainee.beast, window.checkpoint)
    dismiss = world.court.functions.dismiss(*place)
    world.reverts(dismiss, owner, "OpeningsMissing", 1, RECORDS)
    world.claim_timeout(*place, window.parent, stranger)
    assert not world.is_live(trainee.beast, window.checkpoint)


def test_openedRecords_serveEveryLaterDispute(
    world: World, owner: str, challenger: str, stranger: str
) -> None:
    """Kept by window: the next filer of the same window pays for its segments alone."""
    trainee = hatch(world, owner, 11)
    window = trainee.train(PRIVATE)
    place = trainee.beast, window.checkpoint
    dispute = trainee.dispute(window, challenger)
    world.travel(world.season.economics.proofWindow + 1)
    world.send(world.court.functions.dismiss(dispute, *place), stranger)
    assert world.dispute(dispute).status == DISMISSED
    again = world.file(*place, stranger)
    assert world.dispute(again).missing == SEGMENTS


def test_advance_ofARevealedDataset_convicts(world: World, owner: str, challenger: str) -> None:
    """Who holds the dataset needs no opening at all."""
    trainee = hatch(world, owner, 11)
    window = trainee.train(PRIVATE, tamper=LIE)
    assert trainee.dataset is not None
    data = trainee.dataset
    call = world.court.functions.filePrivate(
        trainee.beast, window.checkpoint, data.blob, data.secret
    )
    world.send(call, challenger, world.opening_value(trainee.beast, window.checkpoint))
    last = trainee.advance_all(1, window, challenger, end=NO_OPENING)[-1]
    assert world.logs("court", "DisputeUpheld", last)[0]["how"] == ADVANCE
