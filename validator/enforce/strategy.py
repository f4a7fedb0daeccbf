"""Which move comes next in a case: a pure decision, one rule per line, each ending in its reason.

Sends nothing and reads nothing; see moves for how a move is made (docs/spec/protocol.md §7).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from backend.chain.types import DisputeStatus
from backend.kernel.constants import SEGMENT_STEPS, WINDOW_STEPS


class Strategy(StrEnum):
    """How an invalid checkpoint is brought down.

    FAST re-executes the window in the EVM at once; CHEAP waits for the response and proves one
    segment.
    """

    FAST = "fast"
    CHEAP = "cheap"


class Action(StrEnum):
    """A move in a dispute, or against a record of a match."""

    WAIT = "wait"
    FILE = "file"
    HEADER = "challenge-header"
    ADVANCE = "advance"
    PROVE = "prove"
    TIMEOUT = "claim-timeout"
    DISMISS = "dismiss"
    DISPROVE = "disprove"


@dataclass(frozen=True, slots=True)
class Situation:
    """A checkpoint that was judged, and the dispute over it.

    Attributes:
        invalid: a replay, checked twice, contradicts the checkpoint.
        header_lie: an opening of h128 contradicts the payload.
        live: the checkpoint still stands.
        status: of the open dispute; NONE if there is none.
        now: the latest block's timestamp, seconds.
        deadline: of the response (FILED) or of proofs (RESPONDED).
        segment: first divergent segment of the response, if there is one.
        steps_done: micro-steps that `advance` has re-executed.
        records_due: deadline of an unanswered demand for records, 0 if none.
        mine: we are the dispute's challenger.
        provable: the true states are at hand, so segments can be opened.
        may_file: bonds may be risked.
        late: most of the time to respond has passed, and we defend those who are silent.
    """

    invalid: bool
    live: bool
    status: DisputeStatus
    now: int
    header_lie: bool = False
    deadline: int = 0
    segment: int | None = None
    steps_done: int = 0
    records_due: int = 0
    mine: bool = False
    provable: bool = True
    may_file: bool = True
    late: bool = False


@dataclass(frozen=True, slots=True)
class Move:
    """What to do, and why."""

    action: Action
    why: str


def decide(s: Situation, strategy: Strategy) -> Move:
    """The next move in a case."""
    # First of all, since over a void record every other call reverts.
    if not s.live:
        if s.status.open and s.mine:
            return Move(Action.DISMISS, "the checkpoint fell with an ancestor; the bond comes back")
        return Move(Action.WAIT, "the checkpoint no longer stands")
    if not s.invalid:
        return _leave_standing(s)
    if s.header_lie:
        return Move(Action.HEADER, "the header behind h128 contradicts the payload; no bond needed")
    # An open dispute is carried on, whoever filed it. A trainer may dispute his own checkpoint, so
    # that no other filing is possible, and let the proof window pass: it convicts him all the same.
    if not s.status.open:
        if not s.provable:
            return Move(Action.WAIT, "the window's states are not at hand; no bond is risked")
        if not s.may_file:
            return Move(Action.WAIT, "this validator only defends; it risks no bond")
        return Move(Action.FILE, "re-execution contradicts the checkpoint")
    if s.status is DisputeStatus.FILED:
        return _unanswered(s, strategy)
    return _answered(s)


def _leave_standing(s: Situation) -> Move:
    """A right checkpoint: end a dispute over it, or prove it where its trainer does not.

    One that could not be recomputed may be wrong: a dispute over it is not ours to end.
    """
    if s.status.open and not s.provable:
        return Move(Action.WAIT, "the window cannot be recomputed here; nothing is done on doubt")
    # The court takes a response up to the deadline's own second, and ends nothing before it is
    # over; a demand for records bars the dismissal for as long as it is open.
    answered = s.status is DisputeStatus.RESPONDED
    if answered and s.now > s.deadline and not s.records_due:
        return Move(Action.DISMISS, "nobody proved anything in time; the checkpoint may finalize")
    # The court compares segments with the response, not with h128: whoever proves the wrong one
    # would slash a right checkpoint. Re-execution to its end is the only way to save it.
    if answered and s.segment is not None:
        return Move(Action.ADVANCE, "the response is wrong, the checkpoint is not: prove it")
    if s.status is DisputeStatus.FILED and s.late:
        return Move(Action.ADVANCE, "its trainer is silent; re-execution proves the checkpoint")
    return Move(Action.WAIT, "nothing is wrong with the checkpoint")


def _unanswered(s: Situation, strategy: Strategy) -> Move:
    if s.now > s.deadline:
        return Move(Action.TIMEOUT, "no response came in time")
    if strategy is Strategy.FAST and s.provable:
        return Move(Action.ADVANCE, "re-executing the window needs no response")
    return Move(Action.WAIT, "the response may still come")


def _answered(s: Situation) -> Move:
    if s.records_due and s.now > s.records_due:
        return Move(Action.TIMEOUT, "the demanded records were not opened in time")
    if not s.provable:
        return Move(Action.WAIT, "the window's states are not at hand")
    # After the deadline a proof reverts; until somebody dismisses the dispute an advance convicts.
    left = WINDOW_STEPS - s.steps_done
    if s.segment is not None and s.now <= s.deadline and left >= SEGMENT_STEPS:
        return Move(Action.PROVE, f"segment {s.segment} of the response is the first wrong one")
    return Move(Action.ADVANCE, "re-execution needs no proof window")
