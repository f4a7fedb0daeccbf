"""The windows of one epoch that a run trains ahead, and whether the chain still leads to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from backend.chain.types import Economics, Head
from backend.kernel.constants import HEAD_BLOCK
from backend.kernel.samples import Source
from backend.kernel.traces import Traces
from trainer.metrics.accuracy import Tally, tally
from trainer.plan.costs import window_cost
from trainer.plan.sources import TrainingSource
from trainer.train.epoch import EpochContext, head_after
from trainer.train.job import TrainingJob
from trainer.train.prefetch import Prefetcher, PreparedWindow
from trainer.train.window_store import WindowStore
from trainer.train.windows import WindowStart, train_window


@dataclass(slots=True)
class WindowsInFlight:
    """Windows in flight.

    Attributes:
        head: the ledger's, as of the run's last submission.
        epoch_seed: what the windows are trained with.
    """

    head: Head
    epoch_seed: bytes
    ahead: Prefetcher

    def stands_on(self, head: Head, epoch_seed: bytes) -> bool:
        """Whether the chain is where the windows in flight go on from."""
        in_epoch = head.head_count < self.head.epoch_end
        return in_epoch and self._is_at(head) and self.epoch_seed == epoch_seed

    def led_to(self, head: Head) -> bool:
        """Whether the epoch is complete and nothing else has happened."""
        return (
            self._is_at(head)
            and head.head_count == self.head.epoch_end
            and head.epoch == self.head.epoch + 1
        )

    def _is_at(self, head: Head) -> bool:
        mine = (self.head.h128, self.head.head_count, self.head.generation)
        return mine == (head.h128, head.head_count, head.generation)


def begin(
    bench_of: Callable[[TrainingSource], WindowStart],
    economics_of: Callable[[int], Economics],
    book: WindowStore,
    job: TrainingJob,
    left: int | None,
) -> WindowsInFlight:
    """Start training the epoch's next windows ahead; never beyond its end, where no seed is known.

    Args:
        bench_of: where the next window starts, by its lesson.
        economics_of: a season's prices.
        left: windows that the job still lacks; None: without end.

    Raises:
        ChainBeastsError: a state or dataset is not at hand, or the plan does not fit the beast.
    """
    while True:
        base = bench_of(Source.CURRICULUM)
        head, seed, count = base.head, base.ctx.epoch_seed, base.windows_left
        if left is not None:
            count = min(left, count)
        job.plan.check(head.head_count, head.active_mask, count)
        planned = [job.plan.source(head.head_count + offset) for offset in range(count)]
        benches = {lesson: bench_of(lesson) for lesson in set(planned)}
        if all((one.head, one.ctx.epoch_seed) == (head, seed) for one in benches.values()):
            break  # else the chain moved between two looks
    contexts = {lesson: one.ctx for lesson, one in benches.items()}
    words = {lesson: one.words for lesson, one in benches.items() if one.words is not None}
    ground = EpochContext(base.beast_id, contexts, words)
    making = make_windows(book, job, economics_of(head.season), ground, base, planned)
    return WindowsInFlight(head, seed, Prefetcher(making, job.room))


def make_windows(
    book: WindowStore,
    job: TrainingJob,
    economics: Economics,
    ground: EpochContext,
    base: WindowStart,
    planned: Sequence[TrainingSource],
) -> Iterator[PreparedWindow]:
    """Train consecutive windows of one epoch, each on record before it is handed on.

    A window that an earlier process has on record for the same place is not trained again.

    Args:
        base: where the first one starts.
        planned: their lessons.
    """
    head, state = base.head, base.state
    for lesson in planned:
        before = head.active_mask
        mask = before | job.plan.wake(head.head_count) | job.wake
        cost = window_cost(economics, before, mask)
        bench = ground.bench(head, state, lesson)
        learned = None
        window = book.find(bench, mask, cost.price, head.season)
        if window is None:
            traces: list[Traces] = []
            listen = traces.append if job.counted else None
            window = train_window(bench, mask, cost.price, on_traces=listen)
            if job.counted:
                learned = sum(map(tally, traces), Tally())
                if not bench.ctx.heads & HEAD_BLOCK:
                    learned = replace(learned, blocks=0, blocks_right=0)
            book.keep(window, head.season)
        yield PreparedWindow(window, cost.lock, learned)
        head, state = head_after(head, window), window.end
