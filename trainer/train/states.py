"""Finds the state that a window starts from: published, genesis, or computed again."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from backend.errors import ChainBeastsError
from backend.kernel.samples import Source
from backend.kernel.state import State, state_hash
from backend.kernel.window import WindowContext, genesis_state, open_window
from backend.kernels import segment_hashes
from backend.store.facts import CheckpointRow
from trainer.workspace import TrainerWorkspace

log = structlog.get_logger()


class MissingStateError(ChainBeastsError):
    """The state behind a checkpoint is neither published nor computable."""


def words_of(desk: TrainerWorkspace, row: CheckpointRow) -> Sequence[int] | None:
    """The records of a PRIVATE or BATTLE window; None for other sources.

    Raises:
        ChainBeastsError: they are not here, or are not the committed ones.
    """
    if row.source == Source.BATTLE:
        return desk.match_log(row.source_id)
    return desk.private_data(row.beast_id).words if row.source == Source.PRIVATE else None


def context_of(desk: TrainerWorkspace, row: CheckpointRow) -> WindowContext:
    """What a submitted window was to be computed with.

    Raises:
        ChainBeastsError: a PRIVATE window whose dataset is not here.
        Reverted: a BATTLE window whose match is not final (a reorg took its finality back).
    """
    source = Source(row.source)
    season = desk.chain.season(row.season)
    private = source is Source.PRIVATE
    fold = desk.private_data(row.beast_id).fold if private else 0
    root, length = bytes(32), 0
    if private:
        committed = desk.chain.commitments(row.beast_id)
        root, length = committed.records_root, committed.dataset_length
    elif source is Source.BATTLE:
        root, length = desk.chain.final_log(row.source_id)
    return WindowContext(
        dna=desk.chain.birth(row.beast_id).dna,
        epoch_seed=row.epoch_seed,
        heads=season.schedule.heads(row.epoch),
        lr_shift=row.lr_shift,
        source=source,
        rules=season.rules,
        owner_secret_fold=fold,
        records_root=root,
        records_length=length,
    )


def replay(desk: TrainerWorkspace, row: CheckpointRow, parent: State) -> tuple[State, list[bytes]]:
    """A submitted window computed again: its true end and its 16 segment hashes.

    Raises:
        ChainBeastsError: a PRIVATE window whose dataset is not here, or a BATTLE window whose
            match's log is not.
    """
    words = words_of(desk, row)
    state = open_window(parent, row.active_mask)
    return state, segment_hashes(context_of(desk, row), state, words)


def parent_state(desk: TrainerWorkspace, beast_id: int, chain: Sequence[CheckpointRow]) -> State:
    """The state behind the last of a beast's checkpoints; at genesis if there are none.

    Args:
        chain: consecutive checkpoints from index 0.

    Raises:
        MissingStateError: it is not published and cannot be computed from what is.
    """
    start, state = 0, genesis_state(beast_id, desk.chain.birth(beast_id).dna)
    for position in range(len(chain) - 1, -1, -1):
        found = desk.snapshots.get(chain[position].h128)
        if found is not None:
            start, state = position + 1, found
            break
    for row in chain[start:]:
        state = _recompute(desk, row, state)
    return state


def _recompute(desk: TrainerWorkspace, row: CheckpointRow, parent: State) -> State:
    log.info("computing a missing state again", beast=row.beast_id, index=row.index)
    try:
        state, _ = replay(desk, row, parent)
    except (ChainBeastsError, ValueError) as error:
        raise _missing(desk, row, str(error)) from None
    if state_hash(state) != row.h128:
        raise _missing(desk, row, "its window, computed again, ends in another state")
    desk.snapshots.put(state)
    return state


def _missing(desk: TrainerWorkspace, row: CheckpointRow, reason: str) -> MissingStateError:
    return MissingStateError(
        f"The state after checkpoint {row.index} of beast {row.beast_id} is not published, and "
        f"cannot be computed: {reason}",
        f"Copy {desk.snapshots.path(row.h128).name} into {desk.snapshots.folder}.",
    )


def segments_again(desk: TrainerWorkspace, row: CheckpointRow) -> list[bytes] | None:
    """The 16 segment hashes of a standing checkpoint, computed anew; None if it was not honest.

    Raises:
        ChainBeastsError: the state before it, or its private dataset, is not at hand.
    """
    before = parent_state(desk, row.beast_id, desk.live(row.beast_id)[: row.index])
    try:
        _, segments = replay(desk, row, before)
    except ValueError:
        return None
    return segments if segments[-1] == row.h128 else None
