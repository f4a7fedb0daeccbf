"""Finds the windows that nobody here could recompute, and whether one of each beast is opened now.

Which ones, the rules in openings say; filing is not here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from sqlalchemy import and_, or_, select

from chainbeasts.backend.chain.prices import MAX_BOND_MULTIPLE
from chainbeasts.backend.store.daemons import JobRow, Mode, Verdict
from chainbeasts.backend.store.facts import CheckpointRow, CheckpointStatus, DisputeRow
from chainbeasts.backend.store.waits import Waits
from chainbeasts.validator.enforce.bonds import Openings, opening_cost
from chainbeasts.validator.enforce.moves import MoveBuilder
from chainbeasts.validator.enforce.openings import Answer, Doubt, Terms, judge_doubt
from chainbeasts.validator.enforce.policy import Policy
from chainbeasts.validator.enforce.secret import draw_of
from chainbeasts.validator.judge.cases import Case, CaseReader
from chainbeasts.validator.judge.jobs import SAME_WINDOW, JobStore
from chainbeasts.validator.judge.states import StateProvider

PARENT_RETRY_SECONDS, LONGEST_PARENT_RETRY_SECONDS = 10.0, 600.0
MOST_PARENTS = 16_384
"""States remembered as being nowhere."""

LONG_SCAN_SECONDS, SCAN_SHARE = 0.25, 0.05
"""Looking through many windows takes no more than this share of the time."""


@dataclass(frozen=True, slots=True)
class Deadlines:
    """When a case can be filed over.

    Attributes:
        last: last second in which we file.
        share: of the time from submission to then that has passed.
    """

    last: int
    share: float


class Doubts:
    """The windows in doubt.

    Args:
        secret: that draws follow from.
        deadlines: of a case, at present.
        implausible: what speaks against a private window whose end is published; empty if nothing
            does.
    """

    def __init__(
        self,
        states: StateProvider,
        jobs: JobStore,
        moves: MoveBuilder,
        policy: Policy,
        secret: bytes,
        deadlines: Callable[[Case], Deadlines],
        implausible: Callable[[Case], str] = lambda case: "",
    ) -> None:
        self._states = states
        self._jobs = jobs
        self._moves = moves
        self._policy = policy
        self._secret = secret
        self._deadlines = deadlines
        self._implausible = implausible
        self._nowhere = Waits(
            PARENT_RETRY_SECONDS, LONGEST_PARENT_RETRY_SECONDS, MOST_PARENTS, time.monotonic
        )

        self._look_again = 0.0

    @property
    def _reader(self) -> CaseReader:
        return self._states.reader

    def found(self, spent: Openings, coin_budget: int) -> Iterable[tuple[Case, str]]:
        """The windows to open now, at most one of each beast, and why; the most urgent first.

        Args:
            spent: what our filings on doubt have cost.
            coin_budget: wei of native coin a day.
        """
        begun = time.monotonic()
        if begun < self._look_again:
            return []
        energy = self._policy.energy_budget
        terms = Terms(
            self._policy.open_after,
            self._policy.open_rate,
            coin_budget - spent.coin,
            None if energy is None else energy - spent.energy,
        )
        owners = self._filings_by_owner(spent)
        chosen = []
        for beast_id in self._beasts():
            found = self._of_beast(beast_id, spent, owners, terms)
            if found is not None:
                chosen.append(found)
        took = time.monotonic() - begun
        self._look_again = begun + took + (took / SCAN_SHARE if took > LONG_SCAN_SECONDS else 0.0)
        return sorted(chosen, key=lambda one: self._deadlines(one[0]).last)

    def _beasts(self) -> list[int]:
        """Beasts with a pending window whose verdict is none, or not a full one."""
        wanted = (
            select(CheckpointRow.beast_id)
            .join(JobRow, SAME_WINDOW)
            .where(
                CheckpointRow.status == CheckpointStatus.PENDING,
                CheckpointRow.proven.is_(False),
                or_(
                    JobRow.verdict == Verdict.UNAVAILABLE,
                    and_(JobRow.verdict == Verdict.VALID, JobRow.mode == Mode.LIGHT),
                ),
            )
        )
        with self._reader.database.session() as session:
            return sorted(set(session.scalars(wanted)))

    def _filings_by_owner(self, spent: Openings) -> dict[str, int]:
        """How many of the day's filings on doubt were over beasts of each owner."""
        found: dict[str, int] = {}
        for beast_id in self._beasts_of(spent.digests):
            owner = self._reader.owner(beast_id)
            found[owner] = found.get(owner, 0) + 1
        return found

    def _beasts_of(self, digests: Iterable[bytes]) -> list[int]:
        wanted = select(DisputeRow.digest, DisputeRow.beast_id).where(
            DisputeRow.digest.in_(list(digests))
        )
        with self._reader.database.session() as session:
            return list({bytes(d): int(beast) for d, beast in session.execute(wanted)}.values())

    def _of_beast(
        self, beast_id: int, spent: Openings, owners: dict[str, int], terms: Terms
    ) -> tuple[Case, str] | None:
        """The beast's first window that is to be opened."""
        cases = [
            case
            for case in self._reader.pending(beast_id)
            if self._policy.scope.covers(beast_id, case.checkpoint.trainer)
        ]
        jobs = self._jobs.open(cases)
        waiting = False
        for case in cases:
            job = jobs[case.digest]
            if job.verdict == Verdict.INVALID:
                return None  # what follows falls with it
            if not case.disputable or not _in_doubt(job):
                continue
            # Whatever stands after a dispute was opened in it; another one would show nothing new.
            disputes = self._reader.disputes_over(case.digest)
            if disputes:
                waiting = waiting or disputes[-1].status == "filed"
            else:
                answer = self._judge(case, job, spent, owners, terms, waiting)
                if answer.cause is not None:
                    return case, answer.why
        return None

    def _judge(
        self,
        case: Case,
        job: JobRow,
        spent: Openings,
        owners: dict[str, int],
        terms: Terms,
        waiting: bool,
    ) -> Answer:
        withheld = self._withheld(case)
        # Only where both ends are published is there something to compare.
        light = case.private and job.verdict == Verdict.VALID and not withheld
        doubt = Doubt(
            withheld=withheld,
            implausible=self._implausible(case) if light else "",
            private=case.private,
            share=self._deadlines(case).share,
            draw=draw_of(self._secret, case.digest),
            right=spent.right[case.beast_id],
            waiting=waiting,
            cost=0,
            energy=0,
            of_beast=self._beasts_of(spent.digests).count(case.beast_id),
            of_owner=owners.get(self._reader.owner(case.beast_id), 0),
        )
        # What it costs is asked of the chain, so only where all else speaks for it.
        answer = judge_doubt(doubt, terms)
        if answer.cause is None:
            return answer
        quote = self._moves.quote(case)
        open_now = sum(d.beast_id == case.beast_id for d in self._reader.open_disputes())
        base = quote.opening_bond // min(open_now + 1, MAX_BOND_MULTIPLE)
        cost = opening_cost(base, quote.opening_bond - base)
        return judge_doubt(replace(doubt, cost=cost, energy=quote.bond), terms)

    def _withheld(self, case: Case) -> bool:
        """Whether the state that a window starts from is nowhere; or, if private, its end."""
        if case.private and self._states.find(case.checkpoint.payload.h128) is None:
            return True
        return not self._start_known(case)

    def _start_known(self, case: Case) -> bool:
        h = case.checkpoint.parent
        if case.index == 0 or self._states.find(h) is not None:
            return True
        # To compute it again may take a whole history: not in every pass.
        if not self._nowhere.due(h):
            return False
        if self._states.parent_state(case) is None:
            self._nowhere.again(h)
            return False
        return True


def _in_doubt(job: JobRow) -> bool:
    if job.verdict is None:
        return False  # not looked at yet
    return job.verdict == Verdict.UNAVAILABLE or job.mode == Mode.LIGHT
