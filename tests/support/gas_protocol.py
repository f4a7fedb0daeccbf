"""Gas of hatching, staking, submitting and finality, and of datasets on the stage.

Used by the gas report; disputes, kernel and arena are measured beside it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from chainbeasts.backend.chain.chunks import CHUNK_BYTES, CHUNKS_AT_ONCE, chunks_of
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.samples import random_position
from tests.support.gas_meter import Meter, fresh_world
from tests.support.protocol import (
    ETHER,
    PRIVATE,
    Checkpoint,
    Economics,
    Schedule,
    Season,
    fresh_hash,
)
from tests.support.training import Dataset

SEASON = Season(schedule=Schedule(epochWindows=16), economics=Economics())
BATCH = 8
NO_COMMITMENTS = (bytes(32), bytes(32), 0, bytes(32))
RECORDS = 500
SMALL, LARGE, LARGEST = 1_000, 120_000, 524_288


def measure() -> dict[str, int]:
    """Gas by transaction, the same figures at every call."""
    with fresh_world(SEASON) as world:
        meter = Protocol(world)
        meter.money()
        beast = meter.hatching()
        chain = meter.submitting(beast)
        meter.finalizing(beast, chain)
        meter.leaving(beast)
        meter.private_windows()
        return meter.gas


def data(size: int) -> bytes:
    """Incompressible bytes, the same at every call."""
    return random.Random(size).randbytes(size)


@dataclass
class Protocol(Meter):
    """The life of a beast whom nobody disputes, and datasets that are revealed."""

    def __post_init__(self) -> None:
        _, self.owner, self.trainer, self.filer, self.anyone = self.world.accounts[:5]

    def money(self) -> None:
        world, ledger = self.world, self.world.ledger.functions
        world.send(world.energy.functions.mint(self.owner, 2 * ETHER), world.accounts[0])
        world.send(world.energy.functions.approve(world.ledger.address, 2 * ETHER), self.owner)
        self.note("deposit", ledger.deposit(ETHER), self.owner)
        self.note("withdraw", ledger.withdraw(ETHER, self.owner), self.owner)

    def hatching(self) -> int:
        world, beasts = self.world, self.world.beasts.functions
        world.pay_hatch(self.owner)
        self.note("requestHatch, no dataset", beasts.requestHatch(*NO_COMMITMENTS), self.owner)
        beast = int(beasts.lastBeastId().call())
        self.note("hatch", beasts.hatch(beast), self.owner)
        world.send(beasts.setTrainer(beast, self.trainer, True), self.owner)
        world.submit(world.hatch(self.owner), self.owner)  # the season's prices are copied here
        value = world.required_stake(beast)
        self.note("stake, the first", world.ledger.functions.stake(beast), self.owner, value)
        self.note("stake, more", world.ledger.functions.stake(beast), self.owner, value)
        world.stake(beast, self.trainer)
        return beast

    def submitting(self, beast: int) -> list[Checkpoint]:
        world = self.world
        first = self.note("submit, a beast's first", world.submit_call(beast), self.owner)
        chain = world.submitted(first)
        chain.append(world.submit(beast, self.owner))
        steady = self.note("submit, steady", world.submit_call(beast), self.owner)
        chain += world.submitted(steady)
        chain.append(world.submit(beast, self.trainer, accept_foreign=True))
        by_trainer = self.note("submit, by a trainer", world.submit_call(beast), self.trainer)
        chain += world.submitted(by_trainer)
        batch = self.note(f"submitBatch of {BATCH}", self.batch(beast), self.trainer)
        self.each(f"submitBatch of {BATCH}", batch, BATCH)
        chain += world.submitted(batch)
        while len(chain) < SEASON.schedule.epochWindows - 1:
            chain.append(world.submit(beast, self.trainer))
        last = self.note("submit, completing an epoch", world.submit_call(beast), self.trainer)
        return chain + world.submitted(last)

    def batch(self, beast: int) -> object:
        head = self.world.head(beast)
        first = self.world.payload(beast)
        payloads = [
            first._replace(
                h128=fresh_hash("batch", i),
                globalStep=first.globalStep + 128 * i,
                windowLoss=first.windowLoss - i,
            )
            for i in range(BATCH)
        ]
        seed = self.world.epoch_seed(beast, head.epoch)
        return self.world.ledger.functions.submitBatch(beast, head.h128, seed, payloads, False)

    def finalizing(self, beast: int, chain: list[Checkpoint]) -> None:
        world = self.world
        world.travel(SEASON.economics.challengePeriod)
        finalize = world.ledger.functions.finalize
        self.note("finalize one", finalize(beast, chain[:1]), self.anyone)
        many = self.note(f"finalize {BATCH}", finalize(beast, chain[1 : BATCH + 1]), self.anyone)
        self.each(f"finalize {BATCH}", many, BATCH)
        world.finalize(beast, *chain[BATCH + 1 :])

    def leaving(self, beast: int) -> None:
        world, ledger = self.world, self.world.ledger.functions
        announce = ledger.announceWithdrawal(beast)
        self.note("announceWithdrawal", announce, self.owner)
        self.note("cancelWithdrawal", ledger.cancelWithdrawal(beast), self.owner)
        world.send(announce, self.owner)
        e = SEASON.economics
        world.travel(e.challengePeriod + e.responseWindow + e.proofWindow)
        self.note("withdrawStake", ledger.withdrawStake(beast, self.owner), self.owner)

    def private_windows(self) -> None:
        world, court = self.world, self.world.court.functions
        words = [random_position(n, None, Rules()) for n in range(RECORDS)]
        small, large = (Dataset.of(words, blob=data(size)) for size in (SMALL, LARGE))
        request = world.beasts.functions.requestHatch(*small.commitments)
        world.pay_hatch(self.owner)
        self.note("requestHatch, with a dataset", request, self.owner)
        beast = int(world.beasts.functions.lastBeastId().call())
        world.send(world.beasts.functions.hatch(beast), self.owner)
        kilobyte = world.submit(beast, self.owner, world.payload(beast, source=PRIVATE))
        call = court.filePrivate(beast, kilobyte, small.blob, small.secret)
        value = world.opening_value(beast, kilobyte)
        self.note("filePrivate, 1 kB", call, self.filer, value)

        beast = world.hatch(self.owner, large.commitments)
        most = world.submit(beast, self.owner, world.payload(beast, source=PRIVATE))
        call = court.filePrivate(beast, most, large.blob, large.secret)
        self.note("filePrivate, 120 kB", call, self.filer, value)
        self.staged(Dataset.of(words, blob=data(LARGEST)), value)

    def staged(self, dataset: Dataset, value: int) -> None:
        world, stage, who = self.world, self.world.stage.functions, self.filer
        beast = world.hatch(self.owner, dataset.commitments)
        window = world.submit(beast, self.owner, world.payload(beast, source=PRIVATE))
        digest, chunks = keccak(dataset.blob), chunks_of(dataset.blob)
        seal = keccak(encode(["address", "bytes32"], [who, dataset.secret]))
        total: int = self.note("begin a stage", stage.begin(digest, seal), who)["gasUsed"]
        most = f"stage {CHUNKS_AT_ONCE} chunks, {CHUNKS_AT_ONCE * CHUNK_BYTES:,} bytes"
        for first in range(0, len(chunks), CHUNKS_AT_ONCE):
            call = stage.stage(digest, first, chunks[first : first + CHUNKS_AT_ONCE])
            receipt = self.note(most, call, who) if first == 0 else world.send(call, who)
            total += receipt["gasUsed"]
        call = world.court.functions.fileStaged(beast, window, dataset.secret)
        total += self.note("fileStaged, 512 kB", call, who, value)["gasUsed"]
        self.gas["512 kB staged and filed, in all"] = total
