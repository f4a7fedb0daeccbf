"""True states by hash: our own folder, the published one, or computed again from an ancestor.

A state whose hash is the parent's h128 is sound to start from, whoever wrote it down: the court
opens the same hash.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from backend.kernel.state import State, decode_state, encode_state, state_hash
from backend.kernel.window import genesis_state
from backend.store.snapshots import SnapshotStore
from validator.cases import Case, CaseReader
from validator.datasets import DatasetError, DatasetFolder, PrivateData
from validator.replay import WindowTask, verify_full

log = structlog.get_logger()


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
        self._known: dict[int, PrivateData] = {}
        self._refused: set[int] = set()

    def keep(self, end: bytes) -> bytes:
        """Remember a state that we computed; returns its hash."""
        return self.own.put(decode_state(end))

    def find(self, h: bytes) -> State | None:
        """The state behind a hash, if somebody here has it."""
        return self.own.get(h) or self.published.get(h)

    def private_data(self, beast_id: int) -> PrivateData | None:
        """A beast's dataset, from files or from a dispute; None if unknown or not as committed."""
        if beast_id not in self._known:
            data = self._datasets.find(self.reader.commitments(beast_id))
            if data is None and beast_id not in self._refused:
                data = self._revealed(beast_id)
            if data is None:
                return None
            self._known[beast_id] = data
        return self._known[beast_id]

    def _revealed(self, beast_id: int) -> PrivateData | None:
        try:
            return self.reader.revealed(beast_id)
        except DatasetError as error:
            self._refused.add(beast_id)
            log.warning("revealed dataset refused; no bond", beast=beast_id, reason=str(error))
            return None

    def task(self, case: Case, ancestors: Sequence[Case]) -> WindowTask | str:
        """What it takes to replay a case in full, or why that is impossible.

        Args:
            ancestors: the beast's standing checkpoints before this one, from index 0.
        """
        data = self.private_data(case.beast_id) if case.private else None
        if case.private and data is None:
            return "the private dataset is not known here"
        start = self._start(case, ancestors)
        if start is None:
            return "the parent's state is neither published nor computable"
        words = data.words if data is not None else None
        return WindowTask(
            self.reader.context(case, data), encode_state(start), case.claim, words
        )

    def _start(self, case: Case, ancestors: Sequence[Case]) -> State | None:
        """The state behind the case's parent hash."""
        if case.index == 0:
            return genesis_state(case.beast_id, case.dna)
        found = self.find(case.checkpoint.parent)
        if found is not None or not ancestors:
            return found
        return self._recompute(list(ancestors[: case.index]))

    def recompute(self, case: Case, ancestors: Sequence[Case]) -> State | None:
        """The case's start from genesis alone, trusting no stored state; None if impossible."""
        if case.index == 0:
            return genesis_state(case.beast_id, case.dna)
        return self._recompute(list(ancestors[: case.index]), trust=False)

    def _recompute(self, chain: list[Case], trust: bool = True) -> State | None:
        """The end of the last case in a chain of cases from index 0, as far as they are right."""
        first = 0
        state: State | None = None
        if trust:
            for position in range(len(chain) - 1, -1, -1):
                state = self.find(chain[position].claim.h128)
                if state is not None:
                    first = position + 1
                    break
        for case in chain[first:]:
            start = state if case.index else genesis_state(case.beast_id, case.dna)
            data = self.private_data(case.beast_id) if case.private else None
            if start is None or (case.private and data is None):
                return None
            task = WindowTask(
                self.reader.context(case, data),
                encode_state(start),
                case.claim,
                data.words if data is not None else None,
            )
            finding = verify_full(task)
            assert finding.end is not None
            state = decode_state(finding.end)
            if state_hash(state) != case.claim.h128:
                log.info("an ancestor is wrong", beast=case.beast_id, index=case.index)
                return None
            self.own.put(state)
        return state
