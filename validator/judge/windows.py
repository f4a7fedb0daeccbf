"""Judges windows: each one in an executor, as soon as its parent's state is at hand.

Sends nothing. A checkpoint after one judged invalid is left alone: it falls with it, or is judged
once that is settled.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future

import structlog

from backend.kernel.state import State
from backend.store.daemons import JobRow, Mode, Verdict
from validator.judge.cases import Case
from validator.judge.cluster import ClusterExecutor
from validator.judge.jobs import JobStore, is_due
from validator.judge.replay import Judgement, Task, Window, judge, judge_fast, judge_light
from validator.judge.states import StateProvider
from validator.judge.worklist import Worklist

log = structlog.get_logger()

WAVE = 64
"""Windows in one wave, give or take those of a few beasts."""

BEASTS_AT_ONCE = 16
"""Beasts whose jobs are read at once."""


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
    """Judge one case here and now, by the NumPy reference; its window if it can be replayed."""
    window = states.window(case, ancestors)
    if isinstance(window, str):
        return None, judge_without_replay(states, case, window)
    return window, judge(window)


class WindowJudge:
    """Brings every job of pending checkpoints to a verdict, as far as that is possible.

    Args:
        make_executor: a new executor, also after one broke.
        work: what is to be judged.
        on_wave: called with how many windows were replayed together, and in how many seconds.
        late: what is judged after the fact, when it is asked for.
    """

    def __init__(
        self,
        states: StateProvider,
        jobs: JobStore,
        make_executor: Callable[[], Executor],
        work: Worklist,
        on_wave: Callable[[int, float], None] = lambda windows, seconds: None,
        late: Worklist | None = None,
    ) -> None:
        self._states = states
        self._jobs = jobs
        self._make_executor = make_executor
        self._work = self._pending = work
        self._late = late
        self._on_wave = on_wave
        self._executor = make_executor()

    def run(self) -> int:
        """Judge one wave of what can be judged now; returns the number of new verdicts.

        Waves are small, so that a long backlog does not delay the moves that are due.
        """
        self._work = self._pending
        return self._run()

    def run_late(self) -> int:
        """The same with what is judged after the fact."""
        if self._late is None:
            return 0
        self._work = self._late
        return self._run()

    def _run(self) -> int:
        windows, verdicts = self._next_wave()
        try:
            verdicts += self._replay(windows)
            # After the wave is recorded, since a lie may have been found in it; before the moves of
            # this pass, which read verdicts from the database.
            self._take_back()
            self._states.tidy()
            return verdicts
        except BrokenExecutor:
            log.warning("a replay worker died; starting new ones")
            self.close()
            self._executor = self._make_executor()
            return verdicts

    def close(self) -> None:
        """Let the workers go."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _take_back(self) -> None:
        """Judge again what a cluster's worker judged that turned out to be wrong."""
        if isinstance(self._executor, ClusterExecutor):
            beasts = self._jobs.reopen(self._executor.revoked())
            for work in (self._pending, self._late):
                if work is not None:
                    work.reopen(beasts)

    def _next_wave(self) -> tuple[list[tuple[Case, Task]], int]:
        """Windows to replay next, one wave; and how many cases were settled without."""
        windows: list[tuple[Case, Task]] = []
        verdicts = 0
        beasts = self._work.beasts()
        for start in range(0, len(beasts), BEASTS_AT_ONCE):
            # A bounded wave, whatever is pending: a flood of windows may delay verdicts, but the
            # moves that are due come between any two waves.
            if len(windows) >= getattr(self._executor, "wave", WAVE):
                break
            verdicts += self._add_windows(beasts[start : start + BEASTS_AT_ONCE], windows)
        return windows, verdicts

    def _add_windows(self, beasts: Sequence[int], windows: list[tuple[Case, Task]]) -> int:
        """Add some beasts' windows to the wave; how many cases were settled without."""
        verdicts = 0
        found = {beast_id: self._work.cases(beast_id) for beast_id in beasts}
        jobs = self._jobs.open(case for cases in found.values() for case in cases)
        for beast_id, cases in found.items():
            settled = True
            for case in cases:
                job = jobs[case.digest]
                settled = settled and (job.verdict, job.mode) == (Verdict.VALID, Mode.FULL)
                # What follows on an invalid window is left alone. It falls with it; a long tail of
                # windows behind a wrong one buys the trainer nothing of our time.
                if job.verdict == Verdict.INVALID or self._parent_is_coming(case, windows):
                    break
                if self._is_due(case, job):
                    verdicts += self._prepare(case, job, windows)
                else:
                    self._work.judged(case)
            if settled:
                self._work.settled(beast_id)
        return verdicts

    def _prepare(self, case: Case, job: JobRow, windows: list[tuple[Case, Task]]) -> int:
        """Add a case's window to the wave; or settle it without, 1 if that is news."""
        found = self._states.task(case)
        if not isinstance(found, str):
            windows.append((case, found))
            return 0
        return self._record_if_new(case, job, judge_without_replay(self._states, case, found))

    def _is_due(self, case: Case, job: JobRow) -> bool:
        known = case.private and self._states.knows_records(case)
        return is_due(job, known)

    def _parent_is_coming(self, case: Case, windows: list[tuple[Case, Task]]) -> bool:
        """Whether this wave computes the parent's state, which nobody has yet."""
        parent = case.checkpoint.parent
        coming = bool(windows) and windows[-1][0].checkpoint.payload.h128 == parent
        return coming and not self._states.at_hand(case)

    def _replay(self, windows: list[tuple[Case, Task]]) -> int:
        """Replay one wave and record it, but nothing that follows on an invalid window."""
        begun = time.perf_counter()
        futures: list[tuple[Case, Future[Judgement | None]]] = [
            (case, self._executor.submit(judge_fast, window))  # type: ignore[arg-type]
            for case, window in windows  # whose parent is remote only where the cluster runs them
        ]
        fallen: set[int] = set()
        ends: dict[int, State] = {}
        found: list[tuple[Case, Judgement]] = []
        for case, future in futures:  # each beast's in the order of their indices
            judgement = future.result()
            if case.beast_id in fallen:
                continue
            if judgement is None:  # no worker could fetch the parent's state: ours is to find it
                # Its later windows wait, too: they would start from what this one was to give.
                self._states.absent(case.checkpoint.parent)
                fallen.add(case.beast_id)
                continue
            if judgement.verdict is Verdict.INVALID:
                # Again, with the state behind h128 if somebody published it: should its header
                # contradict the payload, the checkpoint falls without a bond.
                judgement = check(self._states, case)[1]
                fallen.add(case.beast_id)
            elif judgement.verdict is Verdict.VALID and judgement.end is not None:
                ends[case.beast_id] = judgement.end
            found.append((case, judgement))
        if futures:
            self._on_wave(len(futures), time.perf_counter() - begun)
        # Recorded before anything else: a kill here costs the states, which can be computed again.
        self._record(found)
        for case, _ in found:
            self._work.judged(case)
        for end in ends.values():  # the next wave starts from the last ones
            self._states.keep(end)
        return len(futures)

    def _record_if_new(self, case: Case, job: JobRow, judgement: Judgement) -> int:
        """Record a verdict that took no replay, if it is news."""
        self._work.judged(case)
        if (job.verdict, job.mode, job.reason) == (
            judgement.verdict,
            judgement.mode,
            judgement.reason,
        ):
            return 0
        self._record([(case, judgement)])
        return 1

    def _record(self, found: Sequence[tuple[Case, Judgement]]) -> None:
        """Write verdicts down, all at once: a commit costs more than a window."""
        self._jobs.judged_all(found)
        for case, judgement in found:
            write = log.warning if judgement.verdict is Verdict.INVALID else log.info
            write(
                "judged",
                beast=case.beast_id,
                checkpoint=case.index,
                verdict=str(judgement.verdict),
                mode=str(judgement.mode),
                reason=judgement.reason,
            )
