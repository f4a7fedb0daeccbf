"""Turns verdicts into moves: reads the situation of each case and makes the move it calls for.

Which move that is, strategy decides; what it passes on chain, moves says. Nothing is filed on
doubt: an invalid window is judged again here by the NumPy reference, the court must see the same
context, and the bond must fit under the cap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import structlog

from backend.chain.errors import NodeUnavailableError, WrongChainError
from backend.chain.escrow import ensure_escrow
from backend.chain.types import DisputeStatus
from backend.errors import ChainBeastsError
from backend.store.daemons import Verdict
from backend.store.facts import DisputeRow
from backend.store.private import PrivateDataset
from backend.store.session import DatabaseUnavailableError
from validator.enforce.bonds import MoveSender, filing_key, fund_bond
from validator.enforce.moves import MoveBuilder
from validator.enforce.policy import Policy
from validator.enforce.staging import Staging
from validator.enforce.strategy import Action, Move, Situation, decide
from validator.judge.cases import Case
from validator.judge.jobs import JobStore
from validator.judge.replay import Judgement, Window, first_divergent
from validator.judge.states import StateProvider
from validator.judge.windows import check

log = structlog.get_logger()

LATE_SHARE = 1 / 3
"""Of the time to respond that is left when we defend a right checkpoint whose trainer is silent."""


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A case with what was found about it and the dispute over it."""

    case: Case
    dispute: DisputeRow | None
    window: Window | None
    judgement: Judgement | None

    @property
    def invalid(self) -> bool:
        return self.judgement is not None and self.judgement.verdict is Verdict.INVALID

    @property
    def doubtful(self) -> bool:
        """Whether what was tried gave no verdict."""
        return self.judgement is not None and self.judgement.verdict is Verdict.UNAVAILABLE

    @property
    def segment(self) -> int | None:
        """The first wrong segment of the response."""
        if self.dispute is None or self.judgement is None or not self.judgement.segments:
            return None
        posted = self.dispute.segment_hashes
        return first_divergent(self.judgement.segments, posted) if posted else None


