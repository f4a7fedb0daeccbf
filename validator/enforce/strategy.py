"""Which move comes next in a case: a pure decision, one rule per line, each ending in its reason.

Sends nothing and reads nothing; see moves for how a move is made (docs/spec/protocol.md §7), and
openings for which windows are disputed on doubt.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from chainbeasts.backend.chain.types import DisputeStatus
from chainbeasts.backend.kernel.constants import SEGMENT_STEPS, WINDOW_STEPS


class Strategy(StrEnum):
    """How an invalid checkpoint is brought down.

    CHEAP waits for the openings and proves one segment; FAST re-executes the window in the EVM at
    once, which costs some ten times as much.
    """

    CHEAP = "cheap"
    FAST = "fast"


class Action(StrEnum):
    """A move in a dispute, or against a record of a match."""

    WAIT = "wait"
    FILE = "file"
    OPEN = "open"
    """A filing on doubt, for what it opens."""
    HEADER = "challenge-header"
    ACCEPT = "accept"
    ADVANCE = "advance"
    PROVE = "prove"
    TIMEOUT = "claim-timeout"
    DISMISS = "dismiss"
    DISPROVE = "disprove"


@dataclass(frozen=True, slots=True)
class Situation:
    """A checkpoint, what is known of it, and the dispute over it.

    Attributes:
        invalid: a replay, checked twice, contradicts the checkpoint.
        header_lie: an opening of h128 contradicts the payload.
        right: a replay confirms it; neither ``invalid`` nor this: it could not be recomputed.
        live: the checkpoint still stands.
        status: of the open dispute; NONE if there is none.
        now: the latest block's timestamp, seconds.
        response_deadline: last second for openings.
        head_start_end: last second in which the filer alone is paid for proofs; 0 before the last
            opening.
        proof_deadline: last second for `prove`; 0 before the last opening.
        published: the archives have what is missing in time, and the court has not noted it.
        segment: first divergent segment of the opened ones, if there is one.
        steps_done: micro-steps that `advance` has re-executed.
        mine: we are the dispute's filer.
        provable: the true states are at hand, so segments can be opened.
        executable: the court can re-execute from the window's start already: its records, if it
            has any, are opened or the secret is public.
        may_file: bonds may be risked, and the challenge period leaves time for it.
        doubt: why the window is to be opened although nothing is known to be wrong; empty if it is
            not.
        late: most of the time to respond has passed.
    """

    invalid: bool
    live: bool
    status: DisputeStatus
    now: int
    header_lie: bool = False
    right: bool = False
    response_deadline: int = 0
    head_start_end: int = 0
    proof_deadline: int = 0
    published: bool = False
    segment: int | None = None
    steps_done: int = 0
    mine: bool = False
    provable: bool = True
    executable: bool = True
    may_file: bool = True
    doubt: str = ""
    late: bool = False

    @property
    def silent(self) -> bool:
        """Whether an opening is missing for good."""
        late = self.status is DisputeStatus.FILED and self.now > self.response_deadline
        return late and not self.published

    @property
    def proofs_over(self) -> bool:
        """Whether the time for `prove` is over."""
        return self.status is DisputeStatus.OPENED and self.now > self.proof_deadline


@dataclass(frozen=True, slots=True)
class Move:
    """What to do, and why."""

    action: Action
    why: str


def decide(s: Situation, strategy: Strategy) -> Move:
    """The next move in a case."""
    # First of all, since over a void record every other call reverts. Anybody's: an open dispute
    # makes every later filing over the beast dearer until somebody ends it.
    if not s.live:
        if s.status.open:
            return Move(Action.DISMISS, "the checkpoint fell with an ancestor; the bonds come back")
        return Move(Action.WAIT, "the checkpoint no longer stands")
    # A right window falls like a wrong one if it is not opened: that is the rule. But only whoever
    # filed has a bond in it, and nobody else is asked to make an honest trainer fall.
    if s.silent and (s.mine or not s.right):
        return Move(Action.TIMEOUT, "what was owed was not opened in time")
    if s.published and (s.mine or s.invalid):
        return Move(Action.ACCEPT, "what is missing was published in time; let it be noted")
    if s.right:
        return _leave_standing(s)
    if s.invalid:
        return _bring_down(s, strategy)
    return _find_out(s)


def _leave_standing(s: Situation) -> Move:
    """A right checkpoint: end our own dispute over it, or prove it where its trainer does not."""
    # The court takes an opening up to the deadline's own second, and ends nothing before the proof
    # window is over.
    if s.proofs_over:
        return Move(Action.DISMISS, "nobody proved anything in time; the checkpoint may finalize")
    # After a missed opening the court takes an `advance` only if it convicts.
    if s.status is DisputeStatus.FILED and s.now > s.response_deadline:
        return Move(Action.WAIT, "an opening was missed; re-execution cannot save the checkpoint")
    # The court compares segments with the opened ones, not with h128: whoever proves the wrong one
    # would slash a right checkpoint. Re-execution to its end is the only way to save it.
    if s.segment is not None and s.executable and not s.mine:
        return Move(Action.ADVANCE, "the segments are wrong, the checkpoint is not: prove it")
    if s.status is DisputeStatus.FILED and s.late and s.executable and not s.mine:
        return Move(Action.ADVANCE, "its trainer is silent; re-execution proves the checkpoint")
    return Move(Action.WAIT, "nothing is wrong with the checkpoint")


def _find_out(s: Situation) -> Move:
    """A checkpoint that could not be recomputed: it may be wrong, and a dispute opens it."""
    if s.status is DisputeStatus.NONE and s.doubt and s.may_file:
        return Move(Action.OPEN, s.doubt)
    if s.proofs_over and s.mine:
        return Move(Action.DISMISS, "nothing can be proved; the rest of our bond comes back")
    if s.status.open:
        return Move(Action.WAIT, "the window cannot be recomputed yet; nothing is done on doubt")
    return Move(Action.WAIT, "the window cannot be recomputed here")


def _bring_down(s: Situation, strategy: Strategy) -> Move:
    """A wrong checkpoint, whoever disputes it.

    A trainer may dispute his own checkpoint and let the proof window pass: it convicts him all the
    same.
    """
    if s.header_lie:
        return Move(Action.HEADER, "the header behind h128 contradicts the payload; no bond needed")
    if not s.provable:
        return Move(Action.WAIT, "the window's states are not at hand; no bond is risked")
    if s.status is DisputeStatus.NONE:
        if not s.may_file:
            return Move(Action.WAIT, "no bond may be risked, or the challenge period is too far on")
        return Move(Action.FILE, "re-execution contradicts the checkpoint")
    if s.status is DisputeStatus.FILED:
        if s.mine and s.segment is not None and s.executable:
            return _prove(s)
        if strategy is Strategy.FAST and s.executable:
            return Move(Action.ADVANCE, "re-executing the window needs no opening")
        return Move(Action.WAIT, "the openings may still come; silence convicts as well")
    return _prove(s)


def _prove(s: Situation) -> Move:
    """A wrong checkpoint whose window is open to everybody."""
    left = WINDOW_STEPS - s.steps_done
    if s.segment is None or s.proofs_over or left < SEGMENT_STEPS:
        # After its deadline a proof reverts; until somebody dismisses, an advance convicts.
        return Move(Action.ADVANCE, "re-execution needs no proof window")
    # In the head start the filer is paid, whoever sends; if he sends nothing, it is our turn.
    if not s.mine and s.now <= s.head_start_end:
        return Move(Action.WAIT, "until its head start ends, the filer is paid for a proof")
    return Move(Action.PROVE, f"segment {s.segment} of the opened ones is the first wrong one")
