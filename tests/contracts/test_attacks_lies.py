"""Lies that only their author could judge, before disputes opened everything: each now falls to a
stranger who has a node, and pays it.

The stranger here uses nothing but what the chain gives: records, events and its own kernel.
"""

from __future__ import annotations

from typing import Any

import pytest

from chainbeasts.backend.kernel.labels import label
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.samples import random_position
from chainbeasts.backend.kernel.state import Header, State, deserialize_weights, state_hash
from chainbeasts.backend.kernel.window import open_window, run_window
from tests.support.money import Money, money, shares
from tests.support.protocol import (
    BURN,
    CURRICULUM,
    HEADER,
    NO_CHECKPOINT,
    NO_SALT,
    PRIVATE,
    RECORDS,
    SEGMENT,
    SEGMENTS,
    STATE,
    TIMEOUT,
    Checkpoint,
    World,
    fresh_hash,
    garbage_segments,
)
from tests.support.states import dense_weights
from tests.support.training import SALT, Dataset, Trainee, Window, add_one, opening

DRAWN = [random_position(104_729 * n, None, Rules()) for n in range(120)]
WORDS = [word for word in DRAWN if label(word, Rules()).move is not None][:60]
"""Each teaches a move: of those that teach none, one is as good as another to an epoch's first
heads, and who was trained on other records than asked for would have done nothing wrong."""


class Stranger:
    """Convicts a window by silence, counting its transactions."""

    def __init__(self, world: World, account: str) -> None:
        self.world, self.account = world, account
        self.transactions = 0
        self.before = money(world, account)

    def send(self, call: Any, value: int = 0) -> Any:
        self.transactions += 1
        return self.world.send(call, self.account, value)

    def convict_by_silence(self, beast: int, c: Checkpoint, parent: Checkpoint) -> Any:
        court = self.world.court.functions
        value = self.world.opening_value(beast, c)
        filed = self.send(court.file(beast, c), value)
        dispute = self.world.logs("court", "DisputeFiled", filed)[0]["disputeId"]
        self.world.travel(self.world.season.economics.responseWindow + 1)
        return self.send(court.claimTimeout((dispute, beast, c, parent)))

    def settle(self, beast: int, trainer: str) -> None:
        self.send(self.world.vault.functions.settleReward(beast, trainer))
        self.send(self.world.vault.functions.withdrawCredit(self.account))

    @property
    def gained(self) -> Money:
        return money(self.world, self.account).since(self.before)


def reward(world: World, locked: int, stake: int) -> Money:
    """Both shares of a conviction, in both currencies."""
    energy, coin = shares(locked, world.season.economics), shares(stake, world.season.economics)
    return Money(energy.filing + energy.proof, coin.filing + coin.proof)


# --- 1: invented commitments ------------------------------------------------------------------


@pytest.mark.parametrize("length", [1, 65_536])
def test_attack_inventedCommitments_fallToAStranger(
    world: World, owner: str, stranger: str, length: int
) -> None:
    """Hatched with four random hashes; no dataset exists. Hand-written weights come in as one
    private window: its records cannot be opened, so it is never final, and its author loses lock,
    bond and stake, of which the stranger has its shares."""
    commitments = (fresh_hash("data"), fresh_hash("root"), length, fresh_hash("secret"))
    beast = world.hatch(owner, commitments)
    state = State(Trainee(world, beast, owner).state.header, dense_weights())
    payload = world.payload(beast, state_hash(state), source=PRIVATE, windowLoss=0)
    before, burned = money(world, owner), world.coin(BURN)
    stake = world.stake(beast, owner)
    lie = world.submit(beast, owner, payload)
    # The author has the state, and may even publish it: nobody can say where it came from.
    world.publish_state(*opening(state), owner)

    outsider = Stranger(world, stranger)
    assert world.court.functions.quote(beast, lie).call()[2] == SEGMENTS | RECORDS
    upheld = outsider.convict_by_silence(beast, lie, NO_CHECKPOINT)
    assert world.logs("court", "DisputeUpheld", upheld)[0]["how"] == TIMEOUT
    outsider.settle(beast, owner)
    assert outsider.transactions < 8
    assert world.head(beast).headCount == 0
    world.travel(world.season.economics.challengePeriod)
    finalize = world.ledger.functions.finalize(beast, [lie])
    world.reverts(finalize, owner, "NotLive", beast, 0)
    assert outsider.gained == reward(world, lie.locked, stake)
    assert money(world, owner).since(before) == Money(-lie.locked, -stake)
    assert world.coin(BURN) - burned == shares(stake, world.season.economics).burned


