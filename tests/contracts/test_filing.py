"""Filing a dispute: who may, until when, what it locks, what it asks to be opened."""

from __future__ import annotations

from typing import Any

import pytest
from eth_utils.crypto import keccak

from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.samples import random_position
from tests.support.money import (
    NOTHING,
    Money,
    energy_bond,
    gas_owed,
    money,
    opening_bond,
)
from tests.support.protocol import (
    DISPUTED,
    FILED,
    GWEI,
    PENDING,
    PRIVATE,
    RECORDS,
    SEGMENTS,
    STATE,
    Checkpoint,
    World,
    fresh_hash,
    garbage_segments,
)
from tests.support.snapshots import set_base_fee
from tests.support.training import Dataset, Trainee

WORDS = [random_position(7919 * n, None, Rules()) for n in range(11)]
DATA = Dataset.of(WORDS, blob=b"not even zstd")


@pytest.fixture
def private_beast(world: World, owner: str) -> int:
    return world.hatch(owner, DATA.commitments)


@pytest.fixture
def private(world: World, private_beast: int, owner: str) -> Checkpoint:
    return world.submit(private_beast, owner, world.payload(private_beast, source=PRIVATE))


def file_private(world: World, beast: int, c: Checkpoint, **changes: Any) -> Any:
    values = {"dataset": DATA.blob, "secret": DATA.secret} | changes
    return world.court.functions.filePrivate(beast, c, values["dataset"], values["secret"])


# --- what it locks ----------------------------------------------------------------------------


def test_file_locksBothBonds(
    world: World, beast: int, checkpoint: Checkpoint, challenger: str
) -> None:
    """P21, P38: ENERGY by the window's price, coin by the gas of the openings."""
    before = money(world, challenger)
    call = world.court.functions.file(beast, checkpoint)
    receipt = world.send(call, challenger, 10**18)
    dispute = world.dispute(1)
    assert (dispute.status, dispute.filer, dispute.missing) == (FILED, challenger, SEGMENTS)
    assert dispute.filedIn == receipt["blockNumber"]
    assert dispute.responseDeadline == world.now() + world.season.economics.responseWindow
    assert (dispute.proofStart, dispute.proofDeadline) == (0, 0)
    assert dispute.digest == bytes(world.ledger.functions.digestOf(beast, checkpoint).call())
    energy = energy_bond(world, checkpoint)
    coin = opening_bond(world, receipt["blockNumber"], gas_owed())
    # What was sent beyond the bond is credited.
    assert money(world, challenger).since(before) == Money(-energy, -coin)
    assert world.opening_bond(1) == (coin, 0, 0, 0, 0)
    standing = world.ledger.functions.standingOf(dispute.digest).call()
    assert tuple(standing) == (1, energy, False)
    assert world.status(beast, checkpoint) == DISPUTED
    assert world.court.functions.disputeCount().call() == 1


def test_file_asksForWhatTheChainDoesNotHave(
    world: World, owner: str, challenger: str, stranger: str
) -> None:
    """P44: segments always; the state before it and the records of a private window unless they
    stand in the archives."""
    trainee = Trainee.hatch(world, owner, DATA)
    first, second = trainee.train(), trainee.train(PRIVATE)
    court = world.court.functions
    place = trainee.beast, second.checkpoint
    for publish, missing, gas in (
        (None, SEGMENTS | STATE | RECORDS, gas_owed(state=True, records=len(WORDS))),
        (trainee.publish_parent, SEGMENTS | RECORDS, gas_owed(records=len(WORDS))),
        (trainee.publish_records, SEGMENTS, gas_owed()),
    ):
        if publish:
            publish(second, stranger)
        energy, coin, owed = court.quote(*place).call()
        assert owed == missing
        assert coin == gas * 4 * GWEI  # the reference fee: blocks here are cheaper
        assert energy == energy_bond(world, second.checkpoint)
    call = court.file(*place)
    world.reverts(call, challenger, "OpeningBondTooSmall", coin, coin - 1, value=coin - 1)
    world.send(call, challenger, coin)
    assert world.dispute(1).missing == SEGMENTS
    world.send(court.file(trainee.beast, first.checkpoint), challenger, 2 * coin)
    assert world.dispute(2).missing == SEGMENTS


def test_file_anOldPublicationDoesNotCount(world: World, trainee: Trainee, challenger: str) -> None:
    """Nodes need not serve what is older than the season's publication age, to the second."""
    trainee.train()
    second = trainee.train()
    trainee.publish_parent(second)
    age = world.season.economics.publicationAge
    published = world.now()
    for at, missing in ((published + age, SEGMENTS), (published + age + 1, SEGMENTS | STATE)):
        world.travel_to(at)
        quote = world.court.functions.quote(trainee.beast, second.checkpoint)
        assert quote.call(block_identifier="latest")[2] == missing


