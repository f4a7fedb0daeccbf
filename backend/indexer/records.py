"""Rows as the contracts' structs."""

from __future__ import annotations

from backend.chain.types import Checkpoint, CheckpointPayload
from backend.kernel.samples import Source
from backend.store.facts import CheckpointRow


def checkpoint_of(row: CheckpointRow) -> Checkpoint:
    """The record of a checkpoint row, as the contracts take it."""
    payload = CheckpointPayload(
        row.epoch,
        row.h128,
        row.energy_burn,
        row.lr_shift,
        row.active_mask,
        row.global_step,
        row.window_loss,
        Source(row.source),
        row.source_id,
    )
    return Checkpoint(
        row.index,
        row.generation,
        row.parent,
        payload,
        row.season,
        row.trainer,
        row.submitted_at,
        row.bond,
        row.locked_sum,
    )
