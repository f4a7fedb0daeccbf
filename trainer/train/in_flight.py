"""The windows of one epoch that a run trains ahead, and whether the chain still leads to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from chainbeasts.backend.chain.costs import window_cost
from chainbeasts.backend.chain.types import Economics, Head
from chainbeasts.backend.kernel.constants import HEAD_BLOCK
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.traces import Traces
from chainbeasts.trainer.metrics.accuracy import Tally, tally
from chainbeasts.trainer.plan.sources import TrainingSource
from chainbeasts.trainer.train.epoch import EpochContext, head_after
from chainbeasts.trainer.train.job import TrainingJob
from chainbeasts.trainer.train.prefetch import Prefetcher, PreparedWindow
from chainbeasts.trainer.train.window_store import WindowStore
from chainbeasts.trainer.train.windows import WindowStart, train_window


@dataclass(slots=True)
class WindowsInFlight:
    """Windows in flight.

    Attributes:
        head: the ledger's, as of the run's last submission.
        epoch_seed: what the windows are trained with.
    """

    head: Head
    epoch_seed: bytes
    prefetcher: Prefetcher

    def stands_on(self, head: Head, epoch_seed: bytes) -> bool:
        """Whether the chain is where the windows in flight go on from."""
        in_epoch = head.head_count < self.head.epoch_end
        # The seed is compared besides: a reorg can mine the same submissions again, which leaves
        # the same h128, and begin the epoch in another block.
        return in_epoch and self._is_at(head) and self.epoch_seed == epoch_seed

    def led_to(self, head: Head) -> bool:
        """Whether the epoch is complete and nothing else has happened."""
        return (
            self._is_at(head)
            and head.head_count == self.head.epoch_end
            and head.epoch == self.head.epoch + 1
        )

    def _is_at(self, head: Head) -> bool:
        # A slashing, and training again after it, can lead back to the same hash and count.
        ours = (self.head.h128, self.head.head_count, self.head.generation)
        return ours == (head.h128, head.head_count, head.generation)


def start_in_flight(
    start_of: Callable[[TrainingSource], WindowStart],
    economics_of: Callable[[int], Economics],
    store: WindowStore,
    job: TrainingJob,
    left: int | None,
) -> WindowsInFlight:
    """Start training the epoch's next windows ahead; never beyond its end, where no seed is known.

    Args:
        start_of: where the next window starts, by its source.
        economics_of: a season's prices.
        left: windows that the job still lacks; None: without end.

    Raises:
        ChainBeastsError: a state or dataset is not at hand, or the plan does not fit the beast.
    """
    while True:
        first = start_of(Source.CURRICULUM)
        head, seed, count = first.head, first.ctx.epoch_seed, first.windows_left
        if left is not None:
            count = min(left, count)
        job.plan.check(head.head_count, head.active_mask, count)
        planned = [job.plan.source(head.head_count + offset) for offset in range(count)]
        starts = {source: start_of(source) for source in set(planned)}
        # The chain may move between two calls; windows of two heads would only be refused.
        if all((one.head, one.ctx.epoch_seed) == (head, seed) for one in starts.values()):
            break
    contexts = {source: one.ctx for source, one in starts.items()}
    words = {source: one.words for source, one in starts.items() if one.words is not None}
    epoch_context = EpochContext(first.beast_id, contexts, words)
    economics = economics_of(head.season)
    windows = make_windows(store, job, economics, epoch_context, first, planned)
    return WindowsInFlight(head, seed, Prefetcher(windows, job.capacity))


def make_windows(
    store: WindowStore,
    job: TrainingJob,
    economics: Economics,
    epoch_context: EpochContext,
    first: WindowStart,
    planned: Sequence[TrainingSource],
) -> Iterator[PreparedWindow]:
    """Train consecutive windows of one epoch, each on record before it is handed on.

    A window that an earlier process has on record for the same place is not trained again.

    Args:
        first: where the first one starts.
        planned: their sources.
    """
    head, state = first.head, first.state
    for source in planned:
        before = head.active_mask
        mask = before | job.plan.wake(head.head_count) | job.wake
        cost = window_cost(economics, before, mask)
        start = epoch_context.window_start(head, state, source)
        learned = None
        window = store.find(start, mask, cost.price, head.season)
        if window is None:
            traces: list[Traces] = []
            listen = traces.append if job.counted else None
            window = train_window(start, mask, cost.price, on_traces=listen)
            if job.counted:
                learned = sum(map(tally, traces), Tally())
                if not start.ctx.heads & HEAD_BLOCK:
                    learned = replace(learned, blocks=0, blocks_right=0)
            # Before it can be submitted: without segment hashes on disk a dispute may be lost.
            store.keep(window, head.season)
        yield PreparedWindow(window, cost.lock, learned)
        head, state = head_after(head, window), window.end
