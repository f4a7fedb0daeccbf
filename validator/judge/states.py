"""True states by hash: our own folder, the chain, where trainers publish, or computed again.

A state whose hash is the parent's h128 is sound to start from, whoever wrote it down: the court
opens the same hash.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import structlog

from chainbeasts.backend.battle.logs import MatchLogs, MissingLogError
from chainbeasts.backend.chain.errors import ChainError, NotThereError
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.indexer.published import published_state
from chainbeasts.backend.indexer.queries import LIVE, checkpoint_by_hash
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.state import State, encode_state
from chainbeasts.backend.kernel.window import genesis_state
from chainbeasts.backend.kernels import state_hash
from chainbeasts.backend.store.private import PrivateDataset
from chainbeasts.backend.store.session import DatabaseUnavailableError
from chainbeasts.backend.store.snapshots import MOST_REMOTE_LOOKUPS, PackedSnapshots
from chainbeasts.backend.store.waits import Waits
from chainbeasts.validator.judge.cases import Case, CaseReader
from chainbeasts.validator.judge.datasets import (
    DatasetFolder,
    OpenedRecords,
    opened_records,
    revealed_dataset,
)
from chainbeasts.validator.judge.replay import Window, end_of

log = structlog.get_logger()

DATASET_RETRY_SECONDS = 10.0
MOST_BEASTS = 16_384
"""Beasts remembered as having no dataset here, or one that was revealed and refused."""

MOST_DATASETS = 8
"""Datasets in memory at once; one has up to 65,536 words, some 5 MB."""

REMOTE_RETRY_SECONDS, LONGEST_REMOTE_RETRY_SECONDS = 30.0, 600.0
NEAR = 64
"""Ancestors among which one with a known state is looked for, before all of them are read."""

DURABLE_EVERY = 8
"""Of a beast's windows, each so many-th's end is written to disk as it is judged."""

NO_PARENT = "the parent's state is neither published nor computable"


@dataclass(frozen=True, slots=True)
class Records:
    """What a window reads: nothing, a match's log, or a private dataset as far as it is known.

    Attributes:
        fold: of the owner's secret, for a private window.
        opened: see ``Window.opened``.
    """

    words: tuple[int, ...] | None = None
    fold: int = 0
    opened: tuple[int, ...] = ()

    @classmethod
    def of(cls, data: PrivateDataset) -> Records:
        """A whole dataset."""
        return cls(data.words, data.fold)


class StateProvider:
    """Finds the states that windows start from, and the private datasets they sample.

    Args:
        snapshots: what we computed or fetched, and where trainers publish.
        datasets: owners' files.
        logs: logs of matches.
    """

    def __init__(
        self,
        reader: CaseReader,
        snapshots: PackedSnapshots,
        datasets: DatasetFolder,
        logs: MatchLogs,
    ) -> None:
        self.reader = reader
        self.snapshots = snapshots
        self.logs = logs
        self.shared = False
        """Whether windows may leave without their parent's state, for workers that fetch it."""
        self._datasets = datasets
        self._cached: OrderedDict[int, PrivateDataset] = OrderedDict()
        self._dataset_waits = Waits(
            DATASET_RETRY_SECONDS, DATASET_RETRY_SECONDS, MOST_BEASTS, time.monotonic
        )
        self._refused_reveals: dict[int, None] = {}
        self._absent_waits = Waits(
            REMOTE_RETRY_SECONDS, LONGEST_REMOTE_RETRY_SECONDS, MOST_BEASTS, time.monotonic
        )

    # --- states ---------------------------------------------------------------------------------

    def keep(self, state: State) -> None:
        """Remember a state that we computed."""
        self.snapshots.put(state)

    def keep_ends(self, ends: Iterable[tuple[int, bytes, bytes]]) -> None:
        """Remember encoded ends of windows that were judged: index, hash, state."""
        # A state of a beast goes to disk now and then: those between are computed again after a
        # kill, in less time than it takes to write them all.
        found = list(ends)
        durable = {h for index, h, _ in found if index % DURABLE_EVERY == DURABLE_EVERY - 1}
        self.snapshots.keep([(h, data) for _, h, data in found], durable)

    def encoded(self, h: bytes) -> bytes | None:
        """Like ``find``, encoded."""
        data = self.snapshots.encoded(h)
        if data is not None:
            return data
        found = self.find(h)
        return None if found is None else encode_state(found)

    def find(self, h: bytes) -> State | None:
        """The state behind a hash: from our own folder, from the chain, or from where trainers
        publish; None if it is nowhere.
        """
        # In the order of the costs: a place that is away must not be asked for what is on chain.
        if self.snapshots.has(h):
            found = self.snapshots.get(h)
            if found is not None:
                return found
        with self.reader.database.session() as session:
            found = published_state(session, h)
        if found is None:
            return self.snapshots.get(h)
        self.keep(found)
        return found

    def of_checkpoint(self, h: bytes) -> State | None:
        """The state of a standing checkpoint; None if it cannot be had.

        It is found, or computed again.
        """
        found = self.find(h)
        if found is not None:
            return found
        with self.reader.database.session() as session:
            row = checkpoint_by_hash(session, h)
        return None if row is None else self._recompute(self.reader.lineage(row))

    def absent(self, h: bytes) -> None:
        """Note that a worker could not fetch a state: for a while, we look for it ourselves."""
        self._absent_waits.again(h)

    def close(self) -> None:
        """Write what is in memory alone."""
        self.snapshots.close()

    # --- datasets -------------------------------------------------------------------------------

    def private_data(self, beast_id: int) -> PrivateDataset | None:
        """A beast's dataset, from files or from a dispute; None if unknown or not as committed."""
        key = beast_id.to_bytes(32)
        if beast_id in self._cached:
            self._cached.move_to_end(beast_id)
        # A folder full of files is hashed for it: not in every pass, for a dataset that nobody has.
        elif self._dataset_waits.due(key):
            data = self._datasets.find(self.reader.commitments(beast_id))
            data = data or self._revealed(beast_id)
            if data is None:
                self._dataset_waits.again(key)
                return None
            self._cached[beast_id] = data
            if len(self._cached) > MOST_DATASETS:
                self._cached.popitem(last=False)
        return self._cached.get(beast_id)

    def opened_records(self, case: Case) -> OpenedRecords | None:
        """The records of a private window that were opened on chain; None if they were not."""
        committed = self.reader.commitments(case.beast_id)
        return opened_records(self.reader.database, case.beast_id, case.index, case.dna, committed)

    def knows_records(self, case: Case) -> bool:
        """Whether a private window's records are known here."""
        return self.private_data(case.beast_id) is not None or (
            self.opened_records(case) is not None
        )

    def _revealed(self, beast_id: int) -> PrivateDataset | None:
        if beast_id in self._refused_reveals:
            return None
        try:
            reader = self.reader
            committed = reader.commitments(beast_id)
            return revealed_dataset(reader.chain, reader.database, beast_id, committed)
        except NotThereError as error:  # some nodes keep no old transactions; another may have it
            log.warning("revealed dataset not served", beast=beast_id, reason=error.message)
            return None
        except (ChainError, DatabaseUnavailableError):
            self._dataset_waits.done(beast_id.to_bytes(32))
            raise  # a node or database that is away says nothing about the dataset
        except ChainBeastsError as error:
            # For good: what is on chain does not change. A trainer may have committed to bytes that
            # do not open their own root; a dispute, which asks for records under it, answers that,
            # a replay cannot.
            self._refused_reveals[beast_id] = None
            if len(self._refused_reveals) > MOST_BEASTS:  # the oldest is looked at once more
                del self._refused_reveals[next(iter(self._refused_reveals))]
            log.warning("revealed dataset refused; no bond", beast=beast_id, reason=error.message)
            return None

    # --- windows --------------------------------------------------------------------------------

    def window(self, case: Case, ancestors: Sequence[Case] | None = None) -> Window | str:
        """What it takes to replay a case in full, or why that is impossible.

        Args:
            ancestors: the beast's checkpoints before this one, from index 0; read if not given,
                and only if they are needed.
        """
        found = self._window(case, ancestors)
        if isinstance(found, str):
            return found
        return replace(found, published=self.find(case.checkpoint.payload.h128))

    def start_of(self, case: Case) -> bytes | None:
        """The encoded state that a case's window starts from, found or computed again; None if it
        cannot be had.
        """
        if case.index == 0:
            return encode_state(genesis_state(case.beast_id, case.dna))
        data = self.encoded(case.checkpoint.parent)
        if data is None:
            found = self.parent_state(case)
            data = None if found is None else encode_state(found)
        return data

    def may_leave(self, case: Case) -> bool:
        """Whether a case's window is replayed from a state that others fetch by its hash."""
        return self._can_be_remote(case) and not self.snapshots.has(case.checkpoint.parent)

    def records_of(self, case: Case) -> Records | str:
        """What a window reads, or why that is not known."""
        return self._records(case)

    def _can_be_remote(self, case: Case) -> bool:
        """Whether others can fetch the case's parent. A private dataset never leaves us."""
        return (
            self.shared
            and case.index > 0
            and bool(self.snapshots.remote)
            and case.checkpoint.payload.source in (Source.CURRICULUM, Source.SELF_PLAY)
            and self._absent_waits.due(case.checkpoint.parent)
        )

    def _window(self, case: Case, ancestors: Sequence[Case] | None) -> Window | str:
        records = self._records(case)
        if isinstance(records, str):
            return records
        parent = self.parent_state(case, ancestors)
        if parent is None:
            return NO_PARENT
        return self._window_from(case, parent, records)

    def _records(self, case: Case) -> Records | str:
        """What a window reads, or why that is not known."""
        if case.match_id is not None:
            try:
                return Records(tuple(self.logs.words(case.match_id)))
            except MissingLogError as error:
                return error.message
        if not case.private:
            return Records()
        # The opened ones first: the court, too, takes them without a path each.
        opened = self.opened_records(case)
        if opened is not None:
            return Records(opened.by_index, opened.fold, opened.in_order)
        data = self.private_data(case.beast_id)
        return "the private dataset is not known here" if data is None else Records.of(data)

    def _window_from(self, case: Case, parent: State, records: Records) -> Window:
        context = self.reader.context(case, records.fold)
        opened = records.opened
        return Window(case.beast_id, case.checkpoint, context, parent, records.words, opened=opened)

    def parent_state(self, case: Case, ancestors: Sequence[Case] | None = None) -> State | None:
        """The state that a case's window starts from, found or computed again; None if it cannot
        be had.

        Args:
            ancestors: see ``window``.
        """
        if case.index == 0:
            return genesis_state(case.beast_id, case.dna)
        found = self.find(case.checkpoint.parent)
        if found is not None:
            return found
        # Neither here nor published. That may be meant to keep the window from being judged, so it
        # is computed again from the newest ancestor whose state is known, at the latest from
        # genesis.
        if ancestors is None and case.status in LIVE:
            near = self.reader.live(case.beast_id, max(0, case.index - NEAR), min(NEAR, case.index))
            if any(self.snapshots.has(one.checkpoint.payload.h128) for one in near):
                return self._recompute(near)
        chain = self.reader.ancestors(case) if ancestors is None else ancestors
        return self._recompute(chain[: case.index])

    def _recompute(self, chain: Sequence[Case]) -> State | None:
        """The end of the last of consecutive cases, as far as they are right: from index 0, or with
        one whose state is known here."""
        start, state = 0, None
        for position in range(len(chain) - 1, -1, -1):
            h = chain[position].checkpoint.payload.h128
            # Each question to a remote place is a request: who publishes nothing over thousands of
            # windows must not cost us thousands of timeouts. Our own folder is asked without end.
            near = position >= len(chain) - MOST_REMOTE_LOOKUPS
            state = self.find(h) if near or self.snapshots.has(h) else None
            if state is not None:
                start = position + 1
                break
        for case in chain[start:]:
            state = self._end(case, state)
            if state is None:
                return None
            # A case of its own. What follows it falls with it, and has no true start.
            h = state_hash(state)
            if h != case.checkpoint.payload.h128:
                log.info("an ancestor is wrong", beast=case.beast_id, index=case.index)
                return None
            self.keep_ends([(case.index, h, encode_state(state))])
        return state

    def _end(self, case: Case, before: State | None) -> State | None:
        """The true end of a case's window, if it can be computed here."""
        parent = before if case.index else genesis_state(case.beast_id, case.dna)
        records = self._records(case)
        if parent is None or isinstance(records, str):
            return None
        try:
            return end_of(self._window_from(case, parent, records))
        except ValueError:
            return None