def test_attack_inventedCommitments_openedSegmentsAreNotEnough(
    world: World, owner: str, stranger: str
) -> None:
    """Segments that nobody could have computed, and opened in time, keep the window no longer."""
    beast = world.hatch(owner, (fresh_hash(1), fresh_hash(2), 4_096, fresh_hash(3)))
    lie = world.submit(beast, owner, world.payload(beast, source=PRIVATE))
    dispute = world.file(beast, lie, stranger)
    world.open_segments(dispute, beast, lie, garbage_segments(lie.payload.h128))
    world.travel(world.season.economics.responseWindow + 1)
    dismiss = world.court.functions.dismiss(dispute, beast, lie)
    world.reverts(dismiss, owner, "OpeningsMissing", dispute, RECORDS)
    world.claim_timeout(dispute, beast, lie, NO_CHECKPOINT, stranger)
    assert world.head(beast).headCount == 0


def test_attack_handWrittenWeights_withARealDataset_fallToAProof(
    world: World, owner: str, stranger: str
) -> None:
    """The dataset exists and its records are opened; the window was never trained. The stranger
    proves a segment from events alone."""
    trainee = Trainee.hatch(world, owner, Dataset.of(WORDS))

    def written(state: State) -> None:
        state.weights[:] = dense_weights()

    window = trainee.train(PRIVATE, tamper=(128, written))
    stake, outsider = world.staked(trainee.beast, owner), Stranger(world, stranger)
    value = world.opening_value(trainee.beast, window.checkpoint)
    outsider.send(world.court.functions.file(trainee.beast, window.checkpoint), value)
    trainee.open_all(1, window)
    debt = world.opening_bond(1).paid
    opened = trainee.records_opening(window)
    proof = trainee.prove_call(1, window, 15, witnesses=opened.witnesses(120, 8))
    upheld = world.logs("court", "DisputeUpheld", outsider.send(proof))[0]
    assert (upheld["how"], upheld["segment"]) == (SEGMENT, 15)
    outsider.settle(trainee.beast, owner)
    assert outsider.transactions < 8
    assert outsider.gained == reward(world, window.checkpoint.locked, stake - debt)


# --- 2: withheld parent -----------------------------------------------------------------------


def test_attack_withheldParent_bothWindowsFall(world: World, owner: str, stranger: str) -> None:
    """Window 0 private with a random hash, window 1 public on it. The stranger disputes the public
    one: the state that it starts from is owed, and nobody can give it; then window 0 itself."""
    beast = world.hatch(owner, (fresh_hash(1), fresh_hash(2), 4_096, fresh_hash(3)))
    before = money(world, owner)
    first = world.submit(beast, owner, world.payload(beast, source=PRIVATE))
    stake = world.staked(beast, owner)
    second = world.submit(beast, owner, world.payload(beast, source=CURRICULUM))
    outsider = Stranger(world, stranger)
    filed = outsider.send(
        world.court.functions.file(beast, second), world.opening_value(beast, second)
    )
    assert world.logs("court", "DisputeFiled", filed)[0]["missing"] == SEGMENTS | STATE
    world.open_segments(1, beast, second, garbage_segments(second.payload.h128))
    debt = world.opening_bond(1).paid
    world.travel(world.season.economics.responseWindow + 1)
    outsider.send(world.court.functions.claimTimeout((1, beast, second, first)))
    # The coin waits until window 0 is final or has fallen: its conviction would be the earlier one.
    settle = world.vault.functions.settleReward(beast, owner)
    world.reverts(settle, stranger, "RewardNotDue", beast, 0, 1)
    outsider.convict_by_silence(beast, first, NO_CHECKPOINT)
    outsider.settle(beast, owner)
    assert outsider.transactions < 8
    assert world.head(beast).headCount == 0
    both = [reward(world, c.locked, 0).energy for c in (first, second)]
    coin = shares(stake - debt, world.season.economics)
    assert outsider.gained == Money(sum(both), coin.filing + coin.proof)
    locked = first.locked + second.locked
    assert money(world, owner).since(before) == Money(-locked, debt - stake)


def test_attack_withheldParent_ofAFinalWindow_falls(
    world: World, owner: str, stranger: str
) -> None:
    """A single bad public window outlived its period: what stands on it falls all the same."""
    beast = world.hatch(owner)
    bad = world.submit(beast, owner)
    world.travel(world.season.economics.challengePeriod)
    world.finalize(beast, bad)
    outsider, stake = Stranger(world, stranger), world.staked(beast, owner)
    window = world.submit(beast, owner)
    outsider.convict_by_silence(beast, window, bad)
    outsider.settle(beast, owner)
    assert outsider.gained == reward(world, window.locked, stake)
    assert (world.head(beast).headCount, world.head(beast).finalCount) == (1, 1)


# --- a planted ancestor -----------------------------------------------------------------------


