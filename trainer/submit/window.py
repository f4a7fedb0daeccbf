"""What submission takes: a window that somebody trained."""

from __future__ import annotations

from dataclasses import dataclass

from chainbeasts.backend.chain.types import CheckpointPayload
from chainbeasts.backend.kernel.state import State


@dataclass(frozen=True, slots=True)
class TrainedWindow:
    """A window that is ready to be submitted.

    Attributes:
        index: of its checkpoint.
        parent: the head it was trained on, 32 bytes; the beast's DNA for index 0.
        epoch_seed: the seed it was trained with, 32 bytes.
        segments: 16 state hashes, one after each 8 steps; the last is h128.
        end: the state behind h128.
    """

    beast_id: int
    index: int
    parent: bytes
    epoch_seed: bytes
    payload: CheckpointPayload
    segments: tuple[bytes, ...]
    end: State

    @property
    def h128(self) -> bytes:
        return self.payload.h128
