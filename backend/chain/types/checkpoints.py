"""Windows as the ledger has them: checkpoints, the head of a beast, epochs, stakes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from chainbeasts.backend.chain.types.structs import ZERO32, ZERO_ADDRESS, AbiStruct
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.state import Header


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


class CheckpointStatus(IntEnum):
    """How the ledger sees one checkpoint record."""

    UNKNOWN_OR_VOID = 0
    PENDING = 1
    DISPUTED = 2
    PROVEN = 3
    FINAL = 4


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
