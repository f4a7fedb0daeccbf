"""The contracts' structs as frozen dataclasses, field for field (contracts/types)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from functools import cache
from typing import Any, Self, cast, get_type_hints

from chainbeasts.backend.kernel.rules import Rules, Schedule
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.state import Header

ZERO32 = bytes(32)
HEAD_START_DIVISOR = 4
"""The filer alone is paid for proofs in the first quarter of a proof window."""
ZERO_ADDRESS = "0x" + "00" * 20


class AbiStruct:
    """A dataclass whose fields stand in the order of a Solidity struct."""

    def to_abi(self) -> tuple[Any, ...]:
        """The nested tuple that web3 takes for the struct."""
        return tuple(_abi(getattr(self, field.name)) for field in fields(cast("Any", self)))

    @classmethod
    def from_abi(cls, values: Sequence[Any] | Mapping[str, Any]) -> Self:
        """The dataclass of a tuple, or of a mapping in struct order, that web3 returned."""
        given = values.values() if isinstance(values, Mapping) else values
        plain = [
            _plain(kind, value) for kind, value in zip(_kinds(cast("Any", cls)), given, strict=True)
        ]
        made = cast("Callable[..., Any]", cls)(*plain)
        return cast("Self", made)


@cache
def _kinds(struct: type[Any]) -> tuple[Any, ...]:
    """The types of a struct's fields; they are looked up by name, which takes long."""
    hints = get_type_hints(struct)
    return tuple(hints[field.name] for field in fields(struct))


def _abi(value: Any) -> Any:
    if isinstance(value, AbiStruct):
        return value.to_abi()
    if isinstance(value, Rules | Schedule):
        return value.values()
    return int(value) if isinstance(value, IntEnum) else value


def _plain(wanted: Any, value: Any) -> Any:
    if issubclass(wanted, AbiStruct):
        return wanted.from_abi(value)
    if wanted in (Rules, Schedule):
        return wanted(*(value.values() if isinstance(value, Mapping) else value))
    return wanted(value)


@dataclass(frozen=True, slots=True)
class CheckpointPayload(AbiStruct):
    """What a trainer states about one window. ``energy_burn`` is in wei of ENERGY."""

    epoch: int
    h128: bytes
    energy_burn: int
    lr_shift: int
    active_mask: int
    global_step: int
    window_loss: int
    source: Source
    source_id: int = 0


@dataclass(frozen=True, slots=True)
class Checkpoint(AbiStruct):
    """The whole record of a submission. Amounts in wei of ENERGY, ``submitted_at`` in seconds."""

    index: int
    generation: int
    parent: bytes
    payload: CheckpointPayload
    season: int
    trainer: str
    submitted_at: int
    bond: int
    locked_sum: int

    @property
    def locked(self) -> int:
        """What the checkpoint itself keeps locked: its price and its trainer's bond."""
        return self.payload.energy_burn + self.bond


NO_CHECKPOINT = Checkpoint(
    0, 0, ZERO32, CheckpointPayload(0, ZERO32, 0, 0, 0, 0, 0, Source(0)), 0, ZERO_ADDRESS, 0, 0, 0
)
"""Passed as the parent of checkpoint 0, where the contracts ignore it."""


@dataclass(frozen=True, slots=True)
class Head(AbiStruct):
    """Where a beast stands: everything its next submission is checked against."""

    h128: bytes
    head_count: int
    epoch: int
    epoch_end: int
    season: int
    active_mask: int
    lr_shift: int
    window_loss: int
    source: int
    comparable: bool
    epoch_seed_tag: int
    locked_sum: int
    final_count: int
    generation: int
    trainer_tag: int

    @property
    def pending(self) -> bool:
        """Whether windows of the beast can still fall."""
        return self.head_count > self.final_count


