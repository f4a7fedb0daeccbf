"""True states by hash: our own folder, the published one, or computed again from an ancestor.

A state whose hash is the parent's h128 is sound to start from, whoever wrote it down: the court
opens the same hash.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import structlog

from backend.chain.errors import ChainError
from backend.errors import ChainBeastsError
from backend.kernel.samples import Source
from backend.kernel.state import State, state_hash
from backend.kernel.window import genesis_state
from backend.store.private import PrivateDataset
from backend.store.snapshots import SnapshotStore
from validator.cases import Case, CaseReader
from validator.datasets import DatasetFolder, revealed_dataset
from validator.replay import Window, end_of

log = structlog.get_logger()

LOOK_AGAIN_SECONDS = 10.0


class StateBook:
    """Finds the states that windows start from, and the private datasets they sample.

    Args:
        own: states that this validator computed.
        published: states that trainers published.
        datasets: owners' files.
    """

    def __init__(
        self,
        reader: CaseReader,
        own: SnapshotStore,
        published: SnapshotStore,
        datasets: DatasetFolder,
    ) -> None:
        self.reader = reader
        self.own = own
        self.published = published
        self._datasets = datasets
        self._known: dict[int, PrivateDataset] = {}
        self._looked: dict[int, float] = {}
        self._refused: set[int] = set()

    def keep(self, state: State) -> None:
        """Remember a state that we computed."""
        self.own.put(state)

    def find(self, h: bytes) -> State | None:
        """The state behind a hash, if somebody here has it."""
        return self.own.get(h) or self.published.get(h)

    def private_data(self, beast_id: int) -> PrivateDataset | None:
        """A beast's dataset, from files or from a dispute; None if unknown or not as committed."""
        looked = self._looked.get(beast_id)
        fresh = looked is not None and time.monotonic() - looked < LOOK_AGAIN_SECONDS
        if beast_id not in self._known and not fresh:
            self._looked[beast_id] = time.monotonic()
            data = self._datasets.find(self.reader.commitments(beast_id))
            data = data or self._revealed(beast_id)
            if data is not None:
                self._known[beast_id] = data
        return self._known.get(beast_id)

    def _revealed(self, beast_id: int) -> PrivateDataset | None:
        if beast_id in self._refused:
            return None
        try:
            reader = self.reader
            committed = reader.commitments(beast_id)
            return revealed_dataset(reader.chain, reader.database, beast_id, committed)
        except ChainError:
            self._looked.pop(beast_id, None)
            raise  # a node that is away says nothing about the dataset
        except ChainBeastsError as error:
            self._refused.add(beast_id)
            log.warning("revealed dataset refused; no bond", beast=beast_id, reason=error.message)
            return None

    def window(self, case: Case, ancestors: Sequence[Case]) -> Window | str:
        """What it takes to replay a case in full, or why that is impossible.

        Args:
            ancestors: the beast's checkpoints before this one, from index 0.
        """
        if case.checkpoint.payload.source is Source.BATTLE:
            return "recorded matches are not known here"
        data = self.private_data(case.beast_id) if case.private else None
        if case.private and data is None:
            return "the private dataset is not known here"
        parent = self._parent_state(case, ancestors)
        if parent is None:
            return "the parent's state is neither published nor computable"
        return self._window(case, parent, data)

    def _window(self, case: Case, parent: State, data: PrivateDataset | None) -> Window:
        words = None if data is None else data.words
        context = self.reader.context(case, data)
        h128 = case.checkpoint.payload.h128
        return Window(case.beast_id, case.checkpoint, context, parent, words, self.find(h128))

    def _parent_state(self, case: Case, ancestors: Sequence[Case]) -> State | None:
        """The state behind the case's parent hash."""
        if case.index == 0:
            return genesis_state(case.beast_id, case.dna)
        found = self.find(case.checkpoint.parent)
        return self._recompute(ancestors[: case.index]) if found is None else found

    def _recompute(self, chain: Sequence[Case]) -> State | None:
        """The end of the last of consecutive cases from index 0, as far as they are right."""
        start, state = 0, None
        for position in range(len(chain) - 1, -1, -1):
            state = self.find(chain[position].checkpoint.payload.h128)
            if state is not None:
                start = position + 1
                break
        for case in chain[start:]:
            window = self._from(case, state)
            if window is None:
                return None
            try:
                state = end_of(window)
            except ValueError:
                return None
            if state_hash(state) != case.checkpoint.payload.h128:
                log.info("an ancestor is wrong", beast=case.beast_id, index=case.index)
                return None
            self.keep(state)
        return state

    def _from(self, case: Case, state: State | None) -> Window | None:
        parent = state if case.index else genesis_state(case.beast_id, case.dna)
        data = self.private_data(case.beast_id) if case.private else None
        if parent is None or (case.private and data is None):
            return None
        return self._window(case, parent, data)
