"""Gas of disputes: filing, openings, ends, the money after them, and a stranger's whole way.

Used by the gas report; proofs by re-execution are measured with the kernel.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainbeasts.backend.kernel.constants import MAX_RECORDS, WEIGHTS, WINDOW_STEPS
from chainbeasts.backend.kernel.rng import fold64
from chainbeasts.backend.kernel.samples import Source, record_index
from chainbeasts.backend.kernel.state import Header, State, state_hash
from tests.support.gas_meter import Meter, fresh_world
from tests.support.money import opening_fee
from tests.support.protocol import (
    CURRICULUM,
    DAY,
    NO_CHECKPOINT,
    NO_SALT,
    PRIVATE,
    Checkpoint,
    Economics,
    Season,
    fresh_hash,
    garbage_segments,
)
from tests.support.records import RecordsOpening, open_records
from tests.support.training import SALT, Dataset, Trainee, add_one, opening

SEASON = Season(
    economics=Economics(challengePeriod=7 * DAY, responseWindow=DAY, proofWindow=2 * DAY)
)
MANY_RECORDS, SOME_RECORDS = MAX_RECORDS, 4_096
AMPLE = 5
"""Times the stake that a submission asks for: what is paid for openings at once comes out of it."""


def measure() -> dict[str, dict[str, int]]:
    """Gas by transaction, and of a stranger's whole way; the same figures at every call."""
    with fresh_world(SEASON) as world:
        meter = Disputes(world)
        meter.public_window()
        meter.headers()
        for records in (SOME_RECORDS, MANY_RECORDS):
            meter.private_window(records)
        meter.steps()
        states = meter.states()
    with fresh_world(SEASON) as world:
        ways = Stranger(world).ways()
    return {"disputes": meter.gas, "openings": states, "ways": ways}


def dense_dataset(records: int) -> Dataset:
    """Words with hardly a zero byte: the dearest that a dataset can hold."""
    generator = random.Random(records)
    return Dataset.of([generator.getrandbits(256) for _ in range(records)])


def dense_state(beast: int, index: int, parent: bytes) -> State:
    """The end of a window with as few zero bytes in its weights as random ones have."""
    weights = np.random.default_rng(beast).integers(-16_383, 16_384, WEIGHTS, dtype=np.int16)
    return State(Header(beast, parent, WINDOW_STEPS * (index + 1), 0xFF, 1_000, 0), weights)