def test_file_theBondFollowsTheBaseFee(
    world: World, beast: int, checkpoint: Checkpoint, challenger: str
) -> None:
    """P38: above the reference fee the block's own counts."""
    set_base_fee(world.rpc, 30 * GWEI)
    receipt = world.send(world.court.functions.file(beast, checkpoint), challenger, 10**18)
    assert world.opening_bond(1).base == gas_owed() * 4 * 30 * GWEI
    assert world.opening_bond(1).base == opening_bond(world, receipt["blockNumber"], gas_owed())


def test_attack_manyWindowsOfOneBeast_theNthCostsNBonds(
    world: World, beast: int, owner: str, challenger: str, stranger: str
) -> None:
    """A flood of filings over one beast grows dear, up to eight bonds each, whoever files; another
    beast's are not concerned, and an ended dispute counts no more."""
    chain = [world.submit(beast, owner) for _ in range(10)]
    for at, c in enumerate(chain):
        before = money(world, stranger)
        value = world.opening_value(beast, c)
        call = world.court.functions.file(beast, c)
        receipt = world.send(call, stranger, value)
        block = receipt["blockNumber"]
        gas = gas_owed(state=at > 0)
        base = opening_bond(world, block, gas)
        bond = world.opening_bond(at + 1)
        assert (bond.base, bond.surplus) == (base, base * (min(at + 1, 8) - 1))
        paid = opening_bond(world, block, gas, at + 1)
        assert money(world, stranger).since(before).coin == -paid
    assert world.vault.functions.openDisputesOf(beast).call() == 10
    other = world.hatch(owner)
    world.file(other, world.submit(other, owner), challenger)
    assert world.opening_bond(11).surplus == 0
    world.travel(world.season.economics.responseWindow + 1)
    world.claim_timeout(10, beast, chain[9], chain[8], challenger)
    assert world.vault.functions.openDisputesOf(beast).call() == 9


# --- refusals: nothing moved ------------------------------------------------------------------


def test_file_withoutEnergy_reverts(
    world: World, beast: int, checkpoint: Checkpoint, challenger: str
) -> None:
    balance = world.escrow(challenger)
    world.send(world.ledger.functions.withdraw(balance, challenger), challenger)
    call = world.court.functions.file(beast, checkpoint)
    bond = energy_bond(world, checkpoint)
    world.reverts(call, challenger, "InsufficientEscrow", challenger, 0, bond, value=10**18)


def test_file_withoutCoin_reverts(
    world: World, beast: int, checkpoint: Checkpoint, challenger: str
) -> None:
    required = gas_owed() * 4 * GWEI
    call = world.court.functions.file(beast, checkpoint)
    for value in (0, required - 1):
        world.reverts(call, challenger, "OpeningBondTooSmall", required, value, value=value)


def test_file_forgedRecord_reverts(
    world: World, beast: int, checkpoint: Checkpoint, challenger: str
) -> None:
    """P15: not on another h128, trainer, index, beast or time."""
    payload = checkpoint.payload._replace(h128=fresh_hash("other"))
    for forged in (
        checkpoint._replace(payload=payload),
        checkpoint._replace(trainer=challenger),
        checkpoint._replace(index=1),
        checkpoint._replace(submittedAt=checkpoint.submittedAt + 1_000),
    ):
        call = world.court.functions.file(beast, forged)
        world.reverts(call, challenger, "NotLive", beast, forged.index, value=10**18)
    call = world.court.functions.file(beast + 1, checkpoint)
    world.reverts(call, challenger, "NotLive", beast + 1, 0, value=10**18)
    call = world.court.functions.file(beast, checkpoint._replace(season=9))
    world.reverts(call, challenger, "UnknownSeason", 9, value=10**18)


def test_file_afterTheChallengePeriod_reverts(
    world: World, beast: int, checkpoint: Checkpoint, challenger: str
) -> None:
    """P51: until its last second and no later, final or not."""
    ends = checkpoint.submittedAt + world.season.economics.challengePeriod
    call = world.court.functions.file(beast, checkpoint)
    world.travel_to(ends - 2)
    world.call(call, challenger, 10**18)
    world.travel_to(ends)
    world.reverts(call, challenger, "ChallengePeriodOver", 0, ends, value=10**18)
    world.travel(365 * 86_400)
    world.reverts(call, challenger, "ChallengePeriodOver", 0, ends, value=10**18)
    world.finalize(beast, checkpoint)
    world.reverts(call, challenger, "AlreadyFinal", beast, 0, value=10**18)


