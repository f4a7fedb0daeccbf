"""The contracts' structs as frozen dataclasses, field for field (contracts/types)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any, Self, cast, get_type_hints

from backend.kernel.rules import Rules, Schedule
from backend.kernel.samples import Source
from backend.kernel.state import Header

ZERO32 = bytes(32)
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
        hints = get_type_hints(cls)
        names = [field.name for field in fields(cast("Any", cls))]
        plain = [_plain(hints[name], value) for name, value in zip(names, given, strict=True)]
        made = cast("Callable[..., Any]", cls)(*plain)
        return cast("Self", made)


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
    """Prices in wei of ENERGY, periods in seconds, shares in basis points."""

    base_cost: int
    growth_cost: int
    trainer_bond_multiple: int
    dispute_bond_multiple: int
    reward_bps: int
    prover_bps: int
    challenge_period: int
    response_window: int
    proof_window: int


@dataclass(frozen=True, slots=True)
class ArenaTerms(AbiStruct):
    """What matches cost and pay: rewards and bond in wei of ENERGY, times in seconds."""

    winner_reward: int
    loser_reward: int
    disproof_period: int
    reward_cooldown: int
    record_bond: int


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
    """Life of a dispute."""

    NONE = 0
    FILED = 1
    RESPONDED = 2
    UPHELD = 3
    DISMISSED = 4
    VOIDED = 5

    @property
    def open(self) -> bool:
        return self in (DisputeStatus.FILED, DisputeStatus.RESPONDED)


class Conviction(IntEnum):
    """What convicted a checkpoint."""

    TIMEOUT = 0
    SEGMENT = 1
    ADVANCE = 2
    HEADER = 3
    RECORDS = 4


@dataclass(frozen=True, slots=True)
class Dispute(AbiStruct):
    """One dispute over one checkpoint, as the court stores it."""

    digest: bytes
    challenger: str
    deadline: int
    status: DisputeStatus
    steps_done: int
    demanded: int
    demand: int
    demand_deadline: int
    segments_hash: bytes
    state_hash: bytes


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
    """Life of a match; FINAL and CANCELLED are ends."""

    NONE = 0
    CHALLENGED = 1
    ACCEPTED = 2
    SEEDED = 3
    RECORDED = 4
    FINAL = 5
    CANCELLED = 6


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
    """One match, as the arena stores it; ``final_at`` in seconds, ``bond`` in wei of ENERGY."""

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
    final_at: int
    turns: int
    result: MatchResult
    log_root: bytes


@dataclass(frozen=True, slots=True)
class OpenChallenge(AbiStruct):
    """A beast that takes on every challenge, for as long as ``owner`` owns it."""

    owner: str
    state: bytes

    def __bool__(self) -> bool:
        return self.state != ZERO32


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
