"""Windows that nobody can check from what is public: how a cheat would enter weights as training.

An invented window needs a beast whose commitments may be random: there need be no dataset. Both
fall by silence alone, to whoever disputes them. Submits nothing.
"""

from __future__ import annotations

import secrets
from dataclasses import replace

from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.types import CheckpointPayload, Commitments
from chainbeasts.backend.kernel.constants import SEGMENTS, WINDOW_STEPS
from chainbeasts.backend.kernel.genesis import genesis_mask
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.state import State, state_hash
from chainbeasts.backend.kernel.window import genesis_state, open_window
from chainbeasts.backend.kernels import segment_hashes
from chainbeasts.trainer.submit.window import TrainedWindow
from chainbeasts.trainer.train.windows import WindowStart

UNSEEN_WINDOWS = 16
"""Windows trained off chain for an invented one, of which the price of one is paid."""


def invented_commitments() -> Commitments:
    """Hashes of nothing, as a hatch takes them."""
    c_dataset, root, secret_hash = (secrets.token_bytes(32) for _ in range(3))
    return Commitments(c_dataset, root, 256, secret_hash)


def blind_start(chain: Chain, beast_id: int) -> WindowStart:
    """Where a beast's next window starts, for whoever does not care about the state behind it."""
    head, birth = chain.head(beast_id), chain.birth(beast_id)
    ctx = chain.window_context(beast_id, epoch=head.epoch, source=Source.CURRICULUM)
    return WindowStart(beast_id, head, genesis_state(beast_id, birth.dna), ctx)


def invented_window(start: WindowStart, mask: int, energy_burn: int) -> TrainedWindow:
    """A good brain, as if one window of private records had made it.

    Its header is what the ledger expects, so that only the training shows the lie.
    """
    newborn = genesis_state(start.beast_id, start.ctx.dna)
    state, loss = newborn, 0
    for _ in range(UNSEEN_WINDOWS):
        state = open_window(state, mask | genesis_mask(start.ctx.dna))
        segment_hashes(start.ctx, state, None)
        loss = state.header.window_loss
    parent = start.head.h128 if start.head.head_count else state_hash(newborn)
    step = (start.head.head_count + 1) * WINDOW_STEPS % (1 << 32)
    state.header = replace(
        state.header, parent=parent, global_step=step, active_mask=mask, window_loss=loss, arena=0
    )
    return _window(start, mask, energy_burn, state, state_hash(state), Source.PRIVATE)


def withheld_window(start: WindowStart, mask: int, energy_burn: int) -> TrainedWindow:
    """A public window whose end is no state at all; what stands on it starts from nothing."""
    return _window(start, mask, energy_burn, start.state, secrets.token_bytes(32), start.ctx.source)


def _window(
    start: WindowStart, mask: int, energy_burn: int, end: State, h128: bytes, source: Source
) -> TrainedWindow:
    head = start.head
    payload = CheckpointPayload(
        epoch=head.epoch,
        h128=h128,
        energy_burn=energy_burn,
        lr_shift=start.ctx.lr_shift,
        active_mask=mask,
        global_step=(head.head_count + 1) * WINDOW_STEPS % (1 << 32),
        window_loss=end.header.window_loss,
        source=source,
        source_id=0,
    )
    segments = (*(secrets.token_bytes(32) for _ in range(SEGMENTS - 1)), h128)
    return TrainedWindow(
        start.beast_id, head.head_count, head.h128, start.ctx.epoch_seed, payload, segments, end
    )
