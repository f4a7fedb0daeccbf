"""Trains windows: from the state behind a beast's head to payloads that the ledger accepts.

Sends nothing and writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.types import CheckpointPayload, Head
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.constants import SEGMENT_STEPS, WINDOW_STEPS
from chainbeasts.backend.kernel.merkle import root
from chainbeasts.backend.kernel.state import State
from chainbeasts.backend.kernel.traces import Traces
from chainbeasts.backend.kernel.window import (
    RecordSource,
    WindowContext,
    genesis_state,
    open_window,
)
from chainbeasts.backend.kernels import segment_hashes, state_hash
from chainbeasts.backend.store.private import PrivateDataset
from chainbeasts.backend.store.snapshots import SnapshotStore
from chainbeasts.trainer.plan.sources import Battle, TrainingSource, source_id_of, source_of
from chainbeasts.trainer.submit.window import TrainedWindow

Stepper = Callable[[WindowContext, State, RecordSource | None], object]
"""One micro-step on a state, in place."""


@dataclass(frozen=True, slots=True)
class WindowStart:
    """Where a beast's next window starts.

    Attributes:
        head: the ledger's.
        state: behind the head's h128; the state at hatch for a newborn.
        ctx: what the window is computed with.
        words: the records of a PRIVATE or BATTLE window.
        source_id: the match of a BATTLE window.
    """

    beast_id: int
    head: Head
    state: State
    ctx: WindowContext
    words: Sequence[int] | None = None
    source_id: int = 0

    @property
    def windows_left(self) -> int:
        """Windows until the epoch completes; the next epoch's seed is not known before."""
        return self.head.epoch_end - self.head.head_count


def read_window_start(
    chain: Chain,
    snapshots: SnapshotStore,
    beast_id: int,
    training_source: TrainingSource,
    private: PrivateDataset | None = None,
    match_log: Sequence[int] | None = None,
) -> WindowStart:
    """Read a beast's head from the chain and the state behind it from the snapshots.

    Args:
        private: the beast's dataset, for PRIVATE windows only.
        match_log: the match's words, for BATTLE windows only.

    Raises:
        ChainBeastsError: the beast has not hatched, the state is not at hand, or the match is not
            final.
    """
    head = chain.head(beast_id)
    birth = chain.birth(beast_id)
    state = genesis_state(beast_id, birth.dna) if head.head_count == 0 else None
    state = state or snapshots.get(head.h128)
    if state is None:
        raise ChainBeastsError(
            f"The state behind beast {beast_id}'s head 0x{head.h128.hex()} is not in "
            f"{snapshots.folder}.",
            "Copy its snapshot there from whoever trained the window.",
        )
    ctx = chain.window_context(
        beast_id,
        epoch=head.epoch,
        source=source_of(training_source),
        source_id=source_id_of(training_source),
        owner_secret_fold=0 if private is None else private.fold,
    )
    words = match_log if private is None else private.words
    if isinstance(training_source, Battle) and (
        words is None or (len(words), root(words)) != (ctx.records_length, ctx.records_root)
    ):
        raise ChainBeastsError(
            f"The log of match {training_source.match_id} at hand is not the final one.",
            "Its record was replaced; try again.",
        )
    return WindowStart(beast_id, head, state, ctx, words, source_id_of(training_source))


def train_window(
    start: WindowStart,
    mask: int,
    energy_burn: int,
    *,
    step: Stepper | None = None,
    on_traces: Callable[[Traces], None] | None = None,
) -> TrainedWindow:
    """Train the next window, with the fastest kernel there is.

    Args:
        mask: awake slots during the window; holds all of the head's.
        energy_burn: the ledger's price for that mask, wei of ENERGY.
        step: makes the micro-steps one by one instead; only a drill needs it.
        on_traces: told what the steps of each segment did; not together with ``step``.

    Raises:
        ValueError: the mask drops a slot.
    """
    head, ctx = start.head, start.ctx
    state = open_window(start.state, mask)
    if step is None:
        segments = segment_hashes(ctx, state, start.words, on_traces)
    else:
        segments = _by_hand(ctx, state, start.words, step)
    payload = CheckpointPayload(
        epoch=head.epoch,
        h128=segments[-1],
        energy_burn=energy_burn,
        lr_shift=ctx.lr_shift,
        active_mask=mask,
        global_step=state.header.global_step,
        window_loss=state.header.window_loss,
        source=ctx.source,
        source_id=start.source_id,
    )
    return TrainedWindow(
        beast_id=start.beast_id,
        index=head.head_count,
        parent=head.h128,
        epoch_seed=ctx.epoch_seed,
        payload=payload,
        segments=tuple(segments),
        end=state,
    )


def _by_hand(
    ctx: WindowContext, state: State, words: Sequence[int] | None, step: Stepper
) -> list[bytes]:
    """The segment hashes of a window whose steps somebody else makes."""
    records = None if words is None else words.__getitem__
    segments = []
    for done in range(1, WINDOW_STEPS + 1):
        step(ctx, state, records)
        if done % SEGMENT_STEPS == 0:
            segments.append(state_hash(state))
    return segments
