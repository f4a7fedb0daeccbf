"""Replays one window and says what it is: no chain, no disk, so that it runs in any executor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from chainbeasts.backend.chain.types import Checkpoint
from chainbeasts.backend.kernel.constants import WINDOW_STEPS
from chainbeasts.backend.kernel.state import Header, State, state_hash
from chainbeasts.backend.kernel.window import WindowContext, open_window, run_window
from chainbeasts.backend.kernels import kernel_for
from chainbeasts.backend.kernels import state_hash as fast_state_hash
from chainbeasts.backend.store.daemons import Mode, Verdict

RECOMPUTED = "recomputed, same hash"


@dataclass(frozen=True, slots=True)
class Window:
    """Everything that a window's replay needs.

    Attributes:
        parent: the state behind the parent checkpoint's h128 (genesis for index 0), verified.
        words: the records of a BATTLE or PRIVATE window, by index; where a private one's records
            were opened on chain, those that nobody opened are 0.
        opened: the 128 words that a PRIVATE window samples, step by step, where they were opened.
        published: the state behind the checkpoint's own h128, if somebody published it.
        reached: true states by the steps after which they are, as far as ``state_after`` came.
    """

    beast_id: int
    checkpoint: Checkpoint
    context: WindowContext
    parent: State
    words: Sequence[int] | None = None
    published: State | None = None
    opened: tuple[int, ...] = ()
    reached: dict[int, State] = field(default_factory=dict, compare=False, repr=False)

    @property
    def parent_hash(self) -> bytes:
        """The parent's state hash; the ledger took no other parent than the head's h128."""
        checkpoint = self.checkpoint
        return checkpoint.parent if checkpoint.index else state_hash(self.parent)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a replay found.

    Attributes:
        header_lie: h128 opens into ``end``'s header, which contradicts the payload.
        segments: the 16 true state hashes; empty where nothing was recomputed.
        end: after a header lie and for a valid window the state behind h128, else the true end;
            None where unknown.
    """

    verdict: Verdict
    mode: Mode
    reason: str
    header_lie: bool = False
    segments: tuple[bytes, ...] = ()
    end: State | None = None


def replay(window: Window, steps: int = 128) -> tuple[State, list[bytes]]:
    """The true state after ``steps`` steps of a window, and the state hash after each segment.

    Raises:
        ValueError: the payload's mask drops a slot that the parent has awake.
    """
    state = open_window(window.parent, window.checkpoint.payload.active_mask)
    words = window.words
    records = None if words is None else words.__getitem__
    return state, run_window(window.context, state, steps, records)


def end_of(window: Window) -> State:
    """The true state at a window's end, by the fastest kernel.

    Raises:
        ValueError: the payload's mask drops a slot that the parent has awake.
    """
    mask = window.checkpoint.payload.active_mask
    state = open_window(window.parent, mask, window.parent_hash)
    kernel_for(mask).run(window.context, state, WINDOW_STEPS, window.words)
    return state


def state_after(window: Window, steps: int) -> State:
    """The true state after ``steps`` steps; the parent's own, not yet moved, before the first.

    Whoever re-executes a window asks for one after the other: each goes on from the one before it.
    """
    if steps == 0:
        return window.parent
    known = max((done for done in window.reached if done <= steps), default=0)
    if known < steps:
        mask = window.checkpoint.payload.active_mask
        state = window.reached[known].copy() if known else open_window(window.parent, mask)
        records = None if window.words is None else window.words.__getitem__
        run_window(window.context, state, steps - known, records)
        window.reached[steps] = state
    return window.reached[steps].copy()


def contradiction(
    header: Header, beast_id: int, checkpoint: Checkpoint, parent_hash: bytes
) -> str | None:
    """How a header behind h128 contradicts the checkpoint's payload; None if it does not."""
    payload = checkpoint.payload
    stated = (
        ("beast", header.beast_id, beast_id),
        ("parent", header.parent, parent_hash),
        ("global step", header.global_step, payload.global_step),
        ("mask", header.active_mask, payload.active_mask),
        ("window loss", header.window_loss, payload.window_loss),
    )
    for name, found, claimed in stated:
        if found != claimed:
            return f"the state's {name} is {_show(found)}, the payload claims {_show(claimed)}"
    return None