class Enforcer:
    """Acts on invalid checkpoints and on open disputes.

    Args:
        sender: where moves go; None watches only.
    """

    def __init__(
        self,
        states: StateProvider,
        jobs: JobStore,
        moves: MoveBuilder,
        policy: Policy,
        sender: MoveSender | None,
    ) -> None:
        self._states = states
        self._reader = states.reader
        self._jobs = jobs
        self._moves = moves
        self.policy = policy
        self._sender = sender
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
        for case_file in case_files:
            try:
                moved += self._act(case_file)
                self._refused.pop(case_file.case.digest, None)
            # A case that is refused must not hold up the rest: else one trainer, by whatever makes
            # a call revert, would shield all others. What is away, is away for every case.
            except (NodeUnavailableError, WrongChainError, DatabaseUnavailableError):
                raise
            except ChainBeastsError as error:
                self._log_refusal(case_file.case, str(error))
        return moved

    def _log_refusal(self, case: Case, reason: str) -> None:
        if self._refused.get(case.digest) != reason:
            self._refused[case.digest] = reason
            log.warning("refused", beast=case.beast_id, checkpoint=case.index, reason=reason)

    # --- what there is to act on ----------------------------------------------------------------

    def _case_files(self) -> list[CaseFile]:
        """Open disputes, and of each beast the first invalid pending checkpoint; the most urgent
        first."""
        found: dict[bytes, CaseFile] = {}
        for row in self._reader.open_disputes():
            case = self._reader.of_dispute(row)
            # Our own disputes also outside the scope: a bond is in them.
            if self._covers(case) or self._is_mine(row):
                found[case.digest] = self._case_file(case, row)
        jobs = self._jobs.invalid()
        invalid, suspects = {job.digest for job in jobs}, {job.beast_id for job in jobs}
        for beast_id in suspects.intersection(self._reader.pending_beasts() if suspects else ()):
            cases = [case for case in self._reader.pending(beast_id) if self._covers(case)]
            # The earliest one only: with it all later ones fall, and the bond on a later one would
            # come back without a reward.
            first = next((c for c in cases if c.disputable and c.digest in invalid), None)
            if first is not None and first.digest not in found:
                found[first.digest] = self._confirm(self._case_file(first, None))
        self._checked = {d: value for d, value in self._checked.items() if d in found}
        return sorted(found.values(), key=self._deadline)

    def _deadline(self, case_file: CaseFile) -> int:
        """When acting on a case is of no use any more, unix seconds: the nearest comes first,
        since moves go out one after another."""
        if case_file.dispute is not None:
            return case_file.dispute.deadline
        checkpoint = case_file.case.checkpoint
        period = self._reader.season(checkpoint.season).economics.challenge_period
        return checkpoint.submitted_at + period

    def _covers(self, case: Case) -> bool:
        return self.policy.scope.covers(case.beast_id, case.checkpoint.trainer)

    def _is_mine(self, row: DisputeRow) -> bool:
        return self._sender is not None and row.challenger == self._sender.me

    def _case_file(self, case: Case, dispute: DisputeRow | None) -> CaseFile:
        if not case.pending:
            return CaseFile(case, dispute, None, None)
        if case.digest not in self._checked:
            # The verdict on record came from a compiled kernel, or from another machine. No bond is
            # staked on it before the reference, in this process, says the same.
            checked = check(self._states, case, self._reader.live(case.beast_id))
            # Not remembered: the state or dataset that is missing may be published at any time.
            if checked[1].verdict is Verdict.UNAVAILABLE:
                return CaseFile(case, dispute, *checked)
            self._checked[case.digest] = checked
        return CaseFile(case, dispute, *self._checked[case.digest])

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
        row, case = case_file.dispute, case_file.case
        status = DisputeStatus.NONE if row is None else DisputeStatus[row.status.upper()]
        records_due = 0
        if row is not None and case.private:
            present = self._reader.chain.dispute(row.dispute_id)
            records_due = present.demand_deadline if present.demand else 0
        now = self._reader.chain.now()
        return Situation(
            invalid=case_file.invalid,
            live=case.pending,
            status=status,
            now=now,
            header_lie=case_file.judgement is not None and case_file.judgement.header_lie,
            deadline=0 if row is None else row.deadline,
            segment=case_file.segment,
            steps_done=0 if row is None else row.steps_done,
            records_due=records_due,
            mine=row is not None and self._is_mine(row),
            provable=case_file.window is not None and not case_file.doubtful,
            may_file=not self.policy.defensive,
            late=row is not None and self._is_late(case, row, now),
        )

    def _is_late(self, case: Case, row: DisputeRow, now: int) -> bool:
        """Whether a trainer who can answer would have done so."""
        window = self._reader.season(case.checkpoint.season).economics.response_window
        return self.policy.defend and now > row.deadline - window * LATE_SHARE

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
        return int(self._send(self._sender, move.action, case_file))

    def _send(self, sender: MoveSender, action: Action, case_file: CaseFile) -> bool:
        case, row, moves = case_file.case, case_file.dispute, self._moves
        if action is Action.FILE:
            return self._file(sender, case)
        if action is Action.HEADER:
            assert case_file.judgement is not None
            assert case_file.judgement.end is not None
            call = moves.challenge_header(case, case_file.judgement.end)
            return sender.send(action, case.digest.hex(), call)
        assert row is not None
        key = dispute_key(row, case)
        if action is Action.TIMEOUT:
            return sender.send(action, key, moves.claim_timeout(case, row.dispute_id))
        if action is Action.DISMISS:
            return sender.send(action, key, moves.dismiss(case, row.dispute_id))
        return self._reexecute(sender, action, case_file, row)

    def _reexecute(
        self, sender: MoveSender, action: Action, case_file: CaseFile, row: DisputeRow
    ) -> bool:
        case, window, segment = case_file.case, case_file.window, case_file.segment
        assert window is not None
        key: str
        call: Any
        if action is Action.PROVE and segment is not None:
            key = f"{dispute_key(row, case)}:{segment}"
            call = self._moves.prove(case, row.dispute_id, window, row.segment_hashes, segment)
        else:
            # Named by where it starts: made once from there, by whichever process, and not again
            # until the chain says that the dispute has moved on.
            key = f"{dispute_key(row, case)}:{row.steps_done}"
            call = self._moves.advance(
                case, row.dispute_id, window, row.steps_done, sender.transactions
            ).call
        return sender.send(action, key, call, due=row.deadline)

    def _file(self, sender: MoveSender, case: Case) -> bool:
        """File a dispute, if the court would judge by the same facts and the bond fits."""
        data = self._states.private_data(case.beast_id) if case.private else None
        context = self._reader.context(case, data)
        # The order is that of the costs. First whether we are right in the court's eyes: with a
        # seed, season or root misread from a lying node, an honest window replays to another hash.
        if not self._reader.court_agrees(case, context):
            raise ChainBeastsError("The court would judge by another context; no bond is risked.")
        chain = self._reader.chain
        # Then whether somebody was faster: one dispute is open over a record at a time.
        standing = chain.standing(case.digest)
        if standing.dispute_id or standing.proven:
            return False  # news that the next reading brings
        # The cap before anything is paid for: it bounds what an error of ours can lose at a time.
        bond, cap = self._moves.bond(case), self.policy.max_bonds
        at_risk = sender.bonds_at_risk()
        if cap is not None and at_risk + bond > cap:
            raise ChainBeastsError(
                f"The bond of {bond} wei does not fit under --max-bonds: {at_risk} of {cap} wei "
                "are at risk."
            )
        if data is not None and self._moves.stages(case, data):
            self._stage(sender, case, data, bond)
        call = self._moves.file(case, data)
        fund_bond(chain, sender.transactions, call, bond)
        earlier = len(self._reader.disputes_over(case.digest))
        return sender.send(Action.FILE, filing_key(case.digest, earlier), call, bond=bond)

    def _stage(self, sender: MoveSender, case: Case, data: PrivateDataset, bond: int) -> None:
        """Put a large dataset on chain, which is worth its gas only if the filing can follow."""
        chain, outbox = self._reader.chain, sender.outbox
        # The bond first: up to 116 million gas of chunks would be lost if it turned out to be
        # missing.
        ensure_escrow(chain, sender.transactions, bond)

        def report(done: int, total: int) -> None:
            log.info("staging", beast=case.beast_id, checkpoint=case.index, done=done, of=total)

        Staging(chain, sender.me, data).run(
            lambda move: outbox.send_once("stage", move.key, move.call, label=move.label),
            report,
            lambda: self._moves.stages(case, data),
        )


def dispute_key(row: DisputeRow, case: Case) -> str:
    """Names a dispute; after a reorg its number alone may be another one's."""
    return f"{row.dispute_id}:{case.digest.hex()}"