@dataclass
class Disputes(Meter):
    """Every transaction of a dispute."""

    def __post_init__(self) -> None:
        _, self.owner, self.filer, self.prover, self.anyone = self.world.accounts[:5]

    def beast(self, dataset: Dataset | None = None) -> int:
        """A beast whose trainer is paid for openings at once."""
        commitments = dataset.commitments if dataset else (bytes(32), bytes(32), 0, bytes(32))
        beast = self.world.hatch(self.owner, commitments)
        self.world.stake(beast, self.owner, AMPLE * self.world.required_stake(beast))
        return beast

    def submit_state(self, beast: int) -> tuple[Checkpoint, State]:
        """A window that ends in a state whose weights were written by hand."""
        head = self.world.head(beast)
        state = dense_state(beast, head.headCount, head.h128)
        payload = self.world.payload(
            beast, state_hash(state), activeMask=0xFF, windowLoss=state.header.window_loss
        )
        return self.world.submit(beast, self.owner, payload), state

    def file(self, name: str, beast: int, checkpoint: Checkpoint) -> int:
        """File with exactly the bond that is asked for, so that nothing is credited back."""
        world = self.world
        value = int(world.court.functions.quote(beast, checkpoint).call()[1])
        call = world.court.functions.file(beast, checkpoint)
        receipt = self.note(name, call, self.filer, value)
        return int(world.logs("court", "DisputeFiled", receipt)[0]["disputeId"])

    def public_window(self) -> None:
        """Filed, opened, dismissed; and one voided by another's conviction.

        Not the chain's first dispute: that one fills slots which no other does.
        """
        world, court = self.world, self.world.court.functions
        self.timeout()
        beast = self.beast()
        first, state = self.submit_state(beast)
        target = world.submit(beast, self.owner)
        child = world.submit(beast, self.owner)
        dispute = self.file("file, public", beast, target)
        self.note("file, on an open dispute", court.file(beast, target), self.anyone)
        segments = garbage_segments(target.payload.h128)
        call = court.openSegments(dispute, beast, target, segments)
        self.note("openSegments", call, self.owner)
        self.note("publish a state", world.states.functions.publish(*opening(state)), self.owner)
        call = court.acceptOpenings(dispute, beast, target)
        self.note("acceptOpenings, state", call, self.owner)
        self.note("commit", court.commit(fresh_hash("commitment")), self.prover)
        world.travel(SEASON.economics.proofWindow + 1)
        self.note("dismiss, bond burned", court.dismiss(dispute, beast, target), self.prover)
        self.file("file, its state published", beast, target)
        void = world.file(beast, child, self.filer)
        self.file("file, a first window", beast, first)
        world.travel(SEASON.economics.responseWindow + 1)
        world.claim_timeout(self.last, beast, first, NO_CHECKPOINT, self.filer)
        self.note("dismiss, bonds returned", court.dismiss(void, beast, child), self.prover)

    @property
    def last(self) -> int:
        return int(self.world.court.functions.disputeCount().call())

    def headers(self) -> None:
        """A header that contradicts its payload: challenged by who committed, without a dispute."""
        trainee = Trainee(self.world, self.beast(), self.owner)
        trainee.train()
        window = trainee.train(windowLoss=5)
        trainee.commit_header(self.prover, window)
        self.note("challengeHeader", trainee.header_call(window, salt=SALT), self.prover)

    def private_window(self, records: int) -> None:
        """All three openings of a private window in the middle of a life."""
        world, court = self.world, self.world.court.functions
        dataset = dense_dataset(records)
        beast = self.beast(dataset)
        _, state = self.submit_state(beast)
        target = world.submit(beast, self.owner, world.payload(beast, source=PRIVATE))
        dispute = self.file("file, private", beast, target)
        world.open_segments(
            dispute, beast, target, garbage_segments(target.payload.h128), self.owner
        )
        world.publish_state(*opening(state), self.owner)
        call = self.records_call(beast, dataset, target.index)
        self.note(f"publish a window's records, of {records:,}", call, self.owner)
        call = court.acceptOpenings(dispute, beast, target)
        self.note("acceptOpenings, state and records", call, self.owner)

    def records_call(self, beast: int, dataset: Dataset, index: int) -> Any:
        opened = self.opening_of(beast, dataset, index)
        return self.world.records.functions.publish(beast, index, *opened.arguments)

    def opening_of(self, beast: int, dataset: Dataset, index: int) -> RecordsOpening:
        dna = bytes(self.world.beasts.functions.birthOf(beast).call()[0])
        steps = range(index * WINDOW_STEPS, (index + 1) * WINDOW_STEPS)
        fold, length = fold64(dataset.secret), len(dataset.words)
        sampled = [record_index(Source.PRIVATE, dna, step, length, fold) for step in steps]
        return open_records(dataset.words, dataset.secret, sampled)

    def timeout(self) -> None:
        """Silence: claimed, the reward settled, the credit withdrawn."""
        world, court, vault = self.world, self.world.court.functions, self.world.vault.functions
        beast = self.beast()
        parent = world.submit(beast, self.owner)
        target = world.submit(beast, self.owner)
        dispute = world.file(beast, target, self.filer)
        world.travel(SEASON.economics.responseWindow + 1)
        call = court.claimTimeout((dispute, beast, target, parent))
        self.note("claimTimeout", call, self.filer)
        world.travel(SEASON.economics.challengePeriod)
        world.finalize(beast, parent)
        self.note("settleReward", vault.settleReward(beast, self.owner), self.filer)
        self.note("withdrawCredit", vault.withdrawCredit(self.filer), self.filer)

    def steps(self) -> None:
        """A wrong window advanced to its end by who committed to the steps."""
        world, vault = self.world, self.world.vault.functions
        trainee = Trainee(world, self.beast(), self.owner)
        window = trainee.train(tamper=(1, add_one))
        dispute = world.file(trainee.beast, window.checkpoint, self.filer)
        trainee.advance_all(dispute, window, self.prover, committed=True)
        world.send(vault.settleReward(trainee.beast, self.owner), self.anyone)
        self.note("claimSteps", vault.claimSteps(dispute), self.prover)

    # --- what openings are paid as, against what they take --------------------------------------

    def states(self) -> dict[str, dict[str, int]]:
        """For each kind of opening: gas of all its transactions, and the gas that is paid."""
        found = {"segments, and the dismissal": self.paid_segments()}
        for name, weights in STATES.items():
            found[f"a state, {name}"] = self.paid_state(weights)
        for records in (1, 128, SOME_RECORDS, MANY_RECORDS):
            found[f"records of {records:,}"] = self.paid_records(records)
        return found

    def paid_segments(self) -> dict[str, int]:
        """With the call that ends a dispute in which nothing was proved: the trainer's to send."""
        world = self.world
        beast = self.beast()
        target = world.submit(beast, self.owner)
        dispute = world.file(beast, target, self.filer)
        receipt = world.open_segments(
            dispute, beast, target, garbage_segments(target.payload.h128), self.owner
        )
        world.travel(SEASON.economics.proofWindow + 1)
        call = world.court.functions.dismiss(dispute, beast, target)
        return self._paid(receipt, receipt, world.send(call, self.owner))

    def paid_state(self, weights: Callable[[], Any]) -> dict[str, int]:
        """Of a state that is published for one dispute alone."""
        world = self.world
        beast = self.beast()
        head = world.head(beast)
        state = State(Header(beast, head.h128, WINDOW_STEPS, 0xFF, 9, 0), weights())
        payload = world.payload(beast, state_hash(state), activeMask=0xFF, windowLoss=9)
        world.submit(beast, self.owner, payload)
        target = world.submit(beast, self.owner)
        dispute = world.file(beast, target, self.filer)
        published = world.publish_state(*opening(state), self.owner)
        accepted = world.accept_openings(dispute, beast, target, self.owner)
        return self._paid(accepted, published, accepted)

    def paid_records(self, records: int) -> dict[str, int]:
        """Of the records of a first window."""
        world = self.world
        dataset = dense_dataset(records)
        beast = self.beast(dataset)
        target = world.submit(beast, self.owner, world.payload(beast, source=PRIVATE))
        dispute = world.file(beast, target, self.filer)
        call = self.records_call(beast, dataset, target.index)
        published = world.send(call, self.owner)
        accepted = world.accept_openings(dispute, beast, target, self.owner)
        return self._paid(accepted, published, accepted)

    def _paid(self, paying: Any, *receipts: Any) -> dict[str, int]:
        world = self.world
        event = world.logs("vault", "OpeningPaid", paying)[0]
        # The first of the receipts carries the opening itself; its price is what a gas is paid.
        paid = int(event["paid"]) + int(event["waiting"])
        return {
            "gas": sum(int(receipt["gasUsed"]) for receipt in receipts),
            "paid": paid // opening_fee(world, receipts[0]),
        }