def _show(value: int | bytes) -> str:
    return f"0x{value.hex()[:16]}…" if isinstance(value, bytes) else str(value)


def judge(window: Window) -> Judgement:
    """Recompute a window by the reference and compare it with its checkpoint, bit for bit."""
    h128 = window.checkpoint.payload.h128
    try:
        end, hashes = replay(window)
    except ValueError as error:  # the court could not re-execute it either
        return Judgement(Verdict.UNAVAILABLE, Mode.FULL, f"not computable: {error}")
    segments = tuple(hashes)
    right = segments[-1] == h128
    behind = end if right else window.published
    if behind is not None:
        lie = _lie(window, behind)
        if lie is not None:
            return Judgement(Verdict.INVALID, Mode.FULL, lie, True, segments, behind)
    if not right:
        reason = f"h128 is {_show(h128)}, the replay gives {_show(segments[-1])}"
        return Judgement(Verdict.INVALID, Mode.FULL, reason, False, segments, end)
    return Judgement(Verdict.VALID, Mode.FULL, RECOMPUTED, False, segments, end)


def judge_fast(window: Window) -> Judgement:
    """Like ``judge``, with the fastest kernel; only what it finds valid is not judged again.

    A valid window's judgement has no segments.
    """
    try:
        end = end_of(window)
    except ValueError:
        return judge(window)
    right = fast_state_hash(end) == window.checkpoint.payload.h128
    if not right or _lie(window, end) is not None:
        return judge(window)
    return Judgement(Verdict.VALID, Mode.FULL, RECOMPUTED, False, (), end)


def _lie(window: Window, behind: State) -> str | None:
    return contradiction(behind.header, window.beast_id, window.checkpoint, window.parent_hash)


def loss_drop_agrees(
    checkpoint: Checkpoint, parent: Checkpoint, heads: tuple[int, int], stated: bool
) -> bool:
    """Whether the loss-drop flag of a submission follows from its payload and its parent's.

    The ledger derives the flag itself, so a wrong one is not the trainer's lie: the node, or what
    was read from it, is wrong.

    Args:
        heads: unlocked in the window's epoch and in its parent's.
    """
    ours, theirs = checkpoint.payload, parent.payload
    comparable = (
        checkpoint.index > 0
        and ours.source == theirs.source
        and heads[0] == heads[1]
        and checkpoint.season == parent.season
    )
    return stated == (comparable and ours.window_loss < theirs.window_loss)


def judge_light(
    beast_id: int,
    checkpoint: Checkpoint,
    parent_hash: bytes,
    published: State | None,
    *,
    loss_drop_agrees: bool = True,
) -> Judgement:
    """Check a private window without its dataset: payload against the published state.

    Args:
        published: the state behind h128, verified; None if nobody published it.
        loss_drop_agrees: what the function of that name says of the submission.
    """
    if not loss_drop_agrees:
        reason = "the node's loss-drop flag contradicts the payloads: do not trust this node"
        return Judgement(Verdict.UNAVAILABLE, Mode.LIGHT, reason)
    if published is None:
        reason = "private dataset unknown, and no snapshot published"
        return Judgement(Verdict.UNAVAILABLE, Mode.LIGHT, reason)
    lie = contradiction(published.header, beast_id, checkpoint, parent_hash)
    if lie is not None:
        return Judgement(Verdict.INVALID, Mode.LIGHT, lie, True, (), published)
    reason = "private dataset unknown; lineage, loss and loss-drop flag agree"
    return Judgement(Verdict.VALID, Mode.LIGHT, reason, False, (), published)


def first_divergent(true: Sequence[bytes], posted: Sequence[bytes]) -> int | None:
    """The first segment whose posted hash is wrong; None if all are right."""
    for segment, (ours, theirs) in enumerate(zip(true, posted, strict=True)):
        if ours != theirs:
            return segment
    return None
