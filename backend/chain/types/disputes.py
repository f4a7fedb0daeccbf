"""Disputes: their life, what they open, cost and pay. Publications, which open as well."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from chainbeasts.backend.chain.types.checkpoints import Checkpoint
from chainbeasts.backend.chain.types.structs import AbiStruct

HEAD_START_DIVISOR = 4
"""The filer alone is paid for proofs in the first quarter of a proof window."""


class DisputeStatus(IntEnum):
    """Life of a dispute; the last four are ends."""

    NONE = 0
    FILED = 1
    OPENED = 2
    UPHELD = 3
    DISMISSED = 4
    PROVEN = 5
    VOIDED = 6

    @property
    def open(self) -> bool:
        return self in (DisputeStatus.FILED, DisputeStatus.OPENED)


class Opening(IntEnum):
    """What a dispute opens, so that everybody can re-execute the window."""

    SEGMENTS = 0
    STATE = 1
    RECORDS = 2


def opening_bit(opening: Opening) -> int:
    """The bit of an opening in a dispute's ``missing``."""
    return 1 << opening


def openings_of(missing: int) -> list[Opening]:
    """The openings that a mask names."""
    return [opening for opening in Opening if missing & opening_bit(opening)]


class Conviction(IntEnum):
    """What convicted a checkpoint."""

    TIMEOUT = 0
    SEGMENT = 1
    ADVANCE = 2
    HEADER = 3


class BondEnd(IntEnum):
    """How the opening bond of a dispute ended."""

    RETURN = 0
    KEEP = 1
    VOID = 2


class BondOutcome(IntEnum):
    """What became of a filer's ENERGY bond when a dispute ended without a slashing."""

    BURN = 0
    BURN_AND_PROVE = 1
    REFUND = 2


@dataclass(frozen=True, slots=True)
class Dispute(AbiStruct):
    """One dispute over one checkpoint, as the court stores it; times in seconds.

    Attributes:
        filed_in: block of the filing.
        missing: see ``opening_bit``.
        proof_start: time of the last opening, 0 before; never earlier than the filing.
        proof_deadline: last second for ``prove``, 0 before the last opening.
    """

    digest: bytes
    filer: str
    filed_in: int
    response_deadline: int
    status: DisputeStatus
    missing: int
    proof_start: int
    proof_deadline: int
    steps_done: int
    segments_hash: bytes
    state_hash: bytes

    def owes(self, opening: Opening) -> bool:
        """Whether an opening is outstanding."""
        return bool(self.missing & opening_bit(opening))

    @property
    def head_start_end(self) -> int:
        """Last second in which the filer alone is paid for a proof, 0 before the last opening."""
        if self.proof_deadline == 0:
            return 0
        return self.proof_start + (self.proof_deadline - self.proof_start) // HEAD_START_DIVISOR


@dataclass(frozen=True, slots=True)
class OpeningBond(AbiStruct):
    """The opening bond of an open dispute, in wei of native coin."""

    base: int
    surplus: int
    slashings: int
    paid: int
    waiting: int


@dataclass(frozen=True, slots=True)
class StakeReward(AbiStruct):
    """The reward out of a slashed stake, held until it is due; wei of native coin."""

    filing: int
    proof: int
    filer: str
    index: int
    dispute_id: int
    prover: str
    gas_cap: int


@dataclass(frozen=True, slots=True)
class Publication(AbiStruct):
    """When something was put on chain, and what that cost; all zero if it was not.

    Attributes:
        time: second of the publication that counts.
        time_before: second of the one that counted until then, 0 if there was none.
        gas_used: about what it cost, in gas.
        gas_price: what a gas of it is paid, wei.
    """

    time: int = 0
    time_before: int = 0
    block_number: int = 0
    gas_used: int = 0
    gas_price: int = 0

    def __bool__(self) -> bool:
        return self.time != 0

    def in_time(self, filed_at: int, deadline: int, age: int) -> int:
        """Second of a publication that a dispute can rely on, 0 if none is.

        Args:
            filed_at: it must be no older than ``age`` then.
            deadline: it must not be later.
        """
        for time in (self.time, self.time_before):
            if time and time <= deadline and time + age >= filed_at:
                return time
        return 0


@dataclass(frozen=True, slots=True)
class FilingQuote:
    """What filing over a checkpoint would ask for now.

    Attributes:
        bond: wei of ENERGY, from escrow.
        opening_bond: wei of native coin, sent along.
        missing: the openings that would be owed; see ``opening_bit``.
    """

    bond: int
    opening_bond: int
    missing: int


@dataclass(frozen=True, slots=True)
class Standing(AbiStruct):
    """What the ledger knows about disputes over one checkpoint digest."""

    dispute_id: int
    bond: int
    proven: bool


@dataclass(frozen=True, slots=True)
class ProofClaim(AbiStruct):
    """Names a dispute and passes the records it is about."""

    dispute_id: int
    beast_id: int
    checkpoint: Checkpoint
    parent: Checkpoint
