"""Rows as what the contracts take."""

from __future__ import annotations

from chainbeasts.backend.chain.openings import RecordsOpening
from chainbeasts.backend.chain.types import Checkpoint, CheckpointPayload
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.store.facts import CheckpointRow, PublishedRecordsRow


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


def opening_of(row: PublishedRecordsRow) -> RecordsOpening:
    """The opening of a private window's records, as the archive took it."""
    return RecordsOpening(row.secret, row.order, tuple(row.word_list), tuple(row.sibling_hashes))
