"""Beasts: what a hatch fixes, and what it is asked for with."""

from __future__ import annotations

from dataclasses import dataclass

from chainbeasts.backend.chain.types.structs import ZERO32, AbiStruct


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
