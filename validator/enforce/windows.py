"""Turns verdicts into moves: reads the situation of each case and makes the move it calls for.

Which move that is, strategy decides; what it passes on chain, moves says; whether it is worth its
price, value. Nothing is proved on doubt: an invalid window is judged again here by the NumPy
reference, and the court must see the same context.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import structlog

from chainbeasts.backend.chain.errors import Reverted
from chainbeasts.backend.chain.prices import BASIS_POINTS
from chainbeasts.backend.chain.types import ZERO32, DisputeStatus, Opening, opening_bit
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.indexer.follow import AWAY
from chainbeasts.backend.redact import redact_text
from chainbeasts.backend.store.daemons import Mode, Verdict
from chainbeasts.backend.store.facts import DisputeRow
from chainbeasts.validator.enforce.bonds import MoveSender
from chainbeasts.validator.enforce.commitments import SPARE_GAS, Committer
from chainbeasts.validator.enforce.doubts import Deadlines, Doubts
from chainbeasts.validator.enforce.filing import Filer, filing_deadline
from chainbeasts.validator.enforce.moves import MoveBuilder, Proof
from chainbeasts.validator.enforce.policy import Policy
from chainbeasts.validator.enforce.strategy import Action, Move, Situation, Strategy, decide
from chainbeasts.validator.enforce.value import Appraiser, Prospect
from chainbeasts.validator.judge.cases import Case
from chainbeasts.validator.judge.jobs import JobStore
from chainbeasts.validator.judge.replay import Judgement, Window, first_divergent
from chainbeasts.validator.judge.states import StateProvider
from chainbeasts.validator.judge.windows import check

log = structlog.get_logger()

LATE_SHARE = 1 / 3
"""Of the time to respond that is left when we defend a right checkpoint whose trainer is silent."""

SEGMENTS_ONLY = opening_bit(Opening.SEGMENTS)

BLOCKS_MEASURED = 64
"""Blocks that the time between two of them is measured over."""


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A case with what was found about it and the dispute over it.

    Attributes:
        doubt: why it is to be opened although nothing is known to be wrong; empty if it is not.
    """

    case: Case
    dispute: DisputeRow | None
    window: Window | None
    judgement: Judgement | None
    doubt: str = ""

    @property
    def invalid(self) -> bool:
        return self.judgement is not None and self.judgement.verdict is Verdict.INVALID

    @property
    def right(self) -> bool:
        """Whether a replay confirms the checkpoint."""
        found = self.judgement
        return found is not None and (found.verdict, found.mode) == (Verdict.VALID, Mode.FULL)

    @property
    def segment(self) -> int | None:
        """The first wrong one of the opened segments."""
        if self.dispute is None or self.judgement is None or not self.judgement.segments:
            return None
        posted = self.dispute.segment_hashes
        return first_divergent(self.judgement.segments, posted) if posted else None


class Made(Enum):
    """What was sent for a move."""

    NOTHING = "nothing"
    COMMITMENT = "commitment"
    MOVE = "move"


def _made(sent: bool) -> Made:
    return Made.MOVE if sent else Made.NOTHING


@dataclass(frozen=True, slots=True)
class Planned:
    """A move that is ready to go out.

    Attributes:
        key: names it among the account's moves.
        call: what is sent; a proof is committed to before, where that is needed.
        prospect: what it costs and brings.
        due: chain time after which it is of no use.
        must_pay: it is not made at a loss, whatever the gas budget has left.
    """

    key: str
    call: Any | Proof
    prospect: Prospect
    due: int | None = None
    must_pay: bool = False