def trainer_tag(trainer: str) -> int:
    """The low 64 bits of an address, by which a head names the trainer of its last window."""
    return int(trainer, 16) & (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class EpochRecord(AbiStruct):
    """Where an epoch of a beast began."""

    epoch_seed: bytes
    season: int
    start_index: int


@dataclass(frozen=True, slots=True)
class Birth(AbiStruct):
    """What a hatch fixed for ever."""

    dna: bytes
    epoch_seed: bytes
    season: int
    request_block: int


@dataclass(frozen=True, slots=True)
class HatchRequest(AbiStruct):
    """A hatch that was asked for and has not happened."""

    requester: str
    request_block: int
    season: int


@dataclass(frozen=True, slots=True)
class Commitments(AbiStruct):
    """What the owner bound the beast to; all zero without a private dataset."""

    c_dataset: bytes = ZERO32
    records_root: bytes = ZERO32
    dataset_length: int = 0
    owner_secret_hash: bytes = ZERO32

    def __bool__(self) -> bool:
        return self.c_dataset != ZERO32


@dataclass(frozen=True, slots=True)
class Economics(AbiStruct):
    """Prices in wei of ENERGY, periods in seconds, shares in basis points, gas in gas.

    Attributes:
        stake_gas: a trainer's stake, as the gas that it pays at the base fee of a submission.
        filing_bps: the filer's share of what an offender loses.
        proof_bps: the prover's share of the same.
        publication_age: age up to which a publication in an archive still counts as an opening.
        energy_price: wei of native coin for 10^18 wei of ENERGY; 0 where none is sold.
        hatch_cost: burned by a request to hatch.
    """

    base_cost: int
    growth_cost: int
    trainer_bond_multiple: int
    dispute_bond_multiple: int
    stake_gas: int
    filing_bps: int
    proof_bps: int
    challenge_period: int
    response_window: int
    proof_window: int
    publication_age: int
    energy_price: int
    hatch_cost: int


@dataclass(frozen=True, slots=True)
class Limits(AbiStruct):
    """What no season of a deployment may fall below, fixed for ever; periods in seconds.

    Attributes:
        reference_fee: least wei per gas at which stakes and opening bonds are reckoned.
        max_publication_age: how long nodes of the chain can be trusted to serve a publication.
    """

    reference_fee: int
    min_challenge_period: int
    min_response_window: int
    min_proof_window: int
    min_stake_gas: int
    min_trainer_bond_multiple: int
    min_dispute_bond_multiple: int
    max_publication_age: int


@dataclass(frozen=True, slots=True)
class ArenaTerms(AbiStruct):
    """What matches cost and pay: rewards and bond in wei of ENERGY, times in seconds.

    Attributes:
        reward_cap_bps: share, in basis points, of what a beast's own final training burned that it
            may ever be credited.
        record_window: time in which a seeded match can be recorded.
    """

    winner_reward: int
    loser_reward: int
    disproof_period: int
    reward_cooldown: int
    record_bond: int
    reward_cap_bps: int
    record_window: int


@dataclass(frozen=True, slots=True)
class Season(AbiStruct):
    """One version of every constant that governance may change."""

    rules: Rules
    schedule: Schedule
    economics: Economics
    arena: ArenaTerms


class CheckpointStatus(IntEnum):
    """How the ledger sees one checkpoint record."""

    UNKNOWN_OR_VOID = 0
    PENDING = 1
    DISPUTED = 2
    PROVEN = 3
    FINAL = 4


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
class Stake(AbiStruct):
    """A trainer's stake on one beast, in wei of native coin.

    Attributes:
        barred_at: head count when its withdrawal was announced.
        withdrawable_at: first second at which it may be withdrawn; 0: not announced.
    """

    amount: int
    barred_at: int
    withdrawable_at: int


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


class MatchStatus(IntEnum):
    """Life of a match; FINAL, CANCELLED and EXPIRED are ends."""

    NONE = 0
    CHALLENGED = 1
    ACCEPTED = 2
    SEEDED = 3
    RECORDED = 4
    FINAL = 5
    CANCELLED = 6
    EXPIRED = 7


class MatchResult(IntEnum):
    """Who won."""

    A = 0
    B = 1
    DRAW = 2


class MatchLie(IntEnum):
    """What a record of a match was disproved by."""

    FIRST_WORD = 0
    TURN = 1
    OVER = 2
    END = 3


@dataclass(frozen=True, slots=True)
class Match(AbiStruct):
    """One match, as the arena stores it; times in seconds, ``bond`` in wei of ENERGY.

    Attributes:
        record_until: first second at which it can be recorded no more, while it is SEEDED.
        final_at: first second at which the record may become final.
    """

    beast_a: int
    beast_b: int
    state_a: bytes
    state_b: bytes
    owner_a: str
    owner_b: str
    season: int
    status: MatchStatus
    seed_block: int
    battle_seed: int
    reporter: str
    bond: int
    record_until: int
    final_at: int
    turns: int
    result: MatchResult
    log_root: bytes


@dataclass(frozen=True, slots=True)
class OpenChallenge(AbiStruct):
    """A beast that takes on every challenge, for as long as ``owner`` owns it.

    Attributes:
        nonce: the beast's transfers when it was opened; void once there are more.
    """

    owner: str
    nonce: int
    state: bytes

    def __bool__(self) -> bool:
        return self.state != ZERO32


NO_OPEN_CHALLENGE = OpenChallenge(ZERO_ADDRESS, 0, ZERO32)


def header_to_abi(header: Header) -> tuple[int, bytes, int, int, int, int]:
    """The ``StateHeader`` struct of a kernel header."""
    return (
        header.beast_id,
        header.parent,
        header.global_step,
        header.active_mask,
        header.window_loss,
        header.arena,
    )


NO_HEADER = Header(0, ZERO32, 0, 0, 0, 0)
"""Passed where the contracts ignore the header."""
