"""Judges windows: many beasts' at once in an executor, while others are read and recorded.

Sends nothing. A checkpoint after one judged invalid is left alone: it falls with it, or is judged
once that is settled.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import dataclass, field

import structlog

from chainbeasts.backend.indexer.follow import AWAY
from chainbeasts.backend.kernel.state import encode_state
from chainbeasts.backend.kernel.window import WindowContext, genesis_state
from chainbeasts.backend.kernels import state_hash
from chainbeasts.backend.store.daemons import Mode, Verdict
from chainbeasts.validator.judge.batch import Outcome, Run, batch_of, replay_batch
from chainbeasts.validator.judge.cases import Case, Found
from chainbeasts.validator.judge.cluster import ClusterExecutor
from chainbeasts.validator.judge.jobs import JobStore, is_due
from chainbeasts.validator.judge.replay import RECOMPUTED, Judgement, Window, judge, judge_light
from chainbeasts.validator.judge.states import NO_PARENT, StateProvider
from chainbeasts.validator.judge.worklist import Slice, Worklist

log = structlog.get_logger()

BATCH = 256
"""Windows in one call of a worker: some tens of milliseconds, against which handing it over is
nothing."""

FLIGHTS = 6
"""Batches given out at once: enough for a few workers to have the next one waiting."""

BEASTS_AT_ONCE = 256
"""Beasts whose windows are looked for in one statement."""

TURN_SECONDS = 1.0
"""After so long, the moves that are due have their turn, however long the backlog."""

VALID = Judgement(Verdict.VALID, Mode.FULL, RECOMPUTED)


@dataclass(frozen=True, slots=True)
class _Planned:
    """A run, and the cases that it judges."""

    run: Run
    cases: Sequence[Case]


@dataclass
class _Flight:
    """A batch that was given out.

    Attributes:
        work: where its cases come from.
    """

    work: Worklist
    planned: Sequence[_Planned]
    future: Future[Outcome]


@dataclass
class _Draft:
    """A run as it is put together.

    Attributes:
        parent: see ``Run``.
        start: the state hash that it starts from.
    """

    parent: bytes | None
    start: bytes
    cases: list[Case] = field(default_factory=list)
    contexts: list[WindowContext] = field(default_factory=list)
    words: list[Sequence[int] | None] = field(default_factory=list)

    def planned(self) -> _Planned:
        """It is complete."""
        parents = [self.start, *(case.checkpoint.parent for case in self.cases[1:])]
        records = [case.checkpoint for case in self.cases]
        beast_id = self.cases[0].beast_id
        run = Run(beast_id, records, self.contexts, parents, self.parent, self.words)
        return _Planned(run, self.cases)


def judge_without_replay(states: StateProvider, case: Case, why: str) -> Judgement:
    """What can be said of a window that cannot be replayed, for the reason ``why``."""
    if case.private and not states.knows_records(case):
        published = states.find(case.checkpoint.payload.h128)
        agrees = states.reader.loss_drop_agrees(case)
        return judge_light(
            case.beast_id, case.checkpoint, case.parent_hash, published, loss_drop_agrees=agrees
        )
    return Judgement(Verdict.UNAVAILABLE, Mode.FULL, why)


def check(
    states: StateProvider, case: Case, ancestors: Sequence[Case] | None = None
) -> tuple[Window | None, Judgement]:
    """Judge one case here and now, by the NumPy reference; its window if it can be replayed.

    What nobody foresaw leaves it without a verdict.
    """
    try:
        window = states.window(case, ancestors)
        if isinstance(window, str):
            return None, judge_without_replay(states, case, window)
        return window, judge(window)
    except AWAY:
        raise
    except Exception as error:
        log.exception("a window could not be judged", beast=case.beast_id, checkpoint=case.index)
        return None, _unexpected(error)


class WindowJudge:
    """Brings every job of pending checkpoints to a verdict, as far as that is possible.

    What was given out is still on its way when ``run`` returns: it is judged beside whatever its
    caller does then.

    Args:
        make_executor: a new executor, also after one broke.
        work: what is to be judged.
        on_batch: called with how many windows were replayed together, and in how many seconds.
        late: what is judged after the fact, when it is asked for.
    """

    def __init__(
        self,
        states: StateProvider,
        jobs: JobStore,
        make_executor: Callable[[], Executor],
        work: Worklist,
        on_batch: Callable[[int, float], None] = lambda windows, seconds: None,
        late: Worklist | None = None,
    ) -> None:
        self._states = states
        self._jobs = jobs
        self._make_executor = make_executor
        self._work = work
        self._late = late
        self._on_batch = on_batch
        self._executor = make_executor()
        self._flights: deque[_Flight] = deque()
        self._busy: set[int] = set()
        self._flying: set[bytes] = set()

    def run(self) -> int:
        """Judge for a turn what can be judged now; returns the number of new verdicts.

        It is 0 only if nothing is left.
        """
        return self._run(self._work)

    def run_late(self) -> int:
        """The same with what is judged after the fact; nothing is on its way afterwards."""
        if self._late is None:
            return 0
        verdicts = self._run(self._late)
        while self._flights:
            verdicts += self._land()
        return verdicts

    def close(self) -> None:
        """Let the workers go."""
        self._flights.clear()
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _run(self, work: Worklist) -> int:
        begun, verdicts = time.monotonic(), 0
        work.look()
        while True:
            verdicts += self._fill(work)
            if not self._flights:
                break
            verdicts += self._land()
            if verdicts and time.monotonic() - begun > TURN_SECONDS:
                break
        return verdicts

    def _take_back(self) -> None:
        """Judge again what a cluster's worker judged that turned out to be wrong."""
        if isinstance(self._executor, ClusterExecutor):
            beasts = self._jobs.reopen(self._executor.revoked())
            for work in (self._work, self._late):
                if work is not None:
                    work.reopen(beasts)

    # --- giving out -----------------------------------------------------------------------------

    def _fill(self, work: Worklist) -> int:
        """Give out batches until enough are on their way; how many cases were settled without."""
        verdicts = 0
        while len(self._flights) < getattr(self._executor, "flights", FLIGHTS):
            slices = work.take(BEASTS_AT_ONCE, self._busy)
            if not slices:
                break
            verdicts += self._give_out(work, slices)
        return verdicts

    def _give_out(self, work: Worklist, slices: Sequence[Slice]) -> int:
        new = [f.case for one in slices for f in one.found if f.verdict is None]
        self._jobs.make(new)
        verdicts, runs = 0, list[_Planned]()
        for one in slices:
            planned, settled = self._plan(work, one)
            verdicts += settled
            runs += planned
        # Apart: what reads records never leaves this machine, all else may.
        most = getattr(self._executor, "batch", BATCH)
        for reads in (False, True):
            waiting, windows = list[_Planned](), 0
            for run in runs:
                if any(words is not None for words in run.run.words) is not reads:
                    continue
                waiting.append(run)
                windows += len(run.cases)
                if windows >= most:
                    self._send(work, waiting)
                    waiting, windows = [], 0
            if waiting:
                self._send(work, waiting)
        return verdicts

    def _send(self, work: Worklist, planned: Sequence[_Planned]) -> None:
        batch = batch_of([one.run for one in planned], self._states.snapshots.remote)
        for one in planned:
            self._flying.update(case.digest for case in one.cases)
            # Whose windows start from states that anybody can fetch need not wait for each other.
            if one.run.parent is not None:
                self._busy.add(one.run.beast_id)
        future = self._executor.submit(replay_batch, batch)
        self._flights.append(_Flight(work, planned, future))

    def _plan(self, work: Worklist, slice_: Slice) -> tuple[list[_Planned], int]:
        """The runs of a beast's checkpoints; and how many were settled without a replay."""
        drafts, verdicts = list[_Draft](), 0
        draft: _Draft | None = None
        stuck = False
        for found in slice_.found:
            case = found.case
            # What follows on an invalid window is left alone. It falls with it; a long tail of
            # windows behind a wrong one buys the trainer nothing of our time.
            if found.verdict is Verdict.INVALID:
                break
            try:
                if case.digest in self._flying or not self._is_due(found):
                    work.looked_at(case)
                    draft, stuck = None, False
                    continue
                joined = self._join(draft, case, stuck)
                if isinstance(joined, str):
                    verdicts += self._record_if_new(work, found, joined)
                    draft, stuck = None, True
                    continue
            except AWAY:
                raise
            except Exception as error:  # what one beast's owner thought of must not shield the rest
                verdicts += self._record_unexpected(work, found, error)
                draft, stuck = None, True
                continue
            if joined is not draft:
                drafts.append(joined)
            draft = joined
        return [draft.planned() for draft in drafts], verdicts

    def _join(self, draft: _Draft | None, case: Case, stuck: bool) -> _Draft | str:
        """The run that a case goes on, or begins; or why it cannot be replayed.

        Args:
            stuck: see ``_begin``.
        """
        records = self._states.records_of(case)
        if isinstance(records, str):
            return records
        if draft is None or draft.cases[-1].checkpoint.payload.h128 != case.checkpoint.parent:
            draft = self._begin(case, stuck)
            if draft is None:
                return NO_PARENT
        context = self._states.reader.context(case, records.fold)
        draft.cases.append(case)
        draft.contexts.append(context)
        draft.words.append(records.words)
        return draft

    def _begin(self, case: Case, stuck: bool) -> _Draft | None:
        """A run that begins with a case; None if the state that it starts from cannot be had.

        Args:
            stuck: the window before cannot be replayed here, so this state is not computed again.
        """
        start = case.checkpoint.parent
        if case.index == 0:
            born = genesis_state(case.beast_id, case.dna)
            # The reference takes longer for this hash than the kernel for ten windows.
            return _Draft(encode_state(born), state_hash(born))
        if self._states.may_leave(case):
            return _Draft(None, start)
        parent = self._states.encoded(start) if stuck else self._states.start_of(case)
        return None if parent is None else _Draft(parent, start)

    def _is_due(self, found: Found) -> bool:
        case = found.case
        light = found.mode is Mode.LIGHT and case.private
        return is_due(found.verdict, found.mode, light and self._states.knows_records(case))

    # --- taking in ------------------------------------------------------------------------------

    def _land(self) -> int:
        """Wait for the batch that was given out first, and record it with all that have ended."""
        done = [self._flights.popleft()]
        outcomes = list[Outcome | None]()
        try:
            outcomes.append(_outcome(done[0]))
            while self._flights and self._flights[0].future.done():
                done.append(self._flights.popleft())
                outcomes.append(_outcome(done[-1]))
        except BrokenExecutor:
            log.warning("a replay worker died; starting new ones")
            self._executor.shutdown(wait=False, cancel_futures=True)
            self._executor = self._make_executor()
            done += self._flights
            self._flights.clear()
        finally:
            self._landed(done)
        verdicts = self._record_all(list(zip(done, outcomes, strict=False)))
        for flight in done[len(outcomes) :]:
            for one in flight.planned:
                flight.work.again(one.run.beast_id)
        self._take_back()
        return verdicts

    def _landed(self, flights: Iterable[_Flight]) -> None:
        for flight in flights:
            for one in flight.planned:
                self._busy.discard(one.run.beast_id)
                self._flying.difference_update(case.digest for case in one.cases)

    def _record_all(self, landed: Sequence[tuple[_Flight, Outcome | None]]) -> int:
        """Record what was found, but nothing that follows on an invalid window."""
        right, ends = list[tuple[Case, Judgement]](), list[tuple[int, bytes, bytes]]()
        doubtful: list[tuple[_Flight, Case]] = []
        passed: list[tuple[Worklist, int, int, int]] = []
        for flight, outcome in landed:
            if outcome is None:
                doubtful += [(flight, one.cases[0]) for one in flight.planned]
                continue
            self._on_batch(len(outcome.right), outcome.seconds)
            last, first = dict(zip(outcome.last.tolist(), outcome.ends, strict=True)), 0
            for one in flight.planned:
                count = len(one.cases)
                rights = int(outcome.right[first : first + count].sum())
                right += [(case, VALID) for case in one.cases[:rights]]
                if rights:
                    end = one.cases[rights - 1]
                    passed.append((flight.work, end.beast_id, one.cases[0].index, end.index + 1))
                    state = last.get(first + rights - 1)
                    if state is not None:
                        h = end.checkpoint.payload.h128
                        ends.append((end.index, h, state.tobytes()))
                if outcome.absent[first]:
                    # No worker could fetch the state that the run starts from: ours is to find it.
                    self._states.absent(one.run.parents[0])
                    flight.work.again(one.run.beast_id)
                elif rights < count:
                    doubtful.append((flight, one.cases[rights]))
                first += count
        # Recorded before anything else: a kill here costs the states, which can be computed again.
        self._record(right)
        for flight, _ in landed:
            for one in flight.planned:
                for case in one.cases:
                    flight.work.looked_at(case)
        for work, beast_id, start, stop in passed:
            work.passed(beast_id, start, stop)
        self._states.keep_ends(ends)
        return len(right) + sum(self._judge_singly(*one) for one in doubtful)

    def _judge_singly(self, flight: _Flight, case: Case) -> int:
        """Judge a window that the compiled kernel does not find right, by the reference."""
        # With the state behind h128 if somebody published it: should its header contradict the
        # payload, the checkpoint falls without a bond.
        judgement = check(self._states, case)[1]
        self._record([(case, judgement)])
        flight.work.looked_at(case)
        if judgement.verdict is Verdict.INVALID:
            flight.work.wrong(case.beast_id, case.index)
        elif judgement.verdict is Verdict.VALID:
            log.error("the compiled kernel was wrong", beast=case.beast_id, checkpoint=case.index)
            flight.work.again(case.beast_id)
        return int(judgement.verdict is not Verdict.UNAVAILABLE)

    def _record_if_new(self, work: Worklist, found: Found, why: str) -> int:
        """Record a verdict that took no replay, if it is news."""
        case = found.case
        judgement = judge_without_replay(self._states, case, why)
        work.looked_at(case)
        if (found.verdict, found.mode, found.reason) == (
            judgement.verdict,
            judgement.mode,
            judgement.reason,
        ):
            return 0
        self._record([(case, judgement)])
        if judgement.verdict is Verdict.INVALID:
            work.wrong(case.beast_id, case.index)
        return 1

    def _record_unexpected(self, work: Worklist, found: Found, error: Exception) -> int:
        """Record that a window could not be judged, for a reason that nobody foresaw, if it is
        news; a verdict that stands stays."""
        case, judgement = found.case, _unexpected(error)
        work.looked_at(case)
        if found.verdict not in (None, Verdict.UNAVAILABLE) or found.reason == judgement.reason:
            return 0
        log.exception("a window could not be judged", beast=case.beast_id, checkpoint=case.index)
        self._record([(case, judgement)])
        return 1

    def _record(self, found: Sequence[tuple[Case, Judgement]]) -> None:
        """Write verdicts down, all at once: a commit costs more than a window."""
        self._jobs.judged_all(found)
        right = [case for case, judgement in found if judgement is VALID]
        if right:
            beasts = len({case.beast_id for case in right})
            log.info("judged", windows=len(right), beasts=beasts, verdict=str(Verdict.VALID))
        for case, judgement in found:
            if judgement is VALID:
                continue
            write = log.warning if judgement.verdict is Verdict.INVALID else log.info
            write(
                "judged",
                beast=case.beast_id,
                checkpoint=case.index,
                verdict=str(judgement.verdict),
                mode=str(judgement.mode),
                reason=judgement.reason,
            )


def _unexpected(error: Exception) -> Judgement:
    """What is said of a window that could not be judged; the log has the rest."""
    why = f"judging it failed unexpectedly ({type(error).__name__}); the log says more"
    return Judgement(Verdict.UNAVAILABLE, Mode.FULL, why)


def _outcome(flight: _Flight) -> Outcome | None:
    """What a batch's replay found; None if it cannot be replayed as a batch.

    Raises:
        BrokenExecutor: its worker died.
    """
    try:
        return flight.future.result()
    except ValueError as error:
        log.error("a batch cannot be replayed; its windows are one by one", reason=str(error))
        return None
