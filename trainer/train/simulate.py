"""A plan carried out off chain: what it teaches, costs and takes, before anything is spent.

Reads no chain and writes nothing. Epoch seeds that no block has decided yet are drawn from a tag,
so the real run will see other samples of the same kind.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from eth_hash.auto import keccak

from chainbeasts.backend.chain.costs import (
    Cost,
    TrainingQuote,
    plan_gas,
    training_quote,
    window_cost,
)
from chainbeasts.backend.chain.growth import slot_names
from chainbeasts.backend.chain.types import Head, Season
from chainbeasts.backend.kernel import merkle
from chainbeasts.backend.kernel.genesis import genesis_mask
from chainbeasts.backend.kernel.held_out import held_out
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.state import State
from chainbeasts.backend.kernel.traces import Traces
from chainbeasts.backend.kernel.window import WindowContext, genesis_state
from chainbeasts.backend.kernels import kernel_for
from chainbeasts.backend.store.private import PrivateDataset
from chainbeasts.trainer.metrics.accuracy import Probe, Tally, tally
from chainbeasts.trainer.plan.plan import Plan
from chainbeasts.trainer.plan.sources import Battle, TrainingSource, source_of, source_text
from chainbeasts.trainer.train.epoch import EpochContext, head_after
from chainbeasts.trainer.train.windows import train_window

SEED_TAG = b"chainbeasts/simulated-epoch-seed/1"
"""A simulated epoch's seed is the keccak-256 of this tag, the DNA and the epoch as a uint32."""