class Enforcer:
    """Acts on invalid checkpoints, on windows in doubt and on open disputes.

    Args:
        sender: where moves go; None watches only.
        secret: that salts and draws follow from.
        implausible: see ``Doubts``.
    """

    def __init__(
        self,
        states: StateProvider,
        jobs: JobStore,
        moves: MoveBuilder,
        policy: Policy,
        sender: MoveSender | None,
        secret: bytes,
        implausible: Callable[[Case], str] = lambda case: "",
    ) -> None:
        self._states = states
        self._reader = states.reader
        self._jobs = jobs
        self._moves = moves
        self.policy = policy
        self._sender = sender
        self._filer = Filer(states.reader, moves, policy)
        self._committer = Committer(states.reader.chain, secret)
        self._appraiser = Appraiser(states.reader, policy.energy_price)
        self._doubts = Doubts(states, jobs, moves, policy, secret, self.deadlines, implausible)
        self._checked: dict[bytes, tuple[Window | None, Judgement]] = {}
        self._logged: dict[bytes, Move] = {}
        self._refused: dict[bytes, str] = {}

    @property
    def refused(self) -> int:
        """Cases whose move was refused when it was last tried."""
        return len(self._refused)

    def run(self) -> int:
        """Make every move that is due; returns how many were made.

        Raises:
            NodeUnavailableError, WrongChainError: the chain cannot be reached.
        """
        moved, case_files = 0, self._case_files()
        due = {case_file.case.digest for case_file in case_files}
        self._refused = {digest: why for digest, why in self._refused.items() if digest in due}
        self._logged = {digest: move for digest, move in self._logged.items() if digest in due}
        for case_file in case_files:
            try:
                moved += self._act(case_file)
                self._refused.pop(case_file.case.digest, None)
            # A case that is refused must not hold up the rest: else one trainer, by whatever makes
            # a call revert, would shield all others. What is away, is away for every case.
            except AWAY:
                raise
            except ChainBeastsError as error:
                self._log_refusal(case_file.case, str(error))
            except Exception as error:
                why = f"{type(error).__name__}: {redact_text(str(error))}"
                self._log_refusal(case_file.case, why, error)
        return moved

    def _log_refusal(self, case: Case, reason: str, why: Exception | None = None) -> None:
        if self._refused.get(case.digest) != reason:
            self._refused[case.digest] = reason
            log.warning(
                "refused", beast=case.beast_id, checkpoint=case.index, reason=reason, exc_info=why
            )

    # --- what there is to act on ----------------------------------------------------------------

    def _case_files(self) -> list[CaseFile]:
        """Open disputes, of each beast the first invalid pending checkpoint, and one window in
        doubt; the most urgent first."""
        found: dict[bytes, CaseFile] = {}
        for row in self._reader.open_disputes():
            case = self._reader.of_dispute(row)
            # Our own disputes also outside the scope: a bond is in them.
            if self._covers(case) or self._is_mine(row):
                found[case.digest] = self.case_file(case, row)
        jobs = self._jobs.invalid()
        invalid, suspects = {job.digest for job in jobs}, {job.beast_id for job in jobs}
        for beast_id in suspects.intersection(self._reader.pending_beasts() if suspects else ()):
            self._add_first_invalid(beast_id, invalid, found)
        kept = self._earliest(found.values())
        self._checked = {d: value for d, value in self._checked.items() if d in found}
        return sorted(kept, key=self._deadline) + self._in_doubt()

    def _add_first_invalid(
        self, beast_id: int, invalid: set[bytes], found: dict[bytes, CaseFile]
    ) -> None:
        """Add the earliest checkpoint to file over: with it all later ones fall, and the bond on a
        later one would come back without a reward."""
        for case in self._reader.pending(beast_id):
            if not self._covers(case) or not case.disputable or case.digest not in invalid:
                continue
            # Too late for this one: then the next one, which can still be brought down.
            if case.digest not in found and self._too_late(case):
                continue
            if case.digest not in found:
                found[case.digest] = self._confirm(self.case_file(case, None))
            return

    def _earliest(self, files: Any) -> list[CaseFile]:
        """Without the wrong windows that stand on another wrong one: whoever convicts the later
        one first has its reward taken over by whoever convicts the earlier one."""
        first: dict[int, int] = {}
        for file in files:
            if file.invalid and file.case.pending:
                beast = file.case.beast_id
                first[beast] = min(first.get(beast, file.case.index), file.case.index)
        return [
            file
            for file in files
            if not file.invalid
            or not file.case.pending
            or file.case.index == first[file.case.beast_id]
        ]

    def _in_doubt(self) -> list[CaseFile]:
        """The one window that is opened next."""
        if self.policy.defensive or self._sender is None:
            return []
        spent = self._sender.openings()
        for case, why in self._doubts.found(spent, self._coin_budget()):
            # One at a time: what it costs is counted once it is indexed.
            return [CaseFile(case, None, None, None, why)]
        return []

    def _coin_budget(self) -> int:
        """Wei of native coin a day for openings."""
        if self.policy.open_budget is not None:
            return self.policy.open_budget
        chain = self._reader.chain
        season = chain.current_season()
        e = self._reader.season(season).economics
        stake = int(chain.call(chain.ledger.functions.stakeAt(season)))
        # What one conviction pays: a validator that finds one lie a day loses nothing.
        return stake * (e.filing_bps + e.proof_bps) // BASIS_POINTS

    def deadlines(self, case: Case) -> Deadlines:
        """Until when we file over a case, and how much of that time has passed."""
        submitted = case.checkpoint.submitted_at
        period = self._reader.season(case.checkpoint.season).economics.challenge_period
        last = filing_deadline(submitted, period, self._reader.block_seconds(BLOCKS_MEASURED))
        now = self._reader.chain.now()
        return Deadlines(last, (now - submitted) / max(last - submitted, 1))

    def _too_late(self, case: Case) -> bool:
        return self._reader.chain.now() > self.deadlines(case).last

    def _deadline(self, case_file: CaseFile) -> int:
        """When acting on a case is of no use any more, unix seconds: the nearest comes first,
        since moves go out one after another."""
        if case_file.dispute is not None:
            return due_of(case_file.dispute)
        return self.deadlines(case_file.case).last

    def _covers(self, case: Case) -> bool:
        return self.policy.scope.covers(case.beast_id, case.checkpoint.trainer)

    def _is_mine(self, row: DisputeRow) -> bool:
        return self._sender is not None and row.filer == self._sender.me

    def case_file(self, case: Case, dispute: DisputeRow | None) -> CaseFile:
        """A case with what a replay by the reference says of it."""
        if not case.pending:
            return CaseFile(case, dispute, None, None)
        known = self._checked.get(case.digest)
        # Again where the records were opened since: the court now takes other witnesses.
        stale = known is not None and case.private and known[0] is not None and not known[0].opened
        if known is None or (stale and self._states.opened_records(case) is not None):
            # The verdict on record came from a compiled kernel, or from another machine. No bond is
            # staked on it before the reference, in this process, says the same.
            known = check(self._states, case, self._reader.live(case.beast_id))
            # Not remembered: what is missing may be published at any time.
            if known[1].verdict is Verdict.UNAVAILABLE or known[1].mode is Mode.LIGHT:
                return CaseFile(case, dispute, *known)
            self._checked[case.digest] = known
        return CaseFile(case, dispute, *known)

    def _confirm(self, case_file: CaseFile) -> CaseFile:
        """Take a verdict back that judging again does not confirm."""
        if not case_file.invalid and case_file.judgement is not None:
            log.error(
                "not confirmed", beast=case_file.case.beast_id, checkpoint=case_file.case.index
            )
            self._jobs.judged(case_file.case, case_file.judgement)
        return case_file

    def situation(self, case_file: CaseFile) -> Situation:
        """The case as strategy wants it."""
        row, case, window = case_file.dispute, case_file.case, case_file.window
        status = DisputeStatus.NONE if row is None else DisputeStatus[row.status.upper()]
        now = self._reader.chain.now()
        found = Situation(
            invalid=case_file.invalid,
            live=case.pending,
            status=status,
            now=now,
            header_lie=case_file.judgement is not None and case_file.judgement.header_lie,
            right=case_file.right,
            segment=case_file.segment,
            provable=window is not None,
            executable=window is not None and self._is_executable(case, window),
            may_file=not self.policy.defensive and not self._too_late(case),
            doubt=case_file.doubt,
        )
        return found if row is None else self._with_dispute(found, case, row)

    def _with_dispute(self, found: Situation, case: Case, row: DisputeRow) -> Situation:
        window = self._reader.season(case.checkpoint.season).economics.response_window
        return replace(
            found,
            response_deadline=row.response_deadline,
            head_start_end=row.head_start_end or 0,
            proof_deadline=row.proof_deadline or 0,
            published=case.pending and self._is_published(case, row),
            steps_done=row.steps_done,
            mine=self._is_mine(row),
            late=found.now > row.response_deadline - window * LATE_SHARE,
        )

    def _is_published(self, case: Case, row: DisputeRow) -> bool:
        """Whether the court would take note of a publication."""
        if row.status != "filed" or row.missing in (0, SEGMENTS_ONLY):
            return False
        try:
            self._reader.chain.call(self._moves.accept(case, row.dispute_id))
        except Reverted:
            return False
        return True

    def _is_executable(self, case: Case, window: Window) -> bool:
        """Whether the court can re-execute a window already."""
        if not case.private or window.opened:
            return True
        return self._reader.chain.secret_fold(case.beast_id) is not None

    # --- acting ---------------------------------------------------------------------------------

    def _act(self, case_file: CaseFile) -> int:
        move = decide(self.situation(case_file), self.policy.strategy)
        if self._logged.get(case_file.case.digest) != move:
            self._logged[case_file.case.digest] = move
            log.info(
                "next move",
                beast=case_file.case.beast_id,
                checkpoint=case_file.case.index,
                action=str(move.action),
                why=move.why,
                dry_run=self._sender is None,
            )
        if self._sender is None or move.action is Action.WAIT:
            return 0
        return int(self.make(self._sender, move.action, case_file) is not Made.NOTHING)

    def make(self, sender: MoveSender, action: Action, case_file: CaseFile) -> Made:
        """Make a move, or its commitment first; what was sent.

        Raises:
            ChainBeastsError: the court refuses, it is not worth it, no funds, or no node.
        """
        if action in (Action.FILE, Action.OPEN):
            return _made(self._file(sender, action, case_file))
        planned = self._plan(sender, action, case_file)
        unpaid = not planned.prospect.pays(self._appraiser.energy_price(case_file.case))
        if unpaid:
            if planned.must_pay:
                return Made.NOTHING
            self._require_gas(sender, planned.prospect)
        call, spare_gas = planned.call, 0
        if isinstance(call, Proof):
            spare_gas = SPARE_GAS
            if self._needs_commitment(action, case_file):
                with sender.pauses.before(f"commitment {planned.key}"):
                    made = self._committer.commit(
                        sender.outbox, case_file.case.digest, planned.key, call
                    )
                if made:
                    return Made.COMMITMENT  # the proof itself goes out with the next pass
                call = self._committer.call(
                    case_file.case.digest, planned.key, call, committed=True
                )
            else:
                call = call.call(ZERO32)
        sent = sender.send(
            action, planned.key, call, spare_gas=spare_gas, due=planned.due, unpaid=unpaid
        )
        return _made(sent)

    def _require_gas(self, sender: MoveSender, prospect: Prospect) -> None:
        """Make sure that a move at a loss fits the gas budget.

        Raises:
            ChainBeastsError: it does not.
        """
        used = sender.unpaid_gas()
        if used + prospect.gas > self.policy.gas_budget:
            raise ChainBeastsError(
                f"The move does not pay, and its {prospect.gas} gas do not fit under --gas-budget: "
                f"{used} of {self.policy.gas_budget} a day are used."
            )

    def _needs_commitment(self, action: Action, case_file: CaseFile) -> bool:
        """Whether only a commitment brings the reward: not for the filer within its head start."""
        row = case_file.dispute
        if action is not Action.PROVE or row is None or not self._is_mine(row):
            return True
        now = self._reader.chain.now()
        # With a block's time to spare: the proof is mined later than it is sent.
        ahead = self._reader.block_seconds(BLOCKS_MEASURED)
        return row.status == "opened" and now + ahead > (row.head_start_end or 0)

    def _plan(self, sender: MoveSender, action: Action, case_file: CaseFile) -> Planned:
        case, row, moves, value = case_file.case, case_file.dispute, self._moves, self._appraiser
        mine = row is not None and self._is_mine(row)
        if action is Action.HEADER:
            assert case_file.judgement is not None
            assert case_file.judgement.end is not None
            proof = moves.challenge_header(case, case_file.judgement.end)
            mine = row is None or mine
            return Planned(case.digest.hex(), proof, value.conviction(case, action, mine=mine))
        assert row is not None
        key = dispute_key(row, case)
        if action is Action.TIMEOUT:
            call = moves.claim_timeout(case, row.dispute_id)
            return Planned(key, call, value.conviction(case, action, mine=mine))
        if action is Action.DISMISS:
            call = moves.dismiss(case, row.dispute_id)
            others = not mine and case.pending and not self.policy.defend
            return Planned(key, call, value.unpaid(action, returned=mine), must_pay=others)
        if action is Action.ACCEPT:
            key = f"{key}:{row.missing}"
            call = moves.accept(case, row.dispute_id)
            return Planned(key, call, value.unpaid(action, returned=mine))
        return self._plan_proof(sender, action, case_file, row)

    def _plan_proof(
        self, sender: MoveSender, action: Action, case_file: CaseFile, row: DisputeRow
    ) -> Planned:
        case, window, segment = case_file.case, case_file.window, case_file.segment
        assert window is not None
        key, mine = dispute_key(row, case), self._is_mine(row)
        if action is Action.PROVE and segment is not None:
            proof = self._moves.prove(case, row.dispute_id, window, row.segment_hashes, segment)
            prospect = self._appraiser.conviction(case, action, mine=mine)
            return Planned(f"{key}:{segment}", proof, prospect, row.proof_deadline)
        advance = self._moves.advance(
            case, row.dispute_id, window, row.steps_done, sender.transactions
        )
        prospect = self._appraiser.advance(
            case, advance.steps, advance.gas, invalid=case_file.invalid, mine=mine
        )
        return Planned(
            # Named by where it starts: made once from there, by whichever process, and not again
            # until the chain says that the dispute has moved on.
            f"{key}:{row.steps_done}",
            advance.proof,
            prospect,
            due_of(row),
            must_pay=not case_file.invalid and not self.policy.defend,
        )

    def _file(self, sender: MoveSender, action: Action, case_file: CaseFile) -> bool:
        case, window = case_file.case, case_file.window
        due = self.deadlines(case).last
        if action is Action.OPEN:
            return self._filer.file(sender, case, context=None, data=None, due=due)
        assert window is not None
        # A dataset is revealed only where that saves waiting: what a dispute asks for in any case
        # its trainer has to open, or fall.
        fast = self.policy.strategy is Strategy.FAST and case.private
        data = self._states.private_data(case.beast_id) if fast else None
        return self._filer.file(sender, case, context=window.context, data=data, due=due)


def due_of(row: DisputeRow) -> int:
    """The next deadline of an open dispute."""
    if row.status == "opened" and row.proof_deadline is not None:
        return row.proof_deadline
    return row.response_deadline


def dispute_key(row: DisputeRow, case: Case) -> str:
    """Names a dispute; after a reorg its number alone may be another one's."""
    return f"{row.dispute_id}:{case.digest.hex()}"