def plant(world: World, trainee: Trainee, **header: Any) -> State:
    """A final window whose state has hand-written weights and such a header."""
    planted = State(trainee.state.header, dense_weights())
    planted.update(global_step=128, active_mask=world.head(trainee.beast).activeMask)
    planted.update(**header)
    record = world.submit(
        trainee.beast, trainee.trainer, world.payload(trainee.beast, state_hash(planted))
    )
    world.travel(world.season.economics.challengePeriod)
    world.finalize(trainee.beast, record)
    trainee.state = planted
    context = trainee.context(0, 0, 1, record.payload.lrShift)
    trainee.windows.append(Window(context, planted, record, record, planted, [], []))
    return planted


PLANTED: list[dict[str, int | bytes]] = [
    {},
    {"beast_id": 999},
    {"global_step": 2**32 - 64},
    {"global_step": 131},
    {"parent": b"\x09" * 32},
    {"window_loss": 2**32 - 1},
    {"arena": 2**256 - 1},
]


def ids(header: dict[str, Any]) -> str:
    return next(iter(header), "weights")


@pytest.mark.parametrize("source", [0, 1, PRIVATE])
@pytest.mark.parametrize("header", PLANTED, ids=ids)
def test_attack_plantedAncestor_isNoWayOut(
    world: World, owner: str, stranger: str, header: dict[str, Any], source: int
) -> None:
    """A wrong state became final and has a header that no honest one has. Whatever it says, it
    cannot keep a wrong window on it from being re-executed and convicted."""
    trainee = Trainee.hatch(world, owner, Dataset.of(WORDS))
    plant(world, trainee, **header)
    window = trainee.train(source, tamper=(20, add_one))
    dispute = trainee.dispute(window, stranger)
    published = world.logs("states", "StatePublished", trainee.publish_parent(window, owner))
    assert published == []  # it stands there already
    words: dict[str, Any] = {}
    if source == PRIVATE:
        words["witnesses"] = trainee.records_opening(window).witnesses(16, 8)
    if source == PRIVATE and "global_step" in header:
        # Which records a step samples follows from the window's place, not from the planted header:
        # the trainer's own idea of them is another, so segment 0 is wrong already.
        words["witnesses"] = trainee.records_opening(window).witnesses(0, 8)
        call = trainee.prove_call(dispute, window, 0, **words)
    else:
        call = trainee.prove_call(dispute, window, 2, **words)
    world.send(call, stranger)
    assert world.head(trainee.beast).headCount == 1


@pytest.mark.parametrize("header", PLANTED, ids=ids)
def test_attack_plantedAncestor_rightWindowsOnIt(
    world: World, owner: str, prover: str, header: dict[str, Any]
) -> None:
    """Trained rightly on a planted state: where its header shows through, the window contradicts
    itself and falls; where training overwrites it, the window is as right as any."""
    trainee = Trainee.hatch(world, owner)
    plant(world, trainee, **header)
    window = trainee.train()
    contradicts = "beast_id" in header or "global_step" in header
    call = trainee.header_call(window, salt=SALT)
    if not contradicts:
        world.reverts(call, prover, "NoContradiction")
        return
    trainee.commit_header(prover, window)
    upheld = world.logs("court", "DisputeUpheld", world.send(call, prover))[0]
    assert (upheld["how"], upheld["prover"]) == (HEADER, prover)


def test_attack_plantedAncestor_strangerFromEventsAlone(
    world: World, owner: str, stranger: str
) -> None:
    """The whole way of somebody who holds no file: file; read segments and state out of events;
    re-execute until a segment differs; prove it; be paid both shares and the bonds."""
    trainee = Trainee.hatch(world, owner)
    plant(world, trainee)
    window = trainee.train(tamper=(20, add_one))
    outsider, stake = Stranger(world, stranger), world.staked(trainee.beast, owner)
    place = trainee.beast, window.checkpoint
    outsider.send(world.court.functions.file(*place), world.opening_value(*place))
    opened = trainee.open_segments(1, window)
    published = trainee.publish_parent(window)

    segments = world.logs("court", "SegmentsOpened", opened)[0]["segments"]
    event = world.logs("states", "StatePublished", published)[0]
    header = Header(*event["header"].values())
    state = open_window(
        State(header, deserialize_weights(event["weights"])), window.checkpoint.payload.activeMask
    )
    wrong = 0
    before = state.copy()
    while run_window(window.context, state, 8) == [segments[wrong]]:
        wrong, before = wrong + 1, state.copy()
    header_, weights = opening(before)
    call = world.court.functions.prove(
        (1, *place, window.parent), segments, wrong, header_, weights, b"", NO_SALT
    )
    proved = outsider.send(call)
    upheld = world.logs("court", "DisputeUpheld", proved)[0]
    assert (upheld["segment"], upheld["prover"]) == (2, stranger)
    taken = world.logs("vault", "StakeTaken", proved)[0]
    assert taken["amount"] == stake
    outsider.settle(trainee.beast, owner)
    assert outsider.transactions < 8
    assert outsider.gained == reward(world, window.checkpoint.locked, stake - taken["debts"])