@dataclass(frozen=True, slots=True)
class SimulatedBeast:
    """A beast, or one that is not hatched yet.

    Attributes:
        epoch_seed: of the head's epoch; None where no block has decided it.
        logs: of the matches that the plan trains on.
    """

    beast_id: int
    dna: bytes
    head: Head
    state: State
    season: Season
    epoch_seed: bytes | None = None
    private: PrivateDataset | None = None
    logs: Mapping[int, Sequence[int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EpochReport:
    """What one epoch's windows taught and cost; ``seconds`` are of training alone."""

    epoch: int
    first: int
    last: int
    sources: dict[str, int]
    woken: str
    learned: Tally
    cost: Cost
    seconds: float


@dataclass(frozen=True, slots=True)
class SimulationReport:
    """A simulated run.

    Attributes:
        epochs: in order, one at least for each epoch touched.
        before, after: figures on boards that were not trained on.
        quote: of all windows together; deposits and stake not counted.
        h128: state hash at the end; the real run's only where no seed had to be drawn.
        end: the state of that hash.
    """

    epochs: tuple[EpochReport, ...]
    boards: int
    before: Tally
    after: Tally
    quote: TrainingQuote
    h128: bytes
    end: State

    @property
    def cost(self) -> Cost:
        """Of all windows."""
        return self.quote.cost

    @property
    def seconds(self) -> float:
        """Of training all windows."""
        return sum(one.seconds for one in self.epochs)


def newborn(dna: bytes, season: Season, beast_id: int = 0) -> SimulatedBeast:
    """A beast of that DNA at its hatch."""
    schedule = season.schedule
    shift, mask = schedule.lr_shift(0), genesis_mask(dna)
    head = Head(dna, 0, 0, schedule.epoch_windows, 0, mask, shift, 0, 0, False, 0, 0, 0, 0, 0)
    return SimulatedBeast(beast_id, dna, head, genesis_state(beast_id, dna), season)


def simulate(
    subject: SimulatedBeast,
    plan: Plan,
    windows: int,
    *,
    wake: int = 0,
    batch: int = 1,
    boards: int = 256,
    energy_price: int | None = None,
    on_window: Callable[[], None] = lambda: None,
) -> SimulationReport:
    """Carry out a plan for that many windows.

    Args:
        wake: slots that wake with the first window besides the plan's.
        batch: most windows in one transaction, for the gas.
        energy_price: what the sale asks for one ENERGY, where that is not the season's own.

    Raises:
        ChainBeastsError: the plan does not fit the beast.
        ValueError: the plan is private and the subject has no dataset.
    """
    head, state, season = subject.head, subject.state, subject.season
    plan.check(head.head_count, head.active_mask, windows)
    probe = Probe(held_out(boards, season.rules), season.rules)
    before = probe.tally(state.weights, state.header.active_mask)
    gas = plan_gas(head.head_count, windows, batch, head.epoch_end, season.schedule.epoch_windows)
    epochs, left, seed = [], windows, subject.epoch_seed
    while left:
        count = min(left, head.epoch_end - head.head_count)
        report, head, state = _epoch(subject, plan, head, state, seed, wake, count, on_window)
        epochs.append(report)
        left, wake, seed = left - count, 0, None
        head = _next_epoch(head, season)
    after = probe.tally(state.weights, state.header.active_mask)
    cost = sum((one.cost for one in epochs), Cost())
    price = season.economics.energy_price if energy_price is None else energy_price
    quote = training_quote(season.economics, cost, gas, price)
    return SimulationReport(tuple(epochs), boards, before, after, quote, head.h128, state)


def _epoch(
    subject: SimulatedBeast,
    plan: Plan,
    head: Head,
    state: State,
    seed: bytes | None,
    wake: int,
    count: int,
    on_window: Callable[[], None],
) -> tuple[EpochReport, Head, State]:
    """Train an epoch's next windows."""
    planned = [plan.source(head.head_count + offset) for offset in range(count)]
    epoch_context = _epoch_context(subject, head.epoch, seed, planned)
    first, mask = head.head_count, head.active_mask
    learned, cost, seconds = Tally(), Cost(), 0.0
    for source in planned:
        before = head.active_mask
        woken = before | plan.wake(head.head_count) | wake
        price = window_cost(subject.season.economics, before, woken)
        start, traces = epoch_context.window_start(head, state, source), list[Traces]()
        kernel_for(woken)  # compiling happens once, so it is no part of a window's time
        begun = time.perf_counter()
        window = train_window(start, woken, price.price, on_traces=traces.append)
        seconds += time.perf_counter() - begun
        learned, cost = sum(map(tally, traces), learned), cost + price
        head, state = head_after(head, window), window.end
        on_window()
    names = _count(planned)
    grown = slot_names(head.active_mask & ~mask)
    last = head.head_count - 1
    return EpochReport(head.epoch, first, last, names, grown, learned, cost, seconds), head, state


def _next_epoch(head: Head, season: Season) -> Head:
    """The head as the ledger leaves it, in the next epoch if this one is complete."""
    if head.head_count < head.epoch_end:
        return head
    epoch = head.epoch + 1
    return replace(
        head,
        epoch=epoch,
        epoch_end=head.epoch_end + season.schedule.epoch_windows,
        lr_shift=season.schedule.lr_shift(epoch),
    )


def drawn_seed(dna: bytes, epoch: int) -> bytes:
    """The seed of an epoch whose block is not known."""
    return bytes(keccak(SEED_TAG + dna + epoch.to_bytes(4)))


def _epoch_context(
    subject: SimulatedBeast, epoch: int, seed: bytes | None, sources: Iterable[TrainingSource]
) -> EpochContext:
    schedule, wanted = subject.season.schedule, set(sources)
    words = {source: found for source in wanted if (found := _words(subject, source)) is not None}

    def context(source: TrainingSource) -> WindowContext:
        mine = subject.private if source is Source.PRIVATE else None
        records = words.get(source)
        return WindowContext(
            dna=subject.dna,
            epoch_seed=seed or drawn_seed(subject.dna, epoch),
            heads=schedule.heads(epoch),
            lr_shift=schedule.lr_shift(epoch),
            source=source_of(source),
            rules=subject.season.rules,
            owner_secret_fold=mine.fold if mine else 0,
            records_root=bytes(32) if records is None else merkle.root(records),
            records_length=0 if records is None else len(records),
        )

    return EpochContext(subject.beast_id, {source: context(source) for source in wanted}, words)


def _words(subject: SimulatedBeast, source: TrainingSource) -> Sequence[int] | None:
    """The records that a source reads."""
    if isinstance(source, Battle):
        return subject.logs[source.match_id]
    private = subject.private
    return private.words if source is Source.PRIVATE and private is not None else None


def _count(planned: Sequence[TrainingSource]) -> dict[str, int]:
    return dict(Counter(map(source_text, planned)))
