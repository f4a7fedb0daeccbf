"""Finds the state that a window starts from: published, genesis, or computed again."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.state import State, state_hash
from chainbeasts.backend.kernel.window import WindowContext, genesis_state, open_window
from chainbeasts.backend.kernels import segment_hashes
from chainbeasts.backend.store.facts import CheckpointRow
from chainbeasts.backend.store.snapshots import MOST_REMOTE_LOOKUPS
from chainbeasts.trainer.workspace import TrainerWorkspace

log = structlog.get_logger()


class MissingStateError(ChainBeastsError):
    """The state behind a checkpoint is neither published nor computable."""


def window_inputs(
    workspace: TrainerWorkspace, row: CheckpointRow
) -> tuple[WindowContext, Sequence[int] | None]:
    """What a submitted window was to be computed with, and the records that it read.

    Raises:
        ChainBeastsError: a PRIVATE window whose dataset is not here or is not the committed one, or
            a BATTLE window whose match's log is not.
        Reverted: a BATTLE window whose match is not final (a reorg took its finality back).
    """
    chain, source, words = workspace.chain, Source(row.source), None
    fold, root, length = 0, bytes(32), 0
    if source is Source.PRIVATE:
        data = workspace.private_data(row.beast_id)
        committed = chain.commitments(row.beast_id)
        words, fold = data.words, data.fold
        root, length = committed.records_root, committed.dataset_length
    elif source is Source.BATTLE:
        words = workspace.match_log(row.source_id)
        root, length, _ = chain.final_log(row.source_id)
    season = chain.season(row.season)
    # Seed and rate are the row's, not those of the chain's present epoch: after a reorg the two can
    # differ for a while, and a right window would look wrong.
    ctx = WindowContext(
        dna=chain.birth(row.beast_id).dna,
        epoch_seed=row.epoch_seed,
        heads=season.schedule.heads(row.epoch),
        lr_shift=row.lr_shift,
        source=source,
        rules=season.rules,
        owner_secret_fold=fold,
        records_root=root,
        records_length=length,
    )
    return ctx, words


def replay(
    workspace: TrainerWorkspace, row: CheckpointRow, parent: State
) -> tuple[State, list[bytes]]:
    """A submitted window computed again: its true end and its 16 segment hashes.

    Raises:
        ChainBeastsError: as of ``window_inputs``.
        ValueError: the row's mask drops a slot.
    """
    ctx, words = window_inputs(workspace, row)
    state = open_window(parent, row.active_mask)
    return state, segment_hashes(ctx, state, words)


def parent_state(
    workspace: TrainerWorkspace, beast_id: int, chain: Sequence[CheckpointRow]
) -> State:
    """The state behind the last of a beast's checkpoints; at genesis if there are none.

    Args:
        chain: consecutive checkpoints from index 0.

    Raises:
        MissingStateError: it is not published and cannot be computed from what is.
    """
    start, state = 0, genesis_state(beast_id, workspace.chain.birth(beast_id).dna)
    snapshots = workspace.snapshots
    # A beast may have ten thousand windows; a response window is too short to compute them all.
    for position in range(len(chain) - 1, -1, -1):
        h = chain[position].h128
        # Nor for a request to a remote place about each; folders here are asked without end.
        near = position >= len(chain) - MOST_REMOTE_LOOKUPS
        found = snapshots.get(h, remote=near)
        if found is not None:
            start, state = position + 1, found
            break
    for row in chain[start:]:
        state = _recompute(workspace, row, state)
    return state


def _recompute(workspace: TrainerWorkspace, row: CheckpointRow, parent: State) -> State:
    log.info("computing a missing state again", beast=row.beast_id, index=row.index)
    try:
        state, _ = replay(workspace, row, parent)
    except (ChainBeastsError, ValueError) as error:
        raise _missing(workspace, row, str(error)) from None
    # Where this window was dishonest, what stands on it was trained from a state that only its
    # trainer has: replay cannot find that one.
    if state_hash(state) != row.h128:
        raise _missing(workspace, row, "its window, computed again, ends in another state")
    # Published later: an answer to a dispute may wait for this state, and for many like it.
    workspace.snapshots.put(state, publish=False)
    return state


def _missing(workspace: TrainerWorkspace, row: CheckpointRow, reason: str) -> MissingStateError:
    return MissingStateError(
        f"The state after checkpoint {row.index} of beast {row.beast_id} is not published, and "
        f"cannot be computed: {reason}",
        f"Copy {workspace.snapshots.path(row.h128).name} into {workspace.snapshots.folder}.",
    )


def recompute_segments(workspace: TrainerWorkspace, row: CheckpointRow) -> list[bytes] | None:
    """The 16 segment hashes of a standing checkpoint, computed anew; None if it was not honest.

    Raises:
        ChainBeastsError: the state before it, or its private dataset, is not at hand.
    """
    before = parent_state(workspace, row.beast_id, workspace.live(row.beast_id)[: row.index])
    try:
        _, segments = replay(workspace, row, before)
    except ValueError:
        return None
    return segments if segments[-1] == row.h128 else None
