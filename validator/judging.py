"""Judges what is pending: each window in an executor, as soon as its parent's state is at hand.

Sends nothing. A checkpoint after one judged invalid is left alone: it falls with it, or is judged
once that is settled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Executor

import structlog

from backend.store.daemons import JobRow, Mode, Verdict
from validator.cases import Case
from validator.jobs import JobBook, is_due
from validator.replay import Judgement, Window, judge, judge_fast, judge_light
from validator.states import StateBook

log = structlog.get_logger()

WAVE = 64
"""Windows in one wave, give or take one beast's."""


def judge_without_replay(book: StateBook, case: Case, why: str) -> Judgement:
    """What can be said of a window that cannot be replayed, for the reason ``why``."""
    if case.private and book.private_data(case.beast_id) is None:
        published = book.find(case.checkpoint.payload.h128)
        return judge_light(case.beast_id, case.checkpoint, case.parent_hash, published)
    return Judgement(Verdict.UNAVAILABLE, Mode.FULL, why)


def check(
    book: StateBook, case: Case, ancestors: Sequence[Case]
) -> tuple[Window | None, Judgement]:
    """Judge one case here and now, by the NumPy reference; its window if it can be replayed."""
    window = book.window(case, ancestors)
    if isinstance(window, str):
        return None, judge_without_replay(book, case, window)
    return window, judge(window)


class Judge:
    """Brings every job of pending checkpoints to a verdict, as far as that is possible.

    Args:
        make_executor: a new executor, also after one broke.
    """

    def __init__(
        self, book: StateBook, jobs: JobBook, make_executor: Callable[[], Executor]
    ) -> None:
        self._book = book
        self._jobs = jobs
        self._make_executor = make_executor
        self._executor = make_executor()

    def run(self) -> int:
        """Judge one wave of what can be judged now; returns the number of new verdicts.

        Waves are small, so that a long backlog does not delay the moves that are due.
        """
        windows, told = self._ready()
        try:
            return told + self._replay(windows)
        except BrokenExecutor:
            log.warning("a replay worker died; starting new ones")
            self.close()
            self._executor = self._make_executor()
            return told

    def close(self) -> None:
        """Let the workers go."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _ready(self) -> tuple[list[tuple[Case, Window]], int]:
        """Windows to replay next, one wave; and how many cases were settled without."""
        windows: list[tuple[Case, Window]] = []
        told = 0
        for beast_id in self._book.reader.pending_beasts():
            if len(windows) >= WAVE:
                break
            cases = self._book.reader.live(beast_id)
            jobs = self._jobs.open(case for case in cases if case.pending)
            for case in (case for case in cases if case.pending):
                job = jobs[case.digest]
                if job.verdict == Verdict.INVALID or self._parent_is_coming(case, windows):
                    break
                if self._is_due(case, job):
                    told += self._prepare(case, job, cases, windows)
        return windows, told

    def _prepare(
        self, case: Case, job: JobRow, cases: Sequence[Case], windows: list[tuple[Case, Window]]
    ) -> int:
        """Add a case's window to the wave; or settle it without, 1 if that is news."""
        found = self._book.window(case, cases)
        if isinstance(found, Window):
            windows.append((case, found))
            return 0
        return self._tell(case, job, judge_without_replay(self._book, case, found))

    def _is_due(self, case: Case, job: JobRow) -> bool:
        known = case.private and self._book.private_data(case.beast_id) is not None
        return is_due(job, known)

    def _parent_is_coming(self, case: Case, windows: list[tuple[Case, Window]]) -> bool:
        """Whether this wave computes the parent's state, which nobody has yet."""
        parent = case.checkpoint.parent
        coming = any(earlier.checkpoint.payload.h128 == parent for earlier, _ in windows)
        return coming and self._book.find(parent) is None

    def _replay(self, windows: list[tuple[Case, Window]]) -> int:
        """Replay one wave and record it, but nothing that follows on an invalid window."""
        futures = [(case, self._executor.submit(judge_fast, window)) for case, window in windows]
        fallen: set[int] = set()
        for case, future in futures:  # each beast's in the order of their indices
            judgement = future.result()
            if case.beast_id in fallen:
                continue
            if judgement.verdict is Verdict.INVALID:
                fallen.add(case.beast_id)
            elif judgement.verdict is Verdict.VALID and judgement.end is not None:
                self._book.keep(judgement.end)
            self._record(case, judgement)
        return len(futures)

    def _tell(self, case: Case, job: JobRow, judgement: Judgement) -> int:
        """Record a verdict that took no replay, if it is news."""
        if (job.verdict, job.mode, job.reason) == (
            judgement.verdict,
            judgement.mode,
            judgement.reason,
        ):
            return 0
        self._record(case, judgement)
        return 1

    def _record(self, case: Case, judgement: Judgement) -> None:
        self._jobs.judged(case, judgement)
        write = log.warning if judgement.verdict is Verdict.INVALID else log.info
        write(
            "judged",
            beast=case.beast_id,
            checkpoint=case.index,
            verdict=str(judgement.verdict),
            mode=str(judgement.mode),
            reason=judgement.reason,
        )