def test_file_overAnOpenDispute_goesOnWithIt(
    world: World, beast: int, checkpoint: Checkpoint, challenger: str, stranger: str
) -> None:
    """A decoy costs the next filer no revert and no bond: the value sent comes back as credit."""
    world.file(beast, checkpoint, challenger)
    before, dispute = money(world, stranger), world.dispute(1)
    call = world.court.functions.file(beast, checkpoint)
    assert world.call(call, stranger, 10**17) == 1
    receipt = world.send(call, stranger, 10**17)
    ignored = world.logs("court", "FilingIgnored", receipt)
    assert ignored == [{"disputeId": 1, "beastId": beast, "index": 0, "caller": stranger}]
    assert money(world, stranger).since(before) == NOTHING
    assert world.credit(stranger) == 10**17
    world.send(call, stranger)
    assert world.credit(stranger) == 10**17
    assert (world.dispute(1), world.court.functions.disputeCount().call()) == (dispute, 1)


def test_file_again_afterADismissal(
    world: World, beast: int, checkpoint: Checkpoint, challenger: str, stranger: str
) -> None:
    """A dismissed dispute settles nothing else, within the challenge period."""
    dispute = world.file(beast, checkpoint, challenger)
    world.open_segments(dispute, beast, checkpoint, garbage_segments(checkpoint.payload.h128))
    world.travel(world.season.economics.proofWindow + 1)
    world.send(world.court.functions.dismiss(dispute, beast, checkpoint), stranger)
    assert world.status(beast, checkpoint) == PENDING
    assert world.file(beast, checkpoint, stranger) == dispute + 1


# --- filePrivate, fileStaged ------------------------------------------------------------------


def test_filePrivate_revealsTheDatasetAndFiles(
    world: World, private_beast: int, private: Checkpoint, challenger: str
) -> None:
    """P20. What is revealed makes no opening: the records are owed all the same."""
    call = file_private(world, private_beast, private)
    receipt = world.send(call, challenger, 10**18)
    assert world.logs("records", "SecretRevealed", receipt) == [
        {"beastId": private_beast, "ownerSecret": DATA.secret}
    ]
    assert world.logs("records", "DatasetRevealed", receipt) == [
        {"beastId": private_beast, "cDataset": keccak(DATA.blob)}
    ]
    fold = int.from_bytes(b"\x07" * 8) ^ int.from_bytes(b"\x07" * 8)
    assert world.records.functions.foldOf(private_beast).call() == [True, fold]
    assert world.dispute(1).missing == SEGMENTS | RECORDS
    assert world.dispute(1).filer == challenger


def test_filePrivate_intoAnOpenDispute_reveals(
    world: World, private_beast: int, private: Checkpoint, challenger: str, stranger: str
) -> None:
    """Who holds the dataset may reveal it into somebody else's dispute, for nothing."""
    world.file(private_beast, private, challenger)
    before = money(world, stranger)
    receipt = world.send(file_private(world, private_beast, private), stranger)
    assert world.logs("court", "FilingIgnored", receipt)
    assert world.logs("records", "DatasetRevealed", receipt)
    assert money(world, stranger).since(before) == NOTHING


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"dataset": DATA.blob + b"\x00"}, "WrongDataset"),
        ({"secret": b"\x08" * 32}, "WrongOwnerSecret"),
        ({"dataset": bytes(120_001)}, "DatasetTooLarge"),
    ],
)
def test_filePrivate_badInput_reverts(
    world: World,
    private_beast: int,
    private: Checkpoint,
    challenger: str,
    changes: dict[str, bytes],
    error: str,
) -> None:
    call = file_private(world, private_beast, private, **changes)
    world.reverts(call, challenger, error, value=10**18)


def test_filePrivate_onABeastWithoutDataset_reverts(
    world: World, beast: int, checkpoint: Checkpoint, challenger: str
) -> None:
    call = file_private(world, beast, checkpoint)
    world.reverts(call, challenger, "NoPrivateDataset", beast, value=10**18)


def test_fileStaged_withoutAStage_reverts(
    world: World, private_beast: int, private: Checkpoint, challenger: str
) -> None:
    call = world.court.functions.fileStaged(private_beast, private, DATA.secret)
    digest = keccak(DATA.blob)
    world.reverts(call, challenger, "NoStage", challenger, digest, value=10**18)
