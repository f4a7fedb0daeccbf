"""Trains and submits window after window; whatever happens in between, goes on from the chain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog

from backend.chain.client import Chain
from backend.chain.errors import Reverted
from backend.chain.prices import window_lock, window_price
from backend.errors import ChainBeastsError
from backend.kernel.samples import Source
from backend.store.private import PrivateDataset
from backend.store.snapshots import SnapshotStore
from trainer.records import WindowBook
from trainer.submitter import Submitter
from trainer.windows import Bench, TrainedWindow, set_up_bench, train_window

log = structlog.get_logger()

HEAD_MOVED = ("StaleParent", "WrongEpochSeed", "WrongEpoch", "WrongStep", "WrongLrShift")
"""Refusals that mean: the head is not where the window was trained on."""

MAX_RETRAINED = 5


@dataclass(frozen=True, slots=True)
class Submitted:
    """One submitted window; ``gas`` is its share of the transaction's."""

    window: TrainedWindow
    gas: int
    tx_hash: bytes


OnSubmitted = Callable[[Submitted], None]


class Trainer:
    """Trains one beast.

    Args:
        private: the beast's records, needed for PRIVATE windows.
    """

    def __init__(
        self,
        chain: Chain,
        snapshots: SnapshotStore,
        book: WindowBook,
        submitter: Submitter,
        beast_id: int,
        private: PrivateDataset | None = None,
    ) -> None:
        self.chain = chain
        self.beast_id = beast_id
        self._snapshots = snapshots
        self._book = book
        self._submitter = submitter
        self._private = private

    def bench(self, source: Source) -> Bench:
        """Where the next window starts.

        Raises:
            ChainBeastsError: the state behind the head, or the private dataset, is not at hand.
        """
        private = None
        if source is Source.PRIVATE:
            if self._private is None:
                raise ChainBeastsError(
                    f"Beast {self.beast_id}'s private dataset is not at hand.",
                    "Train from --source curriculum or self-play, or copy the beast's folder here.",
                )
            private = self._private
        return set_up_bench(self.chain, self._snapshots, self.beast_id, source, private)

    def run(
        self,
        windows: int,
        source: Source,
        *,
        wake: int = 0,
        batch: int = 1,
        on_submitted: OnSubmitted = lambda _: None,
    ) -> list[Submitted]:
        """Train and submit that many windows from one source.

        Args:
            wake: slots to wake up with the first window, as a mask.
            batch: most windows in one transaction; an epoch's end cuts a batch short.

        Raises:
            ChainBeastsError: a state or dataset is missing, not enough ENERGY, or no node.
        """
        self._submitter.recover()
        done: list[Submitted] = []
        retrained = 0
        while len(done) < windows:
            try:
                made = self._round(min(batch, windows - len(done)), source, wake)
            except Reverted as error:
                if error.name not in HEAD_MOVED or retrained == MAX_RETRAINED:
                    raise
                retrained += 1
                log.warning("the head moved, training again", reason=error.name)
                continue
            for submitted in made:
                on_submitted(submitted)
            done += made
        return done

    def _round(self, most: int, source: Source, wake: int) -> list[Submitted]:
        """Train and submit as many windows as fit one transaction."""
        bench = self.bench(source)
        economics = self.chain.season(bench.head.season).economics
        trained: list[TrainedWindow] = []
        locks = 0
        for _ in range(min(most, bench.windows_left)):
            before = bench.head.active_mask
            mask = before | wake
            locks += window_lock(economics, before, mask)
            window = train_window(bench, mask, window_price(economics, before, mask))
            self._book.keep(window)
            trained.append(window)
            bench = _onto(bench, window)
        receipt = self._submitter.submit(trained, locks)
        share = receipt["gasUsed"] // len(trained)
        tx = bytes(receipt["transactionHash"])
        return [Submitted(window, share, tx) for window in trained]


def _onto(bench: Bench, window: TrainedWindow) -> Bench:
    """The bench of the window after one that is not submitted yet, in the same epoch."""
    head = replace(
        bench.head,
        h128=window.h128,
        head_count=window.index + 1,
        active_mask=window.payload.active_mask,
    )
    return replace(bench, head=head, state=window.end)
