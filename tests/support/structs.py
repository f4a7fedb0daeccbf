"""The contracts' structs and constants, written apart from `backend.chain.types`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from eth_utils.crypto import keccak

ZERO32 = bytes(32)
ZERO_ADDRESS = "0x" + "00" * 20
ETHER = 10**18
SLAB_PARAMS = 16_896
MAX_WINDOW_LOSS = 524_160
CURRICULUM, SELF_PLAY, BATTLE, PRIVATE = range(4)
FILED, OPENED, UPHELD, DISMISSED, PROVEN_RIGHT, VOIDED = range(1, 7)
SEGMENTS, STATE, RECORDS = (1 << opening for opening in range(3))
TIMEOUT, SEGMENT, ADVANCE, HEADER = range(4)
NO_SALT = bytes(32)
NO_COMMITMENTS = (ZERO32, ZERO32, 0, ZERO32)
TREASURY = "0x0000000000000000000000000000000000007EA5"
"""Gets the proceeds of the sale; nobody has its key."""
BURN = "0x000000000000000000000000000000000000dEaD"
DAY = 86_400
GWEI = 10**9
UNKNOWN_OR_VOID, PENDING, DISPUTED, PROVEN, FINAL = range(5)
MINTER_ROLE = keccak(text="MINTER_ROLE")


class Rules(NamedTuple):
    damageK: int = 256
    damageCurve: int = 0
    blockGain: int = 32
    blockCap: int = 96
    critOdds: int = 16
    hazardStamina: int = 2
    restGain: int = 2
    maxTurns: int = 60
    blockThresholdNum: int = 4
    blockThresholdDen: int = 5
    selfPlayWords: int = 2


class Schedule(NamedTuple):
    epochWindows: int = 4
    moveOnlyEpochs: int = 1
    attackEpochs: int = 1
    lrBase: int = 9
    lrHoldEpochs: int = 1
    lrEpochsPerDecay: int = 1
    lrMax: int = 13


class Economics(NamedTuple):
    baseCost: int = 10**15 + 7  # not divisible by the slab, so that rounding shows
    growthCost: int = 10**16
    trainerBondMultiple: int = 4
    disputeBondMultiple: int = 2
    stakeGas: int = 60_000_000
    filingBps: int = 1_000
    proofBps: int = 3_000
    challengePeriod: int = 300
    responseWindow: int = 100
    proofWindow: int = 200
    publicationAge: int = 60 * DAY
    energyPrice: int = 10**15 + 3  # no amount of steps costs a whole number, so that rounding shows
    hatchCost: int = 10**17 + 11


class Limits(NamedTuple):
    referenceFee: int = GWEI
    minChallengePeriod: int = 1
    minResponseWindow: int = 1
    minProofWindow: int = 1
    minStakeGas: int = 1
    minTrainerBondMultiple: int = 1
    minDisputeBondMultiple: int = 1
    maxPublicationAge: int = 365 * DAY


class ArenaTerms(NamedTuple):
    winnerReward: int = 10**15 + 1  # a window burns 32 times that at least
    loserReward: int = 2 * 10**14
    disproofPeriod: int = 150
    rewardCooldown: int = 1_000
    recordBond: int = 20 * ETHER + 3  # no share of it is a whole number, so that rounding shows
    rewardCapBps: int = 5_000
    recordWindow: int = 2_000


class Season(NamedTuple):
    rules: Rules = Rules()
    schedule: Schedule = Schedule()
    economics: Economics = Economics()
    arena: ArenaTerms = ArenaTerms()


class Payload(NamedTuple):
    epoch: int
    h128: bytes
    energyBurn: int
    lrShift: int
    activeMask: int
    globalStep: int
    windowLoss: int
    source: int
    sourceId: int


class Checkpoint(NamedTuple):
    index: int  # type: ignore[assignment]  # a field, not tuple.index
    generation: int
    parent: bytes
    payload: Payload
    season: int
    trainer: str
    submittedAt: int
    bond: int
    lockedSum: int

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> Checkpoint:
        """From the struct of a decoded event."""
        record = cls(**event)
        return record._replace(payload=Payload(**event["payload"]))

    @property
    def locked(self) -> int:
        return self.payload.energyBurn + self.bond


class Head(NamedTuple):
    h128: bytes
    headCount: int
    epoch: int
    epochEnd: int
    season: int
    activeMask: int
    lrShift: int
    windowLoss: int
    source: int
    comparable: bool
    epochSeedTag: int
    lockedSum: int
    finalCount: int
    generation: int
    trainerTag: int


class Dispute(NamedTuple):
    digest: bytes
    filer: str
    filedIn: int
    responseDeadline: int
    status: int
    missing: int
    proofStart: int
    proofDeadline: int
    stepsDone: int
    segmentsHash: bytes
    stateHash: bytes


class OpeningBond(NamedTuple):
    base: int
    surplus: int
    slashings: int
    paid: int
    waiting: int


class StakeReward(NamedTuple):
    filing: int
    proof: int
    filer: str
    index: int  # type: ignore[assignment]  # a field, not tuple.index
    disputeId: int
    prover: str
    gasCap: int


class Publication(NamedTuple):
    time: int
    timeBefore: int
    blockNumber: int
    gasUsed: int
    gasPrice: int


class StateHeader(NamedTuple):
    beastId: int = 0
    parent: bytes = ZERO32
    globalStep: int = 0
    activeMask: int = 0
    windowLoss: int = 0
    arena: int = 0


NO_PAYLOAD = Payload(0, ZERO32, 0, 0, 0, 0, 0, 0, 0)
NO_CHECKPOINT = Checkpoint(0, 0, ZERO32, NO_PAYLOAD, 0, ZERO_ADDRESS, 0, 0, 0)
NO_OPENING = (StateHeader(), ZERO32)


def fresh_hash(*parts: object) -> bytes:
    """A state hash nobody can open, different for different parts."""
    return keccak(text=repr(parts))


def window_price(season: Season, parent_mask: int, mask: int) -> int:
    """docs/spec/protocol.md §5, written apart from the contract."""
    params = 3072 * (mask & 15).bit_count() + 1152 * (mask >> 4).bit_count()
    step = -(-season.economics.baseCost * params // SLAB_PARAMS)
    return 128 * step + season.economics.growthCost * (mask & ~parent_mask).bit_count()