def _genesis_like() -> Any:
    """Small weights of both signs, as at hatch: every other byte is 0 or 255."""
    return np.random.default_rng(1).integers(-64, 65, WEIGHTS, dtype=np.int16)


STATES: dict[str, Callable[[], Any]] = {
    "without a zero byte": lambda: np.full(WEIGHTS, 0x0101, dtype=np.int16),
    "as at hatch": _genesis_like,
    "half of it zero": lambda: _genesis_like() * (np.arange(WEIGHTS) % 2 == 0),
    "all zero": lambda: np.zeros(WEIGHTS, dtype=np.int16),
}


@dataclass
class Stranger(Meter):
    """One who holds coin, ENERGY and a node, from the first approval to the last withdrawal."""

    def __post_init__(self) -> None:
        self.cheat, self.stranger = self.world.accounts[1], self.world.accounts[9]
        self.sent: list[int] = []

    def ways(self) -> dict[str, dict[str, int]]:
        """Gas and number of the transactions of each way."""
        return {
            "invented commitments": self.invented_commitments(),
            "withheld parent, silent": self.withheld_parent(silent=True),
            "withheld parent, answered": self.withheld_parent(silent=False),
        }

    def send(self, call: Any, value: int = 0) -> Any:
        receipt = self.world.send(call, self.stranger, value)
        self.sent.append(int(receipt["gasUsed"]))
        return receipt

    def file(self, beast: int, checkpoint: Checkpoint) -> int:
        """Bond into the escrow, and a dispute."""
        world = self.world
        bond = int(world.court.functions.quote(beast, checkpoint).call()[0])
        world.send(world.energy.functions.mint(self.stranger, bond), world.accounts[0])
        self.send(world.energy.functions.approve(world.ledger.address, bond))
        self.send(world.ledger.functions.deposit(bond))
        value = world.opening_value(beast, checkpoint)
        self.send(world.court.functions.file(beast, checkpoint), value)
        return int(world.court.functions.disputeCount().call())

    def collect(self, beast: int) -> dict[str, int]:
        """Take everything out; what the whole way took."""
        world = self.world
        self.send(world.vault.functions.settleReward(beast, self.cheat))
        self.send(world.vault.functions.withdrawCredit(self.stranger))
        energy = world.escrow(self.stranger)
        self.send(world.ledger.functions.withdraw(energy, self.stranger))
        assert world.escrow(self.stranger) == world.credit(self.stranger) == 0
        found = {"gas": sum(self.sent), "transactions": len(self.sent)}
        self.sent.clear()
        return found

    def claim_timeout(self, dispute: int, beast: int, checkpoint: Checkpoint, parent: Any) -> None:
        self.world.travel(SEASON.economics.responseWindow + 1)
        claim = (dispute, beast, checkpoint, parent)
        self.send(self.world.court.functions.claimTimeout(claim))

    def invented_commitments(self) -> dict[str, int]:
        """Four random hashes at hatch, hand-written weights as one private window."""
        world = self.world
        invented = (fresh_hash("blob"), fresh_hash("root"), 500, fresh_hash("secret"))
        beast = world.hatch(self.cheat, invented)
        lie = world.submit(beast, self.cheat, world.payload(beast, source=PRIVATE))
        dispute = self.file(beast, lie)
        self.claim_timeout(dispute, beast, lie, NO_CHECKPOINT)
        return self.collect(beast)

    def withheld_parent(self, *, silent: bool) -> dict[str, int]:
        """A public window behind a state that nobody else knows, its bad parent already final.

        Args:
            silent: the cheat opens nothing; else it publishes the state that it wrote, and answers
                with hashes of nothing.
        """
        world = self.world
        beast = world.hatch(self.cheat)
        head = world.head(beast)
        state = dense_state(beast, 0, head.h128)
        payload = world.payload(
            beast, state_hash(state), activeMask=0xFF, windowLoss=state.header.window_loss
        )
        parent = world.submit(beast, self.cheat, payload)
        world.travel(SEASON.economics.challengePeriod)
        world.finalize(beast, parent)
        lie = world.submit(beast, self.cheat, world.payload(beast, source=CURRICULUM))
        dispute = self.file(beast, lie)
        if silent:
            self.claim_timeout(dispute, beast, lie, parent)
            return self.collect(beast)
        segments = garbage_segments(lie.payload.h128)
        world.open_segments(dispute, beast, lie, segments, self.cheat)
        world.publish_state(*opening(state), self.cheat)
        claim = (dispute, beast, lie, parent)
        header, weights = opening(state)
        self.send(world.court.functions.prove(claim, segments, 0, header, weights, b"", NO_SALT))
        return self.collect(beast)
