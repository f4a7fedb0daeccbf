"""Micro-steps strung into windows: what a checkpoint commits to (docs/spec/state.md)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chainbeasts.backend.kernel import merkle, samples
from chainbeasts.backend.kernel.board import is_valid, word_bytes
from chainbeasts.backend.kernel.constants import HEAD_SETS, NULL_LOSS, SEGMENT_STEPS, WINDOW_STEPS
from chainbeasts.backend.kernel.features import features
from chainbeasts.backend.kernel.genesis import genesis_mask, genesis_weights
from chainbeasts.backend.kernel.labels import Label, label
from chainbeasts.backend.kernel.network import step
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.state import Header, State, state_hash

MASK32 = 0xFFFF_FFFF

RecordSource = Callable[[int], int]
"""Word at an index, for BATTLE and PRIVATE windows."""


@dataclass(frozen=True, slots=True)
class WindowContext:
    """What a window's samples, labels and updates depend on besides its state.

    Attributes:
        dna: 32 bytes.
        epoch_seed: 32 bytes, the block hash recorded when the epoch began.
        heads: unlocked heads, 1, 3 or 7.
        lr_shift: 3 to 15.
        source: where the samples come from.
        owner_secret_fold: ``fold64(S_owner)`` for PRIVATE, else 0.
        records_root: Merkle root of the dataset (PRIVATE) or the match log (BATTLE), else zeros.
        records_length: number of its words, else 0.
        rules: the season's constants.

    Raises:
        ValueError: a value is outside its range.
    """

    dna: bytes
    epoch_seed: bytes
    heads: int
    lr_shift: int
    source: Source
    rules: Rules
    owner_secret_fold: int = 0
    records_root: bytes = bytes(32)
    records_length: int = 0

    def __post_init__(self) -> None:
        if self.heads not in HEAD_SETS:
            raise ValueError(f"heads is {self.heads}, it must be one of {HEAD_SETS}")
        if not 3 <= self.lr_shift <= 15:
            raise ValueError(f"lr_shift is {self.lr_shift}, it must be 3 to 15")
        if self.reads_records and self.records_length < 1:
            raise ValueError(f"a {self.source.name} window needs at least one record")

    @property
    def reads_records(self) -> bool:
        """Whether samples are records (BATTLE, PRIVATE) rather than generated."""
        return self.source in (Source.BATTLE, Source.PRIVATE)


@dataclass(frozen=True, slots=True)
class StepTrace:
    """What one micro-step did. ``label`` and ``logits`` are None for a null step."""

    global_step: int
    word: int
    label: Label | None
    logits: tuple[int, ...] | None
    loss: int

    @property
    def null(self) -> bool:
        return self.label is None


def genesis_state(beast_id: int, dna: bytes) -> State:
    """The state at hatch; its parent is the DNA."""
    return State(Header(beast_id, dna, 0, genesis_mask(dna), 0, 0), genesis_weights(dna))


def genesis_hash(beast_id: int, dna: bytes) -> bytes:
    """State hash at hatch: the parent of the first window."""
    return state_hash(genesis_state(beast_id, dna))


def open_window(parent: State, active_mask: int, parent_hash: bytes | None = None) -> State:
    """A new state, moved from its parent's into the next window.

    Args:
        parent_hash: the parent's state hash, from whoever has computed it already.

    Raises:
        ValueError: the mask puts an awake slot to sleep.
    """
    if parent.header.active_mask & ~active_mask:
        raise ValueError(
            f"mask {active_mask:#04x} drops slots that {parent.header.active_mask:#04x} has awake"
        )
    # Without an arena: all of a window's self-play follows its own seed, which its parent's hash
    # fixes; no position is carried over that another window's seed has drawn.
    state = parent.copy()
    known = state_hash(parent) if parent_hash is None else parent_hash
    state.update(parent=known, active_mask=active_mask, window_loss=0, arena=0)
    return state


def sample_index(ctx: WindowContext, global_step: int) -> int:
    """The record that a BATTLE or PRIVATE step trains on."""
    return samples.record_index(
        ctx.source, ctx.dna, global_step, ctx.records_length, ctx.owner_secret_fold
    )


def sample(ctx: WindowContext, header: Header, records: RecordSource | None = None) -> int:
    """The word that the next step trains on.

    Raises:
        ValueError: the source reads records and none are given.
    """
    if ctx.source is Source.CURRICULUM:
        return samples.curriculum_word(ctx.dna, ctx.epoch_seed, header.global_step, ctx.rules)
    if ctx.source is Source.SELF_PLAY:
        seed = samples.window_seed(ctx.dna, header.parent)
        return samples.self_play_word(seed, header.global_step, header.arena, ctx.rules)
    if records is None:
        raise ValueError(f"a {ctx.source.name} window needs its records")
    return records(sample_index(ctx, header.global_step))


def learn(ctx: WindowContext, state: State, word: int, wanted: Label | None = None) -> StepTrace:
    """One micro-step on a given word, in place: learn and count. An invalid word is a null step.

    Args:
        wanted: the label to learn; the word's own if None, as every honest step has it.
    """
    before = state.header
    following = (before.global_step + 1) & MASK32
    if not is_valid(word):
        # The most that a real step can lose, so feeding junk never looks like progress. The arena
        # stays: an honest run has none that is not valid, and a forged one goes on being null.
        loss = (before.window_loss + NULL_LOSS) & MASK32
        state.update(global_step=following, window_loss=loss)
        return StepTrace(before.global_step, word, None, None, NULL_LOSS)

    learned = label(word, ctx.rules) if wanted is None else wanted
    loss, z = step(
        state.weights, before.active_mask, features(word), learned, ctx.heads, ctx.lr_shift
    )
    # ``z`` is from before the update: the court has it at hand, and needs no second forward pass.
    logits = tuple(int(value) for value in z)
    arena = before.arena
    if ctx.source is Source.SELF_PLAY:
        seed = samples.window_seed(ctx.dna, before.parent)
        arena = samples.play_on(word, logits, seed, before.global_step, ctx.rules)
    # A window that was opened stays within 128 · 4,095 < 2^19. The mask is for states made up by
    # hand, of which the reference, C's uint32 and the EVM must say the same.
    total = (before.window_loss + loss) & MASK32
    state.update(global_step=following, window_loss=total, arena=arena)
    return StepTrace(before.global_step, word, learned, logits, loss)


def step_window(ctx: WindowContext, state: State, records: RecordSource | None = None) -> StepTrace:
    """One micro-step of a window on its state, in place."""
    return learn(ctx, state, sample(ctx, state.header, records))


def run_window(
    ctx: WindowContext,
    state: State,
    steps: int = WINDOW_STEPS,
    records: RecordSource | None = None,
) -> list[bytes]:
    """Run micro-steps on an opened window's state, in place.

    Returns:
        The state hash after each segment of 8 steps: 16 for a whole window, the last is h128.
    """
    hashes = []
    for done in range(1, steps + 1):
        step_window(ctx, state, records)
        if done % SEGMENT_STEPS == 0:
            hashes.append(state_hash(state))
    return hashes


def witnesses(ctx: WindowContext, global_step: int, steps: int, words: Sequence[int]) -> bytes:
    """What the referee needs to see of the records for ``steps`` steps from ``global_step``.

    Per step the word, then its Merkle siblings; empty when samples are generated.
    """
    if not ctx.reads_records:
        return b""
    tree = merkle.Tree(words)
    parts = []
    for offset in range(steps):
        index = sample_index(ctx, (global_step + offset) & MASK32)
        parts += [word_bytes(words[index]), *tree.proof(index)]
    return b"".join(parts)
