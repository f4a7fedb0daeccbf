"""Gas of every protocol transaction that is not a proof, measured on a fresh chain.

The kernel's transactions (prove, advance) are measured with the kernel. Used by the gas report.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from backend.chain.anvil import Anvil
from backend.chain.chunks import CHUNK_BYTES, CHUNKS_AT_ONCE, chunks_of
from backend.chain.providers import make_web3
from backend.kernel.rules import Rules
from backend.kernel.samples import random_position
from backend.kernel.window import witnesses
from tests.support import artifacts
from tests.support.protocol import (
    ETHER,
    PRIVATE,
    Checkpoint,
    Economics,
    Schedule,
    Season,
    World,
    fresh_hash,
    garbage_segments,
)
from tests.support.training import Dataset, Trainee

GENESIS_TIMESTAMP = 1_800_000_000
SEASON = Season(schedule=Schedule(epochWindows=16), economics=Economics())
BATCH = 8
NO_COMMITMENTS = (bytes(32), bytes(32), 0, bytes(32))
RECORDS = 500
SMALL, LARGE, LARGEST = 1_000, 120_000, 524_288


def measure() -> dict[str, int]:
    """Gas by transaction, the same figures at every call."""
    extra = ("--timestamp", str(GENESIS_TIMESTAMP))
    with Anvil(extra=extra) as anvil:
        w3 = make_web3(anvil.url)
        w3.provider.make_request("anvil_setBlockTimestampInterval", [1])  # type: ignore[arg-type]
        meter = Meter(World.deploy(w3, artifacts.load(), SEASON))
        meter.money()
        beast = meter.hatching()
        chain = meter.submitting(beast)
        meter.disputing(beast, chain)
        meter.finalizing(beast, chain)
        meter.headers()
        meter.private_windows()
        return meter.gas


def data(size: int) -> bytes:
    """Incompressible bytes, the same at every call."""
    return random.Random(size).randbytes(size)


@dataclass
class Meter:
    """Runs the transactions and writes down what they used."""

    world: World
    gas: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _, self.owner, self.other, self.challenger, self.prover = self.world.accounts[:5]

    def note(self, name: str, call: Any, sender: str) -> Any:
        receipt = self.world.send(call, sender)
        self.gas[name] = receipt["gasUsed"]
        return receipt

    def money(self) -> None:
        world, ledger = self.world, self.world.ledger.functions
        world.send(world.energy.functions.mint(self.owner, 2 * ETHER), world.accounts[0])
        world.send(world.energy.functions.approve(world.ledger.address, 2 * ETHER), self.owner)
        self.note("deposit", ledger.deposit(ETHER), self.owner)
        self.note("withdraw", ledger.withdraw(ETHER, self.owner), self.owner)

    def hatching(self) -> int:
        world, beasts = self.world, self.world.beasts.functions
        self.note("requestHatch, no dataset", beasts.requestHatch(*NO_COMMITMENTS), self.owner)
        beast = int(beasts.lastBeastId().call())
        self.note("hatch", beasts.hatch(beast), self.owner)
        world.send(beasts.setTrainer(beast, self.other, True), self.owner)
        world.submit(world.hatch(self.owner), self.owner)  # the season's prices are copied here
        return beast

    def submitting(self, beast: int) -> list[Checkpoint]:
        world = self.world
        first = self.note("submit, a beast's first", world.submit_call(beast), self.owner)
        chain = world.submitted(first)
        chain.append(world.submit(beast, self.owner))
        steady = self.note("submit, steady", world.submit_call(beast), self.owner)
        chain += world.submitted(steady)
        by_trainer = self.note("submit, by a trainer", world.submit_call(beast), self.other)
        chain += world.submitted(by_trainer)
        batch = self.note(f"submitBatch of {BATCH}", self.batch(beast), self.owner)
        self.gas[f"submitBatch of {BATCH}, each"] = -(-batch["gasUsed"] // BATCH)
        chain += world.submitted(batch)
        while len(chain) < SEASON.schedule.epochWindows - 1:
            chain.append(world.submit(beast, self.owner))
        last = self.note("submit, completing an epoch", world.submit_call(beast), self.owner)
        return chain + world.submitted(last)

    def batch(self, beast: int) -> Any:
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
        return self.world.ledger.functions.submitBatch(beast, head.h128, seed, payloads)

    def disputing(self, beast: int, chain: list[Checkpoint]) -> None:
        world, court = self.world, self.world.court.functions
        target = chain[1]
        self.note("file, public", court.file(beast, target), self.challenger)
        segments = garbage_segments(target.payload.h128)
        self.note("respond", court.respond(1, beast, target, segments), self.owner)
        world.travel(SEASON.economics.proofWindow + 1)
        self.note("dismiss, bond burned", court.dismiss(1, beast, target), self.prover)
        child, fraud = chain[-1], chain[-2]
        void = world.file(beast, child, self.challenger)
        dispute = world.file(beast, fraud, self.challenger)
        world.travel(SEASON.economics.responseWindow + 1)
        claim = (dispute, beast, fraud, chain[-3])
        self.note("claimTimeout", court.claimTimeout(claim), self.prover)
        self.note("dismiss, bond returned", court.dismiss(void, beast, child), self.prover)

    def finalizing(self, beast: int, chain: list[Checkpoint]) -> None:
        world = self.world
        world.travel(SEASON.economics.challengePeriod)
        finalize = world.ledger.functions.finalize
        self.note("finalize one", finalize(beast, chain[:1]), self.prover)
        many = self.note(f"finalize {BATCH}", finalize(beast, chain[1 : BATCH + 1]), self.prover)
        self.gas[f"finalize {BATCH}, each"] = -(-many["gasUsed"] // BATCH)

    def headers(self) -> None:
        trainee = Trainee.hatch(self.world, self.owner)
        trainee.train()
        second = trainee.train(windowLoss=5)
        self.note("challengeHeader", trainee.header_call(second), self.prover)

    def private_windows(self) -> None:
        world, court = self.world, self.world.court.functions
        words = [random_position(n, None, Rules()) for n in range(RECORDS)]
        small, large = (Dataset.of(words, blob=data(size)) for size in (SMALL, LARGE))
        request = world.beasts.functions.requestHatch(*small.commitments)
        self.note("requestHatch, with a dataset", request, self.owner)
        beast = int(world.beasts.functions.lastBeastId().call())
        world.send(world.beasts.functions.hatch(beast), self.owner)
        kilobyte = world.submit(beast, self.owner, world.payload(beast, source=PRIVATE))
        call = court.filePrivate(beast, kilobyte, small.blob, small.secret)
        self.note("filePrivate, 1 kB", call, self.challenger)
        self.records(Trainee(world, beast, self.owner, small), kilobyte)

        beast = world.hatch(self.owner, large.commitments)
        most = world.submit(beast, self.owner, world.payload(beast, source=PRIVATE))
        call = court.filePrivate(beast, most, large.blob, large.secret)
        self.note("filePrivate, 120 kB", call, self.challenger)
        self.staged(Dataset.of(words, blob=data(LARGEST)))

    def staged(self, dataset: Dataset) -> None:
        world, stage, who = self.world, self.world.stage.functions, self.challenger
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
        total += self.note("fileStaged, 512 kB", call, who)["gasUsed"]
        self.gas["512 kB staged and filed, in all"] = total

    def records(self, trainee: Trainee, checkpoint: Checkpoint) -> None:
        world, court = self.world, self.world.court.functions
        place = (int(court.disputeCount().call()), trainee.beast, checkpoint)
        world.respond(*place, garbage_segments(checkpoint.payload.h128))
        self.note("demandRecords", court.demandRecords(*place, 3), self.challenger)
        context = trainee.context(PRIVATE, 0, 1, checkpoint.payload.lrShift)
        assert trainee.dataset is not None
        supplied = witnesses(context, 24, 8, trainee.dataset.words)
        call = court.supplyRecords(*place, supplied)
        self.note(f"supplyRecords of {RECORDS}", call, self.owner)
