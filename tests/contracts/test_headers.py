"""`challengeHeader`: a state hash that opens into another window than the payload's."""

from __future__ import annotations

import pytest

from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.samples import random_position
from chainbeasts.backend.kernel.state import State, state_hash
from tests.support.money import Money, money, shares
from tests.support.protocol import HEADER, PRIVATE, UPHELD, World, fresh_hash
from tests.support.stepping import Tamper
from tests.support.training import SALT, Dataset, Trainee, hashed_opening

WORDS = [random_position(7919 * n, None, Rules()) for n in range(5)]
DATA = Dataset.of(WORDS)


def lie_in_state(**changes: int | bytes) -> tuple[int, Tamper]:
    def lie(state: State) -> None:
        state.update(**changes)

    return 128, lie


@pytest.mark.parametrize("earlier", [0, 1])
@pytest.mark.parametrize(
    "changes",
    [
        {"beast_id": 999},
        {"parent": b"\x09" * 32},
        {"global_step": 127},
        {"active_mask": 0},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_challengeHeader_contradiction_slashes(
    world: World,
    trainee: Trainee,
    challenger: str,
    changes: dict[str, int | bytes],
    earlier: int,
) -> None:
    """A state hash over another beast, parent, step or mask than the payload's; no dispute."""
    for _ in range(earlier):
        trainee.train()
    window = trainee.train(tamper=lie_in_state(**changes))
    stake = world.staked(trainee.beast, trainee.trainer)
    before = money(world, challenger)
    trainee.commit_header(challenger, window)
    receipt = world.send(trainee.header_call(window, salt=SALT), challenger)
    upheld = world.logs("court", "DisputeUpheld", receipt)[0]
    assert (upheld["disputeId"], upheld["how"]) == (0, HEADER)
    economics = world.season.economics
    energy = shares(window.checkpoint.locked, economics)
    coin = shares(stake, economics)
    assert money(world, challenger).since(before) == Money(energy.filing + energy.proof, 0)
    held = world.reward(trainee.beast, trainee.trainer)
    assert (held.filing, held.proof, held.filer, held.prover, held.index) == (
        coin.filing,
        coin.proof,
        challenger,
        challenger,
        earlier,
    )
    assert world.head(trainee.beast).headCount == earlier


def test_challengeHeader_forgedLoss_slashes(world: World, trainee: Trainee, prover: str) -> None:
    window = trainee.train(windowLoss=5)
    world.send(trainee.header_call(window), prover)
    assert world.head(trainee.beast).headCount == 0


def test_challengeHeader_inADispute_endsIt(
    world: World, trainee: Trainee, challenger: str, prover: str
) -> None:
    """P30: without an older commitment both shares are the filer's, and his bonds come back."""
    window = trainee.train(windowLoss=5)
    stake, before = world.staked(trainee.beast, trainee.trainer), money(world, challenger)
    dispute = world.file(trainee.beast, window.checkpoint, challenger)
    world.send(trainee.header_call(window), prover)
    world.send(world.vault.functions.settleReward(trainee.beast, trainee.trainer), prover)
    economics = world.season.economics
    energy, coin = shares(window.checkpoint.locked, economics), shares(stake, economics)
    assert money(world, challenger).since(before) == Money(
        energy.filing + energy.proof, coin.filing + coin.proof
    )
    assert world.dispute(dispute).status == UPHELD
    assert world.vault.functions.openDisputesOf(trainee.beast).call() == 0


def test_challengeHeader_honest_reverts(world: World, trainee: Trainee, challenger: str) -> None:
    for _ in range(2):
        window = trainee.train()
        world.reverts(trainee.header_call(window), challenger, "NoContradiction")
    other = trainee.true_state(window, 64)
    call = trainee.header_call(window, other)
    h128 = window.checkpoint.payload.h128
    world.reverts(call, challenger, "StateMismatch", h128, state_hash(other))


def test_challengeHeader_badInput_reverts(world: World, trainee: Trainee, challenger: str) -> None:
    """Another record, another parent record, a preimage of another hash."""
    trainee.train()
    window = trainee.train(windowLoss=5)
    call = world.court.functions.challengeHeader
    header, root = hashed_opening(window.end)
    good = [trainee.beast, window.checkpoint, window.parent, header, root, SALT]
    unknown = window.checkpoint._replace(bond=1)
    parent = window.parent._replace(bond=1)
    for at, other, error in (
        (0, trainee.beast + 1, "NotPending"),
        (1, unknown, "NotPending"),
        (2, parent, "WrongParentRecord"),
        (3, header._replace(windowLoss=6), "StateMismatch"),
        (4, fresh_hash("weights"), "StateMismatch"),
    ):
        world.reverts(call(*good[:at], other, *good[at + 1 :]), challenger, error)
    world.call(call(*good), challenger)


def test_challengeHeader_finalOrVoid_reverts(
    world: World, trainee: Trainee, challenger: str
) -> None:
    window = trainee.train(windowLoss=5)
    call = trainee.header_call(window)
    world.send(call, challenger)
    world.reverts(call, challenger, "NotPending", trainee.beast, 0)
    trainee.windows.clear()
    trainee.__post_init__()
    window = trainee.train(windowLoss=5)
    world.travel(world.season.economics.challengePeriod)
    world.finalize(trainee.beast, window.checkpoint)
    call = trainee.header_call(window)
    world.reverts(call, challenger, "NotPending", trainee.beast, 0)


def test_windowContext_isThatOfTheKernel(world: World, owner: str, challenger: str) -> None:
    """The referee's context equals the one derived in Python, field by field."""
    trainee = Trainee.hatch(world, owner, DATA)
    window = trainee.train(PRIVATE)
    reveal = world.records.functions.revealDataset(trainee.beast, DATA.blob, DATA.secret)
    world.send(reveal, challenger)
    context = world.windows.functions.contextOf(trainee.beast, window.checkpoint).call()
    mine = window.context
    assert tuple(context) == (
        mine.dna,
        mine.epoch_seed,
        mine.heads,
        mine.lr_shift,
        int(mine.source),
        mine.owner_secret_fold,
        mine.records_root,
        mine.records_length,
        tuple(mine.rules.values()),
    )
